/*
 * Listings: what a session sees of a directory, in each style.
 */
#include "tests/unit/worker/listings.h"
#include "worker/instance_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- what is shown ---- */

struct listing_row {
	const char *name;
	const char *path;
	const char *pattern;
	const char *prefix;
	const char *want; /* with OWNER for uid and gid */
	enum pathio_style style;
	int want_error;
	bool accept_file;
	uint32_t show;
};

#define OWNER "@"

enum { DOTS = PATHIO_SHOW_DOTS };

static const struct listing_row listing_rows[] = {
	{ "names", "/d", "", "", "file.txt\nlink\nother.c\nsub\n", PATHIO_STYLE_NAMES, 0, false,
		0 },
	{ "names with dots", "/d", "", "", ".dot\nfile.txt\nlink\nother.c\nsub\n",
		PATHIO_STYLE_NAMES, 0, false, DOTS },
	{ "names with a prefix", "/d", "", "x/d/", "x/d/file.txt\nx/d/link\nx/d/other.c\nx/d/sub\n",
		PATHIO_STYLE_NAMES, 0, false, 0 },
	{ "names with a prefix that has controls", "/d", "*.c", "x\x1b/", "x?/other.c\n",
		PATHIO_STYLE_NAMES, 0, false, 0 },
	{ "a pattern", "/d", "*.?", "", "other.c\n", PATHIO_STYLE_NAMES, 0, false, 0 },
	{ "a pattern that all match", "/d", "*", "", "file.txt\nlink\nother.c\nsub\n",
		PATHIO_STYLE_NAMES, 0, false, 0 },
	{ "a pattern with a dot", "/d", ".*", "", ".dot\n", PATHIO_STYLE_NAMES, 0, false, 0 },
	{ "a pattern that nothing matches", "/d", "nope*", "", "", PATHIO_STYLE_NAMES, 0, false,
		0 },
	{ "lines", "/d", "*.*", "",
		"-rw-r--r--    1 " OWNER "            1 Jan  1  1970 other.c\n"
		"-rw-r--r--    1 " OWNER "            5 Jan  1  1970 file.txt\n",
		PATHIO_STYLE_LIST, 0, false, 0 },
	{ "a file as itself", "/d/file.txt", "", "",
		"-rw-r--r--    1 " OWNER "            5 Jan  1  1970 file.txt\n", PATHIO_STYLE_LIST,
		0, true, 0 },
	{ "a file as itself, its name", "/d/file.txt", "", "d/", "d/file.txt\n", PATHIO_STYLE_NAMES,
		0, true, 0 },
	{ "a file with a dot as itself", "/d/.dot", "", "", ".dot\n", PATHIO_STYLE_NAMES, 0, true,
		0 },
	{ "a file is no folder", "/d/file.txt", "", "", "", PATHIO_STYLE_LIST, -ENOTDIR, false, 0 },
	{ "a file has no entries to match", "/d/file.txt", "*", "", "", PATHIO_STYLE_LIST, -ENOTDIR,
		true, 0 },
	{ "nothing there", "/d/none", "", "", "", PATHIO_STYLE_LIST, -ENOENT, true, 0 },
	{ "a hidden temporary", "/d/.sallyport-0123456789abcdef.part", "", "", "",
		PATHIO_STYLE_LIST, -EACCES, true, DOTS },
	{ "facts", "/d", "", "",
		"type=OS.unix=slink;perm=arwdf; link\n"
		"type=cdir;modify=19700101000000;perm=cdeflmp; .\n"
		"type=dir;modify=19700101000000;perm=cdeflmp; sub\n"
		"type=file;size=1;modify=19700101000000;perm=adfrw; other.c\n"
		"type=file;size=5;modify=19700101000000;perm=adfrw; file.txt\n"
		"type=pdir; ..\n",
		PATHIO_STYLE_FACTS, 0, false, 0 },
	{ "facts of a file", "/d/other.c", "", "",
		"type=file;size=1;modify=19700101000000;perm=adfrw; other.c\n", PATHIO_STYLE_FACTS,
		0, true, 0 },
};

/* Lines as they must be here: OWNER is this process; what changes from run to run is cut out. */
static char *
comparable(char *text, bool facts)
{
	char owner[32];
	snprintf(owner, sizeof(owner), "%-8u %-8u", geteuid(), getegid());
	char *result = calloc(1, strlen(text) + 1);
	for (char *at = text, *out = result; *at != '\0';) {
		if (strncmp(at, owner, strlen(owner)) == 0) {
			*out++ = OWNER[0];
			at += strlen(owner);
		} else if (facts && strncmp(at, "modify=2", 8) == 0) {
			at = strchr(at, ';') + 1;
		} else if (facts && strncmp(at, "type=pdir;", 10) == 0) {
			out = stpcpy(out, "type=pdir;");
			at = strchr(at, ' ');
		} else {
			*out++ = *at++;
		}
	}
	free(text);
	return result;
}

