/*
 * Option values from a channel: whatever is accepted prints as text that another process accepts,
 * and that prints the same again; whatever is refused has a reason and changes nothing. Input: a
 * byte for the number of the option, then its values with line ends between.
 */
#include "ipc/base/ends.h"
#include "policy/rules/config.h"
#include "tests/fuzz/target.h"

#include <errno.h>
#include <stdlib.h>

static int
copy_value(void *context, unsigned option, struct bytes value)
{
	struct rules_error error = { 0 };
	ensure(config_accept(context, option, value, &error) == 0);
	return 0;
}

static int
print_value(void *context, unsigned option, struct bytes value)
{
	fprintf(context, "%u=", option);
	fwrite(value.data, 1, value.length, context);
	fputc('\n', context);
	return 0;
}

static char *
text_of(const struct config *config)
{
	char *text = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);
	ensure(out != NULL);
	ensure(config_for_each(config, READER_ALL, print_value, out) == 0);
	fclose(out);
	return text;
}

static void
accept_one(struct config *config, unsigned option, struct bytes value)
{
	char *before = text_of(config);
	struct rules_error error = { 0 };
	int result = config_accept(config, option, value, &error);
	ensure(result == 0 || result == -EINVAL);
	ensure((result == 0) == (error.reason == NULL));
	char *after = text_of(config);
	ensure(result == 0 || strcmp(before, after) == 0);
	rules_error_free(&error);
	free(before);
	free(after);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
	if (length == 0)
		return 0;
	struct config *config = NULL, *copy = NULL;
	ensure(config_create(&config) == 0 && config_create(&copy) == 0);
	const uint8_t *end = data + length;
	for (const uint8_t *value = data + 1; value <= end;) {
		const uint8_t *line_end =
			value == end ? NULL : memchr(value, '\n', (size_t)(end - value));
		const uint8_t *stop = line_end == NULL ? end : line_end;
		accept_one(config, data[0], bytes_of(value, (size_t)(stop - value)));
		value = stop + 1;
	}
	ensure(config_for_each(config, READER_ALL, copy_value, copy) == 0);
	char *sent = text_of(config), *received = text_of(copy);
	ensure(strcmp(sent, received) == 0);
	free(sent);
	free(received);
	config_free(&config);
	config_free(&copy);
	return 0;
}
