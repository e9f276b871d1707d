/*
 * Walks (see listing_walk.h). Runs in the worker, as the user. Names are anything, and the tree
 * changes meanwhile: what has gone or is no folder any more is passed over in silence.
 *
 * At most one folder of each level of patterns is open, and one that is shown from inside; the
 * others wait for it (listing_waiting.h).
 */
#include "worker/listing_walk.h"

#include "worker/listing_waiting.h"

#include <errno.h>
#include <stdlib.h>

enum { STEPS_AT_ONCE = 64 };

/* An open folder, with the pattern for what is in it. */
struct level {
	struct listing *listing;
	struct listing_order *order;
	size_t relative_length;
};

struct listing_walk {
	struct listing_walk_options options;
	const struct rights *rights;
	bool has_begun;
	bool is_matched; /* all that matches the patterns has been given */
	int error;       /* what could not be shown, told at the end */
	uint32_t shown;  /* entries and folders: the bound is on their sum */

	size_t level_count; /* of patterns below the base's */
	size_t depth;       /* the level whose entries come; 0: the base, which is borrowed */
	struct bytes patterns[PATHIO_PATTERN_LEVELS_MAX];
	struct level levels[PATHIO_PATTERN_LEVELS_MAX + 1];

	struct listing *inside; /* NULL: not in one; its order is that of the base, which is over */
	struct listing_waiting waiting;

	struct path relative; /* "/" is the base */
	char below[];
};

/* ---- making ---- */

static int
add_pattern(struct listing_walk *walk, struct bytes pattern)
{
	if (bytes_equal_text(pattern, ".") || bytes_equal_text(pattern, ".."))
		return -EINVAL;
	if (pattern.length > NAME_BYTES_MAX)
		return -ENAMETOOLONG;
	if (walk->level_count == PATHIO_PATTERN_LEVELS_MAX)
		return -E2BIG;
	walk->patterns[walk->level_count++] = pattern;
	return 0;
}

static int
split_patterns(struct listing_walk *walk, struct bytes below)
{
	const char *end = below.data + below.length;
	int error = 0;
	for (const char *at = below.data; at < end && error == 0;) {
		const char *slash = memchr(at, '/', (size_t)(end - at));
		const char *stop = slash == NULL ? end : slash;
		if (stop > at)
			error = add_pattern(walk, bytes_of(at, (size_t)(stop - at)));
		at = stop + 1;
	}
	return error;
}

int
listing_walk_new(struct listing *base, const struct listing_walk_options *options,
	struct listing_walk **result)
{
	struct bytes below = options->below;
	if (below.length > PATH_BYTES_MAX)
		return -ENAMETOOLONG;
	struct listing_walk *walk = calloc(1, sizeof(*walk) + below.length);
	if (walk == NULL)
		return -ENOMEM;
	walk->options = *options;
	walk->relative = (struct path){ .length = 1, .text = "/" };
	walk->levels[0].listing = base;
	walk->levels[0].relative_length = walk->relative.length;
	if (below.length > 0)
		memcpy(walk->below, below.data, below.length);
	int error = split_patterns(walk, bytes_of(walk->below, below.length));
	if (error == 0)
		error = listing_order_new(&options->order, &walk->levels[0].order);
	if (error == 0 && (walk->level_count > 0 || options->is_names_only))
		error = listing_names_only(base);
	if (error < 0) {
		listing_walk_free(&walk);
		return error;
	}
	*result = walk;
	return 0;
}

static void
close_level(struct level *level)
{
	listing_close(&level->listing);
	listing_order_free(&level->order);
}

void
listing_walk_free(struct listing_walk **walk)
{
	struct listing_walk *freed = *walk;
	*walk = NULL;
	if (freed == NULL)
		return;
	listing_waiting_free(&freed->waiting);
	while (freed->depth > 0)
		close_level(&freed->levels[freed->depth--]);
	listing_close(&freed->inside);
	listing_order_free(&freed->levels[0].order);
	free(freed);
}

