/*
 * What wire.h promises, asked of every message of every channel: at both limits, for random ones,
 * cut off, with limits broken and with bytes turned over. Walks the tables, so that a new row is
 * asked all of it at once.
 */
#include "tests/samples.h"
#include "tests/unit/ipc/rows.h"

#include <errno.h>
#include <stdlib.h>

enum {
	SEEDS = 40,
	MUTATIONS = 4000,
};

static char buffer[MESSAGE_BODY_BYTES_MAX];
static char again[MESSAGE_BODY_BYTES_MAX];

/* A copy of exactly that length, so that a sanitizer sees a read of one byte more. */
static char *
exact_copy(const char *data, size_t length)
{
	char *copy = malloc(length > 0 ? length : 1);
	assert_non_null(copy);
	if (length > 0)
		memcpy(copy, data, length);
	return copy;
}

/* Whatever decodes, encodes to the same bytes. Returns whether it decoded. */
static bool
check_identity(const struct protocol *protocol, const struct message_rule *rule, size_t length)
{
	_Alignas(max_align_t) char body[MESSAGE_STRUCT_BYTES_MAX];
	char *input = exact_copy(buffer, length);
	bool is_good = wire_decode(rule->record, bytes_of(input, length), body, NULL) == 0;
	if (is_good) {
		int result = wire_encode(rule->record, body, again, sizeof(again));
		want(result == (int)length, protocol, rule);
		want(length == 0 || memcmp(again, buffer, length) == 0, protocol, rule);
	}
	free(input);
	return is_good;
}

static void
check_cut_offs(const struct protocol *protocol, const struct message_rule *rule, size_t length)
{
	_Alignas(max_align_t) char body[MESSAGE_STRUCT_BYTES_MAX];
	for (size_t cut = 0; cut < length; cut++) {
		char *input = exact_copy(buffer, cut);
		int error = wire_decode(rule->record, bytes_of(input, cut), body, NULL);
		want(error == -EBADMSG, protocol, rule);
		free(input);
	}
}

static void
check_valid_one(const struct protocol *protocol, const struct message_rule *rule)
{
	struct sample *sample = sample_new();
	for (unsigned style = 0; style < SAMPLE_STYLES; style++) {
		for (uint64_t seed = 0; seed < (style == SAMPLE_RANDOM ? SEEDS : 1); seed++) {
			sample_fill(sample, rule->record, style, seed);
			int length =
				wire_encode(rule->record, sample->body, buffer, sizeof(buffer));
			want(length >= 0, protocol, rule);
			want(check_identity(protocol, rule, (size_t)length), protocol, rule);
			if (seed == 0 && style != SAMPLE_LARGEST)
				check_cut_offs(protocol, rule, (size_t)length);
		}
	}
	sample_free(&sample);
}

static void
check_valid(void **state)
{
	each_message(state, check_valid_one);
}

/* Valid messages with a few bytes turned into others, cut short or made longer. */
static void
check_garbage_one(const struct protocol *protocol, const struct message_rule *rule)
{
	struct sample *sample = sample_new();
	uint64_t state = rule->code;
	for (uint64_t i = 0; i < MUTATIONS / protocol->messages->count; i++) {
		sample_fill(sample, rule->record, SAMPLE_RANDOM, i);
		int encoded = wire_encode(rule->record, sample->body, buffer, sizeof(buffer));
		size_t length = (size_t)encoded + sample_random(&state) % 3;
		length = length > 0 && sample_random(&state) % 3 == 0 ? length - 1 : length;
		for (uint64_t n = sample_random(&state) % 4; n-- > 0 && length > 0;)
			buffer[sample_random(&state) % length] = (char)sample_random(&state);
		check_identity(protocol, rule, length);
	}
	sample_free(&sample);
}

static void
check_garbage(void **state)
{
	each_message(state, check_garbage_one);
}

/* ---- limits of real fields, broken one at a time ---- */

enum { FIELDS_MAX = 32 };

/* The same record with that field free of limits, for a sender that does not keep them. */
static struct wire_record
lax_record(const struct wire_record *record, size_t index, struct wire_field fields[FIELDS_MAX])
{
	size_t count = 0;
	while (record->fields[count].kind != WIRE_END)
		count++;
	assert_true(count < FIELDS_MAX);
	memcpy(fields, record->fields, (count + 1) * sizeof(*fields));
	fields[index].minimum = 0;
	fields[index].maximum = UINT64_MAX;
	return (struct wire_record){ .fields = fields, .size = record->size };
}

