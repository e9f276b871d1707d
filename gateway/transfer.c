/*
 * Transfers (see transfer.h). Runs in the gateway. The client may vanish, stall or abort at any
 * moment, the worker may die at any moment; an upload counts only once the worker has committed it.
 */
#include "gateway/transfer.h"

#include "gateway/attention.h"
#include "gateway/keepalive.h"
#include "gateway/pump.h"
#include "gateway/quote.h"
#include "gateway/session.h"
#include "gateway/transfer_private.h"
#include "ipc/base/scope.h"

#include <errno.h>
#include <stdlib.h>

/* ---- ends ---- */

/* One of the owed answers has come. */
static void
settle(struct transfer *transfer)
{
	transfer->owed--;
	if (transfer->state == TRANSFER_OVER && transfer->owed == 0)
		transfer_free(transfer);
}

/* The client has had its reply; the transfer must not be used any more. */
static void
finish(struct transfer *transfer)
{
	struct session *session = transfer->session;
	data_stop_waiting(&transfer->wait);
	pump_free(&transfer->pump);
	fd_close(&transfer->fd);
	data_forget(session);
	limit_clear(&session->limit, LIMIT_DATA);
	keepalive_end(session);
	session->transfer = NULL;
	transfer->session = NULL;
	transfer->state = TRANSFER_OVER;
	if (transfer->owed == 0)
		transfer_free(transfer);
	session_finish(session);
}

/* The cancellation first: the worker must not take the shut connection for a clean end. */
void
transfer_cut(struct transfer *transfer)
{
	transfer_drop_file(transfer);
	transfer_end_connection(transfer);
	finish(transfer);
}

static void
report_success(struct transfer *transfer)
{
	uint64_t elapsed_ms = gateway_now_ms() - transfer->begun_ms;
	uint64_t bytes = transfer->bytes;
	secure_renew_ticket(transfer->session);
	if (elapsed_ms == 0 || bytes == 0)
		session_reply(transfer->session, reply_transfer_done, bytes);
	else
		session_reply(transfer->session, reply_transfer_done_rate, bytes,
			bytes * 1000 / 1024 / elapsed_ms);
}

void
transfer_succeed(struct transfer *transfer)
{
	report_success(transfer);
	finish(transfer);
}

/* ---- committing and discarding ---- */

/* Nothing is acknowledged: not even where the 226 has begun. */
static void
report_failure(struct transfer *transfer, int error)
{
	struct session *session = transfer->session;
	if (!keepalive_end(session)) {
		session_reply_failure(session, FAILURE_MOVING, error);
		return;
	}
	session_reply(session, reply_not_stored);
	session_end(session, "upload-failed");
}

static void
on_committed(void *argument, const struct pathio_answer *answer)
{
	struct transfer *transfer = argument;
	if (transfer->state != TRANSFER_OVER) {
		if (answer->error == 0 && transfer->is_unclean)
			record_unclean_end(transfer->session, transfer->bytes);
		if (answer->error == 0)
			report_success(transfer);
		else
			report_failure(transfer, answer->error);
		finish(transfer);
	}
	settle(transfer);
}

static void
commit(struct transfer *transfer)
{
	transfer->state = TRANSFER_COMMITTING;
	keepalive_begin(transfer->session, reply_still_storing);
	transfer_ask_commit(transfer, on_committed);
}

static void
on_discarded(void *argument, const struct pathio_answer *answer)
{
	struct transfer *transfer = argument;
	(void)answer;
	if (transfer->state != TRANSFER_OVER) {
		session_reply_failure(transfer->session, FAILURE_MOVING, transfer->error);
		transfer_end_connection(transfer);
		finish(transfer);
	}
	settle(transfer);
}

/* The client hears that it failed once nothing is left of it. */
static void
discard(struct transfer *transfer)
{
	transfer->state = TRANSFER_DISCARDING;
	transfer_ask_discard(transfer, on_discarded);
}

/* ---- moving ---- */

static bool
is_beyond_end(const struct transfer *transfer)
{
	return transfer->kind == TRANSFER_DOWNLOAD && transfer->offset > transfer->size;
}

