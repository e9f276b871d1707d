/*
 * Every row of every channel is consistent with the others, with the roles and with the cage's last
 * words. Walks the tables, so that a new row is asked all of it at once.
 */
#include "ipc/attach.h"
#include "ipc/gate.h"
#include "ipc/hash.h"
#include "ipc/ledger.h"
#include "ipc/loader.h"
#include "ipc/resolve.h"
#include "ipc/vault.h"
#include "ipc/verdict.h"
#include "policy/cage/cage.h"
#include "tests/unit/ipc/rows.h"

#include <endian.h>

/* ---- rows ---- */

static const struct message_rule *
rule_named(const struct message_table *messages, const char *name)
{
	for (uint32_t i = 0; i < messages->count; i++)
		if (messages->rules[i].name != NULL && strcmp(messages->rules[i].name, name) == 0)
			return &messages->rules[i];
	return NULL;
}

static void
check_reply(const struct protocol *protocol, const struct message_rule *rule)
{
	if (strcmp(rule->reply, "-") == 0)
		return;
	const struct message_rule *reply = rule_named(protocol->messages, rule->reply);
	size_t asking_end = (rule->senders & ~protocol->ends[0]) == 0 ? 0 : 1;
	want(reply != NULL, protocol, rule);
	if (reply == NULL)
		return;
	want((reply->senders & ~protocol->ends[1 - asking_end]) == 0, protocol, rule);
	want(strcmp(reply->reply, "-") == 0, protocol, rule);
}

/* Codes are dense in each group; a group begins at a multiple of 16, the first one at 1. */
static void
check_code(const struct protocol *protocol, const struct message_rule *rule)
{
	const struct message_rule *rules = protocol->messages->rules;
	want(rules + rule->code == rule, protocol, rule);
	want(rule->code > 0, protocol, rule);
	want(rule->code == 1 || rule->code % 16 == 0 || rules[rule->code - 1].name != NULL,
		protocol, rule);
}

static void
check_row(const struct protocol *protocol, const struct message_rule *rule)
{
	check_code(protocol, rule);
	check_reply(protocol, rule);
	want(rule->doc[0] != '\0', protocol, rule);
	want((rule->phases & ~(uint32_t)PHASE_ANY) == 0 && rule->phases != 0, protocol, rule);
	want(rule->senders != 0, protocol, rule);
	want((rule->senders & ~protocol->ends[0]) == 0 || (rule->senders & ~protocol->ends[1]) == 0,
		protocol, rule);
	want(strcmp(rule->record->name, rule->name) == 0, protocol, rule);
	want(rule->record->size <= MESSAGE_STRUCT_BYTES_MAX, protocol, rule);
	want(descriptor_kind_name(rule->descriptor) != NULL, protocol, rule);
}

static void
check_rows(void **state)
{
	each_message(state, check_row);
}

static void
check_names_distinct(const struct protocol *protocol, const struct message_rule *rule)
{
	want(rule_named(protocol->messages, rule->name) == rule, protocol, rule);
	for (uint32_t i = 0; i < protocol->messages->count; i++) {
		const struct message_rule *other = &protocol->messages->rules[i];
		if (other->name == NULL || other == rule)
			continue;
		want(other->handler_offset != rule->handler_offset, protocol, rule);
		want(other->call != rule->call, protocol, rule);
		want(other->record != rule->record, protocol, rule);
	}
}

static void
check_distinct(void **state)
{
	each_message(state, check_names_distinct);
}

/* ---- fields ---- */