static void
check_listing_of(const struct listing_row *row, const struct backend *backend)
{
	struct session *session = session_new(backend, NULL, 0);
	const uint32_t facts =
		PATHIO_FACT_TYPE | PATHIO_FACT_SIZE | PATHIO_FACT_MODIFY | PATHIO_FACT_PERM;
	char *text;
	listings_plant(session);
	int error = listings_sorted(session,
		&(struct pathio_list){ .path = bytes_of_text(row->path),
			.accept_file = row->accept_file,
			.pattern = bytes_of_text(row->pattern) },
		&(struct pathio_send_listing){ .style = row->style,
			.facts = facts,
			.show = row->show,
			.prefix = bytes_of_text(row->prefix) },
		&text);
	text = comparable(text, row->style == PATHIO_STYLE_FACTS);
	assert_int_equal(error, row->want_error);
	assert_string_equal(text, row->want);
	free(text);
	session_free(session);
}

static void
check_listing_kernel(void **state)
{
	check_listing_of(*state, &backend_kernel);
}

static void
check_listing_memory(void **state)
{
	check_listing_of(*state, &backend_memory);
}

/* LIST -a has "." and "..", a link has its target, and dates are as of now. */
static void
check_long_lines(void **state)
{
	(void)state;
	struct session *session = session_new(&backend_kernel, NULL, 0);
	char *text;
	listings_plant(session);
	assert_int_equal(
		listings_sorted(session, &(struct pathio_list){ .path = bytes_of_text("/d") },
			&(struct pathio_send_listing){ .show = DOTS | PATHIO_SHOW_FOLDERS }, &text),
		0);
	assert_non_null(strstr(text, " ..\n"));
	assert_non_null(strstr(text, " .\n"));
	assert_non_null(strstr(text, " link -> file.txt\n"));
	assert_non_null(strstr(text, "\nlrwxrwxrwx    1 "));
	assert_non_null(strstr(text, "Jan  1  1970 .dot\n"));
	assert_null(strstr(text, "part"));
	free(text);
	session_free(session);
}

/* One entry, one line, whatever its name (HOSTILE 15). */
static void
check_odd_names(void **state)
{
	(void)state;
	struct session *session = session_new(&backend_kernel, NULL, 0);
	char *text;
	session_plant(session, "/two\r\nlines", "", 0);
	session_plant(session, "/\x1b]0;title\x07", "", 0);
	session_plant(session, "/ -rf \"'\\", "", 0);
	for (enum pathio_style style = PATHIO_STYLE_LIST; style <= PATHIO_STYLE_FACTS; style++) {
		assert_int_equal(listings_sorted(session,
					 &(struct pathio_list){ .path = bytes_of_text("/") },
					 &(struct pathio_send_listing){ .style = style }, &text),
			0);
		assert_non_null(strstr(text, "two??lines\n"));
		assert_non_null(strstr(text, "?]0;title?\n"));
		assert_non_null(strstr(text, " -rf \"'\\\n"));
		free(text);
	}
	session_free(session);
}

/* ---- rights ---- */

/* What stat would refuse, a listing does not show; what a narrower rule allows, `perm` tells. */
static void
check_rights(void **state)
{
	(void)state;
	static const struct session_right rights[] = {
		{ "/", RIGHTS_READ | RIGHTS_LIST },
		{ "/secret", RIGHTS_NONE },
		{ "/drop", RIGHTS_CREATE },
		{ "/free", RIGHTS_ALL },
		{ NULL, 0 },
	};
	struct session *session = session_new(&backend_memory, rights, 0);
	char *text;
	session_plant_folder(session, "/secret");
	session_plant_folder(session, "/drop");
	session_plant_folder(session, "/free");
	session_plant_folder(session, "/plain");
	assert_int_equal(
		listings_sorted(session, &(struct pathio_list){ .path = bytes_of_text("/") },
			&(struct pathio_send_listing){
				.style = PATHIO_STYLE_FACTS, .facts = PATHIO_FACT_PERM },
			&text),
		0);
	assert_string_equal(text, "perm=cdeflmp; free\nperm=el; .\nperm=el; ..\nperm=el; plain\n");
	free(text);
	session_free(session);
}

