/*
 * Lines of a control connection: Telnet sequences removed, ends found, lengths bounded (FTP 1;
 * RFC 959 4.1.3 and 5.3, RFC 854, RFC 1123 4.1.2.12).
 *
 * A line ends in CRLF or a bare LF and has at most LINE_BYTES_MAX bytes before that. IAC and what
 * belongs to it vanish wherever they stand, also across reads; IAC IAC is one byte 255. Options
 * that a client offers are not answered: no server ever accepted one.
 *
 * Reading uses one buffer for the whole process. Between turns a connection keeps only what it has
 * of an unfinished line and bytes that came after it, in memory of its own; nothing when idle.
 */
#ifndef SALLYPORT_GATEWAY_LINE_H
#define SALLYPORT_GATEWAY_LINE_H

#include "ipc/base/bytes.h"

#include <stdint.h>

enum {
	LINE_BYTES_MAX = 4608, /* a path of 4,095 bytes fits with its verb */
	LINE_BUFFER_BYTES = LINE_BYTES_MAX + 512,
};

enum line_result {
	LINE_NONE,     /* no whole line yet */
	LINE_COMPLETE, /* one line, without its end */
	LINE_BROKEN,   /* it held a NUL or a bare CR; not to be executed */
	LINE_TOO_LONG, /* skipped to its end */
};

/* What a connection keeps between turns. All zero: a new connection. */
struct line_reader {
	char *kept;       /* the unfinished line as far as it came, then bytes not looked at */
	uint16_t length;  /* of kept */
	uint16_t decoded; /* of these the unfinished line */
	uint8_t telnet;   /* enum telnet_state */
	bool is_after_cr;
	bool is_broken;
	bool is_too_long;
};

/* The read buffer, of one connection at a time. */
struct line_buffer {
	size_t decoded; /* bytes of the unfinished line, from the start */
	size_t next;    /* the first byte not looked at */
	size_t length;  /* the end of what was read */
	bool is_taken;  /* the decoded bytes are the line that was handed out last */
	char data[LINE_BUFFER_BYTES];
};

/* Begins a turn: moves what the connection kept into the buffer. */
void line_load(struct line_reader *reader, struct line_buffer *buffer);

/* The next line; `*line` is set on LINE_COMPLETE and points into the buffer until the next call. */
MUST_CHECK enum line_result
line_next(struct line_reader *reader, struct line_buffer *buffer, struct bytes *line);

/*
 * Where to read more bytes to, after line_next() has answered LINE_NONE; never less than 512.
 * line_add() says how many came.
 */
char *line_space(struct line_buffer *buffer, size_t *capacity);
void line_add(struct line_buffer *buffer, size_t length);

/* Wipes the line that was handed out last: it held a secret. */
void line_wipe(struct line_buffer *buffer);

/* Ends a turn: keeps what is left for the connection. 0 or -ENOMEM. */
MUST_CHECK int line_store(struct line_reader *reader, struct line_buffer *buffer);

/* Has the connection bytes that line_next() has not looked at? */
bool line_has_more(const struct line_reader *reader);

/* Forgets everything, as for a connection that has ended. */
void line_clear(struct line_reader *reader);

#endif
