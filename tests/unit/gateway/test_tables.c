/*
 * The gateway's tables: every verb of RFC 959, 1123, 2228, 2389, 2428, 3659, 7151 and the drafts is
 * known (FTP 2), replies are well-formed, errors become what DECISIONS 34 says.
 */
#include "gateway/command.h"
#include "gateway/failure.h"
#include "gateway/site.h"
#include "tests/table.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

/* ---- verbs ---- */

struct verb_row {
	const char *name;
	enum command_kind kind;
	bool is_free; /* answered before login (FTP 1) */
};

static const struct verb_row verb_rows[] = {
	{ "USER", COMMAND_OFFERED, true },
	{ "PASS", COMMAND_OFFERED, true },
	{ "ACCT", COMMAND_OFFERED, true },
	{ "REIN", COMMAND_OFFERED, true },
	{ "QUIT", COMMAND_OFFERED, true },
	{ "FEAT", COMMAND_OFFERED, true },
	{ "HELP", COMMAND_OFFERED, true },
	{ "NOOP", COMMAND_OFFERED, true },
	{ "SYST", COMMAND_OFFERED, true },
	{ "OPTS", COMMAND_OFFERED, true },
	{ "CWD", COMMAND_OFFERED, false },
	{ "CDUP", COMMAND_OFFERED, false },
	{ "PWD", COMMAND_OFFERED, false },
	{ "MKD", COMMAND_OFFERED, false },
	{ "RMD", COMMAND_OFFERED, false },
	{ "XCWD", COMMAND_OFFERED, false },
	{ "XCUP", COMMAND_OFFERED, false },
	{ "XPWD", COMMAND_OFFERED, false },
	{ "XMKD", COMMAND_OFFERED, false },
	{ "XRMD", COMMAND_OFFERED, false },
	{ "LIST", COMMAND_OFFERED, false },
	{ "NLST", COMMAND_OFFERED, false },
	{ "MLSD", COMMAND_OFFERED, false },
	{ "MLST", COMMAND_OFFERED, false },
	{ "STAT", COMMAND_OFFERED, false },
	{ "TYPE", COMMAND_OFFERED, false },
	{ "STRU", COMMAND_OFFERED, false },
	{ "MODE", COMMAND_OFFERED, false },
	{ "PASV", COMMAND_OFFERED, false },
	{ "EPSV", COMMAND_OFFERED, false },
	{ "PORT", COMMAND_OFFERED, false },
	{ "EPRT", COMMAND_OFFERED, false },
	{ "REST", COMMAND_OFFERED, false },
	{ "RETR", COMMAND_OFFERED, false },
	{ "STOR", COMMAND_OFFERED, false },
	{ "STOU", COMMAND_OFFERED, false },
	{ "APPE", COMMAND_OFFERED, false },
	{ "ALLO", COMMAND_OFFERED, false },
	{ "ABOR", COMMAND_OFFERED, false },
	{ "SIZE", COMMAND_OFFERED, false },
	{ "MDTM", COMMAND_OFFERED, false },
	{ "DELE", COMMAND_OFFERED, false },
	{ "RMDA", COMMAND_OFFERED, false },
	{ "RNFR", COMMAND_OFFERED, false },
	{ "RNTO", COMMAND_OFFERED, false },
	{ "SITE", COMMAND_OFFERED, false },
	{ "AUTH", COMMAND_OFFERED, true },
	{ "PBSZ", COMMAND_OFFERED, true },
	{ "PROT", COMMAND_OFFERED, true },
	{ "HOST", COMMAND_OFFERED, true },
	{ "LANG", COMMAND_OFFERED, true },
	{ "CLNT", COMMAND_OFFERED, true },
	{ "CCC", COMMAND_OFFERED, false },
	{ "RANG", COMMAND_OFFERED, false },
	{ "MFMT", COMMAND_OFFERED, false },
	{ "MFCT", COMMAND_MISSING, false },
	{ "MFF", COMMAND_OFFERED, false },
	{ "AVBL", COMMAND_OFFERED, false },
	{ "COMB", COMMAND_OFFERED, false },
	{ "HASH", COMMAND_OFFERED, false },
	{ "XCRC", COMMAND_OFFERED, false },
	{ "XMD5", COMMAND_OFFERED, false },
	{ "XSHA", COMMAND_OFFERED, false },
	{ "XSHA1", COMMAND_OFFERED, false },
	{ "XSHA256", COMMAND_OFFERED, false },
	{ "XSHA512", COMMAND_OFFERED, false },
	{ "MD5", COMMAND_OFFERED, false },
	{ "CSID", COMMAND_OFFERED, false },
	{ "SMNT", COMMAND_MISSING, false },
	{ "GET", COMMAND_FOREIGN, true },
	{ "POST", COMMAND_FOREIGN, true },
	{ "EHLO", COMMAND_FOREIGN, true },
	{ "HOST:", COMMAND_FOREIGN, true },
};

