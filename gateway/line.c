/*
 * Lines of a control connection (see line.h). Runs in the gateway, on bytes from anyone. Works in
 * place: the decoded line is never longer than the bytes it came from.
 */
#include "gateway/line.h"

#include "ipc/base/ends.h"

#include <errno.h>
#include <stdlib.h>

enum telnet_state {
	TELNET_DATA,
	TELNET_COMMAND,    /* after IAC */
	TELNET_OPTION,     /* after IAC and WILL, WONT, DO or DONT */
	TELNET_SUBOPTION,  /* after IAC SB */
	TELNET_SUB_COMMAND /* after IAC in a suboption */
};

/* RFC 854, "TELNET COMMANDS". */
enum { TELNET_SE = 240, TELNET_SB = 250, TELNET_WILL = 251, TELNET_DONT = 254, TELNET_IAC = 255 };

static enum telnet_state
after_command(unsigned char byte)
{
	if (byte == TELNET_SB)
		return TELNET_SUBOPTION;
	return byte >= TELNET_WILL && byte <= TELNET_DONT ? TELNET_OPTION : TELNET_DATA;
}

/* Is the byte one of the line's? If not it belongs to Telnet and is gone. */
static bool
pass_telnet(struct line_reader *reader, unsigned char byte)
{
	enum telnet_state state = reader->telnet;
	switch (state) {
	case TELNET_DATA:
		if (byte != TELNET_IAC)
			return true;
		reader->telnet = TELNET_COMMAND;
		return false;
	case TELNET_COMMAND:
		reader->telnet = (uint8_t)(byte == TELNET_IAC ? TELNET_DATA : after_command(byte));
		return byte == TELNET_IAC;
	case TELNET_OPTION:
		reader->telnet = TELNET_DATA;
		return false;
	case TELNET_SUBOPTION:
		if (byte == TELNET_IAC)
			reader->telnet = TELNET_SUB_COMMAND;
		return false;
	case TELNET_SUB_COMMAND:
		reader->telnet = (uint8_t)(byte == TELNET_SE ? TELNET_DATA : TELNET_SUBOPTION);
		return false;
	}
	bug("telnet state %d", (int)state);
}

static void
add_byte(struct line_reader *reader, struct line_buffer *buffer, char byte)
{
	if (buffer->decoded == LINE_BYTES_MAX)
		reader->is_too_long = true;
	if (!reader->is_too_long)
		buffer->data[buffer->decoded++] = byte;
}

static enum line_result
end_line(struct line_reader *reader, struct line_buffer *buffer, struct bytes *line)
{
	enum line_result result = LINE_COMPLETE;
	if (reader->is_too_long)
		result = LINE_TOO_LONG;
	else if (reader->is_broken)
		result = LINE_BROKEN;
	else
		*line = bytes_of(buffer->data, buffer->decoded);
	reader->is_after_cr = false;
	reader->is_broken = false;
	reader->is_too_long = false;
	buffer->is_taken = true;
	return result;
}

enum line_result
line_next(struct line_reader *reader, struct line_buffer *buffer, struct bytes *line)
{
	if (buffer->is_taken)
		buffer->decoded = 0;
	buffer->is_taken = false;
	while (buffer->next < buffer->length) {
		char byte = buffer->data[buffer->next++];
		if (!pass_telnet(reader, (unsigned char)byte))
			continue;
		if (byte == '\n')
			return end_line(reader, buffer, line);
		/* A CR that no LF follows, and CR NUL, which RFC 854 makes of it. */
		if (reader->is_after_cr || byte == '\0')
			reader->is_broken = true;
		reader->is_after_cr = byte == '\r';
		if (byte != '\r')
			add_byte(reader, buffer, byte);
	}
	return LINE_NONE;
}

void
line_load(struct line_reader *reader, struct line_buffer *buffer)
{
	if (reader->length > 0)
		memcpy(buffer->data, reader->kept, reader->length);
	buffer->length = reader->length;
	buffer->decoded = reader->decoded;
	buffer->next = reader->decoded;
	buffer->is_taken = false;
	line_clear(reader);
}

char *
line_space(struct line_buffer *buffer, size_t *capacity)
{
	ensure(buffer->next == buffer->length && !buffer->is_taken);
	buffer->next = buffer->decoded;
	buffer->length = buffer->decoded;
	*capacity = sizeof(buffer->data) - buffer->length;
	return buffer->data + buffer->length;
}

void
line_add(struct line_buffer *buffer, size_t length)
{
	buffer->length += length;
}

void
line_wipe(struct line_buffer *buffer)
{
	if (buffer->is_taken)
		explicit_bzero(buffer->data, buffer->decoded);
}

int
line_store(struct line_reader *reader, struct line_buffer *buffer)
{
	size_t decoded = buffer->is_taken ? 0 : buffer->decoded;
	size_t rest = buffer->length - buffer->next;
	if (decoded + rest == 0)
		return 0;
	reader->kept = malloc(decoded + rest);
	if (reader->kept == NULL)
		return -ENOMEM;
	memcpy(reader->kept, buffer->data, decoded);
	memcpy(reader->kept + decoded, buffer->data + buffer->next, rest);
	reader->decoded = (uint16_t)decoded;
	reader->length = (uint16_t)(decoded + rest);
	return 0;
}

bool
line_has_more(const struct line_reader *reader)
{
	return reader->length > reader->decoded;
}

void
line_clear(struct line_reader *reader)
{
	if (reader->kept != NULL)
		explicit_bzero(reader->kept, reader->length);
	free(reader->kept);
	reader->kept = NULL;
	reader->length = 0;
	reader->decoded = 0;
}
