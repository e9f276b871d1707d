/*
 * Names in a user's own characters, of every request that has a path in it: the tree's are UTF-8,
 * the client writes ISO-8859-1, and rights, effect and record are of what is stored (charset.h,
 * HOSTILE 18).
 */
#include "tests/unit/worker/session.h"
#include "tests/unit/worker/trees.h"
#include "worker/instance_private.h"

#include <errno.h>
#include <string.h>

#define PATH(literal) bytes_of((literal), sizeof(literal) - 1)

/* As stored, and as the client writes it. */
#define FILE_STORED   "/\303\244/\303\266"
#define FILE_WRITTEN  "/\344/\366"
#define OTHER_STORED  "/\303\244/\303\274"
#define OTHER_WRITTEN "/\344/\374"
#define NEW_STORED    "/\303\244/n\303\251"
#define NEW_WRITTEN   "/\344/n\351"
#define CLOSED        "/\303\251"

typedef int attempt(struct session *session);

#define ATTEMPT(of_name, request, ...)                                                           \
	static int try_##of_name(struct session *session)                                        \
	{                                                                                        \
		return call_##request(                                                           \
			session->io, &session->wait, &(struct pathio_##request){ __VA_ARGS__ }); \
	}

ATTEMPT(stat, stat, .path = PATH(FILE_WRITTEN))
ATTEMPT(stat_new, stat, .path = PATH(NEW_WRITTEN))
ATTEMPT(enter, enter, .path = PATH("/\344"))
ATTEMPT(mkdir, mkdir, .path = PATH(NEW_WRITTEN), .mode = 0777)
ATTEMPT(mkdir_parents, mkdir, .path = PATH(NEW_WRITTEN "/\344/\366"), .mode = 0777, .parents = true)
ATTEMPT(rmdir, rmdir, .path = PATH("/\344/d"))
ATTEMPT(unlink, unlink, .path = PATH(FILE_WRITTEN))
ATTEMPT(list, list, .path = PATH("/\344"))
ATTEMPT(describe, describe, .path = PATH(FILE_WRITTEN), .facts = PATHIO_FACTS_ALL)
ATTEMPT(size_as, size_as, .path = PATH(FILE_WRITTEN))
ATTEMPT(set_times, set_times, .path = PATH(FILE_WRITTEN), .has_mtime = true)
ATTEMPT(set_mode, set_mode, .path = PATH(FILE_WRITTEN), .mode = 0600)
ATTEMPT(symlink, symlink, .path = PATH(NEW_WRITTEN), .target = PATH("\366"))
ATTEMPT(digest, digest, .path = PATH(FILE_WRITTEN), .count = UINT64_MAX)
ATTEMPT(space, space, .path = PATH("/\344"))
ATTEMPT(remove_tree, remove_tree, .path = PATH("/\344/d"))
ATTEMPT(open, open, .path = PATH(FILE_WRITTEN), .mode = PATHIO_MODE_RB)
ATTEMPT(upload, upload_open, .path = PATH(NEW_WRITTEN), .how = PATHIO_HOW_REPLACE)
ATTEMPT(append, upload_open, .path = PATH(FILE_WRITTEN), .how = PATHIO_HOW_APPEND)
ATTEMPT(rename, rename, .source = PATH(FILE_WRITTEN), .destination = PATH(NEW_WRITTEN))
ATTEMPT(copy, copy, .source = PATH(FILE_WRITTEN), .destination = PATH(NEW_WRITTEN))

static int
combine(struct session *session, struct bytes target, struct bytes first, struct bytes second)
{
	char buffer[128];
	struct wire_list_builder parts = { .buffer = buffer, .capacity = sizeof(buffer) };
	const struct pathio_part one = { .path = first }, two = { .path = second };
	assert_int_equal(wire_list_add(&parts, &pathio_part_record, &one), 0);
	assert_int_equal(wire_list_add(&parts, &pathio_part_record, &two), 0);
	const struct pathio_combine request = { .path = target, .parts = wire_list_built(&parts) };
	return call_combine(session->io, &session->wait, &request);
}

static int
try_combine(struct session *session)
{
	return combine(session, PATH(NEW_WRITTEN), PATH(FILE_WRITTEN), PATH(OTHER_WRITTEN));
}

static int
try_combine_escaped(struct session *session)
{
	return combine(session, PATH(NEW_WRITTEN), PATH("/=C3=A4/=C3=B6"), PATH("/\344/./=C3=BC"));
}

struct name_row {
	const char *name;
	attempt *attempt;
	const char *path;
	const char *destination; /* as the record says it */
};

static const struct name_row name_rows[] = {
	{ "stat", try_stat, FILE_STORED, "" },
	{ "enter", try_enter, "/\303\244", "" },
	{ "mkdir", try_mkdir, NEW_STORED, "" },
	{ "mkdir with parents", try_mkdir_parents, NEW_STORED "/\303\244/\303\266", "" },
	{ "rmdir", try_rmdir, "/\303\244/d", "" },
	{ "unlink", try_unlink, FILE_STORED, "" },
	{ "list", try_list, "/\303\244", "" },
	{ "describe", try_describe, FILE_STORED, "" },
	{ "size_as", try_size_as, FILE_STORED, "" },
	{ "set_times", try_set_times, FILE_STORED, "" },
	{ "set_mode", try_set_mode, FILE_STORED, "" },
	{ "symlink", try_symlink, NEW_STORED, "\303\266" },
	{ "digest", try_digest, FILE_STORED, "" },
	{ "space", try_space, "/\303\244", "" },
	{ "remove_tree", try_remove_tree, "/\303\244/d", "" },
	{ "open", try_open, FILE_STORED, "" },
	{ "upload_open", try_upload, NEW_STORED, "" },
	{ "upload_open to append", try_append, FILE_STORED, "" },
	{ "rename", try_rename, FILE_STORED, NEW_STORED },
	{ "copy", try_copy, FILE_STORED, NEW_STORED },
	{ "combine", try_combine, NEW_STORED, "" },
	{ "combine, with escapes", try_combine_escaped, NEW_STORED, "" },
};

/* A session that has turned to its user's characters. */
static struct session *
open_session(void)
{
	static const struct session_right rights[] = {
		{ "/", RIGHTS_KNOWN },
		{ CLOSED, RIGHTS_NONE },
		{ NULL, 0 },
	};
	struct session *session = session_new(&backend_memory, rights, 0);
	const struct pathio_charset turn = { .path = PATH("/"), .is_users = true };
	session_plant_folder(session, "/\303\244");
	session_plant_folder(session, "/\303\244/d");
	session_plant_folder(session, CLOSED);
	session_plant(session, FILE_STORED, "one", 3);
	session_plant(session, OTHER_STORED, "two", 3);
	session_plant(session, CLOSED "/f", "closed", 6);
	assert_int_equal(charset_open("ISO-8859-1", &session->nursery->options.charset), 0);
	assert_int_equal(call_charset(session->io, &session->wait, &turn), 0);
	return session;
}

static void
close_session(struct session *session)
{
	struct charset *charset = session->nursery->options.charset;
	session_free(session);
	charset_free(&charset);
}

static void
check_name(void **state)
{
	const struct name_row *row = *state;
	struct session *session = open_session();
	assert_int_equal(row->attempt(session), 0);
	assert_string_equal(session->recorded[0].path, row->path);
	assert_string_equal(session->recorded[0].destination, row->destination);
	close_session(session);
}

static void
check_combined(UNUSED void **state)
{
	struct session *session = open_session();
	assert_int_equal(try_combine(session), 0);
	assert_int_equal(session->wait.body.combined.bytes, 6);
	assert_int_equal(session->recorded_count, 3);
	assert_string_equal(session->recorded[1].path, FILE_STORED);
	assert_string_equal(session->recorded[2].path, OTHER_STORED);
	assert_string_equal(session->recorded[2].destination, NEW_STORED);
	assert_int_equal(try_stat_new(session), 0);
	assert_int_equal(session->wait.body.attributes_of.attributes.size, 6);
	assert_int_equal(try_stat(session), -ENOENT); /* it went into it */
	close_session(session);
}

struct refused_row {
	const char *name;
	struct bytes target;
	struct bytes part; /* beside a good one */
	int want;
	const char *recorded;
};

static const struct refused_row refused_rows[] = {
	{ "a closed part", { NEW_WRITTEN, 5 }, { "/\351/f", 4 }, -EACCES, CLOSED "/f" },
	{ "a closed part, with escapes", { NEW_WRITTEN, 5 }, { "/=C3=A9/f", 9 }, -EACCES,
		CLOSED "/f" },
	{ "a closed target", { "/\351/new", 6 }, { OTHER_WRITTEN, 4 }, -EACCES, OTHER_STORED },
	{ "as others write it", { NEW_WRITTEN, 5 }, { OTHER_STORED, 6 }, -ENOENT,
		"/\303\203\302\244/\303\203\302\274" },
};

static void
check_refused(void **state)
{
	const struct refused_row *row = *state;
	struct session *session = open_session();
	assert_int_equal(combine(session, row->target, PATH(FILE_WRITTEN), row->part), row->want);
	assert_int_equal(session->recorded_count, 3);
	for (size_t i = 0; i < session->recorded_count; i++)
		assert_int_equal(session->recorded[i].error, -row->want);
	assert_string_equal(session->recorded[1].path, FILE_STORED);
	assert_string_equal(session->recorded[2].path, row->recorded);
	assert_int_equal(try_stat(session), 0); /* all as it was */
	close_session(session);
}

/* The bytes of one part are no character: nothing is done, and the record has them as they came. */
static void
check_no_character(UNUSED void **state)
{
	struct session *session = open_session();
	struct charset *charset = session->nursery->options.charset, *japanese;
	const struct pathio_charset turn = { .path = PATH("/"), .is_users = true };
	assert_int_equal(charset_open("SHIFT_JIS", &japanese), 0);
	session->nursery->options.charset = japanese;
	assert_int_equal(call_charset(session->io, &session->wait, &turn), 0);
	charset_free(&charset);
	assert_int_equal(combine(session, PATH("/new"), PATH("/f"), PATH("/\223")), -EILSEQ);
	assert_string_equal(session->recorded[1].path, "/f");
	assert_string_equal(session->recorded[2].path, "/\223");
	close_session(session);
}

int
main(void)
{
	const struct table tables[] = {
		TABLE("as stored", name_rows, check_name),
		CASE("combine: the parts' bytes and names", check_combined),
		TABLE("combine refused", refused_rows, check_refused),
		CASE("combine: a part that is no character", check_no_character),
	};
	return table_run(tables, ARRAY_LENGTH(tables));
}
