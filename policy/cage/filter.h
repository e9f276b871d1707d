/*
 * The system-call filter of a role, built from its tables with libseccomp. Private to this folder.
 */
#ifndef SALLYPORT_POLICY_CAGE_FILTER_H
#define SALLYPORT_POLICY_CAGE_FILTER_H

#include "policy/cage/cage.h"

/*
 * Builds the filter and loads it over all threads of the process. additions may be NULL; those that
 * are there were found permitted. Needs no_new_privs. 0, or the negative errno, with *detail set to
 * the call that did not fit or left alone; nothing is loaded then.
 */
MUST_CHECK int
filter_load(enum cage_role role, const struct cage_additions *additions, const char **detail);

#endif
