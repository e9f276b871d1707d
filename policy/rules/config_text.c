/*
 * The language of configuration files (see config_text.h). Runs in the loader, on the
 * administrator's file; refuses what it does not know.
 */
#include "policy/rules/config_text.h"

#include <errno.h>

enum place {
	PLACE_PLAIN,
	PLACE_COMMENT,
	PLACE_STRING,
};

struct scan {
	char *text;
	size_t length, at;
	unsigned line;
	enum place place;
	char quote; /* which one ends the string */
	/* Braces that are open; libConfuse would close a section at the end of the file itself. */
	unsigned depth;
	unsigned opened_line; /* of the outermost */
};

static char
byte_after(const struct scan *scan)
{
	if (scan->at + 1 == scan->length)
		return '\n';
	return scan->text[scan->at + 1];
}

static bool
begins_word(const struct scan *scan)
{
	return scan->at == 0 || strchr(" \t\n={},\"'", scan->text[scan->at - 1]) != NULL;
}

/* Control bytes, a line end of DOS excepted. */
static int
check_byte(const struct scan *scan, struct rules_error *error)
{
	unsigned char byte = (unsigned char)scan->text[scan->at];
	bool line_end = byte == '\n' || (byte == '\r' && byte_after(scan) == '\n');
	if ((byte < 0x20 && byte != '\t' && !line_end) || byte == 0x7f)
		return rules_refuse(error, "holds the control byte 0x%02x", byte);
	return 0;
}

static int
scan_plain(struct scan *scan, char byte, struct rules_error *error)
{
	char next = byte_after(scan);
	if (byte == '/' && (next == '/' || next == '*'))
		return rules_refuse(error, "'/%c' needs quotes; comments begin with #", next);
	if (strchr("*\\+()$`", byte) != NULL)
		return rules_refuse(error, "'%c' needs quotes", byte);
	if (byte == '#' && !begins_word(scan))
		return rules_refuse(error, "'#' needs quotes, or a blank before a comment");
	if (byte == '#')
		scan->place = PLACE_COMMENT;
	if (byte == '"' || byte == '\'') {
		scan->place = PLACE_STRING;
		scan->quote = byte;
	}
	if (byte == '{' && scan->depth++ == 0)
		scan->opened_line = scan->line;
	if (byte == '}' && scan->depth > 0)
		scan->depth--;
	return 0;
}

static int
scan_string(struct scan *scan, char byte, struct rules_error *error)
{
	if (byte == '\n')
		return rules_refuse(error, "string without its closing %c", scan->quote);
	if (byte == '\\')
		return rules_refuse(error, "'\\' in a string: there are no escapes");
	if (byte == '$' && byte_after(scan) == '{')
		return rules_refuse(error, "'${': nothing is taken from the environment");
	if (byte == scan->quote)
		scan->place = PLACE_PLAIN;
	return 0;
}

static int
scan_byte(struct scan *scan, struct rules_error *error)
{
	char byte = scan->text[scan->at];
	int result = check_byte(scan, error);
	if (result == 0 && scan->place == PLACE_PLAIN)
		result = scan_plain(scan, byte, error);
	else if (result == 0 && scan->place == PLACE_STRING)
		result = scan_string(scan, byte, error);
	else if (byte == '\n')
		scan->place = PLACE_PLAIN;
	if (result == 0 && scan->place == PLACE_COMMENT)
		scan->text[scan->at] = ' ';
	scan->line += result == 0 && byte == '\n';
	return result;
}

int
config_text_clean(char *text, size_t length, unsigned *line, struct rules_error *error)
{
	struct scan scan = { .text = text, .length = length, .line = 1, .place = PLACE_PLAIN };
	int result = 0;
	for (; result == 0 && scan.at < length; scan.at++)
		result = scan_byte(&scan, error);
	if (result == 0 && scan.place == PLACE_STRING)
		result = rules_refuse(error, "string without its closing %c", scan.quote);
	if (result < 0)
		*line = scan.line;
	if (result < 0 || scan.depth == 0)
		return result;
	*line = scan.opened_line;
	return rules_refuse(error, "'{' without its closing }");
}
