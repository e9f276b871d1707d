/*
 * A listing as text in the style that a client asked for: lines as `ls -l` prints them, names, or
 * facts. Made in pieces, so that a directory of any size needs the memory of one piece (and what
 * sorting keeps, see listing_order.h).
 */
#ifndef SALLYPORT_WORKER_LISTING_TEXT_H
#define SALLYPORT_WORKER_LISTING_TEXT_H

#include "worker/listing_line.h"

/* What a piece must have room for: a line, or the head of a folder with "." and "..". */
enum { LISTING_PIECE_BYTES_MIN = LISTING_LINE_BYTES_MAX + 2 * LISTING_COLUMNS_BYTES_MAX };

struct listing_text;

struct listing_text_options {
	enum pathio_style style;
	uint32_t facts;
	uint32_t show; /* of enum pathio_show */
	enum pathio_order order;
	bool local_times;
	struct bytes prefix;     /* copied; in the words of the client, as `below` is */
	struct bytes below;      /* copied */
	struct charset *charset; /* of names; NULL: as they are stored */
	const struct listing_owner *owner;
	const struct access *access;
	const struct rights *const *rights; /* of the session, as they are at each piece */
};

/* `listing` is borrowed and outlives the text. 0 or negative errno, also those of a walk. */
MUST_CHECK int listing_text_new(struct listing *listing, const struct listing_text_options *options,
	struct listing_text **result);

/* Sets *text to NULL. NULL is fine. */
void listing_text_free(struct listing_text **text);

/*
 * The next piece: whole lines, each with its CRLF, of `capacity` (at least LISTING_PIECE_BYTES_MIN)
 * bytes at most. Bytes written, or negative errno after the lines before it were handed out. *ended
 * becomes true with the last piece; a piece may be empty before that.
 */
MUST_CHECK int
listing_text_fill(struct listing_text *text, char *buffer, size_t capacity, bool *ended);

#endif
