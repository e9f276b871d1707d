/*
 * Lines of a control connection: whatever a client sends and however it is cut into pieces, the
 * lines are the same, hold nothing that ends a line, and are never longer than allowed. Input: the
 * size of the pieces, then the bytes.
 */
#include "gateway/line.h"
#include "ipc/base/ends.h"
#include "tests/fuzz/target.h"

#include <stdlib.h>

struct digest {
	uint64_t lines; /* of their contents, kinds and order */
	uint64_t count;
};

static void
add(struct digest *digest, enum line_result result, struct bytes line)
{
	digest->count++;
	digest->lines = digest->lines * 31 + (uint64_t)result;
	for (size_t i = 0; i < line.length; i++)
		digest->lines = digest->lines * 31 + (unsigned char)line.data[i];
}

static void
take_lines(struct line_reader *reader, struct line_buffer *buffer, struct digest *digest)
{
	struct bytes line = bytes_of("", 0);
	enum line_result result;
	while ((result = line_next(reader, buffer, &line)) != LINE_NONE) {
		if (result != LINE_COMPLETE)
			line.length = 0;
		ensure(line.length <= LINE_BYTES_MAX);
		ensure(memchr(line.data, '\n', line.length) == NULL);
		ensure(memchr(line.data, '\r', line.length) == NULL);
		ensure(memchr(line.data, '\0', line.length) == NULL);
		add(digest, result, line);
	}
}

static struct digest
feed(struct bytes in, size_t piece)
{
	static struct line_buffer buffer;
	struct line_reader reader = { .kept = NULL };
	struct digest digest = { .count = 0 };
	while (in.length > 0) {
		size_t capacity;
		line_load(&reader, &buffer);
		char *space = line_space(&buffer, &capacity);
		ensure(capacity >= LINE_BUFFER_BYTES - LINE_BYTES_MAX);
		size_t count = in.length < piece ? in.length : piece;
		count = count < capacity ? count : capacity;
		memcpy(space, in.data, count);
		line_add(&buffer, count);
		in = bytes_of(in.data + count, in.length - count);
		take_lines(&reader, &buffer, &digest);
		ensure(line_store(&reader, &buffer) == 0);
		ensure(reader.length <= LINE_BYTES_MAX && !line_has_more(&reader));
	}
	line_clear(&reader);
	return digest;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
	if (length == 0)
		return 0;
	struct bytes in = bytes_of(data + 1, length - 1);
	struct digest whole = feed(in, SIZE_MAX);
	struct digest pieces = feed(in, (size_t)data[0] + 1);
	ensure(whole.count == pieces.count && whole.lines == pieces.lines);
	return 0;
}
