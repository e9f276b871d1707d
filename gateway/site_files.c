/*
 * SITE verbs about files: CHMOD UTIME SYMLINK CPFR CPTO COPY. None is in a standard: the forms are
 * those of wu-ftpd and of ProFTPD's mod_site_misc and mod_copy, which clients know. Run in the
 * gateway; the worker decides.
 */
#include "gateway/modify.h"
#include "gateway/session.h"
#include "gateway/site.h"
#include "gateway/timestamp.h"
#include "gateway/words.h"

#include <errno.h>
#include <stdlib.h>

/* ---- CHMOD ---- */

void
site_chmod(struct session *session, struct bytes argument)
{
	struct modification wanted = { .has_mtime = false };
	struct bytes mode, name;
	struct path path;
	command_split(argument, &mode, &name);
	int error = modify_parse_mode(mode, &wanted);
	if (error == -ENOTSUP)
		session_reply(session, reply_mode_beyond);
	else if (error < 0 || name.length == 0)
		session_reply(session, reply_argument_bad, "mode in octal, path");
	else if (session_resolve(session, FAILURE_GENERAL, name, &path))
		modify_path(session, &path, &wanted, reply_mode_set);
}

/* ---- UTIME ---- */

/* "YYYYMMDDhhmmss", or without the seconds. */
static bool
parse_moment(struct bytes text, int64_t *time_ns)
{
	char longer[TIMESTAMP_BYTES];
	enum { SHORT = TIMESTAMP_BYTES - 1 - 2 };
	if (text.length != SHORT)
		return timestamp_parse(text, time_ns) == 0;
	memcpy(longer, text.data, SHORT);
	memcpy(longer + SHORT, "00", 2);
	return timestamp_parse(bytes_of(longer, SHORT + 2), time_ns) == 0;
}

/* path atime mtime ctime UTC: the last time is when the file was made, and cannot be set. */
static bool
parse_times_behind(struct bytes argument, struct bytes *name, struct modification *wanted)
{
	struct bytes zone, made, modified, accessed;
	int64_t made_ns;
	*name = argument;
	wanted->has_mtime = wanted->has_atime =
		words_take_last(name, &zone) && words_are_equal(zone, "UTC") &&
		words_take_last(name, &made) && parse_moment(made, &made_ns) &&
		words_take_last(name, &modified) && parse_moment(modified, &wanted->mtime_ns) &&
		words_take_last(name, &accessed) && parse_moment(accessed, &wanted->atime_ns);
	return wanted->has_mtime;
}

static bool
parse_time_before(struct bytes argument, struct bytes *name, struct modification *wanted)
{
	struct bytes moment;
	command_split(argument, &moment, name);
	wanted->has_atime = false;
	wanted->has_mtime = name->length > 0 && parse_moment(moment, &wanted->mtime_ns);
	return wanted->has_mtime;
}

void
site_utime(struct session *session, struct bytes argument)
{
	struct modification wanted = { .has_mode = false };
	struct bytes name;
	struct path path;
	if (!parse_times_behind(argument, &name, &wanted) &&
		!parse_time_before(argument, &name, &wanted))
		session_reply(session, reply_argument_bad, "YYYYMMDDhhmmss path");
	else if (session_resolve(session, FAILURE_GENERAL, name, &path))
		modify_path(session, &path, &wanted, reply_times_set);
}

/* ---- SYMLINK ---- */

/* Exactly two words, neither of them empty. */
static bool
parse_two_words(
	struct words *words, struct bytes argument, struct bytes *first, struct bytes *second)
{
	struct bytes more;
	words_begin(words, argument);
	return words_next(words, first) == 1 && words_next(words, second) == 1 &&
	       words_next(words, &more) == 0 && first->length > 0 && second->length > 0;
}

static void
on_linked(void *argument, const struct pathio_answer *answer)
{
	struct session *session = argument;
	if (session_complete(session, FAILURE_NAMING, answer))
		session_reply(session, reply_link_made);
}

void
site_symlink(struct session *session, struct bytes argument)
{
	struct words words;
	struct bytes target, name;
	struct path path;
	if (!parse_two_words(&words, argument, &target, &name)) {
		session_reply(session, reply_argument_bad, "\"target\" \"path\"");
		return;
	}
	if (!session_resolve(session, FAILURE_NAMING, name, &path))
		return;
	if (target.length > PATH_BYTES_MAX) {
		session_reply_failure(session, FAILURE_NAMING, ENAMETOOLONG);
		return;
	}
	session_begin(session);
	pathio_symlink(session->files,
		&(struct pathio_symlink){ .target = target, .path = path_bytes(&path) }, on_linked,
		session);
}

/* ---- CPFR, CPTO, COPY ---- */

static void
on_copied(void *argument, const struct pathio_answer *answer)
{
	struct session *session = argument;
	if (answer->error < 0)
		session_reply_failure(session, FAILURE_NAMING, answer->error);
	else
		session_reply(session, reply_copied, answer->body->moved.bytes);
	session_finish(session);
}

static void
copy(struct session *session, struct bytes source, struct bytes destination)
{
	struct pathio_copy request = { .source = source, .destination = destination };
	session_begin_long(session);
	session->long_tag = pathio_copy(session->files, &request, on_copied, session);
}

static void
on_copy_from(void *argument, const struct pathio_answer *answer)
{
	struct session *session = argument;
	if (!session_complete(session, FAILURE_GENERAL, answer))
		return;
	if (answer->body->attributes_of.attributes.type == PATHIO_TYPE_DIRECTORY) {
		session_reply_failure(session, FAILURE_GENERAL, EISDIR);
		return;
	}
	session->copy_from = session->subject;
	session->subject = NULL;
	session_reply(session, reply_copy_ready);
}

void
site_cpfr(struct session *session, struct bytes argument)
{
	struct path path;
	if (!session_resolve(session, FAILURE_GENERAL, argument, &path) ||
		!session_keep(session, &session->subject, &path))
		return;
	session_begin(session);
	pathio_stat(session->files,
		&(struct pathio_stat){ .path = path_bytes(&path), .follow = true }, on_copy_from,
		session);
}

void
site_cpto(struct session *session, struct bytes argument)
{
	struct path path;
	if (session->copy_from == NULL) {
		session_reply(session, reply_copy_first);
		return;
	}
	if (session_resolve(session, FAILURE_NAMING, argument, &path))
		copy(session, bytes_of_text(session->copy_from), path_bytes(&path));
	free(session->copy_from);
	session->copy_from = NULL;
}

void
site_copy(struct session *session, struct bytes argument)
{
	struct words words;
	struct bytes from, to;
	struct path source, destination;
	if (!parse_two_words(&words, argument, &from, &to))
		session_reply(session, reply_argument_bad, "\"path\" \"path\"");
	else if (session_resolve(session, FAILURE_GENERAL, from, &source) &&
		 session_resolve(session, FAILURE_NAMING, to, &destination))
		copy(session, path_bytes(&source), path_bytes(&destination));
}