/* A range may lie behind the end: no byte is sent then (draft-bryan-ftp-range 4.3). */
static bool
is_ranged(const struct transfer *transfer)
{
	return transfer->kind == TRANSFER_DOWNLOAD && transfer->count != UINT64_MAX;
}

void
transfer_fail_move(struct transfer *transfer, int error)
{
	transfer->error = error;
	if (transfer->kind == TRANSFER_UPLOAD) {
		discard(transfer);
		return;
	}
	session_reply_failure(transfer->session, FAILURE_MOVING, error);
	transfer_cut(transfer);
}

/*
 * A plain stream that ends says nothing of how: the FIN of a client that was killed looks like that
 * of one that is done. But then the control connection ends as well, at the same moment. Behind a
 * line that waits there may be more to read before that end. Over TLS the pump has said how
 * (transfer_connection.c).
 */
static bool
has_clean_end(struct session *session)
{
	if (!session->is_attended && stream_is_waiting(&session->stream))
		attention_begin(session);
	if (session->is_attended)
		attention_look(session->gateway);
	return session->ending == NULL &&
	       (session->is_quitting || !stream_is_at_end(&session->stream));
}

static void
end_move(struct transfer *transfer)
{
	bool is_empty = is_beyond_end(transfer) && transfer->error == -EINVAL;
	if (transfer->error < 0 && !is_empty) {
		transfer_fail_move(transfer, transfer->error);
	} else if (transfer->pump != NULL && transfer->kind != TRANSFER_UPLOAD) {
		pump_end(transfer->pump); /* transfer_connection.c goes on */
	} else if (transfer->kind != TRANSFER_UPLOAD) {
		transfer_succeed(transfer);
	} else if (has_clean_end(transfer->session)) {
		commit(transfer);
	} else {
		transfer_fail_move(transfer, -ECONNRESET);
	}
}

static void
on_moved(void *argument, const struct pathio_answer *answer)
{
	struct transfer *transfer = argument;
	transfer->is_moved = true;
	if (answer->error == 0)
		transfer->bytes = answer->body->moved.bytes;
	if (transfer->state == TRANSFER_PREPARING || transfer->state == TRANSFER_MOVING)
		transfer->error = answer->error;
	if (transfer->state == TRANSFER_MOVING)
		end_move(transfer);
	settle(transfer);
}

/* ---- opening ---- */

static uint64_t
bytes_to_send(const struct transfer *transfer)
{
	uint64_t rest = is_beyond_end(transfer) ? 0 : transfer->size - transfer->offset;
	return rest < transfer->count ? rest : transfer->count;
}

static void
report_begin(struct transfer *transfer)
{
	struct session *session = transfer->session;
	const char *mode = transfer->form == PATHIO_FORM_ASCII ? "ASCII" : "BINARY";
	if (transfer->is_unique)
		session_reply(session, reply_unique_begins, transfer->name);
	else if (transfer->kind == TRANSFER_DOWNLOAD && transfer->form == PATHIO_FORM_IMAGE)
		session_reply(session, reply_download_begins, bytes_to_send(transfer));
	else
		session_reply(session, reply_transfer_begins, mode);
	transfer->begun_ms = gateway_now_ms();
}

void
transfer_begin_move(struct transfer *transfer)
{
	bool waits_for_type = transfer->listing.is_by_type && !transfer->is_opened;
	if (transfer->fd < 0 || transfer->moving_tag != 0 || waits_for_type)
		return;
	transfer_ask_move(transfer, on_moved);
	/* Its end is for the worker alone, whose closing it the pump must see. */
	if (transfer->pump != NULL)
		fd_close(&transfer->fd);
}

void
transfer_advance(struct transfer *transfer)
{
	if (transfer->is_connected)
		transfer_begin_move(transfer);
	if (!transfer->is_opened)
		return;
	bool is_refused = is_beyond_end(transfer) && !is_ranged(transfer);
	if (is_refused || transfer->is_unset) {
		session_reply(transfer->session,
			transfer->is_unset ? reply_data_missing : reply_restart_beyond);
		transfer_cut(transfer);
		return;
	}
	if (!transfer->is_connected)
		return;
	report_begin(transfer);
	transfer->state = TRANSFER_MOVING;
	if (transfer->is_moved)
		end_move(transfer);
}

