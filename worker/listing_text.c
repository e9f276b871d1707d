/*
 * Listings as text (see listing_text.h). Runs in the worker, as the user. An error in the middle is
 * told after the lines that were made before it.
 */
#include "worker/listing_text.h"

#include "ipc/base/scope.h"
#include "worker/listing_walk.h"
#include "worker/text.h"

#include <errno.h>
#include <time.h>

enum { FOLDERS_AT_ONCE = 64 };

struct listing_text {
	struct listing_walk *walk;
	const struct rights *const *rights;
	uint32_t show;
	struct listing_lines lines;
	struct backend_entry entry; /* the last one: one for each line would be cleared each time */
	bool is_of_one_folder;
	size_t reserve; /* room for what comes next, whatever it is */
	bool has_begun;
	int error;
	struct bytes prefix;
	char prefix_text[];
};

/* ---- making ---- */

static bool
is_names_only(const struct listing_text_options *options)
{
	bool is_by_name =
		options->order == PATHIO_ORDER_NONE || options->order == PATHIO_ORDER_NAME;
	return options->style == PATHIO_STYLE_NAMES && is_by_name &&
	       (options->show & PATHIO_SHOW_MARKS) == 0;
}

static int
make_walk(struct listing_text *text, struct listing *listing,
	const struct listing_text_options *options)
{
	uint32_t show = options->show;
	const struct listing_walk_options walk = {
		.order = {
			.order = options->order,
			.is_reversed = (show & PATHIO_SHOW_REVERSED) != 0,
			.dots = (show & PATHIO_SHOW_DOTS) != 0,
			.is_target = (show & PATHIO_SHOW_TARGETS) != 0,
		},
		.is_names_only = is_names_only(options),
		.is_recursive = (show & PATHIO_SHOW_BELOW) != 0,
		.below = options->below,
	};
	return listing_walk_new(listing, &walk, &text->walk);
}

/* Of one folder it is small, so that pieces are nearly full. */
static size_t
reserve_of(const struct listing_text *text, const struct listing_text_options *options)
{
	size_t growth = options->charset == NULL ? 1 : CHARSET_GROWTH;
	size_t target = options->style == PATHIO_STYLE_LIST ? PATH_BYTES_MAX : 0;
	size_t line = text->prefix.length + growth * (NAME_BYTES_MAX + target);
	if (!text->is_of_one_folder)
		return LISTING_PIECE_BYTES_MIN;
	return (size_t)2 * LISTING_COLUMNS_BYTES_MAX + line; /* or "." and ".." */
}

int
listing_text_new(struct listing *listing, const struct listing_text_options *options,
	struct listing_text **result)
{
	if (options->prefix.length > PATH_BYTES_MAX)
		return -ENAMETOOLONG;
	SCOPE_FREE struct listing_text *text = calloc(1, sizeof(*text) + options->prefix.length);
	if (text == NULL)
		return -ENOMEM;
	text->rights = options->rights;
	text->show = options->show;
	text->is_of_one_folder =
		options->below.length == 0 && (options->show & PATHIO_SHOW_BELOW) == 0;
	if (options->prefix.length > 0)
		text_put_name(text->prefix_text, options->prefix);
	text->prefix = bytes_of(text->prefix_text, options->prefix.length);
	text->reserve = reserve_of(text, options);
	text->lines = (struct listing_lines){
		.style = options->style,
		.facts = options->facts,
		.has_marks = (options->show & PATHIO_SHOW_MARKS) != 0,
		.charset = options->charset,
		.owner = options->owner,
		.access = options->access,
		.before = options->style == PATHIO_STYLE_NAMES ? text->prefix : bytes_of("", 0),
		.within = bytes_of("", 0),
		.stamp = { .local = options->local_times, .now_s = time(NULL) },
	};
	int error = make_walk(text, listing, options);
	if (error < 0)
		return error;
	*result = text;
	text = NULL;
	return 0;
}

void
listing_text_free(struct listing_text **text)
{
	if (*text == NULL)
		return;
	listing_walk_free(&(*text)->walk);
	free(*text);
	*text = NULL;
}

/* ---- folders ---- */

/* Facts have "." and ".." always (RFC 3659 7.5.1), lines of LIST with -a. */
static bool
shows_folders(const struct listing_text *text)
{
	if (listing_is_single(text->lines.listing) || listing_has_pattern(text->lines.listing))
		return false;
	return text->lines.style == PATHIO_STYLE_FACTS ||
	       (text->lines.style == PATHIO_STYLE_LIST && (text->show & PATHIO_SHOW_FOLDERS) != 0);
}

/* Its head, if it is one of several, and what comes before the entries in it. */
static int
begin_folder(struct listing_text *text, char **at)
{
	struct listing_lines *lines = &text->lines;
	bool is_first = !text->has_begun;
	text->has_begun = true;
	lines->listing = listing_walk_folder(text->walk);
	if (listing_walk_is_inside(text->walk) && lines->style == PATHIO_STYLE_LIST) {
		if (!is_first)
			*at = text_put_text(*at, "\r\n");
		*at = listing_line_put_head(
			*at, lines, text->prefix, listing_walk_relative(text->walk));
	}
	bool has_folders = shows_folders(text);
	if (!has_folders && lines->style != PATHIO_STYLE_FACTS)
		return 0;
	int error = listing_lines_look(lines);
	if (error < 0 && lines->style == PATHIO_STYLE_FACTS)
		return error;
	if (error < 0 || !has_folders)
		return 0;
	*at = listing_line_put_folder(*at, lines, FACTS_CURRENT);
	*at = listing_line_put_folder(*at, lines, FACTS_PARENT);
	return 0;
}

/* The folder of the next name: it stands before the name, unless a head has told it. */
static void
set_folder(struct listing_text *text)
{
	struct listing_lines *lines = &text->lines;
	bool is_told = lines->style == PATHIO_STYLE_LIST && listing_walk_is_inside(text->walk);
	lines->listing = listing_walk_folder(text->walk);
	lines->within = is_told ? bytes_of("", 0) : listing_walk_relative(text->walk);
}

/* ---- pieces ---- */

/* The next line, or several: LISTING_*, negative errno. */
static int
put_next(struct listing_text *text, char **at)
{
	if (!text->has_begun && !listing_walk_is_inside(text->walk)) {
		int error = begin_folder(text, at);
		return error < 0 ? error : LISTING_ENTRY;
	}
	int result = listing_walk_next(text->walk, &text->entry);
	if (result == LISTING_ENTRY) {
		if (!text->is_of_one_folder)
			set_folder(text);
		*at = listing_line_put(*at, &text->lines, &text->entry);
	} else if (result == LISTING_FOLDER) {
		int error = begin_folder(text, at);
		return error < 0 ? error : LISTING_FOLDER;
	}
	return result;
}

int
listing_text_fill(struct listing_text *text, char *buffer, size_t capacity, bool *ended)
{
	char *at = buffer;
	if (text->error < 0)
		return text->error;
	listing_walk_judge_by(text->walk, *text->rights);
	int result = LISTING_ENTRY, folders = 0;
	while ((result == LISTING_ENTRY || result == LISTING_FOLDER) && folders < FOLDERS_AT_ONCE &&
		capacity - (size_t)(at - buffer) >= text->reserve) {
		result = put_next(text, &at);
		folders += result == LISTING_FOLDER;
	}
	*ended = result == LISTING_END;
	if (result < 0 && at == buffer)
		return result;
	text->error = result < 0 ? result : 0;
	return (int)(at - buffer);
}
