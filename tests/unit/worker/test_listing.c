/*
 * Listings: what a session sees of a directory, in each style, whole and in pieces.
 */
#include "ipc/base/scope.h"
#include "tests/unit/worker/session.h"
#include "tests/unit/worker/trees.h"
#include "tests/unit/worker/wire_end.h"
#include "worker/instance_private.h"
#include "worker/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- pieces of lines ---- */

static void
check_text(void **state)
{
	(void)state;
	char line[128], *at = line;
	at = text_put_number(at, 0);
	at = text_put_padded(at, 42, 5);
	at = text_put_padded(at, UINT64_MAX, 3);
	at = text_put_column(at, bytes_of_text("ab"), 4);
	at = text_put_column(at, bytes_of_text("abcde"), 4);
	at = text_put_digits(at, 1234, 3);
	at = text_put_hex(at, 0);
	at = text_put_hex(at, 0xdeadbeef);
	at = text_put_hex(at, UINT64_MAX);
	at = text_put_name(at, bytes_of("a\nb\x1b[1m\x7f\xc3\xa4\0", 11));
	assert_memory_equal(line,
		"0   4218446744073709551615ab  abcde2340deadbeefffffffffffffffffa?b?[1m?\xc3\xa4?",
		(size_t)(at - line));
	assert_int_equal(at - line, 74);
}

/* ---- a folder to list ---- */

static void
plant(struct session *session)
{
	const struct tree *tree = session_tree(session);
	const struct path link = test_path("/d/link");
	session_plant_folder(session, "/d");
	session_plant_folder(session, "/d/sub");
	session_plant(session, "/d/file.txt", "12345", 5);
	session_plant(session, "/d/other.c", "1", 1);
	session_plant(session, "/d/.dot", "", 0);
	session_plant(session, "/d/.sallyport-0123456789abcdef.part", "12", 2);
	assert_int_equal(tree->backend->symlink(tree->state, bytes_of_text("file.txt"), &link), 0);
	const char *const stamped[] = { "/d", "/d/sub", "/d/file.txt", "/d/other.c", "/d/.dot" };
	for (size_t i = 0; i < ARRAY_LENGTH(stamped); i++) {
		const struct path path = test_path(stamped[i]);
		const struct pathio_set_times times = { .has_mtime = true, .mtime_ns = 0 };
		assert_int_equal(tree->backend->set_times(tree->state, &path, &times), 0);
	}
}

static int
compare_lines(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* A listing is in no order: sorts its lines, each of which ends in CRLF. */
static char *
sorted(const char *text)
{
	char *lines[64] = { NULL }, *copy = strdup(text), *result = calloc(1, strlen(text) + 1);
	size_t count = 0;
	for (char *at = strtok(copy, "\n"); at != NULL; at = strtok(NULL, "\n")) {
		assert_true(count < ARRAY_LENGTH(lines) && at[strlen(at) - 1] == '\r');
		at[strlen(at) - 1] = '\0';
		lines[count++] = at;
	}
	qsort(lines, count, sizeof(lines[0]), compare_lines);
	char *out = result;
	for (size_t i = 0; i < count; i++) {
		out = mempcpy(out, lines[i], strlen(lines[i]));
		*out++ = '\n';
	}
	free(copy);
	return result;
}

static int
list(struct session *session, const struct pathio_list *list_request,
	const struct pathio_send_listing *send_request, char **text)
{
	struct wire_end *end = wire_end_new(session->base);
	int error = call_list(session->io, &session->wait, list_request);
	if (error == 0) {
		error = call_send_listing(
			session->io, &session->wait, send_request, end->worker_fd);
		wire_end_finish(end);
		if (error == 0)
			assert_int_equal(session->wait.body.moved.bytes, end->length);
		assert_int_equal(call_close(session->io, &session->wait,
					 &(struct pathio_close){ .file = 0 }),
			0);
	}
	if (text != NULL)
		*text = error < 0 ? strdup("") : sorted(end->bytes);
	wire_end_free(&end);
	return error;
}

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
	bool hidden;
};

#define OWNER "@"

