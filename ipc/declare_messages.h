/*
 * View of a channel's rows for its header: codes, structs, records, handlers and typed senders.
 * No include guard: included once per channel, after
 *	#define CHANNEL(name) verify_##name
 *	#define CHANNEL_ROWS "ipc/verify.def"
 * It leaves both defined for define_messages.h; the header undefines them.
 *
 * For a row MESSAGE(stat, PATHIO_STAT, ...) of the channel `pathio` there are then
 *   PATHIO_STAT                     its code
 *   struct pathio_stat              its fields
 *   pathio_stat_record              its description (wire.h)
 *   pathio_handlers.stat            the receiver's function for it
 *   pathio_post_stat()              the sender's: channel_post() of this message
 *   pathio_post_stat_with()         the same, with a descriptor
 * and pathio_messages, the table of all rules.
 */
#define MESSAGE(name, CODE, number, senders, phases, descriptor, reply, doc) CODE = (number),
enum CHANNEL(code) {
	CHANNEL(code_none),
#include CHANNEL_ROWS
};

#define MESSAGE(name, CODE, number, senders, phases, descriptor, reply, doc) struct CHANNEL(name) {
#define TYPE(name, doc)                                                      struct CHANNEL(name) {
#define END(name) \
	}         \
	;         \
	extern const struct wire_record CHANNEL(name##_record);
#define NOTHING(owner)                              char nothing;
#define U8(owner, field, minimum, maximum, doc)     uint8_t field;
#define U16(owner, field, minimum, maximum, doc)    uint16_t field;
#define U32(owner, field, minimum, maximum, doc)    uint32_t field;
#define U64(owner, field, minimum, maximum, doc)    uint64_t field;
#define I64(owner, field, doc)                      int64_t field;
#define ID(owner, field, doc)                       uint64_t field;
#define BOOL(owner, field, doc)                     bool field;
#define CHOICE(owner, field, choice, doc)           enum choice field;
#define FLAGS(owner, field, mask, doc)              uint32_t field;
#define BYTES(owner, field, minimum, maximum, doc)  struct bytes field;
#define TEXT(owner, field, minimum, maximum, doc)   struct bytes field;
#define SECRET(owner, field, minimum, maximum, doc) struct bytes field;
#define PATH(owner, field, doc)                     struct bytes field;
#define NAME(owner, field, doc)                     struct bytes field;
#define ADDRESS(owner, field, doc)                  struct wire_address field;
#define RECORD(owner, field, type, doc)             struct type field;
#define LIST(owner, field, type, maximum, doc)      struct wire_list field;
#include CHANNEL_ROWS

#define MESSAGE(name, CODE, number, senders, phases, descriptor, reply, doc) \
	void (*name)(void *owner, struct message *message, const struct CHANNEL(name) * body);
struct CHANNEL(handlers) {
	void (*unused)(void);
#include CHANNEL_ROWS
};

extern const struct message_table CHANNEL(messages);

#define MESSAGE(name, CODE, number, senders, phases, descriptor, reply, doc)               \
	MUST_CHECK static inline int CHANNEL(post_##name)(                                 \
		struct channel * channel, uint32_t tag, const struct CHANNEL(name) * body) \
	{                                                                                  \
		return channel_post(channel, CODE, tag, body, -1);                         \
	}                                                                                  \
	MUST_CHECK static inline int CHANNEL(post_##name##_with)(struct channel * channel, \
		uint32_t tag, const struct CHANNEL(name) * body, int descriptor_)          \
	{                                                                                  \
		return channel_post(channel, CODE, tag, body, descriptor_);                \
	}
#include CHANNEL_ROWS
