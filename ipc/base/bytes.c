/*
 * Views of bytes (see bytes.h). Runs in every process.
 */
#include "ipc/base/bytes.h"

#include <stdlib.h>

char *
bytes_copy_text(struct bytes source)
{
	if (source.length > 0 && memchr(source.data, '\0', source.length) != NULL)
		return NULL;
	char *copy = malloc(source.length + 1);
	if (copy == NULL)
		return NULL;
	if (source.length > 0)
		memcpy(copy, source.data, source.length);
	copy[source.length] = '\0';
	return copy;
}