void
listing_walk_judge_by(struct listing_walk *walk, const struct rights *rights)
{
	walk->rights = rights;
	for (size_t i = 0; i <= walk->depth; i++)
		listing_judge_by(walk->levels[i].listing, rights);
	if (walk->inside != NULL)
		listing_judge_by(walk->inside, rights);
}

/* ---- folders ---- */

/* What has gone or is another kind of thing by now was not to be shown. */
static void
note_error(struct listing_walk *walk, int error)
{
	if (walk->error == 0 && error != -ENOENT && error != -ENOTDIR && error != -ELOOP)
		walk->error = error;
}

static bool
is_bounded(const struct listing_walk *walk)
{
	return walk->options.is_recursive || walk->level_count > 0;
}

static void
shorten(struct path *path, size_t length)
{
	path->length = length;
	path->text[length] = '\0';
}

/* The path of the folder that ->relative names. */
static int
find_path(const struct listing_walk *walk, struct path *result)
{
	*result = *listing_folder(walk->levels[0].listing);
	size_t kept = result->length == 1 ? 0 : result->length;
	if (walk->relative.length > PATH_BYTES_MAX - kept)
		return -ENAMETOOLONG;
	memcpy(result->text + kept, walk->relative.text, walk->relative.length + 1);
	result->length = kept + walk->relative.length;
	return 0;
}

/* Rights may have changed since the folder was seen. */
static int
open_folder(struct listing_walk *walk, const struct listing_place *place, struct listing **result)
{
	struct path path;
	struct pathio_attributes attributes;
	int error = find_path(walk, &path);
	if (error < 0)
		return error;
	if (rights_judge(walk->rights, path_bytes(&path), RIGHTS_LIST) < 0)
		return -ENOENT;
	if (walk->shown++ >= PATHIO_BELOW_ENTRIES_MAX)
		return -E2BIG;
	error = listing_open(
		listing_tree(walk->levels[0].listing), &path, place, result, &attributes);
	if (error < 0)
		return error;
	listing_judge_by(*result, walk->rights);
	return 0;
}

/* ---- patterns ---- */

static void
enter_level(struct listing_walk *walk, struct bytes name)
{
	size_t depth = walk->depth + 1;
	bool is_last = depth == walk->level_count;
	struct listing_place place = {
		.pattern = walk->patterns[depth - 1],
		.charset = listing_charset(walk->levels[0].listing),
		.is_no_link = true,
		.is_names_only = !is_last || walk->options.is_names_only,
	};
	size_t length = walk->relative.length;
	struct level level = { .listing = NULL };
	int error = path_append(&walk->relative, name);
	if (error == 0)
		error = open_folder(walk, &place, &level.listing);
	if (error == 0)
		error = listing_order_new(&walk->options.order, &level.order);
	if (error < 0) {
		close_level(&level);
		shorten(&walk->relative, length);
		note_error(walk, error);
		return;
	}
	level.relative_length = walk->relative.length;
	walk->levels[depth] = level;
	walk->depth = depth;
}

/* The level that had come to its end, or failed; the end of the base is the end of all. */
static int
leave_level(struct listing_walk *walk, int result)
{
	if (walk->depth == 0)
		return result;
	if (result < 0)
		note_error(walk, result);
	close_level(&walk->levels[walk->depth--]);
	shorten(&walk->relative, walk->levels[walk->depth].relative_length);
	return LISTING_NONE_YET;
}

/* LISTING_ENTRY only from the last level. */
static int
step_in_level(struct listing_walk *walk, struct backend_entry *entry)
{
	const struct level *level = &walk->levels[walk->depth];
	int result = listing_order_next(level->order, level->listing, entry);
	if (result != LISTING_ENTRY || walk->depth == walk->level_count)
		return result;
	if (entry->attributes.type == PATHIO_TYPE_DIRECTORY)
		enter_level(walk, entry->name);
	return LISTING_FOLDER;
}

