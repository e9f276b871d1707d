/*
 * Transfers into the worker (see transfer.h): what the peer sends goes to the file until the peer
 * ends the stream. Runs in the worker, as the user. Whether that end was an honest one, the gateway
 * knows; only a reset is seen here.
 */
#include "worker/transfer_private.h"

#include <errno.h>
#include <sys/socket.h>

static int
write_file(struct transfer *transfer, const char *data, size_t length)
{
	struct transfer_file *file = &transfer->file;
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
store(struct transfer *transfer, struct transfer_room *room, size_t length)
{
	if (transfer->file.form == PATHIO_FORM_IMAGE)
		return write_file(transfer, room->buffer, length);
	size_t converted =
		ascii_decode(&transfer->ascii, bytes_of(room->buffer, length), room->converted);
	return write_file(transfer, room->converted, converted);
}

static int
end_of_stream(struct transfer *transfer, struct transfer_room *room)
{
	size_t held_back = ascii_decode_end(&transfer->ascii, room->converted);
	int error = write_file(transfer, room->converted, held_back);
	return error < 0 ? error : TRANSFER_ENDED;
}

static int
turn_receive(struct transfer *transfer, struct transfer_room *room)
{
	uint64_t stop_at = transfer->bytes + transfer->budget;
	while (transfer->bytes < stop_at) {
		ssize_t length = recv(transfer->fd, room->buffer, sizeof(room->buffer), 0);
		if (length < 0 && errno == EINTR)
			continue;
		if (length < 0)
			return errno == EAGAIN ? TRANSFER_BLOCKED : -errno;
		if (length == 0)
			return end_of_stream(transfer, room);
		transfer->bytes += (uint64_t)length;
		int error = store(transfer, room, (size_t)length);
		if (error < 0)
			return error;
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
	.ready = EV_READ, .turn = turn_receive, .is_quick = has_nothing
};

int
transfer_receive(const struct transfer_options *options, const struct transfer_file *destination)
{
	return transfer_start(&(struct transfer){
		.kind = &receive_kind, .options = *options, .file = *destination });
}
