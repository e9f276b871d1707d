/*
 * Directories as a session may see them (see listing.h). Runs in the worker, as the user. Names and
 * attributes come from the user's files and may be anything; the pattern comes from the client.
 */
#include "worker/listing.h"

#include "ipc/base/scope.h"
#include "worker/charset.h"
#include "worker/glob.h"
#include "worker/upload.h"

#include <errno.h>

enum { LOOKED_AT_MAX = 1024 };

struct listing {
	struct tree *tree;
	struct backend_directory *directory; /* NULL: one name only */
	const struct rights *rights;
	uint32_t folder_bits; /* what holds in the folder ... */
	bool rights_vary;     /* ... unless a rule is about something inside */
	bool names_only;
	bool started;
	struct pathio_attributes attributes; /* of the folder, or of the one name */
	struct path folder;
	struct charset *charset; /* of the pattern; NULL: names match as they are stored */
	size_t pattern_length;
	char pattern[NAME_BYTES_MAX];
	char single[NAME_BYTES_MAX + 1];
};

/* ---- opening ---- */

/* A path that is no directory, or a link that leads nowhere, lists as itself. */
static int
open_single(struct listing *listing, const struct path *path)
{
	int error = listing->tree->backend->stat(
		listing->tree->state, path, false, &listing->attributes);
	if (error < 0)
		return error;
	path_parent(path, &listing->folder);
	memcpy(listing->single, path_name(path), strlen(path_name(path)) + 1);
	return 0;
}

static int
open_path(struct listing *listing, const struct path *path, bool accept_file)
{
	const struct tree *tree = listing->tree;
	int error = tree->backend->directory_open(tree->state, path, false, &listing->directory);
	if (error == 0)
		error = tree->backend->stat(tree->state, path, true, &listing->attributes);
	if (accept_file && (error == -ENOTDIR || error == -ENOENT)) {
		int single_error = open_single(listing, path);
		return single_error < 0 ? error : 0;
	}
	memcpy(&listing->folder, path, sizeof(*path));
	return error;
}

int
listing_open(struct tree *tree, const struct path *path, bool accept_file, struct bytes pattern,
	struct listing **result, struct pathio_attributes *attributes)
{
	if (pattern.length > NAME_BYTES_MAX)
		return -ENAMETOOLONG;
	struct listing *listing = calloc(1, sizeof(*listing));
	if (listing == NULL)
		return -ENOMEM;
	listing->tree = tree;
	listing->pattern_length = pattern.length;
	if (pattern.length > 0)
		memcpy(listing->pattern, pattern.data, pattern.length);
	int error = open_path(listing, path, accept_file && pattern.length == 0);
	if (error < 0) {
		listing_close(&listing);
		return error;
	}
	*attributes = listing->attributes;
	*result = listing;
	return 0;
}

int
listing_open_empty(struct tree *tree, const struct path *path, struct listing **result)
{
	struct listing *listing = calloc(1, sizeof(*listing));
	if (listing == NULL)
		return -ENOMEM;
	listing->tree = tree;
	listing->started = true; /* there is no directory, and no single name is left either */
	listing->attributes.type = PATHIO_TYPE_OTHER;
	memcpy(&listing->folder, path, sizeof(*path));
	*result = listing;
	return 0;
}

void
listing_write_in(struct listing *listing, struct charset *charset)
{
	listing->charset = charset;
}

void
listing_close(struct listing **listing)
{
	struct listing *closed = *listing;
	*listing = NULL;
	if (closed == NULL)
		return;
	if (closed->directory != NULL)
		closed->tree->backend->directory_close(&closed->directory);
	free(closed);
}

int
listing_names_only(struct listing *listing)
{
	if (listing->directory == NULL || listing->names_only || listing->started)
		return 0;
	const struct tree *tree = listing->tree;
	struct backend_directory *names = NULL;
	int error = tree->backend->directory_open(tree->state, &listing->folder, true, &names);
	if (error < 0)
		return error;
	tree->backend->directory_close(&listing->directory);
	listing->directory = names;
	listing->names_only = true;
	return 0;
}

/* ---- rights ---- */

void
listing_judge_by(struct listing *listing, const struct rights *rights)
{
	struct bytes folder = path_bytes(&listing->folder);
	listing->rights = rights;
	listing->folder_bits = rights_at(rights, folder);
	listing->rights_vary = false;
	for (size_t i = 0; i < rights_count(rights) && !listing->rights_vary; i++) {
		struct bytes ruled = rights_rule_at(rights, i).folder;
		listing->rights_vary =
			ruled.length > folder.length && path_is_within(ruled, folder);
	}
}

int
listing_entry_path(const struct listing *listing, struct bytes name, struct path *result)
{
	result->length = listing->folder.length;
	memcpy(result->text, listing->folder.text, result->length + 1);
	return path_append(result, name);
}

uint32_t
listing_entry_rights(const struct listing *listing, struct bytes name)
{
	struct path path;
	if (!listing->rights_vary)
		return listing->folder_bits;
	if (listing_entry_path(listing, name, &path) < 0)
		return 0;
	return rights_at(listing->rights, path_bytes(&path));
}

/* ---- entries ---- */

static int
next_single(struct listing *listing, struct backend_entry *entry)
{
	if (listing->started)
		return LISTING_END;
	listing->started = true;
	entry->name = bytes_of_text(listing->single);
	entry->attributes = listing->attributes;
	return LISTING_ENTRY;
}

/* As the client sees the name. */
static bool
matches(const struct listing *listing, struct bytes name)
{
	char written[NAME_BYTES_MAX * CHARSET_GROWTH];
	struct bytes pattern = bytes_of(listing->pattern, listing->pattern_length);
	if (listing->charset != NULL)
		name = bytes_of(written,
			(size_t)(charset_write(listing->charset, name, written) - written));
	return glob_matches(pattern, name);
}

static bool
is_shown(const struct listing *listing, bool dots, struct bytes name)
{
	bool has_pattern = listing->pattern_length > 0;
	bool dot_wanted = dots || (has_pattern && listing->pattern[0] == '.');
	if (name.data[0] == '.' && !dot_wanted)
		return false;
	if (has_pattern && !matches(listing, name))
		return false;
	/* A listing shows what a stat would show. */
	return (listing_entry_rights(listing, name) & RIGHTS_LIST) != 0;
}

int
listing_next(struct listing *listing, bool dots, struct backend_entry *entry)
{
	if (listing->directory == NULL)
		return next_single(listing, entry);
	listing->started = true;
	const struct backend *backend = listing->tree->backend;
	for (int looked_at = 0; looked_at < LOOKED_AT_MAX; looked_at++) {
		int result = backend->directory_next(listing->directory, entry);
		if (result <= 0)
			return result;
		if (rights_name_is_hidden(entry->name)) {
			if (!listing->names_only)
				upload_sweep_entry(listing->tree, &listing->folder, entry);
		} else if (is_shown(listing, dots, entry->name)) {
			return LISTING_ENTRY;
		}
	}
	return LISTING_NONE_YET;
}

/* ---- what others ask ---- */

bool
listing_is_single(const struct listing *listing)
{
	return listing->directory == NULL;
}

struct tree *
listing_tree(const struct listing *listing)
{
	return listing->tree;
}

const struct path *
listing_folder(const struct listing *listing)
{
	return &listing->folder;
}

const struct rights *
listing_rights(const struct listing *listing)
{
	return listing->rights;
}

const struct pathio_attributes *
listing_folder_attributes(const struct listing *listing)
{
	return &listing->attributes;
}
