/*
 * The worker's backends by name: those of policy/rules/backends.def, and custom ones, which are
 * loaded from a folder (module.h).
 */
#ifndef SALLYPORT_WORKER_BACKENDS_H
#define SALLYPORT_WORKER_BACKENDS_H

#include "policy/cage/cage.h"
#include "worker/backend.h"

struct backends_options {
	struct bytes name;
	struct bytes directory; /* of custom ones; empty: there are none */
	struct bytes settings;  /* what a custom one is told */
	uint32_t owner;         /* who beside root may own what is loaded */
};

/* Process lifetime. */
struct backend_choice {
	const struct backend *backend;
	enum backend_executor executor;
	bool in_memory; /* it needs no home */
	struct cage_additions additions;
};

/*
 * The backend of that name. Custom code is loaded and first run in here: as the user, before the
 * cage is entered, with one thread. 0; -ENOMEM; or -ELIBBAD, and *reason says what is wrong with
 * which file (the caller frees it).
 */
MUST_CHECK int backends_choose(
	const struct backends_options *options, struct backend_choice *result, char **reason);

/*
 * Writes the system calls that the backend adds, one a line: for `sallyportd --show-cage`. Its
 * words are the name, the directory and the owner. What is wrong ends the process.
 */
void backends_show_calls(char *const words[3], int fd);

/* A built-in one; NULL if there is none of that name. */
const struct backend_choice *backends_find(struct bytes name);

#endif
