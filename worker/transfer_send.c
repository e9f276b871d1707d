/*
 * Transfers out of the worker (see transfer.h): files by sendfile(2), past this process, and text
 * (listings, files with converted line ends, archives, whatever is deflated) in pieces. Runs in the
 * worker, as the user.
 */
#include "worker/transfer_private.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/sendfile.h>
#include <sys/socket.h>

enum {
	LISTING_TURN_US = 4000,
	/* While a call runs it has the socket, and what the peer acknowledges waits. */
	SENDFILE_BYTES = 128 * 1024,
};

static uint64_t
smaller(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static ssize_t
send_bytes(int fd, const char *bytes, size_t length)
{
	ssize_t sent;
	do
		sent = send(fd, bytes, length, MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	return sent < 0 ? -errno : sent;
}

/* Nothing is left at ->offset: the end, or an offset from beyond it. */
static int
end_of_file(const struct transfer *transfer)
{
	const struct transfer_file *file = &transfer->file;
	struct pathio_attributes attributes;
	if (transfer->bytes > 0 || transfer->has_read || file->offset == 0)
		return TRANSFER_ENDED;
	int error = file->backend->attributes(file->file, &attributes);
	if (error < 0)
		return error;
	return file->offset > attributes.size ? -EINVAL : TRANSFER_ENDED;
}

/* ---- text ---- */

/* Sends what was left of an earlier piece: 0 when nothing is left. */
static int
send_left(struct transfer *transfer)
{
	struct transfer_left *left = &transfer->left;
	while (left->sent < left->length) {
		ssize_t sent = send_bytes(
			transfer->fd, left->bytes + left->sent, left->length - left->sent);
		if (sent == -EAGAIN)
			return TRANSFER_BLOCKED;
		if (sent < 0)
			return (int)sent;
		left->sent += (size_t)sent;
		transfer->bytes += (uint64_t)sent;
	}
	free(left->bytes);
	*left = (struct transfer_left){ .bytes = NULL };
	return 0;
}

static int
send_piece(struct transfer *transfer, const char *piece, size_t length)
{
	ssize_t sent = length == 0 ? 0 : send_bytes(transfer->fd, piece, length);
	if (sent == -EAGAIN)
		sent = 0;
	if (sent < 0)
		return (int)sent;
	transfer->bytes += (uint64_t)sent;
	if ((size_t)sent == length)
		return 0;
	struct transfer_left left = { .length = length - (size_t)sent };
	left.bytes = malloc(left.length);
	if (left.bytes == NULL)
		return -ENOMEM;
	memcpy(left.bytes, piece + sent, left.length);
	transfer->left = left;
	return TRANSFER_BLOCKED;
}

/* The next stretch of the file into `buffer`: its length, 0 at the end. */
static ssize_t
read_file(struct transfer *transfer, char *buffer)
{
	struct transfer_file *file = &transfer->file;
	size_t wanted = smaller(TRANSFER_PIECE_BYTES, file->count);
	if (wanted == 0)
		return 0;
	ssize_t length = file->backend->read(file->file, file->offset, buffer, wanted);
	if (length > 0) {
		file->offset += (uint64_t)length;
		file->count -= (uint64_t)length;
		transfer->has_read = true;
	}
	return length;
}

/* Makes the next piece in room->converted: its length or negative errno. */
static ssize_t
make_piece(struct transfer *transfer, struct transfer_room *room)
{
	if (transfer->text != NULL)
		return listing_text_fill(transfer->text, room->converted, TRANSFER_PIECE_BYTES,
			&transfer->text_ended);
	if (transfer->save != NULL)
		return memory_save_fill(transfer->save, room->converted, TRANSFER_PIECE_BYTES,
			&transfer->text_ended);
	ssize_t length = read_file(transfer, room->buffer);
	if (length < 0)
		return length;
	if (length == 0) {
		transfer->text_ended = true;
		return end_of_file(transfer);
	}
	struct bytes read = bytes_of(room->buffer, (size_t)length);
	if (transfer->file.form == PATHIO_FORM_ASCII)
		return (ssize_t)ascii_encode(&transfer->ascii, read, room->converted);
	memcpy(room->converted, read.data, read.length);
	return length;
}

/* The piece in room->converted goes out; deflated, a part of it perhaps later. */
static int
send_made(struct transfer *transfer, struct transfer_room *room, size_t length)
{
	if (transfer->deflater == NULL)
		return send_piece(transfer, room->converted, length);
	size_t deflated = deflater_put(transfer->deflater, bytes_of(room->converted, length),
		transfer->text_ended, room->buffer);
	return send_piece(transfer, room->buffer, deflated);
}

static int
turn_text(struct transfer *transfer, struct transfer_room *room)
{
	uint64_t made = 0;
	uint64_t end_us = transfer->text == NULL ? 0 : transfer_now_us() + LISTING_TURN_US;
	int result = send_left(transfer);
	while (result == 0 && !transfer->text_ended && made < transfer->budget) {
		ssize_t length = make_piece(transfer, room);
		if (length < 0)
			return (int)length;
		made += (uint64_t)length;
		result = send_made(transfer, room, (size_t)length);
		/* A piece of a listing is many files to look at, maybe on a slow disk. */
		if (transfer->text != NULL && transfer_now_us() >= end_us)
			break;
	}
	if (result != 0)
		return result;
	return transfer->text_ended ? TRANSFER_ENDED : TRANSFER_MORE;
}

static const struct transfer_kind text_kind = { .ready = EV_WRITE, .turn = turn_text };

/* ---- files as they are ---- */

static ssize_t
send_extent(int fd, const struct backend_extent *extent)
{
	static const char zeros[TRANSFER_PIECE_BYTES];
	if (extent->fd < 0)
		return send_bytes(fd, zeros, smaller(extent->length, sizeof(zeros)));
	off_t offset = extent->offset;
	ssize_t sent;
	do
		sent = sendfile(fd, extent->fd, &offset, extent->length);
	while (sent < 0 && errno == EINTR);
	return sent < 0 ? -errno : sent;
}

static int
turn_image(struct transfer *transfer, struct transfer_room *room)
{
	struct transfer_file *file = &transfer->file;
	uint64_t piece;
	while (file->count > 0 && (piece = transfer_piece(transfer)) > 0) {
		struct backend_extent extent;
		uint64_t wanted = smaller(file->count, smaller(piece, SENDFILE_BYTES));
		int found = file->backend->extent(file->file, file->offset, wanted, &extent);
		if (found == -ENOTSUP) {
			transfer->kind = &text_kind;
			return turn_text(transfer, room);
		}
		if (found <= 0)
			return found < 0 ? found : end_of_file(transfer);
		ssize_t sent = send_extent(transfer->fd, &extent);
		if (sent == -EAGAIN)
			return TRANSFER_BLOCKED;
		if (sent <= 0) /* 0: somebody cut the file short */
			return sent < 0 ? (int)sent : end_of_file(transfer);
		transfer->bytes += (uint64_t)sent;
		file->offset += (uint64_t)sent;
		file->count -= (uint64_t)sent;
	}
	return file->count == 0 ? TRANSFER_ENDED : TRANSFER_MORE;
}

/* A client's own connection is that of TCP; but for kernel TLS the gateway is between. */
static bool
is_to_pump(const struct transfer *transfer)
{
	int domain = 0;
	socklen_t length = sizeof(domain);
	return getsockopt(transfer->fd, SOL_SOCKET, SO_DOMAIN, &domain, &length) == 0 &&
	       domain == AF_UNIX;
}

/* The page cache most likely has the whole piece if it has both ends of it. */
static bool
is_cached(struct transfer *transfer)
{
	const struct transfer_file *file = &transfer->file;
	uint64_t length = smaller(file->count, transfer->budget);
	char byte;
	if (file->backend->read_cached == NULL || length == 0)
		return false;
	return file->backend->read_cached(file->file, file->offset, &byte, 1) >= 0 &&
	       file->backend->read_cached(file->file, file->offset + length - 1, &byte, 1) >= 0;
}

/*
 * A pump takes little at a time: to wake a thread for each piece costs more than the piece. A
 * client's connection takes much, and goes on meanwhile. Several would share one processor here.
 */
static bool
is_quick(struct transfer *transfer)
{
	return transfer_is_alone(transfer) && is_to_pump(transfer) && is_cached(transfer);
}

static const struct transfer_kind image_kind = {
	.ready = EV_WRITE, .is_brief = true, .turn = turn_image, .is_quick = is_quick
};

/* ---- starting ---- */

int
transfer_send(const struct transfer_options *options, const struct transfer_file *source)
{
	bool image = source->form == PATHIO_FORM_IMAGE && options->coding == PATHIO_CODING_NONE;
	return transfer_start(&(struct transfer){
		.kind = image ? &image_kind : &text_kind,
		.options = *options,
		.file = *source,
	});
}

int
transfer_send_listing(const struct transfer_options *options, struct listing_text *text)
{
	return transfer_start(
		&(struct transfer){ .kind = &text_kind, .options = *options, .text = text });
}

int
transfer_send_tree(const struct transfer_options *options, struct memory_save *save)
{
	return transfer_start(
		&(struct transfer){ .kind = &text_kind, .options = *options, .save = save });
}
