/*
 * Listings that go beyond one folder (listing_walk.h): what is below, patterns for several levels,
 * and where both end.
 */
#include "ipc/base/scope.h"
#include "tests/unit/worker/listings.h"
#include "worker/listing_walk.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void
plant_link(struct session *session, const char *target, const char *name)
{
	const struct tree *tree = session_tree(session);
	const struct path path = test_path(name);
	assert_int_equal(tree->backend->symlink(tree->state, bytes_of_text(target), &path), 0);
}

static void
plant(struct session *session)
{
	static const char *const folders[] = { "/d", "/d/a1", "/d/a1/in", "/d/a2", "/d/b",
		"/d/.dot", "/d/[x]" };
	static const char *const files[] = { "/d/f", "/d/a1/f.c", "/d/a1/g.h", "/d/a1/in/h.c",
		"/d/a2/f.c", "/d/b/f.c", "/d/.dot/f.c", "/d/[x]/f.c", "/outside" };
	for (size_t i = 0; i < ARRAY_LENGTH(folders); i++)
		session_plant_folder(session, folders[i]);
	for (size_t i = 0; i < ARRAY_LENGTH(files); i++)
		session_plant(session, files[i], "", 0);
	plant_link(session, "/d", "/d/b/up");
	plant_link(session, "a1", "/d/la");
}

struct walk_row {
	const char *name;
	const char *path;
	const char *pattern;
	const char *below;
	const char *prefix;
	uint32_t show;
	enum pathio_style style;
	const char *want;
	int want_error;
};

#define BELOW PATHIO_SHOW_BELOW
#define NAMES PATHIO_STYLE_NAMES
#define LIST  PATHIO_STYLE_LIST

static const struct walk_row walk_rows[] = {
	{ "below, as names", "/d", "", "", "", BELOW, NAMES,
		"[x]\na1\na2\nb\nf\nla\n[x]/f.c\na1/f.c\na1/g.h\na1/in\na1/in/h.c\na2/f.c\nb/f.c\n"
		"b/up\n",
		0 },
	{ "below, with a prefix", "/d/a1", "", "", "a1/", BELOW, NAMES,
		"a1/f.c\na1/g.h\na1/in\na1/in/h.c\n", 0 },
	{ "below, as lines", "/d/a1", "", "", ".", BELOW, LIST,
		".:\n- f.c\n- g.h\nd in\n\n./in:\n- h.c\n", 0 },
	{ "below the root, as lines", "/", "", "", "/", BELOW, LIST,
		"/:\nd d\n- outside\n\n"
		"/d:\nd [x]\nd a1\nd a2\nd b\n- f\nl la -> a1\n\n"
		"/d/[x]:\n- f.c\n\n"
		"/d/a1:\n- f.c\n- g.h\nd in\n\n"
		"/d/a1/in:\n- h.c\n\n"
		"/d/a2:\n- f.c\n\n"
		"/d/b:\n- f.c\nl up -> /d\n",
		0 },
	{ "below, with dots", "/d/.dot", "", "", "x",
		BELOW | PATHIO_SHOW_DOTS | PATHIO_SHOW_FOLDERS, LIST, "x:\nd .\nd ..\n- f.c\n", 0 },
	{ "below, the other way round", "/d/a1", "", "", "", BELOW | PATHIO_SHOW_REVERSED, NAMES,
		"in\ng.h\nf.c\nin/h.c\n", 0 },
	{ "below, links are not followed, though shown as what they lead to", "/d/b", "", "", "b",
		BELOW | PATHIO_SHOW_TARGETS, LIST, "b:\n- f.c\nd up\n", 0 },
	{ "below what matches", "/d", "a*", "", "", BELOW, LIST,
		"d a1\nd a2\n\na1:\n- f.c\n- g.h\nd in\n\na1/in:\n- h.c\n\na2:\n- f.c\n", 0 },
	{ "below a file", "/d/f", "", "", "f", BELOW, LIST, "- f\n", 0 },
	{ "two levels", "/d", "a*", "*.c", "", 0, NAMES, "a1/f.c\na2/f.c\n", 0 },
	{ "two levels, with a prefix", "/d", "a*", "*.c", "d/", 0, NAMES, "d/a1/f.c\nd/a2/f.c\n",
		0 },
	{ "two levels, as lines", "/d", "?1", "*", "", 0, LIST, "- a1/f.c\n- a1/g.h\nd a1/in\n",
		0 },
	{ "a name below a pattern", "/d", "*", "f.c", "", 0, NAMES,
		"[x]/f.c\na1/f.c\na2/f.c\nb/f.c\n", 0 },
	{ "three levels", "/d", "*", "*/*.c", "", 0, NAMES, "a1/in/h.c\n", 0 },
	{ "slashes between levels and at the end", "/d", "*", "//i*//h.c/", "", 0, NAMES,
		"a1/in/h.c\n", 0 },
	{ "nothing matches below", "/d", "*", "none*", "", 0, NAMES, "", 0 },
	{ "no pattern goes through a link", "/d", "la", "*", "", 0, NAMES, "", 0 },
	{ "no pattern goes through a file", "/d", "f", "*", "", 0, NAMES, "", 0 },
	{ "a dot must be in the pattern", "/d", ".*", "*", "", 0, NAMES, ".dot/f.c\n", 0 },
	{ "a name that looks like a pattern", "/d", "[x]", "*", "", 0, NAMES, "[x]/f.c\n", 0 },
	{ "two levels and below", "/", "d", "a*", "", BELOW, LIST,
		"d d/a1\nd d/a2\n\nd/a1:\n- f.c\n- g.h\nd in\n\nd/a1/in:\n- h.c\n\nd/a2:\n- f.c\n",
		0 },
	{ "marks", "/d", "", "", "", PATHIO_SHOW_MARKS, NAMES, "[x]/\na1/\na2/\nb/\nf\nla@\n", 0 },
	{ "marks in lines", "/d", "", "", "", PATHIO_SHOW_MARKS, LIST,
		"d [x]/\nd a1/\nd a2/\nd b/\n- f\nl la -> a1\n", 0 },
	{ "eight levels", "/d", "*", "*/*/*/*/*/*/*/*", "", 0, NAMES, "", 0 },
	{ "nine levels", "/d", "*", "*/*/*/*/*/*/*/*/*", "", 0, NAMES, "", -E2BIG },
	{ "a dot as a level", "/d", "*", "./*", "", 0, NAMES, "", -EINVAL },
	{ "two dots as a level", "/d", "*", "..", "", 0, NAMES, "", -EINVAL },
};

