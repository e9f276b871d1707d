/*
 * Rights at work: every operation with exactly the rights that it wants, with all others, and with
 * none, where the path is there and where it is not (HOSTILE 17, 18).
 */
#include "ipc/base/scope.h"
#include "tests/unit/worker/session.h"
#include "tests/unit/worker/trees.h"
#include "worker/instance_private.h"

#include <errno.h>
#include <string.h>

#define PATH(literal) bytes_of((literal), sizeof(literal) - 1)

/* Submits one request on the paths below and finishes it. */
typedef int attempt(struct session *session);

#define ATTEMPT(of_name, request, ...)                                                           \
	static int try_##of_name(struct session *session)                                        \
	{                                                                                        \
		return call_##request(                                                           \
			session->io, &session->wait, &(struct pathio_##request){ __VA_ARGS__ }); \
	}

ATTEMPT(stat, stat, .path = PATH("/d/f"))
ATTEMPT(enter, enter, .path = PATH("/d/sub"))
ATTEMPT(mkdir, mkdir, .path = PATH("/d/new"), .mode = 0777)
ATTEMPT(rmdir, rmdir, .path = PATH("/d/sub"))
ATTEMPT(unlink, unlink, .path = PATH("/d/f"))
ATTEMPT(list, list, .path = PATH("/d/sub"))
ATTEMPT(list_lenient, list, .path = PATH("/d/sub"), .lenient = true)
ATTEMPT(describe, describe, .path = PATH("/d/f"), .facts = PATHIO_FACTS_ALL)
ATTEMPT(size_as, size_as, .path = PATH("/d/f"))
ATTEMPT(set_times, set_times, .path = PATH("/d/f"), .has_mtime = true)
ATTEMPT(set_mode, set_mode, .path = PATH("/d/f"), .mode = 0600)
ATTEMPT(symlink, symlink, .path = PATH("/d/new"), .target = PATH("f"))
ATTEMPT(readlink, readlink, .path = PATH("/d/link"))
ATTEMPT(digest, digest, .path = PATH("/d/f"), .count = UINT64_MAX)
ATTEMPT(space, space, .path = PATH("/d/sub"))
ATTEMPT(remove_tree, remove_tree, .path = PATH("/d/sub"))
ATTEMPT(open_rb, open, .path = PATH("/d/f"), .mode = PATHIO_MODE_RB)
ATTEMPT(open_wb, open, .path = PATH("/d/f"), .mode = PATHIO_MODE_WB)
ATTEMPT(open_wb_new, open, .path = PATH("/d/new"), .mode = PATHIO_MODE_WB)
ATTEMPT(open_ab, open, .path = PATH("/d/f"), .mode = PATHIO_MODE_AB)
ATTEMPT(open_ab_new, open, .path = PATH("/d/new"), .mode = PATHIO_MODE_AB)
ATTEMPT(open_r_plus_b, open, .path = PATH("/d/f"), .mode = PATHIO_MODE_R_PLUS_B)
ATTEMPT(open_xb, open, .path = PATH("/d/new"), .mode = PATHIO_MODE_XB)
ATTEMPT(replace, upload_open, .path = PATH("/d/f"), .how = PATHIO_HOW_REPLACE)
ATTEMPT(replace_new, upload_open, .path = PATH("/d/new"), .how = PATHIO_HOW_REPLACE)
ATTEMPT(append, upload_open, .path = PATH("/d/f"), .how = PATHIO_HOW_APPEND)
ATTEMPT(append_new, upload_open, .path = PATH("/d/new"), .how = PATHIO_HOW_APPEND)
ATTEMPT(append_after_rest, upload_open, .path = PATH("/d/f"), .how = PATHIO_HOW_APPEND, .offset = 1)
ATTEMPT(at_offset, upload_open, .path = PATH("/d/f"), .how = PATHIO_HOW_AT_OFFSET, .offset = 1)
ATTEMPT(range, upload_open, .path = PATH("/d/f"), .how = PATHIO_HOW_RANGE, .offset = 1)
ATTEMPT(range_new, upload_open, .path = PATH("/d/new"), .how = PATHIO_HOW_RANGE)
ATTEMPT(unique, upload_open, .path = PATH("/d/f"), .how = PATHIO_HOW_UNIQUE)
ATTEMPT(rename, rename, .source = PATH("/d/f"), .destination = PATH("/e/new"))
ATTEMPT(rename_over, rename, .source = PATH("/d/f"), .destination = PATH("/e/f"))
ATTEMPT(copy, copy, .source = PATH("/d/f"), .destination = PATH("/e/new"))
ATTEMPT(copy_over, copy, .source = PATH("/d/f"), .destination = PATH("/e/f"))

/* /d/f goes into what is there, or is not. */
static int
combine_into(struct session *session, struct bytes target)
{
	char buffer[64];
	struct wire_list_builder parts = { .buffer = buffer, .capacity = sizeof(buffer) };
	struct pathio_part part = { .path = PATH("/d/f") };
	assert_int_equal(wire_list_add(&parts, &pathio_part_record, &part), 0);
	return call_combine(session->io, &session->wait,
		&(struct pathio_combine){ .path = target, .parts = wire_list_built(&parts) });
}

static int
try_combine(struct session *session)
{
	return combine_into(session, PATH("/e/new"));
}

static int
try_combine_onto(struct session *session)
{
	return combine_into(session, PATH("/e/f"));
}

struct rights_row {
	const char *name;
	attempt *attempt;
	uint32_t wanted;       /* in /d */
	uint32_t wanted_there; /* in /e */
};

static const struct rights_row rights_rows[] = {
	{ "stat", try_stat, RIGHTS_LIST, 0 },
	{ "mkdir", try_mkdir, RIGHTS_MKDIR, 0 },
	{ "rmdir", try_rmdir, RIGHTS_RMDIR, 0 },
	{ "unlink", try_unlink, RIGHTS_DELETE, 0 },
	{ "list", try_list, RIGHTS_LIST, 0 },
	{ "list, lenient", try_list_lenient, RIGHTS_LIST, 0 },
	{ "describe", try_describe, RIGHTS_LIST, 0 },
	{ "size_as", try_size_as, RIGHTS_LIST, 0 },
	{ "set_times", try_set_times, RIGHTS_TIMES, 0 },
	{ "set_mode", try_set_mode, RIGHTS_CHMOD, 0 },
	{ "symlink", try_symlink, RIGHTS_SYMLINK, 0 },
	{ "readlink", try_readlink, RIGHTS_LIST, 0 },
	{ "digest", try_digest, RIGHTS_READ, 0 },
	{ "space", try_space, RIGHTS_LIST, 0 },
	{ "remove_tree", try_remove_tree, RIGHTS_RMDIR | RIGHTS_DELETE, 0 },
	{ "open rb", try_open_rb, RIGHTS_READ, 0 },
	{ "open wb, present", try_open_wb, RIGHTS_OVERWRITE, 0 },
	{ "open wb, absent", try_open_wb_new, RIGHTS_CREATE, 0 },
	{ "open ab, present", try_open_ab, RIGHTS_APPEND, 0 },
	{ "open ab, absent", try_open_ab_new, RIGHTS_CREATE, 0 },
	{ "open r+b", try_open_r_plus_b, RIGHTS_READ | RIGHTS_OVERWRITE, 0 },
	{ "open xb", try_open_xb, RIGHTS_CREATE, 0 },
	{ "upload replace, present", try_replace, RIGHTS_OVERWRITE, 0 },
	{ "upload replace, absent", try_replace_new, RIGHTS_CREATE, 0 },
	{ "upload append, present", try_append, RIGHTS_APPEND, 0 },
	{ "upload append, absent", try_append_new, RIGHTS_CREATE, 0 },
	{ "upload append after REST", try_append_after_rest, RIGHTS_APPEND | RIGHTS_OVERWRITE, 0 },
	{ "upload at an offset", try_at_offset, RIGHTS_OVERWRITE, 0 },
	{ "upload into a range", try_range, RIGHTS_OVERWRITE, 0 },
	{ "upload into a range, absent", try_range_new, RIGHTS_CREATE, 0 },
	{ "upload unique", try_unique, RIGHTS_CREATE, 0 },
	{ "rename", try_rename, RIGHTS_RENAME, RIGHTS_RENAME },
	{ "rename over", try_rename_over, RIGHTS_RENAME, RIGHTS_RENAME | RIGHTS_OVERWRITE },
	{ "copy", try_copy, RIGHTS_READ, RIGHTS_CREATE },
	{ "copy over", try_copy_over, RIGHTS_READ, RIGHTS_OVERWRITE },
	{ "combine", try_combine, RIGHTS_READ | RIGHTS_DELETE, RIGHTS_CREATE },
	{ "combine onto", try_combine_onto, RIGHTS_READ | RIGHTS_DELETE, RIGHTS_APPEND },
};

static void
plant(struct session *session)
{
	const struct tree *tree = session_tree(session);
	const struct path link = test_path("/d/link");
	session_plant_folder(session, "/d");
	session_plant_folder(session, "/d/sub");
	session_plant_folder(session, "/e");
	session_plant(session, "/d/f", "content", 7);
	session_plant(session, "/e/f", "content", 7);
	assert_int_equal(tree->backend->symlink(tree->state, PATH("f"), &link), 0);
}

/* The row's attempt by a session with these rights, where everything is there or nothing. */
static int
attempt_with(const struct rights_row *row, uint32_t bits, uint32_t bits_there, bool planted)
{
	const struct session_right rights[] = { { "/d", bits }, { "/e", bits_there }, { NULL, 0 } };
	struct session *session = session_new(&backend_memory, rights, 0);
	if (planted)
		plant(session);
	int error = row->attempt(session);
	/* Of a combine, the part as well. */
	bool has_part = strcmp(session->recorded[0].name, "combine") == 0;
	assert_int_equal(session->recorded_count, has_part ? 2 : 1);
	for (size_t i = 0; i < session->recorded_count; i++)
		assert_int_equal(session->recorded[i].error, -error);
	if (has_part) {
		assert_string_equal(session->recorded[1].path, "/d/f");
		assert_string_equal(session->recorded[1].destination, session->recorded[0].path);
	}
	session_free(session);
	return error;
}

static void
check_wanted(void **state)
{
	const struct rights_row *row = *state;
	assert_int_equal(attempt_with(row, row->wanted, row->wanted_there, true), 0);
	assert_int_equal(attempt_with(row, RIGHTS_KNOWN, RIGHTS_KNOWN, true), 0);
}

/* All but one of those that it wants. */
static void
check_missing(void **state)
{
	const struct rights_row *row = *state;
	for (uint32_t bit = 1; bit <= RIGHTS_KNOWN; bit <<= 1) {
		if ((row->wanted & bit) != 0)
			assert_int_equal(attempt_with(row, RIGHTS_KNOWN & ~bit, RIGHTS_KNOWN, true),
				-EACCES);
		if ((row->wanted_there & bit) != 0)
			assert_int_equal(attempt_with(row, RIGHTS_KNOWN, RIGHTS_KNOWN & ~bit, true),
				-EACCES);
	}
}

/* Denied looks the same for present and absent. */
static void
check_denied(void **state)
{
	const struct rights_row *row = *state;
	assert_int_equal(attempt_with(row, RIGHTS_NONE, RIGHTS_NONE, true), -EACCES);
	assert_int_equal(attempt_with(row, RIGHTS_NONE, RIGHTS_NONE, false), -EACCES);
	assert_int_equal(attempt_with(row, RIGHTS_NONE, RIGHTS_KNOWN, true), -EACCES);
	assert_int_equal(attempt_with(row, RIGHTS_NONE, RIGHTS_KNOWN, false), -EACCES);
}

static void
check_read_only(void **state)
{
	const struct rights_row *row = *state;
	const uint32_t read_only = RIGHTS_READ | RIGHTS_LIST;
	bool harmless = (row->wanted & ~read_only) == 0 && row->wanted_there == 0;
	assert_int_equal(attempt_with(row, read_only, read_only, true), harmless ? 0 : -EACCES);
}

/* Any right will do, and only who may list learns more than that a folder is there. */
static void
check_enter(void **state)
{
	const struct rights_row row = { "enter", try_enter, 0, 0 };
	(void)state;
	for (uint32_t bit = 1; bit <= RIGHTS_KNOWN; bit <<= 1) {
		int absent = bit == RIGHTS_LIST ? -ENOENT : -EACCES;
		assert_int_equal(attempt_with(&row, bit, 0, true), 0);
		assert_int_equal(attempt_with(&row, bit, 0, false), absent);
	}
	assert_int_equal(attempt_with(&row, RIGHTS_NONE, RIGHTS_KNOWN, true), -EACCES);
	assert_int_equal(attempt_with(&row, RIGHTS_NONE, RIGHTS_KNOWN, false), -EACCES);
}

/* ---- narrower rules, and other ways to write a path ---- */

static const struct session_right narrowed[] = {
	{ "/", RIGHTS_ALL },
	{ "/d/sub", RIGHTS_NONE },
	{ "/read", RIGHTS_READ | RIGHTS_LIST },
	{ "/read/write", RIGHTS_ALL },
	{ NULL, 0 },
};

ATTEMPT(carry_out, rename, .source = PATH("/d"), .destination = PATH("/e/d"))
ATTEMPT(carry_into, rename, .source = PATH("/e"), .destination = PATH("/d"))
ATTEMPT(carry_free, rename, .source = PATH("/e"), .destination = PATH("/g"))
ATTEMPT(remove_around, remove_tree, .path = PATH("/d"))
ATTEMPT(remove_free, remove_tree, .path = PATH("/e"))
ATTEMPT(parents_denied, mkdir, .path = PATH("/d/sub/x/y"), .mode = 0777, .parents = true)
ATTEMPT(parents_read_only, mkdir, .path = PATH("/read/write/x"), .mode = 0777, .parents = true)
ATTEMPT(parents_free, mkdir, .path = PATH("/x/y/z"), .mode = 0777, .parents = true)
ATTEMPT(dots, stat, .path = PATH("/d/../d/./sub/f"))
ATTEMPT(slashes, stat, .path = PATH("//d///sub//f"))
ATTEMPT(trailing, stat, .path = PATH("/d/sub/"))
ATTEMPT(up_from_the_root, stat, .path = PATH("/../../d/sub"))
ATTEMPT(relative, stat, .path = PATH("d/sub"))
ATTEMPT(another_case, stat, .path = PATH("/D/SUB"))
ATTEMPT(with_nul, stat, .path = PATH("/d\0/f"))
ATTEMPT(beside, stat, .path = PATH("/d/subway"))
ATTEMPT(hidden, stat, .path = PATH("/e/.sallyport-0123456789abcdef.part"))
ATTEMPT(hidden_case, stat, .path = PATH("/e/.SALLYPORT-0123456789ABCDEF.PART"))
ATTEMPT(hidden_below, stat, .path = PATH("/e/.sallyport-0123456789abcdef.part/x"))
ATTEMPT(hidden_made, mkdir, .path = PATH("/e/.sallyport-0123456789abcdef.part"), .mode = 0777)
ATTEMPT(hidden_open, open, .path = PATH("/e/.sallyport-0123456789abcdef.part"))
ATTEMPT(hidden_upload, upload_open, .path = PATH("/e/.sallyport-0123456789abcdef.part"))
ATTEMPT(hidden_from, rename, .source = PATH("/e/.sallyport-0123456789abcdef.part"),
	.destination = PATH("/e/f"))
ATTEMPT(hidden_to, rename, .source = PATH("/e/f"),
	.destination = PATH("/e/.sallyport-0123456789abcdef.part"))
ATTEMPT(hidden_almost, stat, .path = PATH("/e/.sallyport-0123456789abcdef.parts"))

struct form_row {
	const char *name;
	attempt *attempt;
	int want;
};

static const struct form_row form_rows[] = {
	{ "carry a closed folder out with its parent", try_carry_out, -EACCES },
	{ "carry something over a closed folder", try_carry_into, -EACCES },
	{ "rename a folder without rules inside", try_carry_free, 0 },
	{ "remove a closed folder with its parent", try_remove_around, -EACCES },
	{ "remove a folder without rules inside", try_remove_free, 0 },
	{ "make parents in a closed folder", try_parents_denied, -EACCES },
	{ "make a parent in a folder to read", try_parents_read_only, -EACCES },
	{ "make parents", try_parents_free, 0 },
	{ "dots", try_dots, -EACCES },
	{ "slashes", try_slashes, -EACCES },
	{ "a slash at the end", try_trailing, -EACCES },
	{ "up from the root", try_up_from_the_root, -EACCES },
	{ "relative", try_relative, -EINVAL },
	{ "another case is another path", try_another_case, -ENOENT },
	{ "a NUL", try_with_nul, -EINVAL },
	{ "a name that begins like a rule's", try_beside, -ENOENT },
	{ "a hidden temporary", try_hidden, -EACCES },
	{ "a hidden temporary in capitals", try_hidden_case, -EACCES },
	{ "below a hidden temporary", try_hidden_below, -EACCES },
	{ "make one", try_hidden_made, -EACCES },
	{ "open one", try_hidden_open, -EACCES },
	{ "upload one", try_hidden_upload, -EACCES },
	{ "rename one", try_hidden_from, -EACCES },
	{ "rename to one", try_hidden_to, -EACCES },
	{ "almost one", try_hidden_almost, -ENOENT },
};

static void
check_form(void **state)
{
	const struct form_row *row = *state;
	struct session *session = session_new(&backend_memory, narrowed, 0);
	plant(session);
	session_plant(session, "/e/.sallyport-0123456789abcdef.part", "x", 1);
	assert_int_equal(row->attempt(session), row->want);
	session_free(session);
}

/* ---- rights that change ---- */

static int
read_some(struct session *session)
{
	return call_read(
		session->io, &session->wait, &(struct pathio_read){ .file = 0, .count = 10 });
}

static void
check_change(void **state)
{
	(void)state;
	static const struct session_right nothing[] = { { NULL, 0 } };
	struct session *session = session_new(&backend_memory, NULL, 0);
	plant(session);
	assert_int_equal(try_open_rb(session), 0);
	assert_int_equal(read_some(session), 0);
	struct rights *rights = session_rights(nothing);
	instance_change_rights(session->io, &rights);
	assert_null(rights);
	assert_int_equal(read_some(session), -EACCES);
	assert_int_equal(try_stat(session), -EACCES);
	rights = session_rights(NULL);
	instance_change_rights(session->io, &rights);
	assert_int_equal(read_some(session), 0);
	rights = session_rights(nothing);
	instance_change_rights(session->io, &rights);
	assert_int_equal(
		call_close(session->io, &session->wait, &(struct pathio_close){ .file = 0 }), 0);
	session_free(session);
}

static int
commit(struct session *session)
{
	return call_commit(session->io, &session->wait, &(struct pathio_commit){ .file = 0 });
}

/* Taken away while the upload was on its way: nothing comes in place. */
static void
check_commit_revoked(void **state)
{
	(void)state;
	static const struct session_right look[] = { { "/", RIGHTS_LIST }, { NULL, 0 } };
	struct session *session = session_new(&backend_memory, NULL, 0);
	plant(session);
	assert_int_equal(try_replace_new(session), 0);
	struct rights *rights = session_rights(look);
	instance_change_rights(session->io, &rights);
	assert_int_equal(commit(session), -EACCES);
	assert_int_equal(call_stat(session->io, &session->wait,
				 &(struct pathio_stat){ .path = PATH("/d/new") }),
		-ENOENT);
	session_free(session);
}

/* Who may create and not overwrite replaces nothing that came up meanwhile. */
static void
check_commit_over_new(void **state)
{
	(void)state;
	static const struct session_right create[] = { { "/", RIGHTS_LIST | RIGHTS_CREATE },
		{ NULL, 0 } };
	struct session *session = session_new(&backend_memory, create, 0);
	plant(session);
	assert_int_equal(try_replace_new(session), 0);
	session_plant(session, "/d/new", "another's", 9);
	assert_int_equal(commit(session), -EACCES);
	assert_int_equal(call_stat(session->io, &session->wait,
				 &(struct pathio_stat){ .path = PATH("/d/new") }),
		0);
	assert_int_equal(session->wait.body.attributes_of.attributes.size, 9);
	session_free(session);
}

/* The same of a copy, which may take its time. */
static void
check_copy_over_new(void **state)
{
	(void)state;
	static const struct session_right create[] = {
		{ "/", RIGHTS_LIST | RIGHTS_READ | RIGHTS_CREATE }, { NULL, 0 }
	};
	static char large[20 << 20];
	struct session *session = session_new(&backend_memory, create, 0);
	plant(session);
	session_plant(session, "/d/large", large, sizeof(large));
	const struct pathio_copy copy = { .source = PATH("/d/large"),
		.destination = PATH("/d/new") };
	uint32_t tag = pathio_copy(session->io, &copy, pathio_wait_done, &session->wait);
	session_plant(session, "/d/new", "another's", 9);
	assert_int_equal(session_finish(session, tag), -EACCES);
	assert_int_equal(call_stat(session->io, &session->wait,
				 &(struct pathio_stat){ .path = PATH("/d/new") }),
		0);
	assert_int_equal(session->wait.body.attributes_of.attributes.size, 9);
	session_free(session);
}

int
main(void)
{
	const struct table tables[] = {
		TABLE("as wanted", rights_rows, check_wanted),
		TABLE("one missing", rights_rows, check_missing),
		TABLE("denied", rights_rows, check_denied),
		TABLE("read only", rights_rows, check_read_only),
		TABLE("paths", form_rows, check_form),
		CASE("entering a folder", check_enter),
		CASE("rights change under an open file", check_change),
		CASE("rights change under an upload", check_commit_revoked),
		CASE("an upload that may only create", check_commit_over_new),
		CASE("a copy that may only create", check_copy_over_new),
	};
	return table_run(tables, ARRAY_LENGTH(tables));
}