static const struct listing_row listing_rows[] = {
	{ "names", "/d", "", "", "file.txt\nlink\nother.c\nsub\n", PATHIO_STYLE_NAMES, 0, false,
		false },
	{ "names with dots", "/d", "", "", ".dot\nfile.txt\nlink\nother.c\nsub\n",
		PATHIO_STYLE_NAMES, 0, false, true },
	{ "names with a prefix", "/d", "", "x/d/", "x/d/file.txt\nx/d/link\nx/d/other.c\nx/d/sub\n",
		PATHIO_STYLE_NAMES, 0, false, false },
	{ "a pattern", "/d", "*.?", "", "other.c\n", PATHIO_STYLE_NAMES, 0, false, false },
	{ "a pattern that all match", "/d", "*", "", "file.txt\nlink\nother.c\nsub\n",
		PATHIO_STYLE_NAMES, 0, false, false },
	{ "a pattern with a dot", "/d", ".*", "", ".dot\n", PATHIO_STYLE_NAMES, 0, false, false },
	{ "a pattern that nothing matches", "/d", "nope*", "", "", PATHIO_STYLE_NAMES, 0, false,
		false },
	{ "lines", "/d", "*.*", "",
		"-rw-r--r--    1 " OWNER "            1 Jan  1  1970 other.c\n"
		"-rw-r--r--    1 " OWNER "            5 Jan  1  1970 file.txt\n",
		PATHIO_STYLE_LIST, 0, false, false },
	{ "a file as itself", "/d/file.txt", "", "",
		"-rw-r--r--    1 " OWNER "            5 Jan  1  1970 file.txt\n", PATHIO_STYLE_LIST,
		0, true, false },
	{ "a file as itself, its name", "/d/file.txt", "", "d/", "d/file.txt\n", PATHIO_STYLE_NAMES,
		0, true, false },
	{ "a file with a dot as itself", "/d/.dot", "", "", ".dot\n", PATHIO_STYLE_NAMES, 0, true,
		false },
	{ "a file is no folder", "/d/file.txt", "", "", "", PATHIO_STYLE_LIST, -ENOTDIR, false,
		false },
	{ "a file has no entries to match", "/d/file.txt", "*", "", "", PATHIO_STYLE_LIST, -ENOTDIR,
		true, false },
	{ "nothing there", "/d/none", "", "", "", PATHIO_STYLE_LIST, -ENOENT, true, false },
	{ "a hidden temporary", "/d/.sallyport-0123456789abcdef.part", "", "", "",
		PATHIO_STYLE_LIST, -EACCES, true, true },
	{ "facts", "/d", "", "",
		"type=OS.unix=slink;perm=df; link\n"
		"type=cdir;modify=19700101000000;perm=cdeflmp; .\n"
		"type=dir;modify=19700101000000;perm=cdeflmp; sub\n"
		"type=file;size=1;modify=19700101000000;perm=adfrw; other.c\n"
		"type=file;size=5;modify=19700101000000;perm=adfrw; file.txt\n"
		"type=pdir; ..\n",
		PATHIO_STYLE_FACTS, 0, false, false },
	{ "facts of a file", "/d/other.c", "", "",
		"type=file;size=1;modify=19700101000000;perm=adfrw; other.c\n", PATHIO_STYLE_FACTS,
		0, true, false },
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
	plant(session);
	int error = list(session,
		&(struct pathio_list){ .path = bytes_of_text(row->path),
			.accept_file = row->accept_file,
			.pattern = bytes_of_text(row->pattern) },
		&(struct pathio_send_listing){ .style = row->style,
			.facts = facts,
			.hidden = row->hidden,
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
	plant(session);
	assert_int_equal(list(session, &(struct pathio_list){ .path = bytes_of_text("/d") },
				 &(struct pathio_send_listing){ .hidden = true }, &text),
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
		assert_int_equal(list(session, &(struct pathio_list){ .path = bytes_of_text("/") },
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
	assert_int_equal(list(session, &(struct pathio_list){ .path = bytes_of_text("/") },
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
	assert_int_equal(list(session, &(struct pathio_list){ .path = bytes_of_text("/") },
				 &(struct pathio_send_listing){
					 .style = PATHIO_STYLE_FACTS, .facts = PATHIO_FACT_PERM },
				 &text),
		0);
	assert_string_equal(text, "perm=celmp; .\nperm=celmp; ..\n");
	free(text);
	session_free(session);
}

/* ---- batches and pieces ---- */

enum { MANY = 1500 };

static void
plant_many(struct session *session)
{
	char path[300];
	session_plant_folder(session, "/many");
	for (int i = 0; i < MANY; i++) {
		snprintf(path, sizeof(path), "/many/%0*d", i % 2 == 0 ? 255 : 4, i);
		session_plant(session, path, "", 0);
	}
}

static void
check_batches(void **state)
{
	(void)state;
	struct session *session = session_new(&backend_memory, NULL, 0);
	bool seen[MANY] = { false };
	int count = 0, batches = 0;
	bool last = false;
	plant_many(session);
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
			assert_in_range(number, 0, MANY - 1);
			assert_false(seen[number]);
			seen[number] = true;
			count++;
		}
		batches++;
	}
	assert_int_equal(count, MANY);
	assert_in_range(batches, 5, 50);
	session_free(session);
}

/* Pieces of every size put together are the whole. */
static void
check_pieces(void **state)
{
	(void)state;
	struct session *session = session_new(&backend_memory, NULL, 0);
	static char buffer[2 * 1024 * 1024], whole[2 * 1024 * 1024];
	const struct path path = test_path("/many");
	size_t whole_length = 0;
	plant_many(session);
	for (size_t capacity = sizeof(buffer); capacity >= LISTING_LINE_BYTES_MAX; capacity /= 4) {
		struct rights *rights = session_rights(NULL);
		const struct rights *const judged_by = rights;
		const struct listing_owner owner = { .name = bytes_of_text("") };
		struct listing *listing;
		struct listing_text *text;
		struct pathio_attributes attributes;
		size_t length = 0;
		bool ended = false;
		assert_int_equal(listing_open(session_tree(session), &path, false,
					 bytes_of_text(""), &listing, &attributes),
			0);
		const struct listing_text_options options = { .style = PATHIO_STYLE_LIST,
			.owner = &owner,
			.access = &session->nursery->access,
			.rights = &judged_by };
		assert_int_equal(listing_text_new(listing, &options, &text), 0);
		while (!ended) {
			int filled = listing_text_fill(text, buffer, capacity, &ended);
			assert_true(filled >= 0 && (size_t)filled <= capacity);
			size_t piece = filled < 0 ? 0 : (size_t)filled;
			if (capacity == sizeof(buffer))
				memcpy(whole + length, buffer, piece);
			else
				assert_memory_equal(whole + length, buffer, piece);
			length += piece;
		}
		if (capacity == sizeof(buffer))
			whole_length = length;
		assert_int_equal(length, whole_length);
		listing_text_free(&text);
		listing_close(&listing);
		rights_free(&rights);
	}
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
	plant_many(session);
	assert_int_equal(listing_open(session_tree(session), &path, false, bytes_of_text("x*"),
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

/* ---- a directory that fails in the middle ---- */

enum { BEFORE_IT_FAILS = 3 };
static int entries_given;

static int
failing_next(struct backend_directory *directory, struct backend_entry *entry)
{
	if (entries_given++ == BEFORE_IT_FAILS)
		return -EIO;
	return backend_memory.directory_next(directory, entry);
}

/* The lines before the error are handed out, then the error, and no end. */
static void
check_failing(void **state)
{
	(void)state;
	static struct backend failing;
	struct session *session = session_new(&backend_memory, NULL, 0);
	const struct path path = test_path("/many");
	static char buffer[64 * 1024];
	struct rights *rights = session_rights(NULL);
	const struct rights *const judged_by = rights;
	const struct listing_owner owner = { .name = bytes_of_text("") };
	struct listing *listing;
	struct listing_text *text;
	struct pathio_attributes attributes;
	bool ended = false;
	plant_many(session);
	failing = backend_memory;
	failing.directory_next = failing_next;
	session_tree(session)->backend = &failing;
	entries_given = 0;
	assert_int_equal(listing_open(session_tree(session), &path, false, bytes_of_text(""),
				 &listing, &attributes),
		0);
	const struct listing_text_options options = { .style = PATHIO_STYLE_NAMES,
		.owner = &owner,
		.access = &session->nursery->access,
		.rights = &judged_by };
	assert_int_equal(listing_text_new(listing, &options, &text), 0);
	assert_in_range(listing_text_fill(text, buffer, sizeof(buffer), &ended), 1, sizeof(buffer));
	assert_false(ended);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(listing_text_fill(text, buffer, sizeof(buffer), &ended), -EIO);
		assert_false(ended);
	}
	listing_text_free(&text);
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
		list(session, &(struct pathio_list){ .path = bytes_of_text("/") },
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
		CASE("pieces of lines", check_text),
		TABLE("kernel", listing_rows, check_listing_kernel),
		TABLE("memory", listing_rows, check_listing_memory),
		CASE("long lines", check_long_lines),
		CASE("odd names", check_odd_names),
		CASE("rights decide what is shown", check_rights),
		CASE("the root", check_root),
		CASE("batches", check_batches),
		CASE("pieces", check_pieces),
		CASE("nothing to show yet", check_none_yet),
		CASE("a directory that fails", check_failing),
		CASE("owner names", check_owner),
	};
	return table_run(tables, ARRAY_LENGTH(tables));
}
