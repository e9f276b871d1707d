/*
 * Paths in replies (see quote.h). Runs in the gateway; names are whatever somebody made on disk.
 */
#include "gateway/quote.h"

#include "ipc/base/control.h"

static const char *
quote(struct bytes path, struct quoted *result, char doubled)
{
	size_t length = 0, masked = 0;
	for (size_t i = 0; i < path.length && length + 2 < sizeof(result->text); i++) {
		char byte = path.data[i];
		if (byte == doubled && doubled != '\0')
			result->text[length++] = byte;
		if (masked == 0)
			masked = control_length(path, i);
		result->text[length++] = (char)(masked > 0 ? '?' : byte);
		masked -= masked > 0;
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
