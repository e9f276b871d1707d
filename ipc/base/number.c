/*
 * Numbers from text (see number.h). Runs in every process, on bytes from anyone.
 */
#include "ipc/base/number.h"

#include <errno.h>

static int
parse(struct bytes text, unsigned base, uint64_t maximum, uint64_t *result)
{
	uint64_t value = 0;
	bool too_large = false;
	if (text.length == 0)
		return -EINVAL;
	for (size_t i = 0; i < text.length; i++) {
		unsigned digit = (unsigned)(unsigned char)text.data[i] - '0';
		if (digit >= base)
			return -EINVAL;
		too_large = too_large || __builtin_mul_overflow(value, base, &value) ||
			    __builtin_add_overflow(value, digit, &value);
	}
	if (too_large || value > maximum)
		return -ERANGE;
	*result = value;
	return 0;
}

int
number_parse(struct bytes text, uint64_t maximum, uint64_t *result)
{
	return parse(text, 10, maximum, result);
}

int
number_parse_octal(struct bytes text, uint64_t maximum, uint64_t *result)
{
	return parse(text, 8, maximum, result);
}
