/*
 * Line ends of TYPE A (see ascii.h). Runs in the worker, as the user, on bytes of the user's files
 * and of the client, whatever they are: nothing here can fail.
 */
#include "worker/ascii.h"

static char *
append(char *at, const char *from, size_t length)
{
	memcpy(at, from, length);
	return at + length;
}

size_t
ascii_encode(struct ascii *ascii, struct bytes input, char *output)
{
	const char *at = input.data;
	size_t left = input.length;
	char *out = output;
	while (left > 0) {
		const char *line_end = memchr(at, '\n', left);
		size_t run = line_end == NULL ? left : (size_t)(line_end - at);
		if (run > 0)
			ascii->after_cr = at[run - 1] == '\r';
		out = append(out, at, run);
		at += run;
		left -= run;
		if (line_end == NULL)
			break;
		if (!ascii->after_cr)
			*out++ = '\r';
		*out++ = '\n';
		ascii->after_cr = false;
		at++;
		left--;
	}
	return (size_t)(out - output);
}

size_t
ascii_decode(struct ascii *ascii, struct bytes input, char *output)
{
	const char *at = input.data;
	size_t left = input.length;
	char *out = output;
	while (left > 0) {
		if (ascii->after_cr && *at != '\n')
			*out++ = '\r';
		const char *cr = memchr(at, '\r', left);
		size_t run = cr == NULL ? left : (size_t)(cr - at);
		out = append(out, at, run);
		ascii->after_cr = cr != NULL;
		if (cr == NULL)
			break;
		at += run + 1;
		left -= run + 1;
	}
	return (size_t)(out - output);
}

size_t
ascii_decode_end(struct ascii *ascii, char *output)
{
	if (!ascii->after_cr)
		return 0;
	ascii->after_cr = false;
	*output = '\r';
	return 1;
}
