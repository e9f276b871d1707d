/*
 * Reasons for the operator (see error.h). Runs wherever rules are read: the loader, auth, worker,
 * supervisor. The reason may quote bytes of a file, which is why they are escaped on the way out.
 * When memory is short the reason is missing and the text says so.
 */
#include "policy/rules/error.h"

#include "ipc/base/scope.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { QUOTED_BYTES_MAX = 64 };

int
rules_refuse(struct rules_error *error, const char *format, ...)
{
	if (error->reason != NULL)
		return -EINVAL;
	va_list arguments;
	va_start(arguments, format);
	int length = vasprintf(&error->reason, format, arguments);
	va_end(arguments);
	if (length >= 0)
		return -EINVAL;
	error->reason = NULL;
	return -ENOMEM;
}

int
rules_refuse_value(
	struct rules_error *error, const char *subject, struct bytes value, const char *format, ...)
{
	SCOPE_FREE char *complaint = NULL;
	va_list arguments;
	va_start(arguments, format);
	int length = vasprintf(&complaint, format, arguments);
	va_end(arguments);
	if (length < 0) {
		complaint = NULL;
		return -ENOMEM;
	}
	bool whole = value.length <= QUOTED_BYTES_MAX;
	return rules_refuse(error, "%s: '%.*s'%s %s", subject,
		(int)(whole ? value.length : QUOTED_BYTES_MAX), value.length == 0 ? "" : value.data,
		whole ? "" : "...", complaint);
}

void
rules_error_locate(struct rules_error *error, const char *file, unsigned line)
{
	if (error->file != NULL)
		return;
	error->file = strdup(file);
	error->line = line;
}

static bool
is_control(char byte)
{
	return (unsigned char)byte < 0x20 || byte == 0x7f;
}

static void
print_escaped(FILE *out, const char *text)
{
	for (; *text != '\0'; text++)
		if (is_control(*text))
			fprintf(out, "\\x%02x", (unsigned char)*text);
		else
			fputc(*text, out);
}

int
rules_refuse_file(struct rules_error *error, const char *path, int errno_value)
{
	bool is_root = errno_value == EACCES && geteuid() == 0;
	rules_error_locate(error, path, 0);
	int refused = rules_refuse(error, "cannot be read: %s%s", strerror(errno_value),
		is_root ? "; root reads it without its privileges: chown root" : "");
	return refused == -ENOMEM ? refused : -errno_value;
}

char *
rules_error_text(const struct rules_error *error)
{
	char *text = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);
	if (out == NULL)
		return NULL;
	if (error->file != NULL) {
		print_escaped(out, error->file);
		if (error->line > 0)
			fprintf(out, ":%u", error->line);
		fputs(": ", out);
	}
	print_escaped(out, error->reason == NULL ? "out of memory" : error->reason);
	if (fclose(out) == 0)
		return text;
	free(text);
	return NULL;
}

void
rules_error_free(struct rules_error *error)
{
	free(error->file);
	free(error->reason);
	*error = (struct rules_error){ 0 };
}
