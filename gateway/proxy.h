/*
 * The PROXY protocol, versions 1 and 2 (haproxy's proxy-protocol.txt): what a proxy says first on a
 * connection, of whom it relays. The header is read to its last byte and not a byte further.
 */
#ifndef SALLYPORT_GATEWAY_PROXY_H
#define SALLYPORT_GATEWAY_PROXY_H

#include "ipc/wire.h"

enum {
	PROXY_V1_BYTES_MAX = 107,
	PROXY_V2_BYTES_MAX =
		4096, /* with all that is said beside addresses; nobody sends as much */
};

/* What has been read of a header; all zero: nothing. */
struct proxy_header {
	uint8_t bytes[PROXY_V1_BYTES_MAX]; /* the addresses of version 2 fit in as well */
	uint16_t length;                   /* of them; what is read beyond is dropped */
	uint16_t dropped;
};

/*
 * Whom the proxy speaks for, and what that client connected to. Not claimed (a health check of the
 * proxy's own, a family that it has no words for): the connection's own addresses hold.
 */
struct proxy_claim {
	bool is_claimed;
	struct wire_address source;
	struct wire_address destination;
};

/*
 * Reads on: 0 and *claim once the header is complete; -EAGAIN: the rest is not there yet; -EBADMSG:
 * this is no header; or what ended the connection.
 */
MUST_CHECK int proxy_read(struct proxy_header *header, int fd, struct proxy_claim *claim);

/* ---- for tests ---- */

/*
 * How many of these first bytes of a connection belong to the header, and how long it is in all (0:
 * not known yet). 0 or -EBADMSG.
 */
MUST_CHECK int proxy_measure(const uint8_t *bytes, size_t length, size_t *belonging, size_t *total);

/* A header's first bytes, up to PROXY_V1_BYTES_MAX if it has as many. 0 or -EBADMSG. */
MUST_CHECK int proxy_parse(const uint8_t *bytes, size_t length, struct proxy_claim *claim);

#endif
