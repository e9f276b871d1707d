/*
 * What a transfer asks of the worker (see transfer_private.h). Runs in the gateway. Requests go out
 * in one breath where nothing has to be known in between.
 */
#include "gateway/session.h"
#include "gateway/transfer_private.h"

#include <stdlib.h>

/* ---- opening ---- */

void
transfer_ask_opening(
	struct transfer *transfer, const struct transfer_order *order, pathio_completion *done)
{
	struct pathio *io = transfer->session->files;
	struct pathio_open open = { transfer->file, order->path, PATHIO_MODE_RB };
	struct pathio_upload_open upload = { transfer->file, order->path, order->how, order->offset,
		order->count, transfer->session->umask };
	struct pathio_list list = {
		.file = transfer->file,
		.path = order->path,
		.accept_file = order->is_of_files_also,
		.itself = order->is_itself,
		.pattern = order->pattern,
	};
	transfer->owed++;
	switch (order->kind) {
	case TRANSFER_DOWNLOAD:
		transfer->opening_tag = pathio_open(io, &open, done, transfer);
		return;
	case TRANSFER_UPLOAD:
		transfer->opening_tag = pathio_upload_open(io, &upload, done, transfer);
		return;
	case TRANSFER_LISTING:
		transfer->opening_tag = pathio_list(io, &list, done, transfer);
		return;
	}
}

/* ---- moving ---- */

static uint32_t
ask_listing(struct transfer *transfer, pathio_completion *done)
{
	const struct transfer_listing *listing = &transfer->listing;
	struct bytes prefix = listing->prefix;
	if (listing->is_by_type && !transfer->is_folder)
		prefix.length = listing->file_prefix_bytes;
	struct pathio_send_listing request = {
		.file = transfer->file,
		.style = listing->style,
		.facts = transfer->session->parameters.facts,
		.show = listing->show,
		.order = listing->order,
		.prefix = prefix,
		.below = listing->below,
		.coding = transfer->session->parameters.coding,
		.level = transfer->session->parameters.level,
	};
	return pathio_send_listing(
		transfer->session->files, &request, transfer->fd, done, transfer);
}

static uint32_t
ask_download(struct transfer *transfer, pathio_completion *done)
{
	struct pathio_send request = {
		.file = transfer->file,
		.offset = transfer->offset,
		.count = transfer->count,
		.form = transfer->form,
		.coding = transfer->session->parameters.coding,
		.level = transfer->session->parameters.level,
	};
	return pathio_send(transfer->session->files, &request, transfer->fd, done, transfer);
}

static uint32_t
ask_upload(struct transfer *transfer, pathio_completion *done)
{
	struct pathio_receive request = {
		.file = transfer->file,
		.form = transfer->form,
		.coding = transfer->session->parameters.coding,
	};
	return pathio_receive(transfer->session->files, &request, transfer->fd, done, transfer);
}

/* What is read is closed in the same breath; an upload stays open for its commit. */
void
transfer_ask_move(struct transfer *transfer, pathio_completion *done)
{
	static uint32_t (*const ask[])(struct transfer *, pathio_completion *) = {
		[TRANSFER_DOWNLOAD] = ask_download,
		[TRANSFER_UPLOAD] = ask_upload,
		[TRANSFER_LISTING] = ask_listing,
	};
	transfer->owed++;
	transfer->moving_tag = ask[transfer->kind](transfer, done);
	if (transfer->kind != TRANSFER_UPLOAD)
		pathio_close(transfer->session->files,
			&(struct pathio_close){ .file = transfer->file }, session_ignore_answer,
			NULL);
}

/* ---- the end ---- */

void
transfer_ask_commit(struct transfer *transfer, pathio_completion *done)
{
	struct pathio_commit request = { .file = transfer->file };
	transfer->owed++;
	transfer->commit_tag = pathio_commit(transfer->session->files, &request, done, transfer);
}

static void
cancel_requests(struct transfer *transfer)
{
	struct pathio *io = transfer->session->files;
	if (transfer->opening_tag != 0)
		pathio_cancel(io, transfer->opening_tag);
	if (transfer->moving_tag != 0 && !transfer->is_moved)
		pathio_cancel(io, transfer->moving_tag);
}

void
transfer_ask_discard(struct transfer *transfer, pathio_completion *done)
{
	struct pathio_discard request = { .file = transfer->file };
	cancel_requests(transfer);
	transfer->owed++;
	pathio_discard(transfer->session->files, &request, done, transfer);
}

void
transfer_drop_file(struct transfer *transfer)
{
	struct pathio *io = transfer->session->files;
	struct pathio_discard discard = { .file = transfer->file };
	struct pathio_close close = { .file = transfer->file };
	if (io == NULL || transfer->state == TRANSFER_DISCARDING)
		return;
	cancel_requests(transfer);
	if (transfer->kind == TRANSFER_UPLOAD)
		pathio_discard(io, &discard, session_ignore_answer, NULL);
	else if (transfer->moving_tag == 0)
		pathio_close(io, &close, session_ignore_answer, NULL);
}

/* ---- lifetime ---- */

void
transfer_free(struct transfer *transfer)
{
	free(transfer->prefix);
	free(transfer->below);
	free(transfer);
}

/* They are the line's, which goes. */
static bool
keep_words(struct bytes *words, char **copy)
{
	if (words->length == 0)
		return true;
	*copy = bytes_copy_text(*words);
	words->data = *copy;
	return *copy != NULL;
}

struct transfer *
transfer_new(struct session *session, const struct transfer_order *order)
{
	struct transfer *transfer = calloc(1, sizeof(*transfer));
	if (transfer == NULL)
		return NULL;
	*transfer = (struct transfer){
		.session = session,
		.kind = order->kind,
		.form = order->form,
		.offset = order->offset,
		.count = order->count,
		.listing = order->listing,
		.is_unique = order->kind == TRANSFER_UPLOAD && order->how == PATHIO_HOW_UNIQUE,
		.wait = { .session = session, .connecting_fd = -1 },
		.fd = -1,
		.file = session_next_file(session),
	};
	if (!keep_words(&transfer->listing.prefix, &transfer->prefix) ||
		!keep_words(&transfer->listing.below, &transfer->below)) {
		transfer_free(transfer);
		return NULL;
	}
	return transfer;
}
