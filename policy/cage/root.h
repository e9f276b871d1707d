/*
 * How a process gets its own root. Private to this folder.
 */
#ifndef SALLYPORT_POLICY_CAGE_ROOT_H
#define SALLYPORT_POLICY_CAGE_ROOT_H

#include "policy/cage/cage.h"

/*
 * Goes to the folder that is to be the role's root and makes it so: with CAP_SYS_CHROOT by chroot;
 * without, in a user namespace of its own, if one can be had. Otherwise only the working directory
 * is changed, and CAGE_WALL_ROOT stays out of report->walls. Any other failure is a negative errno.
 */
MUST_CHECK int
root_take(enum cage_role role, const struct cage_options *options, struct cage_report *report);

#endif