static void
set_number(const struct wire_field *field, char *member, uint64_t value)
{
	if (field->kind == WIRE_U8 || field->kind == WIRE_BOOL)
		memcpy(member, &(uint8_t){ (uint8_t)value }, 1);
	else if (field->kind == WIRE_U16)
		memcpy(member, &(uint16_t){ (uint16_t)value }, 2);
	else if (field->kind == WIRE_U64)
		memcpy(member, &value, 8);
	else
		memcpy(member, &(uint32_t){ (uint32_t)value }, 4);
}

/* `member` gets what lies just outside: false when nothing does. */
static bool
break_limit(const struct wire_field *field, char *member, bool above)
{
	static char many[UINT16_MAX + 1];
	uint64_t kind_max[] = {
		[WIRE_U8] = UINT8_MAX,
		[WIRE_BOOL] = UINT8_MAX,
		[WIRE_CHOICE] = UINT8_MAX,
		[WIRE_U16] = UINT16_MAX,
		[WIRE_U32] = UINT32_MAX,
		[WIRE_FLAGS] = UINT32_MAX,
		[WIRE_U64] = UINT64_MAX,
		[WIRE_BYTES] = UINT16_MAX,
		[WIRE_TEXT] = UINT16_MAX,
		[WIRE_PATH] = UINT16_MAX,
		[WIRE_NAME] = UINT16_MAX,
		[WIRE_SECRET] = UINT16_MAX,
		[WIRE_LIST] = 0,
	};
	bool can_break = field->kind < ARRAY_LENGTH(kind_max) &&
			 (above ? field->maximum < kind_max[field->kind] : field->minimum > 0);
	uint64_t value = above ? field->maximum + 1 : field->minimum - 1;
	if (!can_break)
		return false;
	if (field->kind < WIRE_BYTES) {
		set_number(field, member, value);
		return true;
	}
	memset(many, 'x', sizeof(many));
	many[0] = field->kind == WIRE_PATH ? '/' : 'x';
	memcpy(member, &(struct bytes){ many, value }, sizeof(struct bytes));
	return true;
}

static unsigned
check_broken_limit(
	const struct wire_record *record, size_t index, bool above, struct sample *sample)
{
	const struct wire_field *field = &record->fields[index];
	struct wire_field fields[FIELDS_MAX];
	struct wire_record lax = lax_record(record, index, fields);
	_Alignas(max_align_t) char body[MESSAGE_STRUCT_BYTES_MAX];
	const char *broken = "none";
	sample_fill(sample, record, SAMPLE_SMALLEST, 0);
	if (!break_limit(field, sample->body + field->offset, above))
		return 0;
	int sent = wire_encode(record, sample->body, buffer, sizeof(buffer));
	int length = wire_encode(&lax, sample->body, buffer, sizeof(buffer));
	int error = wire_decode(record, bytes_of(buffer, (size_t)length), body, &broken);
	if (sent != -EINVAL || length < 0 || error != -EBADMSG || strcmp(broken, field->name) != 0)
		fail_msg("%s.%s %s its limit: sent %d, received %d, blamed %s", record->name,
			field->name, above ? "above" : "below", sent, error, broken);
	return 1;
}

static unsigned
check_limits_of_record(const struct wire_record *record, struct sample *sample)
{
	unsigned checked = 0;
	for (size_t i = 0; record->fields[i].kind != WIRE_END; i++) {
		if (record->fields[i].record != NULL)
			checked += check_limits_of_record(record->fields[i].record, sample);
		checked += check_broken_limit(record, i, false, sample);
		checked += check_broken_limit(record, i, true, sample);
	}
	return checked;
}

static void
check_limits(void **state)
{
	const struct protocol_row *row = *state;
	const struct message_table *messages = protocols[row->index].messages;
	struct sample *sample = sample_new();
	unsigned checked = 0;
	for (uint32_t i = 0; i < messages->count; i++)
		if (messages->rules[i].name != NULL)
			checked += check_limits_of_record(messages->rules[i].record, sample);
	sample_free(&sample);
	assert_true(checked > 0);
}

int
main(void)
{
	const struct table tables[] = {
		TABLE("what is valid is understood", protocol_rows, check_valid),
		TABLE("what is understood is the same bytes", protocol_rows, check_garbage),
		TABLE("limits", protocol_rows, check_limits),
	};
	return table_run(tables, ARRAY_LENGTH(tables));
}