static int
next_match(struct listing_walk *walk, struct backend_entry *entry)
{
	for (int i = 0; i < STEPS_AT_ONCE; i++) {
		int result = step_in_level(walk, entry);
		if (result == LISTING_END || result < 0)
			result = leave_level(walk, result);
		else if (result == LISTING_FOLDER)
			continue;
		else
			return result;
		if (result != LISTING_NONE_YET)
			return result;
	}
	return LISTING_NONE_YET;
}

/* ---- folders from inside ---- */

static size_t
count_levels(const struct listing_walk *walk)
{
	size_t levels = 0;
	for (size_t i = 0; i < walk->relative.length; i++)
		levels += walk->relative.text[i] == '/';
	return walk->relative.length == 1 ? 0 : levels;
}

static void
wait_for(struct listing_walk *walk, struct bytes name)
{
	/* Of matches, whose parents are not the folder that is shown last, the whole path is kept.
	 */
	size_t kept = walk->is_matched ? walk->relative.length : 1;
	int error = count_levels(walk) < PATHIO_BELOW_LEVELS_MAX
			    ? listing_waiting_add(&walk->waiting, &walk->relative, kept, name)
			    : -E2BIG;
	if (error < 0)
		note_error(walk, error);
}

/* LISTING_FOLDER, LISTING_NONE_YET, or the end. */
static int
begin_inside(struct listing_walk *walk)
{
	struct listing_place place = { .is_no_link = true,
		.is_names_only = walk->options.is_names_only };
	int error = listing_waiting_take(&walk->waiting, &walk->relative);
	if (error == -ENOENT)
		return walk->error;
	if (error == 0)
		error = open_folder(walk, &place, &walk->inside);
	if (error < 0) {
		note_error(walk, error);
		return LISTING_NONE_YET;
	}
	listing_order_begin(walk->levels[0].order);
	return LISTING_FOLDER;
}

static int
next_inside(struct listing_walk *walk, struct backend_entry *entry)
{
	if (walk->inside == NULL)
		return begin_inside(walk);
	int result = listing_order_next(walk->levels[0].order, walk->inside, entry);
	if (result != LISTING_END && result >= 0)
		return result;
	if (result < 0)
		note_error(walk, result);
	listing_close(&walk->inside);
	return begin_inside(walk);
}

/* ---- all of it ---- */

static int
show(struct listing_walk *walk, const struct backend_entry *entry)
{
	if (!is_bounded(walk))
		return LISTING_ENTRY;
	if (walk->options.is_recursive && entry->attributes.type == PATHIO_TYPE_DIRECTORY)
		wait_for(walk, entry->name);
	return walk->shown++ < PATHIO_BELOW_ENTRIES_MAX ? LISTING_ENTRY : -E2BIG;
}

static bool
begins_with_folder(const struct listing_walk *walk)
{
	const struct listing *base = walk->levels[0].listing;
	return walk->options.is_recursive && !listing_is_single(base) && !listing_has_pattern(base);
}

int
listing_walk_next(struct listing_walk *walk, struct backend_entry *entry)
{
	if (!walk->has_begun) {
		walk->has_begun = true;
		if (begins_with_folder(walk))
			return LISTING_FOLDER;
	}
	int result = walk->is_matched ? next_inside(walk, entry) : next_match(walk, entry);
	if (result == LISTING_ENTRY)
		return show(walk, entry);
	if (result != LISTING_END || walk->is_matched)
		return result;
	walk->is_matched = true;
	return begin_inside(walk);
}

struct listing *
listing_walk_folder(const struct listing_walk *walk)
{
	return walk->inside != NULL ? walk->inside : walk->levels[walk->depth].listing;
}

struct bytes
listing_walk_relative(const struct listing_walk *walk)
{
	return bytes_of(walk->relative.text + 1, walk->relative.length - 1);
}

bool
listing_walk_is_inside(const struct listing_walk *walk)
{
	return walk->is_matched || begins_with_folder(walk);
}
