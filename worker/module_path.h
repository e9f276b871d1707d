/*
 * The way to a custom backend's file, judged step by step.
 */
#ifndef SALLYPORT_WORKER_MODULE_PATH_H
#define SALLYPORT_WORKER_MODULE_PATH_H

#include "ipc/base/bytes.h"

#include <stdint.h>

/* What stopped a walk: at what, and why. */
struct module_problem {
	struct bytes path; /* the part of the directory up to where it was stopped */
	const char *why;   /* static, or of strerror(3) */
};

/*
 * Opens an absolute folder (O_PATH) name by name, following no link, and judges each one on its
 * descriptor: it belongs to root or `owner`, and nobody else may write it; but a folder before the
 * last may be writable for everybody if it is sticky, since what follows is judged as well. 0, and
 * the caller closes *folder_fd; or negative errno and *problem.
 */
MUST_CHECK int module_open_folder(
	struct bytes directory, uint32_t owner, int *folder_fd, struct module_problem *problem);

/* The same for a regular file in it. */
MUST_CHECK int
module_check_file(int folder_fd, const char *name, uint32_t owner, struct module_problem *problem);

#endif