static void
check_verb(void **state)
{
	const struct verb_row *row = *state;
	const struct command *command = command_find(bytes_of_text(row->name));
	assert_non_null(command);
	assert_int_equal(command->kind, row->kind);
	assert_int_equal((command->flags & COMMAND_FREE) != 0, row->is_free);
}

/* A row that no test above names is one that nobody thought about. */
static void
check_no_other(void **state)
{
	(void)state;
	for (const struct command *command = commands; command->verb != NULL; command++) {
		bool is_known = command->kind != COMMAND_OFFERED;
		for (size_t i = 0; i < ARRAY_LENGTH(verb_rows); i++)
			is_known = is_known || strcmp(verb_rows[i].name, command->verb) == 0;
		if (!is_known)
			fail_msg("%s is not in the test", command->verb);
	}
}

static void
check_rows(void **state)
{
	(void)state;
	for (const struct command *command = commands; command->verb != NULL; command++) {
		assert_ptr_equal(command_find(bytes_of_text(command->verb)), command);
		assert_int_equal(command->run != NULL, command->kind == COMMAND_OFFERED);
		if (command->kind != COMMAND_OFFERED)
			continue;
		assert_true(strlen(command->doc) > 0);
		assert_in_range(strlen(command->verb), 3, COMMAND_VERB_BYTES_MAX);
		assert_true(
			(command->argument == ARGUMENT_REQUIRED) <= (strlen(command->syntax) > 0));
		for (const char *at = command->verb; *at != '\0'; at++)
			assert_true(isupper((unsigned char)*at) || isdigit((unsigned char)*at));
	}
}

static void
check_find(void **state)
{
	(void)state;
	assert_string_equal(command_find(bytes_of_text("rEtR"))->verb, "RETR");
	assert_null(command_find(bytes_of_text("")));
	assert_null(command_find(bytes_of_text("RET")));
	assert_null(command_find(bytes_of_text("RETRX")));
	assert_null(command_find(bytes_of("RETR\0", 5)));
}

static void
check_site_rows(void **state)
{
	(void)state;
	for (const struct site_verb *site = site_verbs; site->verb != NULL; site++) {
		assert_ptr_equal(site_find(bytes_of_text(site->verb)), site);
		assert_non_null(site->run);
		assert_true(strlen(site->doc) > 0);
		assert_true((site->argument == ARGUMENT_REQUIRED) <= (strlen(site->syntax) > 0));
	}
	assert_string_equal(site_find(bytes_of_text("cHmOd"))->verb, "CHMOD");
	assert_null(site_find(bytes_of_text("")));
	assert_null(site_find(bytes_of_text("CHMO")));
}

struct split_row {
	const char *name;
	const char *in;
	const char *verb;
	const char *argument;
};

