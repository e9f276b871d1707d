/*
 * View of a channel's rows for its .c file: field tables, records and the table of rules.
 * No include guard; wants what declare_messages.h wants, included after the channel's header.
 */
#define FIELD(owner, member, of_kind, low, high, of_choices, of_record, text) \
	{                                                                     \
		.name = #member,                                              \
		.doc = (text),                                                \
		.kind = (of_kind),                                            \
		.offset = offsetof(struct CHANNEL(owner), member),            \
		.minimum = (low),                                             \
		.maximum = (high),                                            \
		.choices = (of_choices),                                      \
		.record = (of_record),                                        \
	},

#define MESSAGE(name, CODE, number, senders, phases, descriptor, reply, doc) TYPE(name, doc)
#define TYPE(name, doc)                                \
	static const char CHANNEL(name##_doc)[] = doc; \
	static const struct wire_field CHANNEL(name##_fields)[] = {
#define END(owner)                                           \
	{                                                    \
		.kind = WIRE_END                             \
	}                                                    \
	}                                                    \
	;                                                    \
	const struct wire_record CHANNEL(owner##_record) = { \
		.name = #owner,                              \
		.doc = CHANNEL(owner##_doc),                 \
		.fields = CHANNEL(owner##_fields),           \
		.size = sizeof(struct CHANNEL(owner)),       \
	};                                                   \
	_Static_assert(sizeof(struct CHANNEL(owner)) <= MESSAGE_STRUCT_BYTES_MAX, "too large");
#define U8(o, f, low, high, doc)  FIELD(o, f, WIRE_U8, low, high, NULL, NULL, doc)
#define U16(o, f, low, high, doc) FIELD(o, f, WIRE_U16, low, high, NULL, NULL, doc)
#define U32(o, f, low, high, doc) FIELD(o, f, WIRE_U32, low, high, NULL, NULL, doc)
#define U64(o, f, low, high, doc) FIELD(o, f, WIRE_U64, low, high, NULL, NULL, doc)
#define I64(o, f, doc)            FIELD(o, f, WIRE_I64, 0, 0, NULL, NULL, doc)
#define ID(o, f, doc)             FIELD(o, f, WIRE_ID, 0, 0, NULL, NULL, doc)
#define BOOL(o, f, doc)           FIELD(o, f, WIRE_BOOL, 0, 1, NULL, NULL, doc)
#define CHOICE(o, f, choice, doc) \
	FIELD(o, f, WIRE_CHOICE, 0, CHOICE_LAST(choice), &choice##_choices, NULL, doc)
#define FLAGS(o, f, mask, doc)       FIELD(o, f, WIRE_FLAGS, 0, mask, NULL, NULL, doc)
#define BYTES(o, f, low, high, doc)  FIELD(o, f, WIRE_BYTES, low, high, NULL, NULL, doc)
#define TEXT(o, f, low, high, doc)   FIELD(o, f, WIRE_TEXT, low, high, NULL, NULL, doc)
#define SECRET(o, f, low, high, doc) FIELD(o, f, WIRE_SECRET, low, high, NULL, NULL, doc)
#define PATH(o, f, doc)              FIELD(o, f, WIRE_PATH, 1, PATH_BYTES_MAX, NULL, NULL, doc)
#define NAME(o, f, doc)              FIELD(o, f, WIRE_NAME, 0, NAME_BYTES_MAX, NULL, NULL, doc)
#define ADDRESS(o, f, doc)           FIELD(o, f, WIRE_ADDRESS, 0, 0, NULL, NULL, doc)
#define RECORD(o, f, type, doc)      FIELD(o, f, WIRE_RECORD, 0, 0, NULL, &type##_record, doc)
#define LIST(o, f, type, high, doc)  FIELD(o, f, WIRE_LIST, 0, high, NULL, &type##_record, doc)
#include CHANNEL_ROWS
#undef FIELD

#define MESSAGE(name, CODE, number, senders, phases, descriptor, reply, doc) \
	static void CHANNEL(call_##name)(                                    \
		const void *handlers, void *owner, struct message *message)  \
	{                                                                    \
		const struct CHANNEL(handlers) *typed = handlers;            \
		typed->name(owner, message, message->body);                  \
	}
#include CHANNEL_ROWS

#define MESSAGE(title, CODE, number, who, when, kind, answer, text)          \
	[number] = {                                                         \
		.name = #title,                                              \
		.doc = (text),                                               \
		.reply = #answer,                                            \
		.code = (number),                                            \
		.senders = (who),                                            \
		.phases = (when),                                            \
		.descriptor = (kind),                                        \
		.record = &CHANNEL(title##_record),                          \
		.handler_offset = offsetof(struct CHANNEL(handlers), title), \
		.call = CHANNEL(call_##title),                               \
	},
static const struct message_rule CHANNEL(rules)[] = {
	[0] = { .name = NULL },
#include CHANNEL_ROWS
};

const struct message_table CHANNEL(messages) = {
	.name = CHANNEL_ROWS,
	.rules = CHANNEL(rules),
	.count = ARRAY_LENGTH(CHANNEL(rules)),
};
