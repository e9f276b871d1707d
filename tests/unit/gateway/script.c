/*
 * Reads dialogues and has their steps done (see script.h).
 */
#include "tests/unit/gateway/script_private.h"

#include "ipc/base/ends.h"
#include "ipc/base/scope.h"

#include <stdio.h>
#include <stdlib.h>

void
script_fail(const struct client *client, const char *format, ...)
{
	va_list arguments;
	print_error("step: %s\n", client->step);
	va_start(arguments, format);
	vprint_error(format, arguments);
	va_end(arguments);
	fail();
	abort(); /* fail() does not return */
}

size_t
script_unescape(const struct client *client, const char *text, char *result)
{
	size_t length = 0;
	while (*text != '\0') {
		if (strncmp(text, "@PORT", 5) == 0) {
			length += (size_t)sprintf(result + length, "%u,%u",
				(unsigned)client->our_port >> 8, client->our_port & 0xffu);
			text += 5;
		} else if (strncmp(text, "@EPORT", 6) == 0) {
			length += (size_t)sprintf(result + length, "%u", client->our_port);
			text += 6;
		} else if (strncmp(text, "\\x", 2) == 0) {
			char digits[3] = { text[2], text[3], '\0' };
			result[length++] = (char)strtoul(digits, NULL, 16);
			text += 4;
		} else if (*text == '\\') {
			static const char names[] = "rn0";
			static const char bytes[] = "\r\n\0";
			result[length++] = bytes[strchr(names, text[1]) - names];
			text += 2;
		} else {
			result[length++] = *text++;
		}
	}
	return length;
}

/* What follows the word in the step; NULL if the step is another one. */
static const char *
after(const char *step, const char *word)
{
	size_t length = strlen(word);
	if (strncmp(step, word, length) != 0)
		return NULL;
	return word[length - 1] == ' ' || step[length] == '\0' ? step + length : NULL;
}

static bool
run_one_of(struct client *client, const struct script_step *steps, const char *step)
{
	for (; steps->word != NULL; steps++) {
		const char *rest = after(step, steps->word);
		if (rest == NULL)
			continue;
		if (steps->run != NULL)
			steps->run(client);
		else if (steps->run_rest != NULL)
			steps->run_rest(client, rest);
		else
			steps->run_house(client->house);
		return true;
	}
	return false;
}

static void
run_step(struct client *client, const char *step)
{
	client->step = step;
	if (!run_one_of(client, script_control_steps, step) &&
		!run_one_of(client, script_data_steps, step) &&
		!run_one_of(client, script_around_steps, step))
		bug("no such step: %s", step);
}

void
script_run(struct house *house, const char *script)
{
	struct client *client = calloc(1, sizeof(*client));
	SCOPE_FREE char *copy = strdup(script);
	char *position;
	ensure(client != NULL && copy != NULL);
	client->house = house;
	client->control_fd = -1;
	client->data_fd = -1;
	client->listener_fd = -1;
	script_open_control(client);
	for (char *step = strtok_r(copy, "\n", &position); step != NULL;
		step = strtok_r(NULL, "\n", &position))
		run_step(client, step);
	script_close(client);
	free(client);
}
