/*
 * Loading a tree in memory (see memory_load.h): its course, and what is said of it. Runs in the
 * worker, as the user, around the cage. Trusts the administrator that this is the right path, and
 * neither the folder nor the archive that is there.
 */
#include "worker/memory_load_private.h"

#include "ipc/base/scope.h"
#include "worker/backends.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>

enum { SHOWN_BYTES_MAX = 300 };

/* The end of a long name tells more than its beginning. */
static void
print_entry(FILE *out, struct bytes entry)
{
	size_t cut = entry.length > SHOWN_BYTES_MAX ? entry.length - SHOWN_BYTES_MAX : 0;
	fprintf(out, "%s%.*s", cut > 0 ? "..." : "", (int)(entry.length - cut), entry.data + cut);
}

int
memory_load_refuse(struct memory_load *load, int error, struct bytes entry, const char *format, ...)
{
	size_t length;
	va_list arguments;
	free(load->text);
	load->text = NULL;
	FILE *out = open_memstream(&load->text, &length);
	if (out == NULL)
		return error;
	fputs("memory_load ", out);
	print_entry(out, bytes_of_text(load->path));
	fputs(": ", out);
	print_entry(out, entry);
	fputs(entry.length > 0 ? ": " : "", out);
	va_start(arguments, format);
	vfprintf(out, format, arguments);
	va_end(arguments);
	if (fclose(out) != 0) {
		free(load->text);
		load->text = NULL;
	}
	return error;
}

int
memory_load_refuse_errno(struct memory_load *load, int error, struct bytes entry)
{
	if (error == -ENOSPC)
		return memory_load_refuse(load, error, entry,
			"does not fit into memory_limit, which is %llu bytes",
			(unsigned long long)load->tree->options.memory_limit_bytes);
	return memory_load_refuse(load, error, entry, "%s", strerror(-error));
}

static int
open_path(struct memory_load *load)
{
	const struct open_how how = {
		.flags = O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK,
		.resolve = RESOLVE_NO_SYMLINKS,
	};
	if (load->path[0] != '/')
		return memory_load_refuse(load, -EINVAL, bytes_of_text(""), "is not absolute");
	load->fd = (int)syscall(SYS_openat2, AT_FDCWD, load->path, &how, sizeof(how));
	if (load->fd >= 0)
		return 0;
	if (errno == ELOOP)
		return memory_load_refuse(load, -ELOOP, bytes_of_text(""),
			"a symbolic link stands on the way; write the path without it");
	return memory_load_refuse_errno(load, -errno, bytes_of_text(""));
}

static int
read_or_prepare(struct memory_load *load)
{
	struct stat found;
	if (fstat(load->fd, &found) < 0)
		return memory_load_refuse_errno(load, -errno, bytes_of_text(""));
	if (S_ISDIR(found.st_mode))
		return memory_load_read_folder(load);
	if (S_ISREG(found.st_mode))
		return memory_load_prepare_archive(load);
	return memory_load_refuse(
		load, -EINVAL, bytes_of_text(""), "is neither a folder nor a file");
}

int
memory_load_begin(
	struct bytes path, const struct backend_options *options, struct memory_load **result)
{
	struct memory_load *load = calloc(1, sizeof(*load));
	if (load == NULL)
		return -ENOMEM;
	load->fd = -1;
	load->path = bytes_copy_text(path);
	int error = load->path == NULL ? -ENOMEM : 0;
	if (error == 0)
		error = backend_memory.tree_open(options, &load->tree);
	if (error < 0) {
		memory_load_free(&load);
		return -ENOMEM;
	}
	load->owns_tree = true;
	*result = load;
	error = open_path(load);
	return error < 0 ? error : read_or_prepare(load);
}

struct backend_tree *
memory_load_take_tree(struct memory_load *load)
{
	load->owns_tree = false;
	return load->tree;
}

int
memory_load_finish(struct memory_load *load)
{
	int error = load->archive == NULL ? 0 : memory_load_read_archive(load);
	if (error < 0)
		return error;
	memory_load_settle(load);
	fd_close(&load->fd);
	if (asprintf(&load->text,
		    "memory_load %s: %llu files, %llu folders, %llu symbolic links; %llu entries "
		    "left out",
		    load->path, (unsigned long long)load->files, (unsigned long long)load->made,
		    (unsigned long long)load->links, (unsigned long long)load->skipped) < 0)
		load->text = NULL;
	return 0;
}

const char *
memory_load_text(const struct memory_load *load)
{
	return load->text;
}

void
memory_load_free(struct memory_load **load)
{
	struct memory_load *freed = *load;
	*load = NULL;
	if (freed == NULL)
		return;
	for (size_t i = 0; i < freed->folder_count; i++)
		free(freed->folders[i].path);
	free(freed->folders);
	memory_load_free_archive(&freed->archive);
	if (freed->owns_tree)
		backend_memory.tree_free(&freed->tree);
	fd_close(&freed->fd);
	free(freed->text);
	free(freed->path);
	free(freed);
}
