/*
 * Verbs of the contract's cases on paths (verbs.def); the others are in verbs_files.c and
 * verbs_folders.c. Each makes one call of path-I/O, or the few that a program would make.
 */
#include "tests/contract/verbs.h"

#include "ipc/base/number.h"

#include <unistd.h>

script_verb *
script_find_verb(struct bytes name, size_t words)
{
	static const struct {
		const char *name;
		size_t fewest, most;
		script_verb *run;
	} verbs[] = {
#define VERB(name, fewest, most, words, gives) { #name, fewest, most, verb_##name },
#include "tests/contract/verbs.def"
	};
	for (size_t i = 0; i < ARRAY_LENGTH(verbs); i++)
		if (bytes_equal_text(name, verbs[i].name) && words >= verbs[i].fewest &&
			words <= verbs[i].most)
			return verbs[i].run;
	return NULL;
}

/* ---- instances ---- */

int
verb_other(struct script *script)
{
	struct session *session = script->session;
	if (session->other == NULL)
		session_make_other(session);
	struct pathio *io = session->io;
	session->io = session->other;
	session->other = io;
	return 0;
}

/* ---- attributes ---- */

struct reply {
	int error;
	bool yes;
	bool came;
};

static void
on_reply(void *argument, int error, bool yes)
{
	struct reply *reply = argument;
	assert_false(reply->came);
	*reply = (struct reply){ .error = error, .yes = yes, .came = true };
}

static int
ask(struct script *script, enum pathio_question question)
{
	struct reply reply = { .came = false };
	pathio_ask(script->session->io, question, script->words[0], on_reply, &reply);
	while (!reply.came)
		event_base_loop(script->session->base, EVLOOP_ONCE);
	script_say(script, "%s", reply.yes ? "yes" : "no");
	return reply.error;
}

int
verb_exists(struct script *script)
{
	return ask(script, PATHIO_EXISTS);
}

int
verb_is_file(struct script *script)
{
	return ask(script, PATHIO_IS_FILE);
}

int
verb_is_dir(struct script *script)
{
	return ask(script, PATHIO_IS_DIR);
}

static int
get_attributes_of(struct script *script, size_t word, bool follow, struct pathio_attributes *result)
{
	struct session *session = script->session;
	const struct pathio_stat request = { .path = script->words[word], .follow = follow };
	int error = session_finish(
		session, pathio_stat(session->io, &request, pathio_wait_done, &session->wait));
	if (error == 0)
		*result = session->wait.body.attributes_of.attributes;
	return error;
}

static int
get_attributes(struct script *script, bool follow, struct pathio_attributes *result)
{
	return get_attributes_of(script, 0, follow, result);
}

static int
say_type_and_size(struct script *script, bool follow)
{
	struct pathio_attributes found = { .type = PATHIO_TYPE_OTHER };
	int error = get_attributes(script, follow, &found);
	if (error < 0)
		return error;
	script_say(script, "%s", pathio_type_choices.texts[found.type]);
	if (found.type != PATHIO_TYPE_DIRECTORY)
		script_say(script, " %llu", (unsigned long long)found.size);
	return 0;
}

int
verb_stat(struct script *script)
{
	return say_type_and_size(script, true);
}

int
verb_lstat(struct script *script)
{
	return say_type_and_size(script, false);
}

int
verb_mode(struct script *script)
{
	struct pathio_attributes found = { .type = PATHIO_TYPE_OTHER };
	int error = get_attributes(script, true, &found);
	if (error == 0)
		script_say(script, "%o", found.mode);
	return error;
}

int
verb_mtime(struct script *script)
{
	struct pathio_attributes found = { .type = PATHIO_TYPE_OTHER };
	int error = get_attributes(script, true, &found);
	if (error == 0)
		script_say(script, "%lld", (long long)found.mtime_ns);
	return error;
}

int
verb_when(struct script *script)
{
	struct pathio_attributes found = { .type = PATHIO_TYPE_OTHER };
	int error = get_attributes(script, true, &found);
	if (error == 0 && found.mtime_ns < SCRIPT_OLD_NS)
		script_say(script, "%lld", (long long)found.mtime_ns);
	else if (error == 0)
		script_say(script, "now");
	return error;
}

int
verb_links(struct script *script)
{
	struct pathio_attributes found = { .type = PATHIO_TYPE_OTHER };
	int error = get_attributes(script, false, &found);
	if (error == 0 && found.type == PATHIO_TYPE_FILE)
		script_say(script, "%llu", (unsigned long long)found.links);
	else if (error == 0)
		script_say(script, "some");
	return error;
}

int
verb_owner(struct script *script)
{
	struct pathio_attributes found = { .type = PATHIO_TYPE_OTHER };
	int error = get_attributes(script, false, &found);
	if (error == 0)
		script_say(script, "%s",
			found.uid == geteuid() && found.gid == getegid() ? "own" : "another's");
	return error;
}

int
verb_same(struct script *script)
{
	struct pathio_attributes one = { .type = PATHIO_TYPE_OTHER }, other = one;
	int error = get_attributes_of(script, 0, true, &one);
	if (error == 0)
		error = get_attributes_of(script, 1, true, &other);
	if (error == 0)
		script_say(script, "%s",
			one.device == other.device && one.inode == other.inode ? "yes" : "no");
	return error;
}

int
verb_set_times(struct script *script)
{
	bool keeps_mtime = bytes_equal_text(script->words[1], "keep");
	struct pathio_set_times request = {
		.path = script->words[0],
		.has_mtime = !keeps_mtime,
		.mtime_ns = keeps_mtime ? 0 : (int64_t)script_number(script, 1),
		.has_atime = script->count > 2,
	};
	if (request.has_atime)
		request.atime_ns = (int64_t)script_number(script, 2);
	return session_finish(script->session, pathio_set_times(script->session->io, &request,
						       pathio_wait_done, &script->session->wait));
}

