/*
 * The stream of MODE Z as a client sends it: given and taken in small pieces it comes to the same
 * as in one; no more is written than there is room for, and there is always an end of the work.
 * What comes out deflates and inflates to itself. Input: how to cut (two bytes), then the stream.
 */
#include "ipc/base/ends.h"
#include "tests/fuzz/target.h"
#include "worker/deflate.h"

#include <stdlib.h>

enum { OUTPUT_BYTES_MAX = 256 * 1024 };

struct taken {
	char *bytes;
	size_t length;
	int result;
};

static struct taken
take(struct bytes stream, size_t piece, size_t room)
{
	struct taken taken = { .bytes = malloc(OUTPUT_BYTES_MAX), .result = INFLATE_GOES_ON };
	struct inflater *inflater;
	size_t at = 0, written = 0;
	ensure(taken.bytes != NULL && inflater_new(&inflater) == 0);
	while (taken.result >= 0 && taken.length < OUTPUT_BYTES_MAX &&
		(at < stream.length || written == room)) {
		size_t left = stream.length - at, left_room = OUTPUT_BYTES_MAX - taken.length;
		struct bytes input = bytes_of(stream.data + at, left < piece ? left : piece);
		const char *before = input.data;
		room = room < left_room ? room : left_room;
		taken.result =
			inflater_take(inflater, &input, taken.bytes + taken.length, room, &written);
		ensure(written <= room);
		ensure(written > 0 || input.data > before || taken.result != INFLATE_GOES_ON ||
			left == 0);
		taken.length += written;
		at += (size_t)(input.data - before);
	}
	inflater_free(&inflater);
	return taken;
}

static void
check_there_and_back(struct bytes plain, unsigned level)
{
	char *stream = malloc(DEFLATE_ROOM_BYTES(plain.length));
	struct deflater *deflater;
	ensure(stream != NULL && deflater_new(level, &deflater) == 0);
	size_t length = deflater_put(deflater, plain, true, stream);
	deflater_free(&deflater);
	struct taken back = take(bytes_of(stream, length), length, OUTPUT_BYTES_MAX);
	ensure(bytes_equal(bytes_of(back.bytes, back.length), plain));
	free(back.bytes);
	free(stream);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
	if (length < 3)
		return 0;
	struct bytes stream = bytes_of(data + 2, length - 2);
	struct taken whole = take(stream, stream.length, OUTPUT_BYTES_MAX);
	struct taken cut = take(stream, (size_t)data[0] + 1, ((size_t)data[1] + 1) * 16);
	/* A damage may be seen before all that came before it was written. */
	if (whole.result >= 0 && whole.length < OUTPUT_BYTES_MAX) {
		ensure(cut.result == whole.result);
		ensure(bytes_equal(
			bytes_of(whole.bytes, whole.length), bytes_of(cut.bytes, cut.length)));
	} else if (whole.length < OUTPUT_BYTES_MAX) {
		ensure(cut.result < 0);
	}
	check_there_and_back(bytes_of(whole.bytes, whole.length), data[0] % 10);
	free(whole.bytes);
	free(cut.bytes);
	return 0;
}
