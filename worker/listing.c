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
	char pattern[NAME_BYTES_MAX]; /* as it came */
	size_t guarded_length;
	char guarded[NAME_BYTES_MAX * CHARSET_GUARD_GROWTH]; /* as it is matched */
	char single[NAME_BYTES_MAX + 1];
};

/* A path is seldom as long as it may be. */
static void
copy_path(struct path *to, const struct path *from)
{
	to->length = from->length;
	memcpy(to->text, from->text, from->length + 1);
}

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
	const char *name = path->length == 1 ? "/" : path_name(path);
	memcpy(listing->single, name, strlen(name) + 1);
	return 0;
}

static int
open_directory(struct listing *listing, const struct path *path, const struct listing_place *place)
{
	const struct tree *tree = listing->tree;
	unsigned flags = (place->is_names_only ? BACKEND_NAMES : 0u) |
			 (place->is_no_link ? BACKEND_NO_LINK : 0u);
	int error = tree->backend->directory_open(tree->state, path, flags, &listing->directory);
	if (error == 0)
		error = tree->backend->stat(tree->state, path, true, &listing->attributes);
	copy_path(&listing->folder, path);
	return error;
}

static int
open_path(struct listing *listing, const struct path *path, const struct listing_place *place)
{
	bool is_folder_only = !place->accept_file || place->pattern.length > 0;
	if (place->is_itself && place->pattern.length == 0)
		return open_single(listing, path);
	int error = open_directory(listing, path, place);
	if (is_folder_only || (error != -ENOTDIR && error != -ENOENT))
		return error;
	int single_error = open_single(listing, path);
	return single_error < 0 ? error : 0;
}

static void
set_pattern(struct listing *listing, struct bytes pattern)
{
	char *end = listing->guarded + pattern.length;
	listing->pattern_length = pattern.length;
	if (pattern.length == 0)
		return;
	memcpy(listing->pattern, pattern.data, pattern.length);
	if (listing->charset == NULL)
		memcpy(listing->guarded, pattern.data, pattern.length);
	else
		end = charset_guard_pattern(listing->charset, pattern, listing->guarded);
	listing->guarded_length = (size_t)(end - listing->guarded);
}

int
listing_open(struct tree *tree, const struct path *path, const struct listing_place *place,
	struct listing **result, struct pathio_attributes *attributes)
{
	struct bytes pattern = place->pattern;
	if (pattern.length > NAME_BYTES_MAX)
		return -ENAMETOOLONG;
	struct listing *listing = calloc(1, sizeof(*listing));
	if (listing == NULL)
		return -ENOMEM;
	listing->tree = tree;
	listing->names_only = place->is_names_only;
	listing->charset = place->charset;
	set_pattern(listing, pattern);
	int error = open_path(listing, path, place);
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
	int error =
		tree->backend->directory_open(tree->state, &listing->folder, BACKEND_NAMES, &names);
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
	copy_path(result, &listing->folder);
	return path_append(result, name);
}

/* Apart from its callers: a path on the stack costs them more than all else that they do. */
static NO_INLINE uint32_t
look_up_rights(const struct listing *listing, struct bytes name,
	uint32_t look_up(const struct rights *rights, struct bytes path))
{
	struct path path;
	if (listing_entry_path(listing, name, &path) < 0)
		return 0;
	return look_up(listing->rights, path_bytes(&path));
}

uint32_t
listing_entry_rights(const struct listing *listing, struct bytes name)
{
	return listing->rights_vary ? look_up_rights(listing, name, rights_at)
				    : listing->folder_bits;
}

uint32_t
listing_entry_rights_below(const struct listing *listing, struct bytes name)
{
	return listing->rights_vary ? look_up_rights(listing, name, rights_at_tree)
				    : listing->folder_bits;
}

int
listing_entry_target(
	const struct listing *listing, struct bytes name, struct pathio_attributes *result)
{
	struct path path;
	const struct tree *tree = listing->tree;
	int error = listing_entry_path(listing, name, &path);
	return error < 0 ? error : tree->backend->stat(tree->state, &path, true, result);
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

/* "[1] a" matches the name "[1] a" as well, which the pattern does not mean. */
static bool
matches_as_is(const struct listing *listing, struct bytes name)
{
	return glob_matches(bytes_of(listing->guarded, listing->guarded_length), name) ||
	       bytes_equal(bytes_of(listing->pattern, listing->pattern_length), name);
}

/* As the client sees the name. */
static NO_INLINE bool
matches_as_written(const struct listing *listing, struct bytes name)
{
	char written[NAME_BYTES_MAX * CHARSET_GROWTH];
	const char *end = charset_write(listing->charset, name, written);
	return matches_as_is(listing, bytes_of(written, (size_t)(end - written)));
}

static bool
matches(const struct listing *listing, struct bytes name)
{
	if (listing->pattern_length == 0)
		return true;
	return listing->charset == NULL ? matches_as_is(listing, name)
					: matches_as_written(listing, name);
}

static bool
is_shown(const struct listing *listing, bool dots, struct bytes name)
{
	bool dot_wanted = dots || listing->pattern[0] == '.';
	if ((name.data[0] == '.' && !dot_wanted) || !matches(listing, name))
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
		if (entry->name.data[0] == '.' && rights_name_is_hidden(entry->name)) {
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

bool
listing_has_pattern(const struct listing *listing)
{
	return listing->pattern_length > 0;
}

struct charset *
listing_charset(const struct listing *listing)
{
	return listing->charset;
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
