/*
 * Custom backends are loaded here (see module.h). Runs in the worker, as the user, before its cage,
 * because the dynamic linker needs what the cage takes. Trusts what root has put into the folder
 * and distrusts everything that anybody else could have: a module is code of the worker. Whatever
 * is wrong keeps the worker from starting, with a reason for the operator.
 *
 * The linker is given a path from the working directory, which is the folder that was judged:
 * /proc/self/fd would need /proc, and the folder's own path could have changed since.
 */
#include "worker/module.h"

#include "ipc/base/scope.h"
#include "worker/backend_module.h"
#include "worker/module_path.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>

enum { FILE_NAME_BYTES = 64 };

/* One load. */
struct loading {
	const struct backends_options *options;
	char file[FILE_NAME_BYTES];
	const struct backend_module *module;
	char **reason;
};

enum need { NEEDED, OPTIONAL };

static const struct function {
	const char *name;
	enum need need;
	size_t offset;
} functions[] = {
#define FUNCTION(name, need) { #name, need, offsetof(struct backend, name) },
#include "worker/backend_functions.def"
};

_Static_assert(sizeof(struct backend) ==
		       sizeof(const char *) + ARRAY_LENGTH(functions) * sizeof(void (*)(void)),
	"each function of struct backend has a row in backend_functions.def, and BACKEND_ABI "
	"counts");

/* "/directory/file: why", or of the part of the directory that `at` is. */
PRINTF_LIKE(4, 5)
static int
refuse_at(struct loading *loading, struct bytes at, const char *file, const char *format, ...)
{
	va_list arguments;
	SCOPE_FREE char *why = NULL;
	va_start(arguments, format);
	if (vasprintf(&why, format, arguments) < 0)
		why = NULL;
	va_end(arguments);
	if (asprintf(loading->reason, "custom backend: %.*s%s%s: %s", (int)at.length, at.data,
		    file[0] == '\0' ? "" : "/", file, why == NULL ? "refused" : why) < 0)
		*loading->reason = NULL;
	return -ELIBBAD;
}

#define REFUSE(loading, ...) \
	refuse_at((loading), (loading)->options->directory, (loading)->file, __VA_ARGS__)

/* ---- the file ---- */

static int
link_file(struct loading *loading, int folder_fd)
{
	char here[FILE_NAME_BYTES + 2];
	snprintf(here, sizeof(here), "./%s", loading->file);
	SCOPE_FD int before_fd = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (before_fd < 0 || fchdir(folder_fd) < 0)
		return REFUSE(loading, "%s", strerror(errno));
	void *object = dlopen(here, RTLD_NOW | RTLD_LOCAL);
	if (fchdir(before_fd) < 0)
		return REFUSE(loading, "no way back from its folder: %s", strerror(errno));
	if (object == NULL)
		return REFUSE(loading, "%s", dlerror());
	loading->module = dlsym(object, "sallyport_backend");
	if (loading->module == NULL)
		return REFUSE(loading, "exports no sallyport_backend");
	return 0;
}

static int
open_and_link(struct loading *loading)
{
	const struct backends_options *options = loading->options;
	struct module_problem problem = { .why = NULL };
	SCOPE_FD int folder_fd = -1;
	if (options->directory.length == 0)
		return REFUSE(loading, "no backend has this name, and backend_directory is empty");
	int error = module_open_folder(options->directory, options->owner, &folder_fd, &problem);
	if (error < 0)
		return refuse_at(loading, problem.path, "", "%s", problem.why);
	error = module_check_file(folder_fd, loading->file, options->owner, &problem);
	if (error < 0)
		return REFUSE(loading, "%s", problem.why);
	return link_file(loading, folder_fd);
}

/* ---- what it says of itself ---- */

static int
check_calls(struct loading *loading, size_t *count)
{
	const char *const *calls = loading->module->calls;
	size_t seen = 0;
	for (; calls != NULL && calls[seen] != NULL; seen++)
		if (!cage_addition_is_permitted(calls[seen]))
			return REFUSE(loading,
				"asks for the system call %s, which is none that a backend may add",
				calls[seen]);
	*count = seen;
	return 0;
}

static int
check_module(struct loading *loading)
{
	const struct backend_module *module = loading->module;
	if (module->abi != BACKEND_ABI || module->table_bytes != sizeof(struct backend))
		return REFUSE(loading,
			"was built for ABI %u with %u bytes, this is ABI %d with %zu", module->abi,
			module->table_bytes, BACKEND_ABI, sizeof(struct backend));
	if (module->name == NULL || !bytes_equal_text(loading->options->name, module->name))
		return REFUSE(
			loading, "calls itself '%s'", module->name == NULL ? "" : module->name);
	return 0;
}

/* ---- its table ---- */

static bool
has_function(const struct backend *table, const struct function *function)
{
	void (*pointer)(void);
	memcpy(&pointer, (const char *)table + function->offset, sizeof(pointer));
	return pointer != NULL;
}

static int
make_host(struct loading *loading, struct backend_host *host)
{
	const char *derives = loading->module->derives;
	const struct backend_choice *derived =
		derives == NULL ? NULL : backends_find(bytes_of_text(derives));
	if (derives != NULL && derived == NULL)
		return REFUSE(loading, "derives from '%s', which is not built in", derives);
	if (derived != NULL && loading->module->executor > derived->executor)
		return REFUSE(loading, "wants threads, which '%s' does not bear", derives);
	*host = (struct backend_host){
		.derived = derived == NULL ? NULL : derived->backend,
		.settings = bytes_copy_text(loading->options->settings),
		.identity = identity_current,
	};
	return host->settings == NULL ? -ENOMEM : 0;
}

static void
derive(const struct backend *derived, struct backend *table)
{
	void (*const nothing)(void) = NULL;
	if (derived != NULL)
		*table = *derived;
	for (size_t i = 0; i < ARRAY_LENGTH(functions); i++)
		if (functions[i].need == OPTIONAL)
			memcpy((char *)table + functions[i].offset, &nothing, sizeof(nothing));
}

static int
make_table(struct loading *loading, const struct backend_host *host, struct backend *table)
{
	derive(host->derived, table);
	table->name = loading->module->name;
	int error = loading->module->make == NULL ? 0 : loading->module->make(host, table);
	if (error < 0)
		return REFUSE(loading, "refuses to start: %s", strerror(-error));
	for (size_t i = 0; i < ARRAY_LENGTH(functions); i++)
		if (functions[i].need == NEEDED && !has_function(table, &functions[i]))
			return REFUSE(loading, "has no function %s", functions[i].name);
	return 0;
}

int
module_load(const struct backends_options *options, struct backend_choice *result, char **reason)
{
	/* A module is loaded once in a process and stays, with what it was given. */
	static struct backend table;
	static struct backend_host host;
	struct loading loading = { .options = options, .reason = reason };
	size_t calls = 0;
	snprintf(loading.file, sizeof(loading.file), "sallyport-backend-%.*s.so",
		(int)options->name.length, options->name.data);
	int error = open_and_link(&loading);
	if (error == 0)
		error = check_module(&loading);
	if (error == 0)
		error = check_calls(&loading, &calls);
	if (error == 0)
		error = make_host(&loading, &host);
	if (error == 0)
		error = make_table(&loading, &host, &table);
	if (error == 0)
		*result = (struct backend_choice){
			.backend = &table,
			.executor = loading.module->executor,
			.additions = { .calls = loading.module->calls, .count = calls },
		};
	return error;
}
