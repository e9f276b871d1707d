/*
 * Line ends of TYPE A (RFC 959 3.1.1.1): CRLF on the wire, LF in the file. A stream is converted
 * in pieces of any size; the state between pieces is one bit, so that a pair that is cut in two is
 * still a pair. A CRLF that already stands in the file is sent as it is, not doubled.
 */
#ifndef SALLYPORT_WORKER_ASCII_H
#define SALLYPORT_WORKER_ASCII_H

#include "ipc/base/bytes.h"

/* All zero at the start of a stream. */
struct ascii {
	bool after_cr; /* the last byte was a CR; decoding holds it back */
};

/* File to wire. `output` has room for twice the input and does not overlap it: bytes written. */
MUST_CHECK size_t ascii_encode(struct ascii *ascii, struct bytes input, char *output);

/* Wire to file. `output` has room for the input and one byte more: bytes written. */
MUST_CHECK size_t ascii_decode(struct ascii *ascii, struct bytes input, char *output);

/* After the last piece: the CR that was held back, if there is one: 0 or 1 bytes. */
MUST_CHECK size_t ascii_decode_end(struct ascii *ascii, char *output);

#endif
