/*
 * Between the files of the oracle (see plain.h).
 */
#ifndef SALLYPORT_TESTS_CONTRACT_PLAIN_PRIVATE_H
#define SALLYPORT_TESTS_CONTRACT_PLAIN_PRIVATE_H

#include "ipc/base/scope.h"
#include "tests/contract/plain.h"

#include <limits.h>
#include <sys/stat.h>
#include <sys/types.h>

enum { PLAIN_HANDLES = 16 };

enum plain_kind { PLAIN_CLOSED, PLAIN_FILE, PLAIN_UPLOAD };

struct plain_upload {
	char target[PATH_MAX];    /* where the file will be, no link in it */
	char temporary[PATH_MAX]; /* the hidden file beside it; "": in place */
	off_t offset;
	size_t count; /* of range: so many bytes, or SIZE_MAX */
	mode_t mode;
	bool truncates; /* at the offset, when the data comes */
	bool created;   /* in place, where nothing was */
	bool received;
	int reserved_fd; /* unique: the empty file that keeps the name; -1: none */
};

struct plain_handle {
	enum plain_kind kind;
	int fd;
	bool readable;
	struct plain_upload upload;
};

struct plain {
	char folder[64];
	int root_fd;
	uint64_t resolve;
	struct plain_handle handles[PLAIN_HANDLES];
};

/* A last name and the folder it is looked up in. */
struct plain_place {
	int folder_fd;
	char name[NAME_MAX + 1]; /* "." for the root */
	bool is_root;
};
#define SCOPE_PLAIN_PLACE __attribute__((cleanup(plain_place_close)))

/* PATHIO 5 by other means: `result` has room for PATH_MAX bytes. A hidden name is -EACCES. */
MUST_CHECK int plain_fold(struct bytes input, char *result);

/* openat2(2) inside the root: a descriptor or negative errno. */
MUST_CHECK int
plain_open_at(const struct plain *plain, const char *path, uint64_t flags, mode_t mode);
MUST_CHECK int plain_open_word(const struct script *script, size_t word, uint64_t flags);

/* -1 or less in folder_fd is fine for closing. */
MUST_CHECK int
plain_place_open(const struct plain *plain, const char *folded, struct plain_place *place);
MUST_CHECK int
plain_place_of_word(const struct script *script, size_t word, struct plain_place *place);
void plain_place_close(struct plain_place *place);

bool plain_is_hidden(const char *name);

/* ---- open files ---- */

/* NULL if it is not open. */
struct plain_handle *plain_find_handle(const struct script *script, size_t word);
/* The slot of a number that is to be opened; NULL if it is in use. */
struct plain_handle *plain_free_handle(const struct script *script, size_t word);
void plain_close_handle(struct plain *plain, struct plain_handle *handle);

/* A regular file by a folded path, as the modes of PATHIO open it: a descriptor or an error. */
MUST_CHECK int plain_open_file(const struct plain *plain, const char *folded, uint64_t flags);

/* All of it, or as much as was asked for. */
void plain_say_content(struct script *script, int fd, off_t offset, size_t count);
void plain_write_all(int fd, const char *data, size_t length);

/* ---- uploads ---- */

/*
 * Of a handle whose upload has its target, and nothing else: 0 or negative errno. The end puts it
 * in place and closes it.
 */
MUST_CHECK int plain_begin_upload(
	struct plain *plain, struct plain_handle *handle, struct bytes how, off_t offset);
MUST_CHECK int plain_end_upload(struct plain *plain, struct plain_handle *handle, off_t *size);

/* The upload's own files are removed, unless it is in place. */
void plain_drop_upload(struct plain *plain, struct plain_handle *handle);

#define PLAIN(name) script_verb plain_##name;
#include "tests/contract/plain.def"

#endif
