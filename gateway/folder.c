/*
 * Commands about folders: CWD CDUP PWD MKD RMD (RFC 959 4.1.1, 4.1.3), and those that make and
 * remove several: RMDA (draft-peterson-streamlined-ftp-command-extensions), SITE MKDIR and RMDIR.
 * Run in the gateway; the worker decides.
 */
#include "gateway/command.h"
#include "gateway/quote.h"
#include "gateway/session.h"
#include "gateway/site.h"

#include <stdlib.h>

/* ---- the working directory ---- */

static void
on_entered(void *argument, const struct pathio_answer *answer)
{
	struct session *session = argument;
	struct quoted name;
	if (!session_complete(session, FAILURE_GENERAL, answer))
		return;
	free(session->folder);
	session->folder = session->subject;
	session->subject = NULL;
	session_reply(session, reply_folder_entered, quote_plain(session_folder(session), &name));
}

static void
enter(struct session *session, struct bytes argument)
{
	struct path path;
	if (!session_resolve(session, FAILURE_GENERAL, argument, &path) ||
		!session_keep(session, &session->subject, &path))
		return;
	session_begin(session);
	pathio_enter(session->files, &(struct pathio_enter){ .path = path_bytes(&path) },
		on_entered, session);
}

void
folder_cwd(struct session *session, struct bytes argument)
{
	enter(session, argument);
}

void
folder_cdup(struct session *session, struct bytes argument)
{
	(void)argument;
	enter(session, bytes_of_text(".."));
}

void
folder_pwd(struct session *session, struct bytes argument)
{
	struct quoted name;
	(void)argument;
	session_reply(session, reply_folder_current, quote_doubled(session_folder(session), &name));
}

/* ---- making and removing ---- */

static void
on_made(void *argument, const struct pathio_answer *answer)
{
	struct session *session = argument;
	struct quoted name;
	if (session_complete(session, FAILURE_GENERAL, answer))
		session_reply(session, reply_folder_made,
			quote_doubled(bytes_of_text(session->subject), &name));
}

/* With `parents` as mkdir -p does it. */
static void
make(struct session *session, struct bytes argument, bool parents)
{
	struct path path;
	if (!session_resolve(session, FAILURE_GENERAL, argument, &path) ||
		!session_keep(session, &session->subject, &path))
		return;
	struct pathio_mkdir request = {
		.path = path_bytes(&path),
		.mode = 0777 & ~session->umask,
		.parents = parents,
		.exist_ok = parents,
	};
	session_begin(session);
	pathio_mkdir(session->files, &request, on_made, session);
}

void
folder_mkd(struct session *session, struct bytes argument)
{
	make(session, argument, false);
}

void
site_mkdir(struct session *session, struct bytes argument)
{
	make(session, argument, true);
}

static void
on_removed(void *argument, const struct pathio_answer *answer)
{
	struct session *session = argument;
	if (session_complete(session, FAILURE_GENERAL, answer))
		session_reply(session, reply_folder_removed);
}

void
folder_rmd(struct session *session, struct bytes argument)
{
	struct path path;
	if (!session_resolve(session, FAILURE_GENERAL, argument, &path))
		return;
	session_begin(session);
	pathio_rmdir(session->files, &(struct pathio_rmdir){ .path = path_bytes(&path) },
		on_removed, session);
}

static void
on_tree_removed(void *argument, const struct pathio_answer *answer)
{
	struct session *session = argument;
	if (answer->error < 0)
		session_reply_failure(session, FAILURE_GENERAL, answer->error);
	else
		session_reply(session, reply_folder_removed);
	session_finish(session);
}

void
folder_rmda(struct session *session, struct bytes argument)
{
	struct path path;
	if (!session_resolve(session, FAILURE_GENERAL, argument, &path))
		return;
	struct pathio_remove_tree request = { .path = path_bytes(&path) };
	session_begin_long(session);
	session->long_tag = pathio_remove_tree(session->files, &request, on_tree_removed, session);
}

void
site_rmdir(struct session *session, struct bytes argument)
{
	folder_rmda(session, argument);
}
