/*
 * How this folder fills in a struct cage_report. Private to this folder.
 */
#ifndef SALLYPORT_POLICY_CAGE_REPORT_H
#define SALLYPORT_POLICY_CAGE_REPORT_H

#include "policy/cage/cage.h"

/* Notes what could not be done, and to what (may be NULL); returns `error`. */
int report_fail(struct cage_report *report, int error, const char *problem, const char *detail);

/* 0 when every wall that `cage = required` demands stands; else the report of the first lacking. */
MUST_CHECK int report_check_required(struct cage_report *report);

#endif
