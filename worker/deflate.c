/*
 * The stream of MODE Z (see deflate.h). Runs in the worker, as the user; what is inflated are a
 * stranger's bytes, and zlib, foreign code, reads them (packaging/notes/TRUST.md). How much comes
 * out is bounded by whoever gives the room (HOSTILE 34).
 */
#include "worker/deflate.h"

#include "ipc/base/ends.h"

#include <errno.h>
#include <stdlib.h>
#define ZLIB_CONST
#include <zlib.h>

struct deflater {
	z_stream stream;
};

struct inflater {
	z_stream stream;
	bool has_ended;
};

/* The errno of zlib's words. */
static int
error_of(int result)
{
	switch (result) {
	case Z_MEM_ERROR:
		return -ENOMEM;
	case Z_DATA_ERROR:
	case Z_NEED_DICT:
		return -EBADMSG;
	default:
		return -EINVAL;
	}
}

/* ---- making ---- */

int
deflater_new(unsigned level, struct deflater **result)
{
	if (level > Z_BEST_COMPRESSION)
		return -EINVAL;
	struct deflater *deflater = calloc(1, sizeof(*deflater));
	if (deflater == NULL)
		return -ENOMEM;
	int begun = deflateInit(&deflater->stream, (int)level);
	if (begun != Z_OK) {
		free(deflater);
		return error_of(begun);
	}
	*result = deflater;
	return 0;
}

void
deflater_free(struct deflater **deflater)
{
	struct deflater *freed = *deflater;
	*deflater = NULL;
	if (freed == NULL)
		return;
	(void)deflateEnd(&freed->stream); /* it may be freed in its middle */
	free(freed);
}

size_t
deflater_put(struct deflater *deflater, struct bytes piece, bool is_last, char *output)
{
	z_stream *stream = &deflater->stream;
	size_t room = DEFLATE_ROOM_BYTES(piece.length);
	ensure(room <= UINT_MAX);
	stream->next_in = (const Bytef *)piece.data;
	stream->avail_in = (uInt)piece.length;
	stream->next_out = (Bytef *)output;
	stream->avail_out = (uInt)room;
	int result = deflate(stream, is_last ? Z_FINISH : Z_NO_FLUSH);
	/* Z_BUF_ERROR: an empty piece, and nothing to do. */
	ensure(result == (is_last ? Z_STREAM_END : Z_OK) ||
		(result == Z_BUF_ERROR && piece.length == 0 && !is_last));
	ensure(stream->avail_in == 0 && stream->avail_out > 0);
	return room - stream->avail_out;
}

/* ---- taking apart ---- */

int
inflater_new(struct inflater **result)
{
	struct inflater *inflater = calloc(1, sizeof(*inflater));
	if (inflater == NULL)
		return -ENOMEM;
	int begun = inflateInit(&inflater->stream);
	if (begun != Z_OK) {
		free(inflater);
		return error_of(begun);
	}
	*result = inflater;
	return 0;
}

void
inflater_free(struct inflater **inflater)
{
	struct inflater *freed = *inflater;
	*inflater = NULL;
	if (freed == NULL)
		return;
	(void)inflateEnd(&freed->stream);
	free(freed);
}

/* One call of zlib: its word. */
static int
inflate_some(
	struct inflater *inflater, struct bytes *input, char *output, size_t room, size_t *written)
{
	z_stream *stream = &inflater->stream;
	ensure(input->length <= UINT_MAX && room <= UINT_MAX);
	stream->next_in = (const Bytef *)input->data;
	stream->avail_in = (uInt)input->length;
	stream->next_out = (Bytef *)output;
	stream->avail_out = (uInt)room;
	int result = inflate(stream, Z_NO_FLUSH);
	size_t used = input->length - stream->avail_in;
	*input = bytes_of(input->data + used, input->length - used);
	*written = room - stream->avail_out;
	return result;
}

int
inflater_take(
	struct inflater *inflater, struct bytes *input, char *output, size_t room, size_t *written)
{
	*written = 0;
	if (!inflater->has_ended) {
		int result = inflate_some(inflater, input, output, room, written);
		inflater->has_ended = result == Z_STREAM_END;
		/* Z_BUF_ERROR: no input, or no room, and nothing has gone wrong. */
		if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR)
			return error_of(result);
	}
	if (!inflater->has_ended)
		return INFLATE_GOES_ON;
	return input->length == 0 ? INFLATE_ENDED : -EBADMSG;
}
