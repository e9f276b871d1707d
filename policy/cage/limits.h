/*
 * Resource limits of a role (limits.def). Private to this folder.
 */
#ifndef SALLYPORT_POLICY_CAGE_LIMITS_H
#define SALLYPORT_POLICY_CAGE_LIMITS_H

#include "policy/cage/tables.h"

/* Sets those of that gate: 0, or the negative errno with *detail naming the resource. */
MUST_CHECK int limits_set(enum cage_role role, enum cage_gate gate, const char **detail);

#endif
