/*
 * A root without privilege: a user namespace of one's own. Private to this folder.
 */
#ifndef SALLYPORT_POLICY_CAGE_NAMESPACE_H
#define SALLYPORT_POLICY_CAGE_NAMESPACE_H

#include "ipc/base/compiler.h"

#include <stdbool.h>

/*
 * Would namespace_enter() succeed? Tried in a child, because a process that got half the way cannot
 * go back: kernels, sysctls, LSMs and container engines each refuse another part of it.
 */
bool namespace_is_possible(bool own_mounts);

/*
 * A new user namespace with the own uid and gid mapped to themselves and no way to change groups,
 * and in it the working directory as root. own_mounts: also a mount namespace that holds the
 * working directory's tree and nothing else, without devices, programs and set-user-id. Leaves all
 * capabilities *inside* that namespace to the process, which drops them next.
 * 0 or a negative errno, after which the process is in no state to go on.
 */
MUST_CHECK int namespace_enter(bool own_mounts);

#endif