static void
refuse(struct transfer *transfer, int error)
{
	struct session *session = transfer->session;
	bool is_upload = transfer->kind == TRANSFER_UPLOAD;
	bool is_facts =
		transfer->kind == TRANSFER_LISTING && transfer->listing.style == PATHIO_STYLE_FACTS;
	if (is_upload && error == -EINVAL && transfer->offset > 0)
		session_reply(session, reply_restart_beyond);
	else if (is_facts && error == -ENOTDIR)
		session_reply(session, reply_not_a_folder);
	else
		session_reply_failure(session, is_upload ? FAILURE_NAMING : FAILURE_GENERAL, error);
	finish(transfer);
}

static void
note_opened(struct transfer *transfer, const struct pathio_opened *opened)
{
	struct quoted name;
	transfer->is_opened = true;
	transfer->size = opened->attributes.size;
	transfer->is_folder = opened->attributes.type == PATHIO_TYPE_DIRECTORY;
	if (transfer->is_unique)
		snprintf(transfer->name, sizeof(transfer->name), "%s",
			quote_plain(opened->name, &name));
}

static void
on_opened(void *argument, const struct pathio_answer *answer)
{
	struct transfer *transfer = argument;
	transfer->opening_tag = 0;
	if (transfer->state != TRANSFER_OVER) {
		if (answer->error < 0) {
			refuse(transfer, answer->error);
		} else {
			note_opened(transfer, &answer->body->opened);
			transfer_advance(transfer);
		}
	}
	settle(transfer);
}

/* ---- orders ---- */

void
transfer_start(struct session *session, const struct transfer_order *order)
{
	if (!secure_permits_transfer(session))
		return;
	struct transfer *transfer = transfer_new(session, order);
	if (transfer == NULL) {
		session_reply_failure(session, FAILURE_GENERAL, EIO);
		return;
	}
	session_begin(session);
	session->transfer = transfer;
	transfer_ask_opening(transfer, order, on_opened);
	int error = data_open(session, &transfer->wait, &transfer->fd);
	transfer->is_unset = error == -ENOTCONN;
	if (error == 0)
		transfer_connected(session, transfer->fd);
	else if (error == -EINPROGRESS)
		limit_set(&session->limit, LIMIT_DATA, session->gateway->settings.data_timeout_s);
	else if (!transfer->is_unset)
		transfer_unconnected(session);
}

void
transfer_abort(struct session *session)
{
	struct transfer *transfer = session->transfer;
	switch (transfer->state) {
	case TRANSFER_PREPARING:
		session_reply(session, reply_data_aborted);
		transfer_cut(transfer);
		return;
	case TRANSFER_MOVING:
		transfer_fail_move(transfer, -ECANCELED);
		return;
	case TRANSFER_COMMITTING:
		/*
		 * It may be in place already: the answer to the commit says what happened. Once a
		 * 226 has begun, it can only come true, or the session would end with it.
		 */
		if (!keepalive_is_out(session))
			pathio_cancel(session->files, transfer->commit_tag);
		return;
	case TRANSFER_DISCARDING:
	case TRANSFER_OVER:
		return;
	}
}

void
transfer_reply_status(struct session *session)
{
	static const char *const words[] = {
		[TRANSFER_DOWNLOAD] = "Sending a file",
		[TRANSFER_UPLOAD] = "Receiving a file",
		[TRANSFER_LISTING] = "Sending a listing",
	};
	const struct transfer *transfer = session->transfer;
	if (transfer->state == TRANSFER_PREPARING)
		session_reply(session, reply_status_waiting);
	else
		session_reply(
			session, reply_status_transfer, words[transfer->kind], transfer->bytes);
}

void
transfer_abandon(struct session *session)
{
	if (session->transfer != NULL)
		transfer_cut(session->transfer);
}

void
transfer_lost(struct session *session)
{
	if (session->transfer == NULL)
		return;
	report_failure(session->transfer, EIO);
	transfer_cut(session->transfer);
}

void
transfer_progress(struct session *session, uint32_t tag, uint64_t bytes)
{
	if (session->transfer != NULL && session->transfer->moving_tag == tag)
		session->transfer->bytes = bytes;
}