/* The root has no folder in which it could be renamed or removed. */
static void
check_root(void **state)
{
	(void)state;
	struct session *session = session_new(&backend_memory, NULL, 0);
	const struct pathio_describe request = { .path = bytes_of_text("/"),
		.facts = PATHIO_FACT_PERM };
	char *text;
	assert_int_equal(call_describe(session->io, &session->wait, &request), 0);
	assert_true(bytes_equal_text(session->wait.body.text.bytes, "perm=celmp;"));
	assert_int_equal(
		listings_sorted(session, &(struct pathio_list){ .path = bytes_of_text("/") },
			&(struct pathio_send_listing){
				.style = PATHIO_STYLE_FACTS, .facts = PATHIO_FACT_PERM },
			&text),
		0);
	assert_string_equal(text, "perm=celmp; .\nperm=celmp; ..\n");
	free(text);
	session_free(session);
}

/* ---- batches and pieces ---- */

static void
check_batches(void **state)
{
	(void)state;
	struct session *session = session_new(&backend_memory, NULL, 0);
	bool seen[LISTINGS_MANY] = { false };
	int count = 0, batches = 0;
	bool last = false;
	listings_plant_many(session);
	assert_int_equal(
		call_list(session->io, &session->wait,
			&(struct pathio_list){ .file = 7, .path = bytes_of_text("/many") }),
		0);
	while (!last) {
		assert_int_equal(
			call_next(session->io, &session->wait, &(struct pathio_next){ .file = 7 }),
			0);
		struct wire_list entries = session->wait.body.entries.list;
		last = session->wait.body.entries.last;
		assert_in_range(entries.count, 0, PATHIO_BATCH_ENTRIES);
		assert_in_range(entries.encoded.length, 0, PATHIO_BATCH_BYTES);
		struct pathio_entry entry;
		while (wire_list_next(&entries, &pathio_entry_record, &entry)) {
			char name[256];
			snprintf(name, sizeof(name), "%.*s", (int)entry.name.length,
				entry.name.data);
			long number = strtol(name, NULL, 10);
			assert_in_range(number, 0, LISTINGS_MANY - 1);
			assert_false(seen[number]);
			seen[number] = true;
			count++;
		}
		batches++;
	}
	assert_int_equal(count, LISTINGS_MANY);
	assert_in_range(batches, 5, 50);
	session_free(session);
}

/* Names that do not match are skipped a stretch at a time, also where nothing matches at all. */
static void
check_none_yet(void **state)
{
	(void)state;
	struct session *session = session_new(&backend_memory, NULL, 0);
	struct backend_entry entry;
	struct listing *listing;
	struct pathio_attributes attributes;
	const struct path path = test_path("/many");
	int looks = 1;
	listings_plant_many(session);
	assert_int_equal(listing_open(session_tree(session), &path,
				 &(struct listing_place){ .pattern = bytes_of_text("x*") },
				 &listing, &attributes),
		0);
	struct rights *rights = session_rights(NULL);
	listing_judge_by(listing, rights);
	while (listing_next(listing, false, &entry) == LISTING_NONE_YET)
		looks++;
	assert_int_equal(looks, 2);
	listing_close(&listing);
	rights_free(&rights);
	session_free(session);
}

/* The user's own files by name, others by number. */
static void
check_owner(void **state)
{
	(void)state;
	struct session *session = session_new(&backend_memory, NULL, 0);
	char want[64], *text;
	session->nursery->options.owner = (struct listing_owner){
		.name = bytes_of_text("anna"), .uid = geteuid(), .gid = getegid() + 1
	};
	session_plant(session, "/f", "", 0);
	assert_int_equal(
		listings_sorted(session, &(struct pathio_list){ .path = bytes_of_text("/") },
			&(struct pathio_send_listing){ .style = PATHIO_STYLE_LIST }, &text),
		0);
	snprintf(want, sizeof(want), "-rw-r--r--    1 anna     %-8u            0 ", getegid());
	assert_memory_equal(text, want, strlen(want));
	free(text);
	session_free(session);
}

int
main(void)
{
	const struct table tables[] = {
		TABLE("kernel", listing_rows, check_listing_kernel),
		TABLE("memory", listing_rows, check_listing_memory),
		CASE("long lines", check_long_lines),
		CASE("odd names", check_odd_names),
		CASE("rights decide what is shown", check_rights),
		CASE("the root", check_root),
		CASE("batches", check_batches),
		CASE("nothing to show yet", check_none_yet),
		CASE("owner names", check_owner),
	};
	return table_run(tables, ARRAY_LENGTH(tables));
}
