/*
 * The stream of MODE Z: one zlib stream (RFC 1950) for each transfer, made and taken in pieces of
 * any size (draft-preston-ftpext-deflate-04). Only here is zlib asked for it.
 *
 * What a stream holds is constant: about 270 KiB to make one, about 50 KiB to take one apart.
 */
#ifndef SALLYPORT_WORKER_DEFLATE_H
#define SALLYPORT_WORKER_DEFLATE_H

#include "ipc/base/bytes.h"

struct deflater;
struct inflater;

/*
 * What a piece of `length` bytes can become, with all that zlib held back from earlier ones: at
 * worst they are stored as they are, with a header for each 16 KiB.
 */
enum { DEFLATE_HELD_BYTES = 256 * 1024 };
#define DEFLATE_ROOM_BYTES(length) ((length) + (length) / 16 + DEFLATE_HELD_BYTES)

/* `level` as in pathio.def. 0, -EINVAL or -ENOMEM. */
MUST_CHECK int deflater_new(unsigned level, struct deflater **result);

/* Sets *deflater to NULL. NULL is fine. */
void deflater_free(struct deflater **deflater);

/*
 * Takes all of `piece`; the stream is whole after the last one. `output` has
 * DEFLATE_ROOM_BYTES(piece.length): bytes written, perhaps none.
 */
MUST_CHECK size_t deflater_put(
	struct deflater *deflater, struct bytes piece, bool is_last, char *output);

enum inflate_end { INFLATE_GOES_ON, INFLATE_ENDED };

/* 0 or -ENOMEM. */
MUST_CHECK int inflater_new(struct inflater **result);

/* Sets *inflater to NULL. NULL is fine. */
void inflater_free(struct inflater **inflater);

/*
 * Goes on until *input is used up, `output` is full, or the stream has ended; moves *input past
 * what was read and says how much was written. With `output` full there may be more to come without
 * further input. enum inflate_end; -EBADMSG for what is no such stream, or for input behind its
 * end; -ENOMEM.
 */
MUST_CHECK int inflater_take(
	struct inflater *inflater, struct bytes *input, char *output, size_t room, size_t *written);

#endif
