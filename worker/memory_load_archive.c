/*
 * Loading a tree in memory from a tar archive (see memory_load.h), plain or compressed. Runs in the
 * worker, as the user: libarchive is loaded before the cage, and parses behind it, when the closed
 * cage has left it nothing but the archive's descriptor. What it makes of the archive is distrusted
 * here once more: names, targets and sizes are any.
 */
#include "worker/memory_load_private.h"

#include "policy/rules/rights.h"

#include <archive.h>
#include <archive_entry.h>
#include <dlfcn.h>
#include <errno.h>
#include <locale.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BLOCK_BYTES = 65536 };

static const char library_name[] = "libarchive.so.13";

struct memory_archive {
	void *library;
#define CALL(name) __typeof__(&(name)) name;
#include "worker/memory_archive_calls.def"
	locale_t locale; /* in another one libc would open files to convert the names of pax */
	struct archive *reader;
	struct archive_entry *entry; /* the current one */
	off_t at;                    /* in the file */
	int read_error;
	char block[BLOCK_BYTES];
};

static const struct {
	const char *name;
	size_t offset;
} calls[] = {
#define CALL(name) { #name, offsetof(struct memory_archive, name) },
#include "worker/memory_archive_calls.def"
};

/* ---- before the cage ---- */

static int
find_calls(struct memory_load *load)
{
	for (size_t i = 0; i < ARRAY_LENGTH(calls); i++) {
		void *call = dlsym(load->archive->library, calls[i].name);
		if (call == NULL)
			return memory_load_refuse(load, -ENOSYS, bytes_of_text(""), "%s has no %s",
				library_name, calls[i].name);
		memcpy((char *)load->archive + calls[i].offset, &call, sizeof(call));
	}
	return 0;
}

int
memory_load_prepare_archive(struct memory_load *load)
{
	struct memory_archive *archive = calloc(1, sizeof(*archive));
	if (archive == NULL)
		return -ENOMEM;
	load->archive = archive;
	archive->library = dlopen(library_name, RTLD_NOW | RTLD_LOCAL);
	if (archive->library == NULL)
		return memory_load_refuse(load, -ENOSYS, bytes_of_text(""),
			"an archive needs libarchive (Debian: libarchive13): %s", dlerror());
	archive->locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
	if (archive->locale == (locale_t)0)
		return memory_load_refuse(
			load, -errno, bytes_of_text(""), "the locale C.UTF-8 is missing");
	return find_calls(load);
}

void
memory_load_free_archive(struct memory_archive **archive)
{
	struct memory_archive *freed = *archive;
	*archive = NULL;
	if (freed == NULL)
		return;
	if (freed->reader != NULL)
		(void)freed->archive_read_free(freed->reader);
	if (freed->locale != (locale_t)0)
		freelocale(freed->locale);
	if (freed->library != NULL)
		dlclose(freed->library);
	free(freed);
}

/* ---- names ---- */

static struct bytes
entry_name(const struct memory_archive *archive)
{
	const char *name = archive->archive_entry_pathname(archive->entry);
	return bytes_of_text(name == NULL ? "" : name);
}

static int
refuse(struct memory_load *load, const char *why)
{
	return memory_load_refuse(load, -EINVAL, entry_name(load->archive), "%s", why);
}

/* Cuts the next name off, "." and empty ones left out; one without length at the end. */
static struct bytes
next_name(struct bytes *rest)
{
	struct bytes name;
	do {
		const char *slash = memchr(rest->data, '/', rest->length);
		name = bytes_of(
			rest->data, slash == NULL ? rest->length : (size_t)(slash - rest->data));
		size_t cut = name.length + (slash != NULL);
		*rest = bytes_of(rest->data + cut, rest->length - cut);
	} while (rest->length > 0 && (name.length == 0 || bytes_equal_text(name, ".")));
	return bytes_equal_text(name, ".") ? bytes_of("", 0) : name;
}

/* Where an entry goes. */
struct spot {
	struct memory_node *parent;
	struct bytes name; /* "": the root itself */
};