static const struct split_row split_rows[] = {
	{ "no argument", "PWD", "PWD", "" },
	{ "one", "CWD a", "CWD", "a" },
	{ "blanks in it", "CWD a b ", "CWD", "a b " },
	{ "two blanks", "CWD  a", "CWD", " a" },
	{ "only a blank", "CWD ", "CWD", "" },
	{ "a blank first", " CWD", "", "CWD" },
	{ "nothing", "", "", "" },
};

static void
check_split(void **state)
{
	const struct split_row *row = *state;
	struct bytes verb;
	struct bytes argument;
	command_split(bytes_of_text(row->in), &verb, &argument);
	assert_true(bytes_equal_text(verb, row->verb));
	assert_true(bytes_equal_text(argument, row->argument));
}

/* ---- replies ---- */

struct reply_row {
	const char *name;
	int code;
	const char *text;
};

static const struct reply_row reply_rows[] = {
#define REPLY(name, code, text)   { #name, code, text },
#define OPENING(name, code, text) { #name, code, text },
#include "gateway/replies.def"
};

static void
check_reply(void **state)
{
	const struct reply_row *row = *state;
	int first = row->code / 100;
	int second = row->code / 10 % 10;
	assert_in_range(first, 1, 5);
	assert_in_range(second, 0, 5);
	assert_true(strlen(row->text) > 0 && strlen(row->text) < 200);
	assert_null(strpbrk(row->text, "\r\n"));
}

/* ---- failures ---- */

struct failure_row {
	const char *name;
	int error;
	unsigned want[FAILURE_CONTEXTS];
};

static const struct failure_row failure_rows[] = {
	{ "ENOENT", ENOENT, { 550, 553, 451 } },
	{ "EACCES", EACCES, { 550, 553, 451 } },
	{ "ENOTDIR", ENOTDIR, { 550, 553, 451 } },
	{ "EEXIST", EEXIST, { 550, 553, 451 } },
	{ "EISDIR", EISDIR, { 550, 553, 451 } },
	{ "ENOTEMPTY", ENOTEMPTY, { 550, 553, 451 } },
	{ "ENAMETOOLONG", ENAMETOOLONG, { 553, 553, 451 } },
	{ "ENOSPC", ENOSPC, { 452, 452, 452 } },
	{ "EDQUOT", EDQUOT, { 552, 552, 552 } },
	{ "EFBIG", EFBIG, { 552, 552, 552 } },
	{ "ENODATA", ENODATA, { 550, 553, 426 } },
	{ "EBUSY", EBUSY, { 450, 450, 450 } },
	{ "EAGAIN", EAGAIN, { 450, 450, 450 } },
	{ "ECANCELED", ECANCELED, { 426, 426, 426 } },
	{ "ENOTSUP", ENOTSUP, { 504, 504, 504 } },
	{ "ETIMEDOUT", ETIMEDOUT, { 451, 451, 426 } },
	{ "EIO: also of a worker that is gone", EIO, { 451, 451, 451 } },
	{ "ECONNRESET", ECONNRESET, { 426, 426, 426 } },
	{ "an errno that nobody thought of", EXFULL, { 451, 451, 451 } },
};

static void
check_failure(void **state)
{
	const struct failure_row *row = *state;
	for (size_t i = 0; i < FAILURE_CONTEXTS; i++) {
		assert_int_equal(failure_find(row->error)->codes[i], row->want[i]);
		assert_int_equal(failure_find(-row->error)->codes[i], row->want[i]);
	}
}

int
main(void)
{
	const struct table tables[] = {
		TABLE("verb", verb_rows, check_verb),
		CASE("verbs: no other", check_no_other),
		CASE("verbs: rows are whole", check_rows),
		CASE("verbs: found in any case, and only whole", check_find),
		CASE("SITE verbs: rows are whole", check_site_rows),
		TABLE("split", split_rows, check_split),
		TABLE("reply", reply_rows, check_reply),
		TABLE("failure", failure_rows, check_failure),
	};
	return table_run(tables, ARRAY_LENGTH(tables));
}
