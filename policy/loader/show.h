/*
 * `sallyportd --show-cage`: what processes of a role may do.
 */
#ifndef SALLYPORT_POLICY_LOADER_SHOW_H
#define SALLYPORT_POLICY_LOADER_SHOW_H

#include "ipc/base/compiler.h"
#include "policy/cage/cage.h"

/*
 * Prints the role's tables, and for the worker what the custom backend adds that `backend =` of the
 * configuration names; NULL: none is looked at. The process' status.
 */
MUST_CHECK int show_cage(enum cage_role role, const char *config_path);

#endif
