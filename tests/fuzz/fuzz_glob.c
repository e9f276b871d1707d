/*
 * Patterns of names: whatever the two are, the matcher agrees with a plain recursive one that reads
 * the rules word for word, on inputs that are small enough for that one. Input: a pattern, a line
 * end, a name.
 */
#include "ipc/base/ends.h"
#include "tests/fuzz/target.h"
#include "worker/glob.h"

enum { RECURSION_BYTES_MAX = 12 };

/* What the class that begins behind the bracket at `at` says of `byte`; 0: it does not end. */
static size_t
read_class(struct bytes pattern, size_t at, unsigned char byte, bool *matches)
{
	size_t from = at + 1;
	bool negated =
		from < pattern.length && (pattern.data[from] == '!' || pattern.data[from] == '^');
	from += negated;
	size_t to = from + 1;
	while (to < pattern.length && pattern.data[to] != ']')
		to++;
	if (to >= pattern.length)
		return 0;
	bool found = false;
	for (size_t i = from; i < to; i++) {
		bool range = i + 2 < to && pattern.data[i + 1] == '-';
		unsigned char low = (unsigned char)pattern.data[i];
		unsigned char high = range ? (unsigned char)pattern.data[i + 2] : low;
		found = found || (low <= byte && byte <= high);
		i += range ? 2 : 0;
	}
	*matches = found != negated;
	return to + 1;
}

static bool
matches_from(struct bytes pattern, size_t p, struct bytes name, size_t n)
{
	if (p == pattern.length)
		return n == name.length;
	if (pattern.data[p] == '*')
		return matches_from(pattern, p + 1, name, n) ||
		       (n < name.length && matches_from(pattern, p, name, n + 1));
	if (n == name.length)
		return false;
	unsigned char byte = (unsigned char)name.data[n];
	bool matches = pattern.data[p] == '?' || (unsigned char)pattern.data[p] == byte;
	size_t next = p + 1, behind_class = 0;
	if (pattern.data[p] == '[')
		behind_class = read_class(pattern, p, byte, &matches);
	if (behind_class > 0)
		next = behind_class;
	if (pattern.data[p] == '\\' && p + 1 < pattern.length) {
		matches = (unsigned char)pattern.data[p + 1] == byte;
		next = p + 2;
	}
	return matches && matches_from(pattern, next, name, n + 1);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
	const uint8_t *line_end = length == 0 ? NULL : memchr(data, '\n', length);
	size_t pattern_bytes = line_end == NULL ? length : (size_t)(line_end - data);
	size_t skipped = line_end == NULL ? length : pattern_bytes + 1;
	struct bytes pattern = bytes_of(data, pattern_bytes);
	struct bytes name = bytes_of(data + skipped, length - skipped);
	bool matches = glob_matches(pattern, name);
	if (pattern.length <= RECURSION_BYTES_MAX && name.length <= RECURSION_BYTES_MAX)
		ensure(matches == matches_from(pattern, 0, name, 0));
	ensure(!matches || glob_matches(bytes_of("*", 1), name));
	return 0;
}
