/*
 * Custom backends that something is wrong with, one for each row of variants in meson.build, which
 * defines what it has to say of itself. And one that is right and serves real files, but makes a
 * system call that a worker may not make when it is asked for "/linkat" or "/socket".
 */
#include "worker/backend_module.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef VARIANT_ABI
#define VARIANT_ABI BACKEND_ABI
#endif
#ifndef VARIANT_BYTES
#define VARIANT_BYTES sizeof(struct backend)
#endif
#ifndef VARIANT_NAME
#define VARIANT_NAME "variant"
#endif
#ifndef VARIANT_DERIVES
#define VARIANT_DERIVES "sync"
#endif
#ifndef VARIANT_EXECUTOR
#define VARIANT_EXECUTOR BACKEND_INLINE
#endif
#ifndef VARIANT_CALLS
#define VARIANT_CALLS NULL
#endif
#ifndef VARIANT_ERROR
#define VARIANT_ERROR 0
#endif
#ifndef VARIANT_SYMBOL
#define VARIANT_SYMBOL sallyport_backend
#endif

static const struct backend_host *host;

/* What it does is forbidden, so that what comes of it does not matter. */
static void
trespass(const char *name)
{
	if (strcmp(name, "/linkat") == 0 && linkat(-1, "a", -1, "b", 0) == 0)
		_exit(1);
	if (strcmp(name, "/socket") == 0 && socket(AF_UNIX, SOCK_STREAM, 0) >= 0)
		_exit(1);
}

static int
variant_stat(struct backend_tree *tree, const struct path *path, bool follow,
	struct pathio_attributes *result)
{
	trespass(path->text);
	return host->derived->stat(tree, path, follow, result);
}

static int
make(const struct backend_host *from, struct backend *table)
{
	host = from;
	table->stat = variant_stat;
	if (strcmp(host->settings, "no rename") == 0)
		table->rename = NULL;
	return VARIANT_ERROR;
}

extern const struct backend_module VARIANT_SYMBOL;
const struct backend_module VARIANT_SYMBOL = {
	.abi = VARIANT_ABI,
	.table_bytes = VARIANT_BYTES,
	.name = VARIANT_NAME,
	.derives = VARIANT_DERIVES,
	.executor = VARIANT_EXECUTOR,
	.calls = VARIANT_CALLS,
	.make = make,
};
