/*
 * Commands that ask for or set times and modes: MDTM (RFC 3659 3, and the form that sets, which is
 * in no standard and which clients use), MFMT and MFF (draft-somers-ftp-mfxx). Run in the gateway;
 * the worker decides. Birth times cannot be set on Linux: there is no MFCT (DECISIONS 31).
 */
#include "gateway/modify.h"

#include "gateway/command.h"
#include "gateway/quote.h"
#include "gateway/session.h"
#include "gateway/timestamp.h"
#include "gateway/words.h"
#include "ipc/base/number.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- setting ---- */

/* A modification under way: the mode first, then the times. */
struct modifying {
	struct session *session;
	struct modification left;
	char *reply; /* of success: a whole line */
	struct path path;
};

static void
finish(struct modifying *modifying)
{
	struct session *session = modifying->session;
	free(modifying->reply);
	free(modifying);
	session_finish(session);
}

static void advance(struct modifying *modifying);

static void
on_modified(void *argument, const struct pathio_answer *answer)
{
	struct modifying *modifying = argument;
	if (answer->error == 0) {
		advance(modifying);
		return;
	}
	session_reply_failure(modifying->session, FAILURE_GENERAL, answer->error);
	finish(modifying);
}

static void
ask_mode(struct modifying *modifying)
{
	struct pathio_set_mode request = {
		.path = path_bytes(&modifying->path),
		.mode = modifying->left.mode,
	};
	modifying->left.has_mode = false;
	pathio_set_mode(modifying->session->files, &request, on_modified, modifying);
}

static void
ask_times(struct modifying *modifying)
{
	struct modification *left = &modifying->left;
	struct pathio_set_times request = {
		.path = path_bytes(&modifying->path),
		.has_mtime = left->has_mtime,
		.mtime_ns = left->mtime_ns,
		.has_atime = left->has_atime,
		.atime_ns = left->atime_ns,
	};
	left->has_mtime = left->has_atime = false;
	pathio_set_times(modifying->session->files, &request, on_modified, modifying);
}

static void
advance(struct modifying *modifying)
{
	if (modifying->left.has_mode) {
		ask_mode(modifying);
	} else if (modifying->left.has_mtime || modifying->left.has_atime) {
		ask_times(modifying);
	} else {
		session_reply(modifying->session, "%s", modifying->reply);
		finish(modifying);
	}
}

/* NULL when memory is short, which is replied then. */
static struct modifying *
modifying_new(struct session *session, const struct path *path, const struct modification *wanted,
	const char *reply)
{
	struct modifying *modifying = malloc(sizeof(*modifying));
	char *copy = strdup(reply);
	if (modifying == NULL || copy == NULL) {
		free(modifying);
		free(copy);
		session_reply_failure(session, FAILURE_GENERAL, EIO);
		return NULL;
	}
	*modifying = (struct modifying){
		.session = session,
		.left = *wanted,
		.reply = copy,
		.path = *path,
	};
	return modifying;
}

static void
begin(struct modifying *modifying)
{
	if (modifying == NULL)
		return;
	session_begin(modifying->session);
	advance(modifying);
}

void
modify_path(struct session *session, const struct path *path, const struct modification *wanted,
	const char *reply)
{
	begin(modifying_new(session, path, wanted, reply));
}

/*
 * The reply: the facts as they were set, and the path as the client wrote it (draft-somers-ftp-mfxx
 * 3.1). NULL where it could not begin, which is replied then.
 */
static struct modifying *
prepare_facts(struct session *session, struct bytes argument, const struct modification *wanted)
{
	char moment[TIMESTAMP_BYTES];
	char facts[64] = "";
	char reply[sizeof(struct quoted) + 128];
	struct quoted name;
	struct path path;
	if (!session_resolve(session, FAILURE_GENERAL, argument, &path))
		return NULL;
	if (wanted->has_mtime)
		snprintf(facts, sizeof(facts), "Modify=%s;",
			timestamp_text(wanted->mtime_ns, moment));
	if (wanted->has_mode)
		snprintf(facts + strlen(facts), sizeof(facts) - strlen(facts), "UNIX.mode=%04o;",
			wanted->mode);
	snprintf(reply, sizeof(reply), reply_facts_set, facts, quote_plain(argument, &name));
	return modifying_new(session, &path, wanted, reply);
}

/* ---- MDTM ---- */

/* The whole argument may be a path that begins like a moment; only if it is none is it more. */
struct asking {
	struct session *session;
	struct modification setting; /* nothing: the argument can only be a path */
	size_t length;
	char path[]; /* of the setting, as the client wrote it */
};

/* "YYYYMMDDhhmmss[.fraction] path". False if the argument is something else. */
static bool
parse_setting(struct bytes argument, struct modification *setting, struct bytes *path)
{
	struct bytes moment;
	command_split(argument, &moment, path);
	setting->has_mtime = path->length > 0 && timestamp_parse(moment, &setting->mtime_ns) == 0;
	return setting->has_mtime;
}

