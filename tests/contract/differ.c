/*
 * Comparison and shrinking (see differ.h).
 */
#include "tests/contract/differ.h"

#include "ipc/base/scope.h"
#include "tests/contract/plain.h"

#include <stdio.h>

enum { WORLDS_MAX = 8 };

/* ---- sequences ---- */

void
differ_add(struct differ_sequence *sequence, const char *call)
{
	if (sequence->count == sequence->capacity) {
		sequence->capacity = sequence->capacity == 0 ? 64 : 2 * sequence->capacity;
		sequence->calls =
			realloc(sequence->calls, sequence->capacity * sizeof(sequence->calls[0]));
		assert_non_null(sequence->calls);
	}
	sequence->calls[sequence->count] = strdup(call);
	assert_non_null(sequence->calls[sequence->count]);
	sequence->count++;
}

static void
cut(struct differ_sequence *sequence, size_t count)
{
	while (sequence->count > count)
		free(sequence->calls[--sequence->count]);
}

void
differ_clear(struct differ_sequence *sequence)
{
	cut(sequence, 0);
	free(sequence->calls);
	*sequence = (struct differ_sequence){ .symlinks = sequence->symlinks };
}

/* ---- one call ---- */

struct outcome {
	struct script script; /* its result */
	int error;
};

static struct outcome wanted, given;

static void
ask_oracle(struct plain *plain, const char *call)
{
	wanted.script.plain = plain;
	wanted.error = script_call(&wanted.script, bytes_of_text(call), plain_find_verb);
}

static void
ask_world(struct session *session, const char *call)
{
	given.script.session = session;
	given.error = script_call(&given.script, bytes_of_text(call), script_find_verb);
}

static struct bytes
result_of(const struct outcome *outcome)
{
	return bytes_of(outcome->script.result, outcome->script.result_bytes);
}

static bool
agree(void)
{
	return wanted.error == given.error &&
	       (wanted.error < 0 || bytes_equal(result_of(&wanted), result_of(&given)));
}

/* It stops at the first error, and what is gone by then depends on the order of entries. */
static bool
leaves_chaos(const char *call)
{
	return wanted.error == -EACCES && strncmp(call, "remove_tree ", 12) == 0;
}

/* ---- the trees at the end, as calls ---- */

/* A path in the words of script.h. */
static char *
escape(const char *path)
{
	char *result;
	size_t bytes;
	FILE *text = open_memstream(&result, &bytes);
	assert_non_null(text);
	for (const char *at = path; *at != '\0'; at++)
		if (strchr("%{; =", *at) != NULL || *at < ' ' || *at > '~')
			fprintf(text, "%%%02x", (unsigned char)*at);
		else
			fputc(*at, text);
	assert_int_equal(fclose(text), 0);
	return result;
}

static void
add_look(void *argument, const char *path, enum pathio_type type)
{
	static const char *const looks[][5] = {
		[PATHIO_TYPE_FILE] = { "lstat", "mode", "links", "content" },
		[PATHIO_TYPE_DIRECTORY] = { "mode", "list" },
		[PATHIO_TYPE_SYMLINK] = { "lstat", "readlink" },
		[PATHIO_TYPE_OTHER] = { NULL },
	};
	SCOPE_FREE char *escaped = escape(path);
	for (const char *const *verb = looks[type]; *verb != NULL; verb++) {
		SCOPE_FREE char *call = NULL;
		assert_true(asprintf(&call, "%s %s", *verb, escaped) > 0);
		differ_add(argument, call);
	}
}

/* ---- a run ---- */

static struct session *
open_world(const struct differ_world *world)
{
	struct session *session = session_new_in(&world->opens);
	session->count_only = true;
	if (world->change != NULL)
		world->change(session);
	return session;
}

struct run {
	struct differ_sequence *sequence;
	const struct differ_world *worlds;
	size_t count;
	struct plain *plain;
	struct session *sessions[WORLDS_MAX];
	struct differ_finding *finding;
};

/* True where one of the worlds differs. */
static bool
differs_at(const struct run *run, size_t at)
{
	const char *call = run->sequence->calls[at];
	ask_oracle(run->plain, call);
	for (size_t i = 0; i < run->count; i++) {
		ask_world(run->sessions[i], call);
		if (agree())
			continue;
		*run->finding = (struct differ_finding){ .world = &run->worlds[i], .at = at };
		return true;
	}
	return false;
}

