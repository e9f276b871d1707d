/*
 * Numbers from text: what parses has digits only and agrees with strtoull; what does not leaves the
 * result alone.
 */
#include "ipc/base/ends.h"
#include "ipc/base/number.h"
#include "ipc/base/scope.h"
#include "tests/fuzz/target.h"

#include <inttypes.h>

enum { UNTOUCHED = 77 };

static void
check(struct bytes text, int base, int result, uint64_t value)
{
	SCOPE_FREE char *copy = bytes_copy_text(text);
	if (result != 0) {
		ensure(value == UNTOUCHED);
		return;
	}
	ensure(copy != NULL && text.length > 0);
	ensure(strspn(copy, base == 8 ? "01234567" : "0123456789") == text.length);
	errno = 0;
	ensure(strtoull(copy, NULL, base) == value && errno == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
	struct bytes text = bytes_of(data, length);
	uint64_t value = UNTOUCHED;
	int result = number_parse(text, UINT64_MAX, &value);
	check(text, 10, result, value);
	value = UNTOUCHED;
	result = number_parse_octal(text, UINT64_MAX, &value);
	check(text, 8, result, value);
	return 0;
}