/* The command goes on as the other form. */
static void
set_instead(struct asking *asking)
{
	struct session *session = asking->session;
	struct modifying *modifying =
		prepare_facts(session, bytes_of(asking->path, asking->length), &asking->setting);
	if (modifying == NULL)
		session_finish(session);
	else
		advance(modifying);
}

static void
on_asked(void *argument, const struct pathio_answer *answer)
{
	struct asking *asking = argument;
	struct session *session = asking->session;
	char text[TIMESTAMP_BYTES];
	if (asking->setting.has_mtime && failure_means_nothing(answer->error)) {
		set_instead(asking);
	} else if (session_complete(session, FAILURE_GENERAL, answer)) {
		/* No fractions: clients that compare texts are more than those that want them. */
		int64_t mtime_ns = answer->body->attributes_of.attributes.mtime_ns;
		session_reply(session, reply_modified, timestamp_text(mtime_ns, text));
	}
	free(asking);
}

static void
ask(struct session *session, const struct path *whole, const struct modification *setting,
	struct bytes path)
{
	struct asking *asking = malloc(sizeof(*asking) + path.length);
	if (asking == NULL) {
		session_reply_failure(session, FAILURE_GENERAL, EIO);
		return;
	}
	*asking = (struct asking){
		.session = session,
		.setting = *setting,
		.length = path.length,
	};
	if (path.length > 0)
		memcpy(asking->path, path.data, path.length);
	session_begin(session);
	pathio_stat(session->files,
		&(struct pathio_stat){ .path = path_bytes(whole), .follow = true }, on_asked,
		asking);
}

void
modify_mdtm(struct session *session, struct bytes argument)
{
	struct modification setting = { .has_mode = false };
	struct path whole;
	struct bytes path;
	bool is_setting = parse_setting(argument, &setting, &path);
	int error = session_fold(session, argument, &whole);
	if (error == 0)
		ask(session, &whole, &setting, is_setting ? path : bytes_of("", 0));
	else if (is_setting)
		begin(prepare_facts(session, path, &setting));
	else
		session_reply_failure(session, FAILURE_GENERAL, error);
}

/* ---- MFMT, MFF ---- */

void
modify_mfmt(struct session *session, struct bytes argument)
{
	struct modification setting = { .has_mode = false };
	struct bytes path;
	if (parse_setting(argument, &setting, &path))
		begin(prepare_facts(session, path, &setting));
	else
		session_reply(session, reply_argument_bad, "YYYYMMDDhhmmss path");
}

static int
parse_mode(struct bytes text, struct modification *wanted)
{
	uint64_t mode;
	int error = number_parse_octal(text, 07777, &mode);
	if (error < 0)
		return error;
	if (mode > 0777)
		return -ENOTSUP; /* setuid, setgid and sticky bits never */
	wanted->has_mode = true;
	wanted->mode = (uint32_t)mode;
	return 0;
}

int
modify_parse_mode(struct bytes text, struct modification *wanted)
{
	return parse_mode(text, wanted);
}

static int
parse_modify(struct bytes text, struct modification *wanted)
{
	wanted->has_mtime = true;
	return timestamp_parse(text, &wanted->mtime_ns);
}

/* "name=value". 0, -EINVAL for a false value, -ENOTSUP for a fact that cannot be set. */
static int
parse_fact(struct bytes fact, struct modification *wanted)
{
	static const struct {
		const char *name;
		int (*parse)(struct bytes text, struct modification *wanted);
	} facts[] = {
		{ "Modify", parse_modify },
		{ "UNIX.mode", parse_mode },
	};
	const char *sign = memchr(fact.data, '=', fact.length);
	if (sign == NULL)
		return -EINVAL;
	size_t length = (size_t)(sign - fact.data);
	for (size_t i = 0; i < ARRAY_LENGTH(facts); i++)
		if (words_are_equal(bytes_of(fact.data, length), facts[i].name))
			return facts[i].parse(bytes_of(sign + 1, fact.length - length - 1), wanted);
	return -ENOTSUP;
}

/* "name=value;name=value;": nothing is set unless all of it can be. */
static int
parse_facts(struct bytes facts, struct modification *wanted)
{
	if (facts.length == 0)
		return -EINVAL;
	while (facts.length > 0) {
		const char *end = memchr(facts.data, ';', facts.length);
		if (end == NULL)
			return -EINVAL;
		size_t length = (size_t)(end - facts.data);
		int error = parse_fact(bytes_of(facts.data, length), wanted);
		if (error < 0)
			return error;
		facts = bytes_after(facts, length + 1);
	}
	return 0;
}

void
modify_mff(struct session *session, struct bytes argument)
{
	struct modification wanted = { .has_mode = false };
	struct bytes facts, path;
	command_split(argument, &facts, &path);
	int error = parse_facts(facts, &wanted);
	if (error == -ENOTSUP)
		session_reply(session, reply_parameter_unsupported);
	else if (error < 0 || path.length == 0)
		session_reply(
			session, reply_argument_bad, "Modify=YYYYMMDDhhmmss;UNIX.mode=0644; path");
	else
		begin(prepare_facts(session, path, &wanted));
}