static bool
limits_fit(const struct wire_field *field)
{
	switch (field->kind) {
	case WIRE_U8:
		return field->maximum <= UINT8_MAX;
	case WIRE_U16:
	case WIRE_LIST:
	case WIRE_BYTES:
	case WIRE_TEXT:
	case WIRE_SECRET:
		return field->maximum <= UINT16_MAX;
	case WIRE_U32:
	case WIRE_FLAGS:
		return field->maximum <= UINT32_MAX;
	case WIRE_BOOL:
		return field->maximum == 1;
	case WIRE_CHOICE:
		return field->maximum == field->choices->count - 1 && field->choices->count <= 256;
	case WIRE_PATH:
		return field->minimum == 1 && field->maximum == PATH_BYTES_MAX;
	case WIRE_NAME:
		return field->maximum == NAME_BYTES_MAX;
	case WIRE_U64:
	case WIRE_I64:
	case WIRE_ID:
	case WIRE_ADDRESS:
	case WIRE_RECORD:
		return true;
	case WIRE_END:
		break;
	}
	return false;
}

/* The channel wipes messages that have a secret among their own fields. */
static bool
is_secret_hidden(const struct wire_record *record)
{
	for (const struct wire_field *field = record->fields; field->kind != WIRE_END; field++)
		if (field->kind == WIRE_SECRET ||
			(field->record != NULL && is_secret_hidden(field->record)))
			return true;
	return false;
}

static void
check_record(const struct wire_record *record)
{
	const struct wire_field *previous = NULL;
	assert_true(record->doc[0] != '\0');
	for (const struct wire_field *field = record->fields; field->kind != WIRE_END; field++) {
		if (!limits_fit(field) || field->minimum > field->maximum)
			fail_msg("limits of %s.%s", record->name, field->name);
		/* Members stand in the order of the rows, so none is described twice. */
		if (previous != NULL && field->offset <= previous->offset)
			fail_msg("%s.%s is out of order", record->name, field->name);
		if (field->kind == WIRE_LIST && field->record->size > WIRE_ELEMENT_BYTES_MAX)
			fail_msg("an element of %s.%s is too large", record->name, field->name);
		if (field->record != NULL && is_secret_hidden(field->record))
			fail_msg("a secret deep in %s.%s", record->name, field->name);
		if (field->record != NULL)
			check_record(field->record);
		previous = field;
	}
}

static void
check_fields_of(UNUSED const struct protocol *protocol, const struct message_rule *rule)
{
	check_record(rule->record);
}

static void
check_fields(void **state)
{
	each_message(state, check_fields_of);
}

static void
check_texts_of(const struct wire_choices *choices)
{
	for (uint32_t i = 0; i < choices->count; i++) {
		if (choices->docs[i][0] == '\0')
			fail_msg("no words about %s %u", choices->name, i);
		if (choices->texts[i][0] == '\0')
			fail_msg("no text of %s %u", choices->name, i);
	}
}

static void
check_choice_texts(UNUSED void **state)
{
#define CHOICES(type) check_texts_of(&type##_choices);
#define CHOICE_VALUE(enumerator, text, doc)
#define CHOICES_END(type, last)
#include "ipc/choices.def"
}

/* ---- sizes ---- */

/* Bytes on the wire at the least (pick = minimum) or at the most. */
static size_t
record_bytes(const struct wire_record *record, bool most)
{
	static const size_t fixed[] = {
		[WIRE_U8] = 1,
		[WIRE_U16] = 2,
		[WIRE_U32] = 4,
		[WIRE_U64] = 8,
		[WIRE_I64] = 8,
		[WIRE_ID] = 8,
		[WIRE_BOOL] = 1,
		[WIRE_CHOICE] = 1,
		[WIRE_FLAGS] = 4,
		[WIRE_ADDRESS] = 22,
		[WIRE_LIST] = 2,
	};
	size_t total = 0;
	for (const struct wire_field *field = record->fields; field->kind != WIRE_END; field++) {
		if (field->kind == WIRE_RECORD)
			total += record_bytes(field->record, most);
		else if (field->kind == WIRE_LIST)
			total += fixed[WIRE_LIST] + (most ? WIRE_LIST_BYTES_MAX : 0);
		else if (fixed[field->kind] != 0)
			total += fixed[field->kind];
		else
			total += 2 + (most ? field->maximum : field->minimum);
	}
	return total;
}

