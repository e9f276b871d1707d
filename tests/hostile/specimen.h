/*
 * Descriptors of every sort (specimen.def), for messages that want one and get another. Linked into
 * test programs only.
 */
#ifndef SALLYPORT_TESTS_HOSTILE_SPECIMEN_H
#define SALLYPORT_TESTS_HOSTILE_SPECIMEN_H

#include "ipc/descriptor.h"

#include <stdbool.h>

/* How many sorts there are; they are numbered from 0. */
unsigned specimen_count(void);

const char *specimen_name(unsigned specimen);

/* The number of that name; dies if there is none. */
unsigned specimen_find(const char *name);

/* By its row, not by the check under test. */
bool specimen_is(unsigned specimen, enum descriptor_kind kind);

/* The first that is of that kind. */
unsigned specimen_of(enum descriptor_kind kind);

/* A new one, close-on-exec, that the caller closes; dies if it cannot be had. */
int specimen_open(unsigned specimen);

#endif
