/*
 * One line of a listing: as `ls -l` prints it, a name, or facts. Whatever the name holds, it is one
 * line, and no terminal takes anything in it for a command (HOSTILE 15).
 */
#ifndef SALLYPORT_WORKER_LISTING_LINE_H
#define SALLYPORT_WORKER_LISTING_LINE_H

#include "worker/charset.h"
#include "worker/facts.h"
#include "worker/listing.h"

enum {
	LISTING_COLUMNS_BYTES_MAX = 1024, /* of LIST with two owners, or of facts; and marks */
	/* Columns, what stands before a name, its folder, the name, the target of a link. */
	LISTING_LINE_BYTES_MAX = LISTING_COLUMNS_BYTES_MAX + PATH_BYTES_MAX +
				 CHARSET_GROWTH * (2 * PATH_BYTES_MAX + NAME_BYTES_MAX),
};

/* LIST shows this uid and gid by this name, all others by number; no name: all by number. */
struct listing_owner {
	struct bytes name;
	uint32_t uid;
	uint32_t gid;
};

/* What is the same for many lines. `style`, `facts`, `has_marks`, `owner`, `access` are set once.
 */
struct listing_lines {
	enum pathio_style style;
	uint32_t facts;
	bool has_marks;
	struct charset *charset; /* of names; NULL: as they are stored */
	const struct listing_owner *owner;
	const struct access *access;
	struct stamp stamp;
	struct facts_kept kept;

	/* Of the folder whose entries come. */
	const struct listing *listing;
	struct pathio_attributes parent; /* see listing_lines_look() */
	struct pathio_attributes target;
	struct bytes before; /* each name, in the words of the client */
	struct bytes within; /* the folder, between the two; "": nothing */
};

/* Needed of a folder that has another ->listing, for facts and for "..": 0 or negative errno. */
MUST_CHECK int listing_lines_look(struct listing_lines *lines);

/*
 * Each writes a line with its CRLF, or nothing where the session may not see it: where the next
 * byte goes. There must be room for LISTING_LINE_BYTES_MAX bytes.
 */
char *listing_line_put(char *at, struct listing_lines *lines, const struct backend_entry *entry);

/* "." or "..". */
char *listing_line_put_folder(char *at, struct listing_lines *lines, enum facts_role role);

/* "folder/within:", as ls -R prints it; `folder` in the words of the client. */
char *listing_line_put_head(
	char *at, const struct listing_lines *lines, struct bytes folder, struct bytes within);

#endif
