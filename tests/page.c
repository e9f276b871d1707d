/*
 * See page.h.
 */
#include "tests/page.h"

#include <stdio.h>
#include <stdlib.h>

char *
page_read(const char *path)
{
	char *page = NULL;
	size_t capacity = 0;
	FILE *stream = fopen(path, "re");
	if (stream == NULL || getdelim(&page, &capacity, '\0', stream) <= 0) {
		fprintf(stderr, "%s cannot be read\n", path);
		free(page);
		page = NULL;
	}
	if (stream != NULL)
		fclose(stream);
	return page;
}
