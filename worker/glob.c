/*
 * Glob matching (see glob.h). Runs in the worker on a client's pattern and on names of files.
 * When the rest fails behind a star, only the last star is tried again one byte further: what the
 * earlier ones took is never worth another look, so there is nothing exponential.
 */
#include "worker/glob.h"

/* The element of a pattern that begins at `at`; of a class, what is between the brackets. */
struct element {
	enum { ELEMENT_BYTE, ELEMENT_ANY, ELEMENT_CLASS, ELEMENT_STAR } kind;
	unsigned char byte;
	struct bytes class;
	bool negated;
	size_t length;
};

/* Reads `[...]` at `at`, whose first byte may be a `]` that closes nothing: false if none closes.
 */
static bool
read_class(struct bytes pattern, size_t at, struct element *element)
{
	size_t start = at + 1;
	bool negated = start < pattern.length &&
		       (pattern.data[start] == '!' || pattern.data[start] == '^');
	if (negated)
		start++;
	for (size_t end = start + 1; end < pattern.length; end++) {
		if (pattern.data[end] != ']')
			continue;
		*element = (struct element){
			.kind = ELEMENT_CLASS,
			.class = bytes_of(pattern.data + start, end - start),
			.negated = negated,
			.length = end + 1 - at,
		};
		return true;
	}
	return false;
}

static struct element
read_element(struct bytes pattern, size_t at)
{
	struct element element = {
		.kind = ELEMENT_BYTE, .byte = (unsigned char)pattern.data[at], .length = 1
	};
	if (element.byte == '*') {
		element.kind = ELEMENT_STAR;
	} else if (element.byte == '?') {
		element.kind = ELEMENT_ANY;
	} else if (element.byte == '[') {
		(void)read_class(pattern, at, &element);
	} else if (element.byte == '\\' && at + 1 < pattern.length) {
		element.byte = (unsigned char)pattern.data[at + 1];
		element.length = 2;
	}
	return element;
}

static bool
class_contains(struct bytes class, unsigned char byte)
{
	for (size_t i = 0; i < class.length; i++) {
		unsigned char low = (unsigned char)class.data[i], high = low;
		if (i + 2 < class.length && class.data[i + 1] == '-') {
			high = (unsigned char)class.data[i + 2];
			i += 2;
		}
		if (low <= byte && byte <= high)
			return true;
	}
	return false;
}

static bool
element_matches(const struct element *element, unsigned char byte)
{
	switch (element->kind) {
	case ELEMENT_BYTE:
		return element->byte == byte;
	case ELEMENT_CLASS:
		return class_contains(element->class, byte) != element->negated;
	case ELEMENT_ANY:
	case ELEMENT_STAR:
		break;
	}
	return true;
}

bool
glob_matches(struct bytes pattern, struct bytes name)
{
	size_t p = 0, n = 0;
	bool starred = false;
	size_t behind_star = 0, resume = 0; /* in pattern and name, for another try */
	while (n < name.length || p < pattern.length) {
		if (p < pattern.length) {
			struct element element = read_element(pattern, p);
			if (element.kind == ELEMENT_STAR) {
				starred = true;
				behind_star = ++p;
				resume = n;
				continue;
			}
			if (n < name.length &&
				element_matches(&element, (unsigned char)name.data[n])) {
				p += element.length;
				n++;
				continue;
			}
		}
		if (!starred || resume >= name.length)
			return false;
		p = behind_star;
		n = ++resume;
	}
	return true;
}
