/*
 * Line ends of TYPE A: a stream that is cut anywhere converts as the whole does; what is sent has
 * no line end without its return; what has only plain line ends comes back as it was. Input: where
 * to cut (one byte), then the stream.
 */
#include "ipc/base/ends.h"
#include "tests/fuzz/target.h"
#include "worker/ascii.h"

#include <stdlib.h>

struct converted {
	char *bytes;
	size_t length;
};

static struct converted
convert(bool encodes, struct bytes input, size_t piece)
{
	struct converted result = { .bytes = malloc(2 * input.length + 1) };
	struct ascii ascii = { .after_cr = false };
	ensure(result.bytes != NULL);
	for (size_t at = 0; at < input.length; at += piece) {
		size_t left = input.length - at;
		struct bytes part = bytes_of(input.data + at, left < piece ? left : piece);
		char *output = result.bytes + result.length;
		result.length += encodes ? ascii_encode(&ascii, part, output)
					 : ascii_decode(&ascii, part, output);
	}
	if (!encodes)
		result.length += ascii_decode_end(&ascii, result.bytes + result.length);
	return result;
}

static void
check_cut(bool encodes, struct bytes input, size_t piece)
{
	struct converted whole = convert(encodes, input, input.length + 1);
	struct converted cut = convert(encodes, input, piece);
	ensure(bytes_equal(bytes_of(whole.bytes, whole.length), bytes_of(cut.bytes, cut.length)));
	if (encodes)
		for (size_t i = 0; i < whole.length; i++)
			ensure(whole.bytes[i] != '\n' || (i > 0 && whole.bytes[i - 1] == '\r'));
	free(whole.bytes);
	free(cut.bytes);
}

static void
check_there_and_back(struct bytes input)
{
	struct converted there = convert(true, input, input.length + 1);
	struct converted back =
		convert(false, bytes_of(there.bytes, there.length), there.length + 1);
	if (memchr(input.data, '\r', input.length) == NULL)
		ensure(bytes_equal(bytes_of(back.bytes, back.length), input));
	ensure(back.length <= input.length);
	free(there.bytes);
	free(back.bytes);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
	if (length < 2)
		return 0;
	struct bytes input = bytes_of(data + 1, length - 1);
	size_t piece = (size_t)data[0] + 1;
	check_cut(true, input, piece);
	check_cut(false, input, piece);
	check_there_and_back(input);
	return 0;
}
