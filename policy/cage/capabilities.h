/*
 * Capabilities of the calling thread, through libcap. Private to this folder.
 */
#ifndef SALLYPORT_POLICY_CAGE_CAPABILITIES_H
#define SALLYPORT_POLICY_CAGE_CAPABILITIES_H

#include "ipc/base/compiler.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/capability.h>

/* Is it in the effective set? */
bool capabilities_have(cap_value_t capability);

/*
 * Leaves of the permitted set what is in `kept`, effective as well; nothing inheritable, nothing
 * ambient; the bounding set, where the process may touch it, down to `kept`. 0 or a negative errno.
 */
MUST_CHECK int capabilities_keep(const cap_value_t *kept, size_t count);

/* Empties the bounding set but for `kept`: 0, or -EPERM without CAP_SETPCAP. */
MUST_CHECK int capabilities_bound(const cap_value_t *kept, size_t count);

/* Effective, permitted and inheritable become exactly these: 0 or a negative errno. */
MUST_CHECK int capabilities_set(const cap_value_t *wanted, size_t count);

#endif
