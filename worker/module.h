/*
 * Loads a custom backend: its file is found and judged on descriptors, linked, and its table
 * completed (backend_module.h).
 */
#ifndef SALLYPORT_WORKER_MODULE_H
#define SALLYPORT_WORKER_MODULE_H

#include "worker/backends.h"

/*
 * As backends_choose(), for a name that is not built in. What is loaded stays. Refused, with the
 * path in *reason: a folder on the way, or a file, that somebody else than root and `owner` owns or
 * may write (a folder that only its owners may take names from, as /tmp, may lead to the last one);
 * a symbolic link; a missing file or symbol; another ABI or name; a system call that no backend may
 * have; a missing function.
 */
MUST_CHECK int
module_load(const struct backends_options *options, struct backend_choice *result, char **reason);

#endif
