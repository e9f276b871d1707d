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
store(struct transfer *transfer, size_t length)
{
	if (transfer->file.form == PATHIO_FORM_IMAGE)
		return write_file(transfer, transfer_buffer, length);
	size_t converted = ascii_decode(
		&transfer->ascii, bytes_of(transfer_buffer, length), transfer_converted);
	return write_file(transfer, transfer_converted, converted);
}

static int
end_of_stream(struct transfer *transfer)
{
	size_t held_back = ascii_decode_end(&transfer->ascii, transfer_converted);
	int error = write_file(transfer, transfer_converted, held_back);
	return error < 0 ? error : TRANSFER_ENDED;
}

static int
turn_receive(struct transfer *transfer, uint64_t budget)
{
	uint64_t stop_at = transfer->bytes + budget;
	while (transfer->bytes < stop_at) {
		ssize_t length = recv(transfer->fd, transfer_buffer, sizeof(transfer_buffer), 0);
		if (length < 0 && errno == EINTR)
			continue;
		if (length < 0)
			return errno == EAGAIN ? TRANSFER_BLOCKED : -errno;
		if (length == 0)
			return end_of_stream(transfer);
		transfer->bytes += (uint64_t)length;
		int error = store(transfer, (size_t)length);
		if (error < 0)
			return error;
	}
	return TRANSFER_MORE;
}

static const struct transfer_kind receive_kind = { .ready = EV_READ, .turn = turn_receive };

void
transfer_receive(const struct transfer_options *options, const struct transfer_file *destination)
{
	transfer_start(&(struct transfer){
		.kind = &receive_kind, .options = *options, .file = *destination });
}