int
verb_set_mode(struct script *script)
{
	uint64_t mode;
	assert_int_equal(number_parse_octal(script->words[1], 07777, &mode), 0);
	const struct pathio_set_mode request = { .path = script->words[0], .mode = (uint32_t)mode };
	return session_finish(script->session, pathio_set_mode(script->session->io, &request,
						       pathio_wait_done, &script->session->wait));
}

/* ---- calls with nothing but paths ---- */

#define PATH_VERB(name)                                                                      \
	int verb_##name(struct script *script)                                               \
	{                                                                                    \
		const struct pathio_##name request = { .path = script->words[0] };           \
		return session_finish(                                                       \
			script->session, pathio_##name(script->session->io, &request,        \
						 pathio_wait_done, &script->session->wait)); \
	}
PATH_VERB(enter)
PATH_VERB(rmdir)
PATH_VERB(unlink)
PATH_VERB(remove_tree)

int
verb_mkdir(struct script *script)
{
	const struct pathio_mkdir request = {
		.path = script->words[0],
		.mode = 0777,
		.parents = script_has_word(script, "parents"),
		.exist_ok = script_has_word(script, "exist_ok"),
	};
	return session_finish(script->session, pathio_mkdir(script->session->io, &request,
						       pathio_wait_done, &script->session->wait));
}

int
verb_rename(struct script *script)
{
	const struct pathio_rename request = { .source = script->words[0],
		.destination = script->words[1] };
	return session_finish(script->session, pathio_rename(script->session->io, &request,
						       pathio_wait_done, &script->session->wait));
}

int
verb_copy(struct script *script)
{
	struct session *session = script->session;
	const struct pathio_copy request = { .source = script->words[0],
		.destination = script->words[1] };
	int error = session_finish(
		session, pathio_copy(session->io, &request, pathio_wait_done, &session->wait));
	if (error == 0)
		script_say(script, "%llu", (unsigned long long)session->wait.body.moved.bytes);
	return error;
}

/* A path that no list takes has the errno that it has alone. */
static int
list_parts(const struct script *script, struct wire_list_builder *builder)
{
	struct path folded;
	int error = path_fold(NULL, script->words[0], &folded);
	for (size_t i = 1; i < script->count && error == 0; i++) {
		struct pathio_part part = { .path = script->words[i] };
		error = path_fold(NULL, part.path, &folded);
		if (error == 0)
			error = wire_list_add(builder, &pathio_part_record, &part);
	}
	return error;
}

int
verb_combine(struct script *script)
{
	struct session *session = script->session;
	static char buffer[WIRE_LIST_BYTES_MAX];
	struct wire_list_builder builder = { .buffer = buffer, .capacity = sizeof(buffer) };
	int error = list_parts(script, &builder);
	if (error < 0)
		return error;
	const struct pathio_combine request = { .path = script->words[0],
		.parts = wire_list_built(&builder) };
	error = session_finish(
		session, pathio_combine(session->io, &request, pathio_wait_done, &session->wait));
	const struct pathio_combined *combined = &session->wait.body.combined;
	if (error == 0)
		script_say(script, "%llu", (unsigned long long)combined->bytes);
	if (error == 0 && combined->left > 0)
		script_say(script, " and %u left", combined->left);
	return error;
}

int
verb_symlink(struct script *script)
{
	const struct pathio_symlink request = { .target = script->words[0],
		.path = script->words[1] };
	return session_finish(script->session, pathio_symlink(script->session->io, &request,
						       pathio_wait_done, &script->session->wait));
}

int
verb_readlink(struct script *script)
{
	struct session *session = script->session;
	const struct pathio_readlink request = { .path = script->words[0] };
	int error = session_finish(
		session, pathio_readlink(session->io, &request, pathio_wait_done, &session->wait));
	if (error == 0)
		script_say_bytes(script, session->wait.body.text.bytes);
	return error;
}

int
verb_space(struct script *script)
{
	struct session *session = script->session;
	const struct pathio_space request = { .path = script->words[0] };
	int error = session_finish(
		session, pathio_space(session->io, &request, pathio_wait_done, &session->wait));
	if (error == 0)
		script_say(script, "%s", session->wait.body.size.bytes > 0 ? "some" : "0");
	return error;
}

int
verb_size_as(struct script *script)
{
	struct session *session = script->session;
	const struct pathio_size_as request = {
		.path = script->words[0],
		.form = (enum pathio_form)script_choice(script, 1, &pathio_form_choices),
	};
	int error = session_finish(
		session, pathio_size_as(session->io, &request, pathio_wait_done, &session->wait));
	if (error == 0)
		script_say(script, "%llu", (unsigned long long)session->wait.body.size.bytes);
	return error;
}

int
verb_digest(struct script *script)
{
	struct session *session = script->session;
	const struct pathio_digest request = {
		.path = script->words[0],
		.algorithm =
			(enum pathio_algorithm)script_choice(script, 1, &pathio_algorithm_choices),
		.offset = script_number(script, 2),
		.count = script_number(script, 3),
	};
	int error = session_finish(
		session, pathio_digest(session->io, &request, pathio_wait_done, &session->wait));
	struct bytes digest = session->wait.body.digested.digest;
	for (size_t i = 0; error == 0 && i < digest.length; i++)
		script_say(script, "%02x", (unsigned char)digest.data[i]);
	return error;
}