static int
check_path(struct memory_load *load, struct bytes path)
{
	if (path.length == 0)
		return refuse(load, "has no name that can be read");
	if (path.data[0] == '/')
		return refuse(load, "an absolute name");
	if (path.length > PATH_BYTES_MAX - 1)
		return refuse(load, "the name is longer than 4,095 bytes");
	while (path.length > 0)
		if (bytes_equal_text(next_name(&path), ".."))
			return refuse(load, "'..' in the name");
	return 0;
}

/* Folders on the way that have no entry of their own are made. */
static int
find_spot(struct memory_load *load, struct bytes path, struct spot *result)
{
	struct memory_node *folder = load->tree->root;
	char *no_path = NULL;
	int error = check_path(load, path);
	if (error < 0)
		return error;
	struct bytes name = next_name(&path);
	for (struct bytes next = next_name(&path); next.length > 0; next = next_name(&path)) {
		error = memory_load_add_folder(load, folder, name, NULL, &no_path, &folder);
		if (error == -ENOTDIR)
			return refuse(load, "stands below what is no folder");
		if (error < 0)
			return memory_load_refuse_errno(load, error, entry_name(load->archive));
		name = next;
	}
	*result = (struct spot){ folder, name };
	return 0;
}

/* The file that a hard link names; it has come before. */
static int
find_file(struct memory_load *load, struct bytes path, struct memory_node **result)
{
	struct memory_node *node = load->tree->root;
	int error = check_path(load, path);
	while (error == 0 && path.length > 0) {
		struct bytes name = next_name(&path);
		struct memory_entry *there = NULL;
		if (name.length == 0)
			break;
		if (node->type == PATHIO_TYPE_DIRECTORY)
			error = memory_load_find(load, node, name, &there);
		if (error == 0 && there == NULL)
			return refuse(load, "a hard link to what is not there");
		if (there != NULL)
			node = there->node;
	}
	if (error < 0)
		return error;
	if (node->type != PATHIO_TYPE_FILE)
		return refuse(load, "a hard link to what is no file");
	*result = node;
	return 0;
}

/* ---- entries ---- */

static struct memory_load_attributes
entry_attributes(const struct memory_archive *archive)
{
	return (struct memory_load_attributes){
		.mode = archive->archive_entry_perm(archive->entry) & 0777,
		.mtime_ns = memory_load_time(archive->archive_entry_mtime(archive->entry),
			archive->archive_entry_mtime_nsec(archive->entry)),
	};
}

/* What the library says went wrong. */
static int
refuse_read(struct memory_load *load, struct bytes entry)
{
	const struct memory_archive *archive = load->archive;
	const char *why = archive->archive_error_string(archive->reader);
	if (archive->read_error != 0)
		why = strerror(archive->read_error);
	return memory_load_refuse(load, -EINVAL, entry, "%s", why == NULL ? "is damaged" : why);
}

static int
read_contents(struct memory_load *load, struct memory_node *node)
{
	const struct memory_archive *archive = load->archive;
	struct memory_arena *arena = &load->tree->arena;
	const void *data = NULL;
	size_t length = 0;
	la_int64_t at = 0;
	int status;
	while ((status = archive->archive_read_data_block(archive->reader, &data, &length, &at)) ==
		ARCHIVE_OK) {
		ssize_t written = at < 0 ? -EINVAL
					 : memory_contents_write(arena, &node->contents,
						   (uint64_t)at, data, length);
		if (written < 0 || (size_t)written < length)
			return written < 0 ? (int)written : -ENOSPC;
	}
	if (status != ARCHIVE_EOF)
		return refuse_read(load, entry_name(archive));
	int64_t size = archive->archive_entry_size(archive->entry);
	if (size < 0 || (uint64_t)size <= node->contents.size)
		return 0;
	return memory_contents_truncate(arena, &node->contents, (uint64_t)size); /* a last hole */
}

static int
read_file(struct memory_load *load, const struct spot *spot)
{
	const struct memory_load_attributes attributes = entry_attributes(load->archive);
	struct memory_node *node;
	int error = memory_load_add_file(load, spot->parent, spot->name, &node);
	if (error == 0)
		error = read_contents(load, node);
	if (error == 0)
		memory_load_set(node, &attributes);
	return error;
}

static int
read_folder(struct memory_load *load, const struct spot *spot)
{
	const struct memory_load_attributes attributes = entry_attributes(load->archive);
	char *no_path = NULL;
	struct memory_node *node;
	if (spot->name.length == 0)
		return memory_load_set_root(load, &attributes, &no_path);
	return memory_load_add_folder(load, spot->parent, spot->name, &attributes, &no_path, &node);
}

