/*
 * Landlock for a role (landlock.def). Private to this folder.
 */
#ifndef SALLYPORT_POLICY_CAGE_LANDLOCK_H
#define SALLYPORT_POLICY_CAGE_LANDLOCK_H

#include "policy/cage/cage.h"

/* The kernel's Landlock ABI: 0 where it has none or it is switched off. */
int landlock_abi(void);

/*
 * Restricts the calling thread and its children to the role's rights below the root (the working
 * directory; "/" for a role that keeps the outer root), as far as the kernel's ABI goes, and notes
 * in the report which walls that gives. Needs no_new_privs. 0 also where there is no Landlock; a
 * negative errno when a kernel that has it refused.
 */
MUST_CHECK int landlock_restrict(enum cage_role role, struct cage_report *report);

#endif