/* Of lines only the type and what begins with the name; heads are left as they are. */
static char *
shortened(const char *text)
{
	static const char date[] = "Nov 23 22:35 ";
	char *copy = strdup(text), *result = calloc(1, strlen(text) + 1), *out = result;
	for (char *at = copy, *line; (line = strsep(&at, "\n")) != NULL && at != NULL;) {
		const size_t columns =
			sizeof("drwxr-xr-x    2 0        0                   0 ") - 1;
		bool is_line = strlen(line) > columns + sizeof(date) - 1;
		if (is_line)
			out += sprintf(out, "%c %s\n", line[0] == '-' ? '-' : line[0],
				line + columns + sizeof(date) - 1);
		else
			out += sprintf(out, "%s\n", line);
	}
	free(copy);
	return result;
}

static void
check_walk_of(const struct walk_row *row, const struct backend *backend)
{
	struct session *session = session_new(backend, NULL, 0);
	char *text;
	plant(session);
	int error = listings_text(session,
		&(struct pathio_list){ .path = bytes_of_text(row->path),
			.accept_file = true,
			.pattern = bytes_of_text(row->pattern) },
		&(struct pathio_send_listing){ .style = row->style,
			.order = PATHIO_ORDER_NAME,
			.show = row->show,
			.prefix = bytes_of_text(row->prefix),
			.below = bytes_of_text(row->below) },
		&text);
	char *got = row->style == LIST ? shortened(text) : strdup(text);
	assert_int_equal(error, row->want_error);
	assert_string_equal(got, row->want);
	free(got);
	free(text);
	session_free(session);
}

static void
check_walk_kernel(void **state)
{
	check_walk_of(*state, &backend_kernel);
}

static void
check_walk_memory(void **state)
{
	check_walk_of(*state, &backend_memory);
}

/* ---- what is not shown ---- */

static int
list_below(struct session *session, const char *path, char **text)
{
	return listings_text(session, &(struct pathio_list){ .path = bytes_of_text(path) },
		&(struct pathio_send_listing){
			.style = NAMES, .order = PATHIO_ORDER_NAME, .show = BELOW },
		text);
}

/* What a rule denies is neither shown nor entered, what another one allows inside is not reached.
 */
static void
check_rights(void **state)
{
	static const struct session_right rights[] = {
		{ "/", RIGHTS_LIST },
		{ "/d/a1", RIGHTS_NONE },
		{ "/d/a1/in", RIGHTS_ALL },
		{ "/d/b", RIGHTS_READ },
		{ NULL, 0 },
	};
	struct session *session = session_new(&backend_memory, rights, 0);
	char *text;
	(void)state;
	plant(session);
	assert_int_equal(list_below(session, "/d", &text), 0);
	assert_string_equal(text, "[x]\na2\nf\nla\n[x]/f.c\na2/f.c\n");
	free(text);
	session_free(session);
}

/* The rest is shown all the same; then the listing has failed. */
static void
check_unreadable(void **state)
{
	struct session *session = session_new(&backend_kernel, NULL, 0);
	const struct path path = test_path("/d/a1");
	char *text;
	(void)state;
	plant(session);
	const struct tree *tree = session_tree(session);
	assert_int_equal(tree->backend->set_mode(tree->state, &path, 0), 0);
	assert_int_equal(list_below(session, "/d", &text), -EACCES);
	assert_string_equal(text, "[x]\na1\na2\nb\nf\nla\n[x]/f.c\na2/f.c\nb/f.c\nb/up\n");
	assert_int_equal(tree->backend->set_mode(tree->state, &path, 0755), 0);
	free(text);
	session_free(session);
}