static int
read_link(struct memory_load *load, const struct spot *spot)
{
	const struct memory_load_attributes attributes = entry_attributes(load->archive);
	const char *target = load->archive->archive_entry_symlink(load->archive->entry);
	return memory_load_add_link(load, spot->parent, spot->name,
		bytes_of_text(target == NULL ? "" : target), &attributes);
}

static int
read_name(struct memory_load *load, const struct spot *spot, const char *target)
{
	struct memory_node *node = NULL;
	int error = find_file(load, bytes_of_text(target), &node);
	return error < 0 ? error : memory_load_add_name(load, spot->parent, spot->name, node);
}

static int
read_at(struct memory_load *load, const struct spot *spot)
{
	const struct memory_archive *archive = load->archive;
	unsigned type = archive->archive_entry_filetype(archive->entry);
	const char *target = archive->archive_entry_hardlink(archive->entry);
	if (spot->name.length == 0 && (target != NULL || type != AE_IFDIR))
		return refuse(load, "is in the place of the root");
	if (rights_name_is_hidden(spot->name)) {
		load->skipped++; /* an upload that never came to its end */
		return 0;
	}
	if (target != NULL)
		return read_name(load, spot, target);
	switch (type) {
	case AE_IFREG:
		return read_file(load, spot);
	case AE_IFDIR:
		return read_folder(load, spot);
	case AE_IFLNK:
		return read_link(load, spot);
	default:
		load->skipped++;
		return 0;
	}
}

static int
read_entry(struct memory_load *load)
{
	struct bytes name = entry_name(load->archive);
	struct spot spot = { .parent = NULL };
	int error = find_spot(load, name, &spot);
	if (error == 0)
		error = read_at(load, &spot);
	if (error < 0 && load->text == NULL)
		return memory_load_refuse_errno(load, error, name);
	return error;
}

/* ---- behind the cage ---- */

static la_ssize_t
read_block(UNUSED struct archive *reader, void *owner, const void **block)
{
	struct memory_load *load = owner;
	struct memory_archive *archive = load->archive;
	ssize_t got = pread(load->fd, archive->block, sizeof(archive->block), archive->at);
	if (got < 0) {
		archive->read_error = errno;
		return ARCHIVE_FATAL;
	}
	archive->at += got;
	*block = archive->block;
	return got;
}

/* Never through a program: a filter that the library lacks is not there. */
static int
open_reader(struct memory_load *load)
{
	struct memory_archive *archive = load->archive;
	archive->reader = archive->archive_read_new();
	if (archive->reader == NULL)
		return -ENOMEM;
	if (archive->archive_read_support_filter_gzip(archive->reader) != ARCHIVE_OK ||
		archive->archive_read_support_filter_bzip2(archive->reader) != ARCHIVE_OK ||
		archive->archive_read_support_filter_xz(archive->reader) != ARCHIVE_OK ||
		archive->archive_read_support_filter_zstd(archive->reader) != ARCHIVE_OK)
		return memory_load_refuse(load, -ENOSYS, bytes_of_text(""),
			"%s was built without a compression", library_name);
	if (archive->archive_read_support_format_tar(archive->reader) != ARCHIVE_OK ||
		archive->archive_read_open(archive->reader, load, NULL, read_block, NULL) !=
			ARCHIVE_OK)
		return refuse_read(load, bytes_of_text(""));
	return 0;
}

static int
read_entries(struct memory_load *load)
{
	struct memory_archive *archive = load->archive;
	int error = open_reader(load);
	while (error == 0) {
		int status = archive->archive_read_next_header(archive->reader, &archive->entry);
		if (status == ARCHIVE_EOF)
			return 0;
		/* A warning is about what does not concern us: an unknown extended attribute. */
		if (status != ARCHIVE_OK && status != ARCHIVE_WARN)
			return refuse_read(load, bytes_of_text(""));
		error = read_entry(load);
	}
	return error;
}

int
memory_load_read_archive(struct memory_load *load)
{
	locale_t before = uselocale(load->archive->locale);
	int error = read_entries(load);
	uselocale(before);
	return error;
}
