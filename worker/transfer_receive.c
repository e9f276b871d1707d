/*
 * Transfers into the worker (see transfer.h): what the peer sends goes to the file until the peer
 * ends the stream. Runs in the worker, as the user. Whether that end was an honest one, the gateway
 * knows; only a reset is seen here, and a deflated stream that lacks its end.
 *
 * What a turn has no time to inflate stays in the socket: it is looked at first, and only what was
 * used is taken. So nothing has to be kept between turns, and the descriptor stays ready as long as
 * there is something to do.
 */
#include "worker/transfer_private.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <time.h>

enum { THICK_BYTES = 64 * 1024, MOMENT_NS = 1000000 };

static int
write_file(struct transfer *transfer, const char *data, size_t length)
{
	struct transfer_file *file = &transfer->file;
	if (length > file->count)
		return -EFBIG;
	if (file->count != UINT64_MAX)
		file->count -= length;
	while (length > 0) {
		ssize_t written = file->backend->write(file->file, file->offset, data, length);
		if (written <= 0)
			return written < 0 ? (int)written : -EIO;
		file->offset += (uint64_t)written;
		data += written;
		length -= (size_t)written;
	}
	return 0;
}

static int
store(struct transfer *transfer, struct transfer_room *room, struct bytes piece)
{
	if (transfer->file.form == PATHIO_FORM_IMAGE)
		return write_file(transfer, piece.data, piece.length);
	size_t converted = ascii_decode(&transfer->ascii, piece, room->converted);
	return write_file(transfer, room->converted, converted);
}

static int
end_of_stream(struct transfer *transfer, struct transfer_room *room)
{
	size_t held_back = ascii_decode_end(&transfer->ascii, room->converted);
	int error = write_file(transfer, room->converted, held_back);
	if (error < 0)
		return error;
	bool is_short = transfer->file.count != UINT64_MAX && transfer->file.count > 0;
	return is_short ? -ENODATA : TRANSFER_ENDED;
}

/*
 * On a thread that has had much since it last waited: is the next in a moment's time there? To give
 * the transfer back to the loop and to be sent it again would cost more.
 */
static bool
more_comes(const struct transfer *transfer, uint64_t *come)
{
	const struct timespec moment = { .tv_nsec = MOMENT_NS };
	struct pollfd wanted = { .fd = transfer->fd, .events = POLLIN };
	bool is_thick = transfer->stop_us != 0 && *come >= THICK_BYTES;
	*come = 0;
	return is_thick && ppoll(&wanted, 1, &moment, NULL) > 0;
}

static int
turn_receive(struct transfer *transfer, struct transfer_room *room)
{
	uint64_t piece, come = 0;
	while ((piece = transfer_piece(transfer)) > 0) {
		size_t wanted = piece < sizeof(room->buffer) ? piece : sizeof(room->buffer);
		ssize_t length = recv(transfer->fd, room->buffer, wanted, 0);
		if (length < 0 &&
			(errno == EINTR || (errno == EAGAIN && more_comes(transfer, &come))))
			continue;
		if (length < 0)
			return errno == EAGAIN ? TRANSFER_BLOCKED : -errno;
		if (length == 0)
			return end_of_stream(transfer, room);
		transfer->bytes += (uint64_t)length;
		come += (uint64_t)length;
		int error = store(transfer, room, bytes_of(room->buffer, (size_t)length));
		if (error < 0)
			return error;
	}
	return TRANSFER_MORE;
}

/* ---- deflated ---- */

/* Behind what is looked at in room->buffer. */
static char *
inflated_in(struct transfer_room *room)
{
	return room->buffer + TRANSFER_PIECE_BYTES;
}

/*
 * Inflates and stores until *input is used up, the budget is, or the stream has ended: enum
 * inflate_end or negative errno.
 */
static int
store_inflated(struct transfer *transfer, struct transfer_room *room, struct bytes *input)
{
	char *inflated = inflated_in(room);
	size_t written;
	int result;
	do {
		size_t wanted = transfer->budget;
		result = inflater_take(transfer->inflater, input, inflated, wanted, &written);
		int error = store(transfer, room, bytes_of(inflated, written));
		if (error < 0)
			return error;
		transfer->budget -= written;
	} while (result == INFLATE_GOES_ON && input->length > 0 && transfer->budget > 0);
	return result;
}

/*
 * What was used of what was looked at is there, for sure. It counts as work too: a stream may go on
 * for ever and bring nothing.
 */
static int
take_from_socket(struct transfer *transfer, struct transfer_room *room, size_t length)
{
	transfer->budget -= length < transfer->budget ? length : transfer->budget;
	while (length > 0) {
		ssize_t taken = recv(transfer->fd, room->buffer, length, 0);
		if (taken < 0 && errno == EINTR)
			continue;
		if (taken <= 0)
			return taken < 0 ? -errno : -ECONNRESET;
		transfer->bytes += (uint64_t)taken;
		length -= (size_t)taken;
	}
	return 0;
}

/* The peer has ended the stream: what zlib still holds is little, the rest of a few matches. */
static int
end_of_deflated(struct transfer *transfer, struct transfer_room *room)
{
	struct bytes nothing = bytes_of("", 0);
	transfer->budget = TRANSFER_CODED_BYTES;
	int result = store_inflated(transfer, room, &nothing);
	if (result < 0)
		return result;
	return result == INFLATE_ENDED ? end_of_stream(transfer, room) : -ECONNRESET;
}

static int
turn_inflate(struct transfer *transfer, struct transfer_room *room)
{
	while (transfer->budget > 0) {
		ssize_t length = recv(transfer->fd, room->buffer, TRANSFER_PIECE_BYTES, MSG_PEEK);
		if (length < 0 && errno == EINTR)
			continue;
		if (length < 0)
			return errno == EAGAIN ? TRANSFER_BLOCKED : -errno;
		if (length == 0)
			return end_of_deflated(transfer, room);
		struct bytes left = bytes_of(room->buffer, (size_t)length);
		int result = store_inflated(transfer, room, &left);
		int error = take_from_socket(transfer, room, (size_t)length - left.length);
		if (result < 0 || error < 0)
			return result < 0 ? result : error;
	}
	return TRANSFER_MORE;
}

/* At the start there is often nothing yet, and no thread is needed to see that. */
static bool
has_nothing(struct transfer *transfer)
{
	char byte;
	return !transfer->waits && recv(transfer->fd, &byte, 1, MSG_PEEK) < 0 && errno == EAGAIN;
}

static const struct transfer_kind receive_kind = {
	.ready = EV_READ, .is_brief = true, .turn = turn_receive, .has_nothing = has_nothing
};

static const struct transfer_kind inflate_kind = {
	.ready = EV_READ, .turn = turn_inflate, .has_nothing = has_nothing
};

int
transfer_receive(const struct transfer_options *options, const struct transfer_file *destination)
{
	bool is_coded = options->coding != PATHIO_CODING_NONE;
	return transfer_start(&(struct transfer){
		.kind = is_coded ? &inflate_kind : &receive_kind,
		.options = *options,
		.file = *destination,
	});
}
