/*
 * The bytes of a control connection (see stream.h). Runs in the gateway; system calls and TLS only.
 */
#include "gateway/stream.h"

#include "gateway/tls.h"
#include "ipc/base/scope.h"

#include <errno.h>
#include <sys/socket.h>

enum { DISCARD_BYTES_MAX = 64 * 1024 };

int
stream_read(struct stream *stream, char *buffer, size_t capacity)
{
	ssize_t length;
	if (stream->tls != NULL)
		return tls_read(stream->tls, buffer, capacity);
	do
		length = recv(stream->fd, buffer, capacity, MSG_DONTWAIT);
	while (length < 0 && errno == EINTR);
	return length < 0 ? -errno : (int)length;
}

int
stream_write(struct stream *stream, const char *data, size_t length)
{
	ssize_t written;
	if (stream->tls != NULL)
		return tls_write(stream->tls, data, length);
	do
		written = send(stream->fd, data, length, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (written < 0 && errno == EINTR);
	return written < 0 ? -errno : (int)written;
}

int
stream_flush(struct stream *stream)
{
	return stream->tls == NULL ? 0 : tls_flush(stream->tls);
}

bool
stream_has_more(const struct stream *stream)
{
	return stream->tls != NULL && tls_has_more(stream->tls);
}

bool
stream_is_waiting(const struct stream *stream)
{
	char byte;
	return recv(stream->fd, &byte, 1, MSG_DONTWAIT | MSG_PEEK) > 0;
}

bool
stream_is_at_end(const struct stream *stream)
{
	char byte;
	if (stream->tls != NULL)
		return tls_is_at_end(stream->tls);
	ssize_t length = recv(stream->fd, &byte, 1, MSG_DONTWAIT | MSG_PEEK);
	return length == 0 || (length < 0 && errno != EAGAIN && errno != EINTR);
}

/*
 * Closing a TCP socket with unread bytes resets it, and a reset takes what was written last with
 * it: our 421. MSG_TRUNC reads TCP bytes without copying them (tcp(7)).
 */
void
stream_close(struct stream *stream)
{
	if (stream->tls != NULL)
		(void)!tls_end(stream->tls);
	tls_free(&stream->tls);
	ssize_t discarded = recv(stream->fd, NULL, DISCARD_BYTES_MAX, MSG_DONTWAIT | MSG_TRUNC);
	(void)discarded;
	fd_close(&stream->fd);
}
