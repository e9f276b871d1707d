/*
 * Backends by name (backends.def): which are built in, and whose files are in memory. Every other
 * name is that of a custom backend, which the worker loads. Pure; for the loader, the supervisor,
 * auth and the worker.
 */
#ifndef SALLYPORT_POLICY_RULES_BACKENDS_H
#define SALLYPORT_POLICY_RULES_BACKENDS_H

#include "ipc/base/bytes.h"

enum { BACKEND_NAME_BYTES_MAX = 32 };

/* Lower-case letters, digits and inner '-', beginning with a letter; it becomes part of a file's
 * name. */
bool backend_name_is_good(struct bytes name);

bool backend_is_built_in(struct bytes name);

/* Its files are nowhere but in its worker, which therefore stays (DECISIONS 14). */
bool backend_is_in_memory(struct bytes name);

/* "sync, threaded, memory": the built-in ones. The caller frees it; NULL: no memory. */
MUST_CHECK char *backend_words(void);

#endif
