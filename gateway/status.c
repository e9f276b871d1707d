/*
 * STAT (see status.h). Runs in the gateway. A listing is made by the worker, as text, into a
 * socketpair whose other end is read here: the same text as LIST's, in bounded quantity.
 */
#include "gateway/status.h"

#include "gateway/command.h"
#include "gateway/listing.h"
#include "gateway/quote.h"
#include "gateway/session.h"
#include "gateway/transfer.h"
#include "ipc/address.h"
#include "ipc/base/scope.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

enum {
	LISTING_BYTES_MAX = 64 * 1024, /* LIST has no such limit */
	READ_BYTES = 8 * 1024,
};

struct listing_reply {
	struct session *session; /* NULL once it is over */
	struct event readable;
	int fd; /* where the text comes from; -1: not yet, or no more */
	uint32_t file;
	uint32_t owed; /* answers that refer to this struct */
	uint32_t tag;  /* of the last request */
	uint32_t show;
	enum pathio_order order;
	bool is_folder;
	char *below;   /* patterns, or NULL */
	bool is_moved; /* the worker has written everything */
	bool is_cut;   /* and more than fits */
	int error;     /* why it has not */
	size_t bytes;
};

/* ---- the end ---- */

static void
release_if_settled(struct listing_reply *listing)
{
	if (listing->session != NULL || listing->owed > 0)
		return;
	free(listing->below);
	free(listing);
}

static void
stop_reading(struct listing_reply *listing)
{
	if (listing->fd >= 0)
		event_del(&listing->readable);
	fd_close(&listing->fd);
}

/* The client has its reply; the listing must not be used any more. */
static void
finish(struct listing_reply *listing)
{
	struct session *session = listing->session;
	stop_reading(listing);
	session->listing = NULL;
	listing->session = NULL;
	release_if_settled(listing);
	session_finish(session);
}

static void
finish_if_done(struct listing_reply *listing)
{
	if (listing->fd >= 0 || !listing->is_moved)
		return;
	/* The reply has begun and can only end. */
	if (listing->error < 0 && !listing->is_cut)
		session_reply(
			listing->session, " ... not all: %s", failure_find(listing->error)->text);
	session_reply(listing->session,
		listing->is_folder ? reply_status_folder_end : reply_status_file_end);
	finish(listing);
}

/* ---- the text ---- */

/* As many whole lines as there is room for. */
static void
add_last_lines(struct listing_reply *listing, struct bytes text)
{
	text.length = LISTING_BYTES_MAX - listing->bytes;
	const char *end = memrchr(text.data, '\n', text.length);
	if (end != NULL)
		session_reply_text(
			listing->session, bytes_of(text.data, (size_t)(end - text.data) + 1));
	session_reply(listing->session, " ... LIST shows all.");
	listing->is_cut = true;
	stop_reading(listing);
	pathio_cancel(listing->session->files, listing->tag);
}

