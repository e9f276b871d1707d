/*
 * Messages of every channel: what decodes encodes back to the same bytes, fits no smaller buffer,
 * and prints as JSON that does nothing to a terminal. Input: a byte that chooses the channel, then
 * a message. The corpus has one of each row (make_messages.c) and what once broke something.
 */
#include "ipc/base/ends.h"
#include "ipc/base/scope.h"
#include "ipc/protocol.h"
#include "tests/fuzz/target.h"
#include "tests/json.h"

static void
check_encoding(const struct wire_record *record, const void *body, struct bytes encoded)
{
	SCOPE_FREE char *again = malloc(encoded.length + 1);
	ensure(again != NULL);
	int length = wire_encode(record, body, again, encoded.length);
	ensure(length == (int)encoded.length);
	ensure(length == 0 || memcmp(again, encoded.data, encoded.length) == 0);
	if (length > 0)
		ensure(wire_encode(record, body, again, encoded.length - 1) == -EMSGSIZE);
}

static void
check_printing(const struct wire_record *record, const void *body)
{
	SCOPE_FREE char *text = NULL;
	size_t length;
	FILE *stream = open_memstream(&text, &length);
	ensure(stream != NULL);
	putc('{', stream);
	wire_print_json(record, body, stream);
	putc('}', stream);
	ensure(fclose(stream) == 0);
	ensure(json_is_valid(bytes_of(text, length)));
	ensure(json_is_harmless(bytes_of(text, length)));
}

static const struct message_rule *
choose_rule(const uint8_t *data)
{
	const struct message_table *messages = protocols[data[0] % PROTOCOL_COUNT].messages;
	uint32_t code = (uint32_t)data[1] | (uint32_t)data[2] << 8 | (uint32_t)data[3] << 16 |
			(uint32_t)data[4] << 24;
	return code < messages->count && messages->rules[code].name != NULL ? &messages->rules[code]
									    : NULL;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
	_Alignas(max_align_t) char body[MESSAGE_STRUCT_BYTES_MAX];
	const size_t before = 1 + MESSAGE_HEADER_BYTES;
	if (length < before)
		return 0;
	const struct message_rule *rule = choose_rule(data);
	struct bytes encoded = bytes_of(data + before, length - before);
	if (rule == NULL || wire_decode(rule->record, encoded, body, NULL) < 0)
		return 0;
	check_encoding(rule->record, body, encoded);
	check_printing(rule->record, body);
	return 0;
}