/* ---- bounds ---- */

static size_t
count_lines(const char *text)
{
	size_t lines = 0;
	for (const char *at = text; (at = strchr(at, '\n')) != NULL; at++)
		lines++;
	return lines;
}

/* So many folders, each in the one before. */
static void
plant_depth(struct session *session, size_t levels)
{
	char path[PATH_BYTES_MAX + 1] = "";
	for (size_t i = 0; i < levels; i++) {
		memcpy(path + 2 * i, "/d", sizeof("/d"));
		session_plant_folder(session, path);
	}
}

static void
check_depth(void **state)
{
	struct session *session = session_new(&backend_memory, NULL, 0);
	char *text;
	(void)state;
	plant_depth(session, PATHIO_BELOW_LEVELS_MAX);
	assert_int_equal(list_below(session, "/", &text), 0);
	assert_int_equal(count_lines(text), PATHIO_BELOW_LEVELS_MAX);
	free(text);
	session_free(session);
}

/* The lowest is shown, and not entered. */
static void
check_too_deep(void **state)
{
	struct session *session = session_new(&backend_memory, NULL, 0);
	char *text;
	(void)state;
	plant_depth(session, PATHIO_BELOW_LEVELS_MAX + 2);
	assert_int_equal(list_below(session, "/", &text), -E2BIG);
	assert_int_equal(count_lines(text), PATHIO_BELOW_LEVELS_MAX + 1);
	free(text);
	session_free(session);
}

/* Entries and folders entered count together. */
static void
check_too_many(void **state)
{
	enum { FOLDERS = 12, FILES = 9000 };
	struct session *session = session_new(&backend_memory, NULL, 0);
	char path[32], *text;
	(void)state;
	for (int folder = 0; folder < FOLDERS; folder++) {
		snprintf(path, sizeof(path), "/%d", folder);
		session_plant_folder(session, path);
		for (int file = 0; file < FILES; file++) {
			snprintf(path, sizeof(path), "/%d/%d", folder, file);
			session_plant(session, path, "", 0);
		}
	}
	assert_int_equal(list_below(session, "/", &text), -E2BIG);
	assert_in_range(
		count_lines(text), PATHIO_BELOW_ENTRIES_MAX - FOLDERS, PATHIO_BELOW_ENTRIES_MAX);
	free(text);
	session_free(session);
}

/* ---- folders that change meanwhile ---- */

static int
next_name(struct listing_walk *walk, char name[NAME_BYTES_MAX + 1])
{
	struct backend_entry entry;
	int result;
	do
		result = listing_walk_next(walk, &entry);
	while (result == LISTING_NONE_YET || result == LISTING_FOLDER);
	if (result == LISTING_ENTRY)
		*(char *)mempcpy(name, entry.name.data, entry.name.length) = '\0';
	return result;
}

/* One that has gone, and one that has become a link, after they were shown. */
static void
check_changes(void **state)
{
	struct session *session = session_new(&backend_kernel, NULL, 0);
	const struct tree *tree = session_tree(session);
	const struct path base = test_path("/d"), gone = test_path("/d/b"),
			  other = test_path("/d/a2"), away = test_path("/away");
	struct rights *rights = session_rights(NULL);
	struct pathio_attributes attributes;
	struct listing *listing;
	struct listing_walk *walk;
	char name[NAME_BYTES_MAX + 1] = "";
	(void)state;
	session_plant_folder(session, "/d");
	session_plant_folder(session, "/d/a1");
	session_plant_folder(session, "/d/a2");
	session_plant(session, "/d/a2/secret", "", 0);
	session_plant_folder(session, "/d/b");
	assert_int_equal(
		listing_open(session_tree(session), &base,
			&(struct listing_place){ .is_names_only = false }, &listing, &attributes),
		0);
	const struct listing_walk_options options = { .is_recursive = true,
		.order = { .order = PATHIO_ORDER_NAME } };
	assert_int_equal(listing_walk_new(listing, &options, &walk), 0);
	listing_walk_judge_by(walk, rights);
	while (strcmp(name, "b") != 0)
		assert_int_equal(next_name(walk, name), LISTING_ENTRY);
	assert_int_equal(tree->backend->rmdir(tree->state, &gone), 0);
	assert_int_equal(tree->backend->rename(tree->state, &other, &away), 0);
	plant_link(session, "/away", "/d/a2");
	assert_int_equal(next_name(walk, name), LISTING_END);
	listing_walk_free(&walk);
	listing_close(&listing);
	rights_free(&rights);
	session_free(session);
}

int
main(void)
{
	tree_tests_begin();
	const struct table tables[] = {
		TABLE("kernel", walk_rows, check_walk_kernel),
		TABLE("memory", walk_rows, check_walk_memory),
		CASE("rights", check_rights),
		CASE("a folder that may not be read", check_unreadable),
		CASE("as deep as is shown", check_depth),
		CASE("too deep", check_too_deep),
		CASE("too many", check_too_many),
		CASE("folders that change meanwhile", check_changes),
	};
	return table_run(tables, ARRAY_LENGTH(tables));
}
