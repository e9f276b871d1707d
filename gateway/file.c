/*
 * Commands about one file: DELE RNFR RNTO SIZE MLST (RFC 959 4.1.3, RFC 3659 4, 7). Run in the
 * gateway; the worker decides.
 */
#include "gateway/command.h"
#include "gateway/quote.h"
#include "gateway/session.h"

#include <errno.h>
#include <stdlib.h>

/* ---- DELE ---- */

static void
on_deleted(void *argument, const struct pathio_answer *answer)
{
	struct session *session = argument;
	if (session_complete(session, FAILURE_GENERAL, answer))
		session_reply(session, reply_file_deleted);
}

void
file_dele(struct session *session, struct bytes argument)
{
	struct path path;
	if (!session_resolve(session, FAILURE_GENERAL, argument, &path))
		return;
	session_begin(session);
	pathio_unlink(session->files, &(struct pathio_unlink){ .path = path_bytes(&path) },
		on_deleted, session);
}

/* ---- RNFR, RNTO ---- */

static void
on_rename_from(void *argument, const struct pathio_answer *answer)
{
	struct session *session = argument;
	if (!session_complete(session, FAILURE_GENERAL, answer))
		return;
	free(session->rename_from);
	session->rename_from = session->subject;
	session->subject = NULL;
	session_reply(session, reply_rename_ready);
}

void
file_rnfr(struct session *session, struct bytes argument)
{
	struct path path;
	if (!session_resolve(session, FAILURE_GENERAL, argument, &path) ||
		!session_keep(session, &session->subject, &path))
		return;
	session_begin(session);
	pathio_stat(session->files,
		&(struct pathio_stat){ .path = path_bytes(&path), .follow = false }, on_rename_from,
		session);
}

static void
on_renamed(void *argument, const struct pathio_answer *answer)
{
	struct session *session = argument;
	if (session_complete(session, FAILURE_NAMING, answer))
		session_reply(session, reply_renamed);
}

void
file_rnto(struct session *session, struct bytes argument)
{
	struct path path;
	if (session->rename_from == NULL) {
		session_reply(session, reply_rename_first);
		return;
	}
	if (!session_resolve(session, FAILURE_NAMING, argument, &path))
		return;
	struct pathio_rename request = {
		.source = bytes_of_text(session->rename_from),
		.destination = path_bytes(&path),
	};
	session_begin(session);
	pathio_rename(session->files, &request, on_renamed, session);
	free(session->rename_from);
	session->rename_from = NULL;
}

/* ---- SIZE ---- */

static void
on_size(void *argument, const struct pathio_answer *answer)
{
	struct session *session = argument;
	if (answer->error == -EFBIG) {
		session_reply(session, reply_size_unknown);
		session_finish(session);
	} else if (session_complete(session, FAILURE_GENERAL, answer)) {
		session_reply(session, reply_size, answer->body->size.bytes);
	}
}

void
file_size(struct session *session, struct bytes argument)
{
	struct path path;
	if (!session_resolve(session, FAILURE_GENERAL, argument, &path))
		return;
	struct pathio_size_as request = {
		.path = path_bytes(&path),
		.form = session->parameters.form,
	};
	session_begin(session);
	pathio_size_as(session->files, &request, on_size, session);
}

/* ---- MLST ---- */

static void
on_described(void *argument, const struct pathio_answer *answer)
{
	struct session *session = argument;
	struct quoted name;
	if (!session_complete(session, FAILURE_GENERAL, answer))
		return;
	struct bytes facts = answer->body->text.bytes;
	session_reply(session, reply_facts_begin);
	session_reply(session, " %.*s %s", (int)facts.length, facts.data,
		quote_plain(bytes_of_text(session->subject), &name));
	session_reply(session, reply_facts_end);
}

void
file_mlst(struct session *session, struct bytes argument)
{
	struct path path;
	if (!session_resolve(session, FAILURE_GENERAL, argument, &path) ||
		!session_keep(session, &session->subject, &path))
		return;
	struct pathio_describe request = {
		.path = path_bytes(&path),
		.facts = session->parameters.facts,
	};
	session_begin(session);
	pathio_describe(session->files, &request, on_described, session);
}
