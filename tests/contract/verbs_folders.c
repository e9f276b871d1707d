/*
 * Verbs of the contract's cases on folders and facts (verbs.def).
 */
#include "tests/contract/verbs.h"

#include <stdlib.h>

enum { OWN_HANDLE = 900, NAMES_MAX = 1024 };

struct names {
	size_t count;
	char *names[NAMES_MAX];
};

static int
open_list(struct script *script, uint32_t file, struct bytes path)
{
	struct session *session = script->session;
	const struct pathio_list request = {
		.file = file, .path = path, .lenient = script_has_word(script, "lenient")
	};
	return session_finish(
		session, pathio_list(session->io, &request, pathio_wait_done, &session->wait));
}

static int
collect_batch(struct script *script, uint32_t file, struct names *names, bool *last)
{
	struct session *session = script->session;
	const struct pathio_next request = { .file = file };
	int error = session_finish(
		session, pathio_next(session->io, &request, pathio_wait_done, &session->wait));
	if (error < 0)
		return error;
	struct wire_list list = session->wait.body.entries.list;
	struct pathio_entry entry;
	*last = session->wait.body.entries.last;
	while (wire_list_next(&list, &pathio_entry_record, &entry)) {
		assert_true(names->count < NAMES_MAX);
		names->names[names->count++] = bytes_copy_text(entry.name);
	}
	return 0;
}

static int
compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void
say_names(struct script *script, struct names *names)
{
	qsort(names->names, names->count, sizeof(names->names[0]), compare_names);
	for (size_t i = 0; i < names->count; i++) {
		script_say(script, "%s%s", i == 0 ? "" : " ", names->names[i]);
		free(names->names[i]);
	}
}

int
verb_list_open(struct script *script)
{
	return open_list(script, (uint32_t)script_number(script, 0), script->words[1]);
}

int
verb_next(struct script *script)
{
	struct names names = { .count = 0 };
	bool last;
	int error = collect_batch(script, (uint32_t)script_number(script, 0), &names, &last);
	say_names(script, &names);
	return error;
}

int
verb_list(struct script *script)
{
	struct names names = { .count = 0 };
	bool last = false;
	int error = open_list(script, OWN_HANDLE, script->words[0]);
	if (error < 0)
		return error;
	while (error == 0 && !last)
		error = collect_batch(script, OWN_HANDLE, &names, &last);
	say_names(script, &names);
	int closed = verb_close_file(script, OWN_HANDLE);
	return error < 0 ? error : closed;
}

/* ---- facts ---- */

static uint32_t
fact_of(struct bytes name)
{
	static const struct {
		const char *name;
		uint32_t fact;
	} facts[] = {
		{ "type", PATHIO_FACT_TYPE },
		{ "size", PATHIO_FACT_SIZE },
		{ "modify", PATHIO_FACT_MODIFY },
		{ "mode", PATHIO_FACT_UNIX_MODE },
		{ "#512", PATHIO_FACTS_ALL + 1 },
	};
	for (size_t i = 0; i < ARRAY_LENGTH(facts); i++)
		if (bytes_equal_text(name, facts[i].name))
			return facts[i].fact;
	fail_msg("\"%.*s\" is no fact", (int)name.length, name.data);
	return 0;
}

int
verb_describe(struct script *script)
{
	struct session *session = script->session;
	struct pathio_describe request = { .path = script->words[0] };
	for (size_t i = 1; i < script->count; i++)
		request.facts |= fact_of(script->words[i]);
	int error = session_finish(
		session, pathio_describe(session->io, &request, pathio_wait_done, &session->wait));
	if (error == 0)
		script_say_bytes(script, session->wait.body.text.bytes);
	return error;
}
