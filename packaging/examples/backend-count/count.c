/*
 * A derived backend: real files, served by a built-in backend, with each operation counted. When
 * the user's worker ends it says on standard error how often each was asked for, and prints the
 * tree. `backend_settings` is the word that its lines begin with ("count" if there is none).
 *
 * Runs in the worker, as the user, inside its cage. Its functions may be called by several threads
 * at once: the counters are atomic, and nothing else changes after make().
 */
#include "worker/backend_module.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

enum { DEPTH_MAX = 16 };

static const struct backend_host *host;

/* ---- counting ---- */

enum operation {
#define COUNTED(type, name, parameters, arguments) COUNT_##name,
#include "count.def"
	COUNT_OPERATIONS
};

static const char *const names[] = {
#define COUNTED(type, name, parameters, arguments) #name,
#include "count.def"
};

static atomic_ullong counts[COUNT_OPERATIONS];

#define COUNTED(type, name, parameters, arguments)          \
	static type count_##name parameters                 \
	{                                                   \
		atomic_fetch_add(&counts[COUNT_##name], 1); \
		return host->derived->name arguments;       \
	}
#include "count.def"

/* ---- the report ---- */

static void
print_counts(FILE *out)
{
	const char *separator = ":";
	fputs(host->settings[0] == '\0' ? "count" : host->settings, out);
	for (size_t i = 0; i < COUNT_OPERATIONS; i++) {
		unsigned long long count = atomic_load(&counts[i]);
		if (count == 0)
			continue;
		fprintf(out, "%s %s %llu", separator, names[i], count);
		separator = ",";
	}
	fputc('\n', out);
}

/* A name may hold any byte, and this goes to a log: nothing in it may look like a line of ours. */
static void
print_name(FILE *out, struct bytes name)
{
	for (size_t i = 0; i < name.length; i++)
		fputc((unsigned char)name.data[i] < ' ' || name.data[i] == 0x7f ? '?'
										: name.data[i],
			out);
}

/* Takes the directory. Descends by open directories, so that no name is looked up twice. */
static void
print_tree(FILE *out, struct backend_directory **directory, int depth)
{
	struct backend_entry entry;
	while (host->derived->directory_next(*directory, &entry) > 0) {
		bool is_folder = entry.attributes.type == PATHIO_TYPE_DIRECTORY;
		char name[NAME_BYTES_MAX + 1];
		struct backend_directory *inner;
		fprintf(out, "%*s", 2 * depth, "");
		print_name(out, entry.name);
		fputs(is_folder ? "/\n" : "\n", out);
		snprintf(name, sizeof(name), "%.*s", (int)entry.name.length, entry.name.data);
		if (is_folder && depth < DEPTH_MAX &&
			host->derived->directory_open_in(*directory, name, BACKEND_NAMES, &inner) ==
				0)
			print_tree(out, &inner, depth + 1);
	}
	host->derived->directory_close(directory);
}

/* One write for all of it, so that reports of several workers do not mix. */
static void
report(struct backend_tree *tree)
{
	static const struct path root = { .length = 1, .text = "/" };
	struct backend_directory *directory;
	char *text = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);
	if (out == NULL)
		return;
	print_counts(out);
	if (host->derived->directory_open(tree, &root, BACKEND_NAMES, &directory) == 0)
		print_tree(out, &directory, 1);
	if (fclose(out) == 0)
		fputs(text, stderr);
	free(text);
}

static void
count_tree_free(struct backend_tree **tree)
{
	report(*tree);
	host->derived->tree_free(tree);
}

/* ---- the module ---- */

static int
make(const struct backend_host *from, struct backend *table)
{
	host = from;
	table->tree_free = count_tree_free;
#define COUNTED(type, name, parameters, arguments) table->name = count_##name;
#include "count.def"
	return 0;
}

const struct backend_module sallyport_backend = {
	BACKEND_MODULE_BEGIN,
	.name = "count",
	.derives = "threaded",
	.executor = BACKEND_POOL,
	.make = make,
};
