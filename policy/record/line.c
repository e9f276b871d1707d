/*
 * Events as lines (see line.h). Runs in record. Distrusts the sender: an event that its role may
 * not send, that names another gateway's session or is out of sequence is malformed.
 */
#include "policy/record/line.h"

#include <time.h>

enum { SERVER_CODES_END = 16 }; /* event.def groups its rows: the server log's come first */

static uint32_t
read_u32(const char *from)
{
	uint32_t value = 0;
	for (int i = 3; i >= 0; i--)
		value = value << 8 | (unsigned char)from[i];
	return value;
}

/* A gateway may name sessions of its own incarnation only (DECISIONS 21). */
static bool
session_is_foreign(
	const struct line_origin *origin, const struct message_rule *rule, const char *body)
{
	if (origin->role != ROLE_GATEWAY)
		return false;
	for (const struct wire_field *field = rule->record->fields; field->kind != WIRE_END;
		field++) {
		uint64_t session = 0;
		if (field->kind == WIRE_ID)
			session = wire_member_number(field, body + field->offset);
		if (session != 0 && session >> 32 != origin->incarnation)
			return true;
	}
	return false;
}

const char *
line_check(const struct line_origin *origin, struct bytes message, uint32_t *sequence,
	const struct message_rule **rule, void *body)
{
	if (message.length < MESSAGE_HEADER_BYTES)
		return "an event without a header";
	uint32_t code = read_u32(message.data);
	uint32_t number = read_u32(message.data + sizeof(uint32_t));
	if (code >= event_messages.count || event_messages.rules[code].name == NULL)
		return "an unknown event";
	const struct message_rule *found = &event_messages.rules[code];
	if ((found->senders & SENT_BY(origin->role)) == 0)
		return "an event that this role may not send";
	if (number == 0 || (*sequence != 0 && number != *sequence))
		return "an event out of sequence";
	struct bytes encoded = bytes_of(
		message.data + MESSAGE_HEADER_BYTES, message.length - MESSAGE_HEADER_BYTES);
	if (wire_decode(found->record, encoded, body, NULL) < 0)
		return "a field out of range";
	if (session_is_foreign(origin, found, body))
		return "a session of another gateway";
	*sequence = number;
	*rule = found;
	return NULL;
}

enum output_log
line_log(const struct message_rule *rule)
{
	if (rule->code < SERVER_CODES_END)
		return OUTPUT_SERVER;
	return rule->code == EVENT_TRANSFER ? OUTPUT_TRANSFER : OUTPUT_AUDIT;
}

/* Many lines are of one second. */
static const char *
date_of(time_t second)
{
	static char date[32];
	static time_t of = -1;
	struct tm utc;
	if (second != of) {
		gmtime_r(&second, &utc);
		strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &utc);
		of = second;
	}
	return date;
}

static void
print_time(FILE *stream)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	fprintf(stream, "{\"time\":\"%s.%06ldZ\"", date_of(now.tv_sec), now.tv_nsec / 1000);
}

void
line_print(const struct line_origin *origin, uint32_t sequence, const struct message_rule *rule,
	const void *body, FILE *stream)
{
	print_time(stream);
	fprintf(stream, ",\"event\":\"%s\",\"role\":\"%s\",\"pid\":%u", rule->name,
		role_name(origin->role), origin->pid);
	if (origin->user[0] != '\0') {
		fputs(",\"user\":", stream);
		wire_print_json_text(bytes_of_text(origin->user), stream);
	}
	fprintf(stream, ",\"writer\":%u,\"sequence\":%u,", origin->number, sequence);
	wire_print_json(rule->record, body, stream);
	fputs("}\n", stream);
}