static void
on_readable(evutil_socket_t fd, short what, void *argument)
{
	struct listing_reply *listing = argument;
	char text[READ_BYTES];
	(void)what;
	ssize_t length = recv(fd, text, sizeof(text), MSG_DONTWAIT);
	if (length < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (length <= 0) {
		stop_reading(listing);
	} else if ((size_t)length > LISTING_BYTES_MAX - listing->bytes) {
		add_last_lines(listing, bytes_of(text, (size_t)length));
	} else {
		listing->bytes += (size_t)length;
		session_reply_text(listing->session, bytes_of(text, (size_t)length));
	}
	finish_if_done(listing);
}

static void
on_moved(void *argument, const struct pathio_answer *answer)
{
	struct listing_reply *listing = argument;
	listing->owed--;
	listing->is_moved = true;
	if (answer->error < 0)
		listing->error = answer->error;
	if (listing->session == NULL)
		release_if_settled(listing);
	else
		finish_if_done(listing);
}

/* ---- the beginning ---- */

/* 0 and both ends of a stream; only this kind of socket is allowed in the cage. */
static int
make_pair(int ends[2])
{
	int type = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
	return socketpair(AF_UNIX, type, 0, ends) < 0 ? -errno : 0;
}

static int
begin_text(struct listing_reply *listing)
{
	struct session *session = listing->session;
	int ends[2];
	int error = make_pair(ends);
	if (error < 0)
		return error;
	SCOPE_FD int write_end = ends[1];
	listing->fd = ends[0];
	event_assign(&listing->readable, session->gateway->base, listing->fd, EV_READ | EV_PERSIST,
		on_readable, listing);
	if (event_add(&listing->readable, NULL) < 0)
		return -ENOMEM;
	struct pathio_send_listing request = {
		.file = listing->file,
		.style = PATHIO_STYLE_LIST,
		.show = listing->show,
		.order = listing->order,
		/* A head of -R begins with a slash: what begins with a digit might look like the
		 * reply's end. */
		.prefix = bytes_of_text(session->subject),
		.below = bytes_of_text(listing->below == NULL ? "" : listing->below),
	};
	listing->owed++;
	listing->tag = pathio_send_listing(session->files, &request, write_end, on_moved, listing);
	return 0;
}

static void
close_file(struct listing_reply *listing)
{
	pathio_close(listing->session->files, &(struct pathio_close){ .file = listing->file },
		session_ignore_answer, NULL);
}

static void
begin_reply(struct listing_reply *listing)
{
	struct session *session = listing->session;
	struct quoted name;
	int error = begin_text(listing);
	close_file(listing);
	if (error < 0) {
		session_reply_failure(session, FAILURE_GENERAL, error);
		finish(listing);
		return;
	}
	session_reply(session,
		listing->is_folder ? reply_status_folder_begin : reply_status_file_begin,
		quote_plain(bytes_of_text(session->subject), &name));
}

static void
on_opened(void *argument, const struct pathio_answer *answer)
{
	struct listing_reply *listing = argument;
	listing->owed--;
	if (listing->session == NULL) {
		release_if_settled(listing);
	} else if (answer->error < 0) {
		session_reply_failure(listing->session, FAILURE_GENERAL, answer->error);
		finish(listing);
	} else {
		listing->is_folder = answer->body->opened.attributes.type == PATHIO_TYPE_DIRECTORY;
		begin_reply(listing);
	}
}

static struct listing_reply *
listing_new(struct session *session, const struct listing_words *words)
{
	struct listing_reply *listing = calloc(1, sizeof(*listing));
	if (listing == NULL)
		return NULL;
	*listing = (struct listing_reply){
		.session = session,
		.fd = -1,
		.file = session_next_file(session),
		.owed = 1,
		.show = words->show,
		.order = words->order,
	};
	if (words->below.length == 0)
		return listing;
	listing->below = bytes_copy_text(words->below);
	if (listing->below == NULL) {
		free(listing);
		return NULL;
	}
	return listing;
}

static void
begin_listing(struct session *session, struct bytes argument)
{
	struct listing_words words = listing_parse(argument, PATHIO_STYLE_LIST);
	struct path path;
	if (!listing_check_words(session, &words))
		return;
	if (!session_resolve(session, FAILURE_GENERAL, words.folder, &path) ||
		!session_keep(session, &session->subject, &path))
		return;
	struct listing_reply *listing = listing_new(session, &words);
	if (listing == NULL) {
		session_reply_failure(session, FAILURE_GENERAL, EIO);
		return;
	}
	session->listing = listing;
	session_begin(session);
	struct pathio_list request = {
		.file = listing->file,
		.path = path_bytes(&path),
		.accept_file = words.pattern.length == 0,
		.itself = words.is_itself,
		.pattern = words.pattern,
	};
	listing->tag = pathio_list(session->files, &request, on_opened, listing);
}

void
status_abandon(struct session *session)
{
	struct listing_reply *listing = session->listing;
	if (listing == NULL)
		return;
	if (session->files != NULL) {
		pathio_cancel(session->files, listing->tag);
		close_file(listing);
	}
	finish(listing);
}

static void
reply_session(struct session *session)
{
	char peer[ADDRESS_TEXT_BYTES];
	struct quoted name;
	bool is_ascii = session->parameters.form == PATHIO_FORM_ASCII;
	bool is_deflated = session->parameters.coding == PATHIO_CODING_DEFLATE;
	session_reply(session, reply_status_begin);
	session_reply(session, " Connected from %s", address_text(&session->peer, peer));
	session_reply(session, " Current folder: %s", quote_plain(session_folder(session), &name));
	session_reply(session, " TYPE %s, STRU F, MODE %s", is_ascii ? "A" : "I",
		is_deflated ? "Z" : "S");
	session_reply(session, reply_status_end);
}

void
status_stat(struct session *session, struct bytes argument)
{
	if (argument.length == 0)
		reply_session(session);
	else
		begin_listing(session, argument);
}
