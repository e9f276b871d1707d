/*
 * Replies on their way (see outbox.h). Runs in the gateway. Who fills it bounds it: a session takes
 * no further command while its outbox cannot be written.
 */
#include "gateway/outbox.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { OUTBOX_FIRST_BYTES = 256 };

/* Makes room for so many bytes more: 0 or -ENOMEM. */
static int
reserve(struct outbox *outbox, size_t more)
{
	size_t needed = outbox->end + more;
	if (needed <= outbox->capacity)
		return 0;
	if (needed > UINT32_MAX / 2)
		return -ENOMEM;
	size_t capacity = outbox->capacity == 0 ? OUTBOX_FIRST_BYTES : outbox->capacity;
	while (capacity < needed)
		capacity *= 2;
	char *data = realloc(outbox->data, capacity);
	if (data == NULL)
		return -ENOMEM;
	outbox->data = data;
	outbox->capacity = (uint32_t)capacity;
	return 0;
}

int
outbox_add(struct outbox *outbox, struct bytes bytes)
{
	if (reserve(outbox, bytes.length) < 0)
		return -ENOMEM;
	memcpy(outbox->data + outbox->end, bytes.data, bytes.length);
	outbox->end += (uint32_t)bytes.length;
	return 0;
}

int
outbox_add_line(struct outbox *outbox, const char *format, va_list arguments)
{
	va_list measured;
	va_copy(measured, arguments);
	int length = vsnprintf(NULL, 0, format, measured);
	va_end(measured);
	if (length < 0 || reserve(outbox, (size_t)length + sizeof("\r\n")) < 0)
		return -ENOMEM;
	vsnprintf(outbox->data + outbox->end, (size_t)length + 1, format, arguments);
	outbox->end += (uint32_t)length;
	return outbox_add(outbox, bytes_of_text("\r\n"));
}

int
outbox_flush(struct outbox *outbox, struct stream *stream)
{
	while (outbox_length(outbox) > 0) {
		int written =
			stream_write(stream, outbox->data + outbox->start, outbox_length(outbox));
		if (written < 0)
			return written;
		outbox->start += (uint32_t)written;
	}
	outbox_clear(outbox);
	return stream_flush(stream);
}

void
outbox_clear(struct outbox *outbox)
{
	free(outbox->data);
	*outbox = (struct outbox){ .data = NULL };
}