/*
 * Every message in range fits a body, but for those with a whole user: see the next case. What is
 * told after a reload is sent on at most to a new worker, whose start fails if it is too much.
 */
static void
check_size_of(const struct protocol *protocol, const struct message_rule *rule)
{
	if (rule->record != &verdict_identified_record && rule->record != &verdict_told_record &&
		rule->record != &attach_configure_record)
		want(record_bytes(rule->record, true) <= MESSAGE_BODY_BYTES_MAX, protocol, rule);
}

static void
check_sizes(void **state)
{
	each_message(state, check_size_of);
}

/* A user that auth could send can be sent on: auth cannot make the supervisor fail at it. */
static void
check_user_travels(UNUSED void **state)
{
	size_t around_identified = record_bytes(&verdict_identified_record, false) -
				   record_bytes(&account_user_record, false);
	size_t around_configure = record_bytes(&attach_configure_record, true) -
				  record_bytes(&account_user_record, true);
	assert_true(around_configure <= around_identified);
}

/* ---- what other folders repeat ---- */

struct violation_row {
	const char *name;
	const struct message_table *messages;
	enum role child;
};

#define VIOLATION(name, child)                 \
	{                                      \
#name, &name##_messages, child \
	}

static const struct violation_row violation_rows[] = {
	VIOLATION(gate, ROLE_GATEWAY),
	VIOLATION(attach, ROLE_WORKER),
	VIOLATION(verdict, ROLE_AUTH),
	VIOLATION(ledger, ROLE_RECORD),
	VIOLATION(loader, ROLE_LOADER),
	VIOLATION(hash, ROLE_HASHER),
	VIOLATION(vault, ROLE_KEYS),
	VIOLATION(resolve, ROLE_RESOLVER),
};

/* The cage sends its last words without the encoder: they are this message all the same. */
static void
check_violation(void **state)
{
	const struct violation_row *row = *state;
	struct cage_violation raw = {
		.type = htole32(CAGE_VIOLATION_TYPE),
		.system_call = htole32(59),
		.audit_arch = htole32(0xc000003e),
	};
	const struct message_rule *rule = rule_named(row->messages, "violation");
	assert_non_null(rule);
	assert_int_equal(rule->code, CAGE_VIOLATION_TYPE);
	assert_int_equal(rule->senders, SENT_BY(row->child));
	assert_int_equal(rule->phases, PHASE_ANY);
	assert_int_equal(rule->descriptor, DESCRIPTOR_NONE);

	/* Every channel has the same row, so the struct of one stands for all. */
	struct attach_violation body;
	assert_int_equal(rule->record->size, sizeof(body));
	assert_int_equal(sizeof(raw), MESSAGE_HEADER_BYTES + 8);
	struct bytes encoded = bytes_of((const char *)&raw + MESSAGE_HEADER_BYTES, 8);
	assert_int_equal(wire_decode(rule->record, encoded, &body, NULL), 0);
	assert_int_equal(body.system_call, 59);
	assert_int_equal(body.architecture, 0xc000003e);
}

static void
check_roles(UNUSED void **state)
{
	assert_int_equal(process_role_choices.count, ROLE_COUNT);
	for (unsigned i = 0; i < ROLE_COUNT; i++)
		assert_string_equal(process_role_choices.texts[i], role_name((enum role)i));
}

int
main(void)
{
	const struct table tables[] = {
		TABLE("rows", protocol_rows, check_rows),
		TABLE("nothing stands for two rows", protocol_rows, check_distinct),
		TABLE("fields", protocol_rows, check_fields),
		CASE("each choice has a text and words about it", check_choice_texts),
		TABLE("sizes", protocol_rows, check_sizes),
		CASE("a user travels on to the worker", check_user_travels),
		TABLE("violation", violation_rows, check_violation),
		CASE("roles are the choices of process_role", check_roles),
	};
	return table_run(tables, ARRAY_LENGTH(tables));
}
