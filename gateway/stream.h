/*
 * The bytes of a control connection. Everything that a session reads or writes passes through
 * here, so that what protects the connection has one place.
 */
#ifndef SALLYPORT_GATEWAY_STREAM_H
#define SALLYPORT_GATEWAY_STREAM_H

#include "ipc/base/compiler.h"

#include <stdbool.h>
#include <stddef.h>

struct tls;

struct stream {
	int fd;          /* owned; non-blocking */
	struct tls *tls; /* owned; NULL: in the clear */
};

/* Bytes read (more than 0), 0 at the peer's end, -EAGAIN, or the negative errno that ended it. */
MUST_CHECK int stream_read(struct stream *stream, char *buffer, size_t capacity);

/* Is something there to be read, although the descriptor may not be readable? */
bool stream_has_more(const struct stream *stream);

/* Bytes taken, -EAGAIN, or the negative errno that ended it. stream_flush() sends them. */
MUST_CHECK int stream_write(struct stream *stream, const char *data, size_t length);

/* 0 once all that was written is sent, -EAGAIN, or the negative errno that ended it. */
MUST_CHECK int stream_flush(struct stream *stream);

/* Is something there that nobody has read yet? */
bool stream_is_waiting(const struct stream *stream);

/* Is there nothing more to read, now and for ever? */
bool stream_is_at_end(const struct stream *stream);

/*
 * Ends it gently: what was written still arrives, although the peer may have sent bytes that
 * nobody will read. Closes the descriptor and sets it to -1.
 */
void stream_close(struct stream *stream);

#endif
