/*
 * Replies on their way to a client: collected in memory, so that several go out in one write.
 */
#ifndef SALLYPORT_GATEWAY_OUTBOX_H
#define SALLYPORT_GATEWAY_OUTBOX_H

#include "gateway/stream.h"
#include "ipc/base/bytes.h"

#include <stdarg.h>
#include <stdint.h>

/* All zero: empty. Holds no memory while empty. */
struct outbox {
	char *data;
	uint32_t start; /* the first byte not yet written */
	uint32_t end;
	uint32_t capacity;
};

/* Appends one line and its CRLF: 0 or -ENOMEM. */
PRINTF_LIKE(2, 0)
MUST_CHECK int outbox_add_line(struct outbox *outbox, const char *format, va_list arguments);

/* Appends bytes as they are: 0 or -ENOMEM. */
MUST_CHECK int outbox_add(struct outbox *outbox, struct bytes bytes);

/* Writes what the stream takes: 0 (and all of it sent), -EAGAIN, or the errno that ended the
 * stream. */
MUST_CHECK int outbox_flush(struct outbox *outbox, struct stream *stream);

static inline uint32_t
outbox_length(const struct outbox *outbox)
{
	return outbox->end - outbox->start;
}

void outbox_clear(struct outbox *outbox);

#endif
