/*
 * What a custom backend is made of: a shared object "sallyport-backend-NAME.so" in
 * `backend_directory` that exports one symbol. sallyport-backend(7) is the recipe, the example of
 * packaging/examples/backend-count/ a whole one.
 *
 *	const struct backend_module sallyport_backend = {
 *		BACKEND_MODULE_BEGIN,
 *		.name = "count",
 *		.derives = "sync",
 *		.make = make,
 *	};
 *
 * It is loaded as the user whose files it serves, before the worker enters its cage; make() is
 * called then, with one thread, and must not make another one. tree_open() follows inside the cage,
 * where everything is opened that is needed later; after it the system-call filter closes.
 */
#ifndef SALLYPORT_WORKER_BACKEND_MODULE_H
#define SALLYPORT_WORKER_BACKEND_MODULE_H

#include "worker/backend.h"
#include "worker/identity.h"

/* Changes whenever anything in these headers does that a module could notice. */
enum { BACKEND_ABI = 1 };

/* What the worker offers to a module. Process lifetime. */
struct backend_host {
	const struct backend *derived; /* the one that `derives` names; NULL if it names none */
	const char *settings;          /* `backend_settings` of the configuration; "" */
	/* For which session the calling thread works: see identity.h. */
	const struct instance_identity *(*identity)(void);
};

struct backend_module {
	uint32_t abi;         /* BACKEND_ABI */
	uint32_t table_bytes; /* sizeof(struct backend) */
	const char *name;     /* that of its file */
	const char *derives; /* the built-in backend that its table begins as; NULL: an empty one */
	enum backend_executor executor;
	/*
	 * The system calls that it makes beside those of the worker's table (see `sallyportd
	 * --show-cage worker`), up to a NULL; each must be a row of policy/cage/additions.def.
	 * NULL: none.
	 */
	const char *const *calls;
	/* Completes the table. 0, or a negative errno, and the worker does not start. */
	int (*make)(const struct backend_host *host, struct backend *table);
};

#define BACKEND_MODULE_BEGIN .abi = BACKEND_ABI, .table_bytes = sizeof(struct backend)

extern const struct backend_module sallyport_backend;

#endif
