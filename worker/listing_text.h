/*
 * A listing as text in the style that a client asked for: lines as `ls -l` prints them, names, or
 * facts. Made in pieces, so that a directory of any size needs the memory of one piece.
 */
#ifndef SALLYPORT_WORKER_LISTING_TEXT_H
#define SALLYPORT_WORKER_LISTING_TEXT_H

#include "worker/access.h"
#include "worker/listing.h"

/*
 * A line of LIST: 80 bytes of columns, two owners, a name, the target of a link, these two in any
 * charset.
 */
enum { LISTING_LINE_BYTES_MAX = 14 * 1024 };

struct listing_text;

/* LIST shows this uid and gid by this name, all others by number; no name: all by number. */
struct listing_owner {
	struct bytes name;
	uint32_t uid;
	uint32_t gid;
};

struct listing_text_options {
	enum pathio_style style;
	uint32_t facts;
	bool dots;
	bool local_times;
	struct bytes prefix;     /* copied; in the words of the client */
	struct charset *charset; /* of names; NULL: as they are stored */
	const struct listing_owner *owner;
	const struct access *access;
	const struct rights *const *rights; /* of the session, as they are at each piece */
};

/* `listing` is borrowed and outlives the text. 0 or negative errno. */
MUST_CHECK int listing_text_new(struct listing *listing, const struct listing_text_options *options,
	struct listing_text **result);

/* Sets *text to NULL. NULL is fine. */
void listing_text_free(struct listing_text **text);

/*
 * The next piece: whole lines, each with its CRLF, of `capacity` (at least LISTING_LINE_BYTES_MAX)
 * bytes at most. Bytes written, or negative errno after the lines before it were handed out. *ended
 * becomes true with the last piece; a piece may be empty before that.
 */
MUST_CHECK int
listing_text_fill(struct listing_text *text, char *buffer, size_t capacity, bool *ended);

#endif
