/*
 * The ends of a process (see ends.h). Runs in every process, also inside a cage: uses write(2) and
 * the stack only, allocates nothing.
 */
#include "ipc/base/ends.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

static const char *program_name = "sallyport";

void
ends_set_program(const char *program)
{
	program_name = program;
}

PRINTF_LIKE(3, 0)
static void
write_line(const char *kind, const char *where, const char *format, va_list arguments)
{
	char line[1024];
	int used = snprintf(line, sizeof(line), "%s: %s%s", program_name, kind, where);
	if (used < 0)
		return;
	size_t length = (size_t)used;
	if (length < sizeof(line)) {
		used = vsnprintf(line + length, sizeof(line) - length, format, arguments);
		length += used < 0 ? 0 : (size_t)used;
	}
	if (length > sizeof(line) - 1)
		length = sizeof(line) - 1;
	for (size_t i = 0; i < length; i++)
		if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f)
			line[i] = '?';
	line[length++] = '\n';
	ssize_t written = write(STDERR_FILENO, line, length);
	(void)written; /* nowhere left to report to */
}

void
die(const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	write_line("", "", format, arguments);
	va_end(arguments);
	_exit(EXIT_DIED);
}

void
bug_at(const char *file, int line, const char *format, ...)
{
	char where[128];
	snprintf(where, sizeof(where), "%s:%d: ", file, line);
	va_list arguments;
	va_start(arguments, format);
	write_line("bug at ", where, format, arguments);
	va_end(arguments);
	__builtin_trap();
}