static bool
make_calls(const struct run *run, bool whole)
{
	bool has_looks = !whole;
	for (size_t at = 0; at < run->sequence->count; at++) {
		if (differs_at(run, at))
			return true;
		if (leaves_chaos(run->sequence->calls[at])) {
			cut(run->sequence, at + 1);
			return false;
		}
		if (at + 1 == run->sequence->count && !has_looks) {
			plain_walk(run->plain, add_look, run->sequence);
			has_looks = true;
		}
	}
	return false;
}

bool
differ_run(struct differ_sequence *sequence, const struct differ_world *worlds, size_t count,
	bool whole, struct differ_finding *finding)
{
	struct run run = {
		.sequence = sequence, .worlds = worlds, .count = count, .finding = finding
	};
	assert_in_range(count, 1, WORLDS_MAX);
	run.plain = plain_new(sequence->symlinks);
	for (size_t i = 0; i < count; i++)
		run.sessions[i] = open_world(&worlds[i]);
	bool differs = make_calls(&run, whole);
	for (size_t i = 0; i < count; i++)
		session_free(run.sessions[i]);
	plain_free(&run.plain);
	return differs;
}

/* ---- shrinking ---- */

/* Keeps the sequence without `count` calls from `from` on, if it still shows a difference. */
static bool
try_without(
	struct differ_sequence *sequence, size_t from, size_t count, struct differ_finding *finding)
{
	struct differ_sequence shorter = { .symlinks = sequence->symlinks };
	struct differ_finding found;
	for (size_t i = 0; i < sequence->count; i++)
		if (i < from || i >= from + count)
			differ_add(&shorter, sequence->calls[i]);
	bool differs = differ_run(&shorter, finding->world, 1, false, &found);
	if (!differs) {
		differ_clear(&shorter);
		return false;
	}
	cut(&shorter, found.at + 1);
	differ_clear(sequence);
	*sequence = shorter;
	finding->at = found.at;
	return true;
}

/* Pieces by halves down to single calls, and those until not one can be spared. */
void
differ_shrink(struct differ_sequence *sequence, struct differ_finding *finding)
{
	cut(sequence, finding->at + 1);
	size_t piece = sequence->count / 2;
	while (piece > 0) {
		bool shrunk = false;
		for (size_t from = 0; from < sequence->count;)
			if (try_without(sequence, from, piece, finding))
				shrunk = true;
			else
				from += piece;
		if (piece > 1 || !shrunk)
			piece /= 2;
	}
}

/* ---- explaining ---- */

static void
print_text(FILE *text, struct bytes bytes)
{
	if (bytes.length == 0)
		fputs("nothing", text);
	for (size_t i = 0; i < bytes.length; i++)
		if (strchr("%{;\\\"", bytes.data[i]) != NULL || bytes.data[i] < ' ' ||
			bytes.data[i] > '~')
			fprintf(text, "%%%02x", (unsigned char)bytes.data[i]);
		else
			fputc(bytes.data[i], text);
}

static void
print_outcome(FILE *text, const struct outcome *outcome)
{
	if (outcome->error < 0)
		fputs(script_error_name(outcome->error), text);
	else
		print_text(text, result_of(outcome));
}

char *
differ_explain(const struct differ_sequence *sequence, const struct differ_finding *finding,
	const char *name)
{
	char *result;
	size_t bytes;
	FILE *text = open_memstream(&result, &bytes);
	assert_non_null(text);
	struct plain *plain = plain_new(sequence->symlinks);
	struct session *session = open_world(finding->world);
	fprintf(text, "STATEMENT(\"%s\", \"", name);
	for (size_t i = 0; i < sequence->count; i++) {
		ask_oracle(plain, sequence->calls[i]);
		ask_world(session, sequence->calls[i]);
		fprintf(text, "%s%s", i == 0 ? "" : "; ", sequence->calls[i]);
		if (wanted.error < 0 || i + 1 == sequence->count) {
			fputs(" = ", text);
			print_outcome(text, &wanted);
		}
	}
	fprintf(text, "\")\n%s gave ", finding->world->name);
	print_outcome(text, &given);
	session_free(session);
	plain_free(&plain);
	assert_int_equal(fclose(text), 0);
	return result;
}
