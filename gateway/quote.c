/*
 * Paths in replies (see quote.h). Runs in the gateway; names are whatever somebody made on disk.
 */
#include "gateway/quote.h"

/* Neither may end a line nor tell a terminal anything. */
static bool
is_control(char byte)
{
	return (unsigned char)byte < 0x20 || byte == 0x7f;
}

static const char *
quote(struct bytes path, struct quoted *result, char doubled)
{
	size_t length = 0;
	for (size_t i = 0; i < path.length && length + 2 < sizeof(result->text); i++) {
		char byte = path.data[i];
		if (byte == doubled && doubled != '\0')
			result->text[length++] = byte;
		result->text[length++] = (char)(is_control(byte) ? '?' : byte);
	}
	result->text[length] = '\0';
	return result->text;
}

const char *
quote_plain(struct bytes path, struct quoted *result)
{
	return quote(path, result, '\0');
}

const char *
quote_doubled(struct bytes path, struct quoted *result)
{
	return quote(path, result, '"');
}
