/*
 * Every way to break a channel's rules, made from its table of messages: for each message that a
 * peer may send, each field out of its range, the bytes cut short at each place or followed by one
 * more, each wrong descriptor, none, too many, the wrong phase; besides, codes that are nobody's or
 * the other side's, and messages that are none. A row that is added to a .def file is covered here
 * without a word. Linked into test programs only.
 *
 *	struct malformed_list *list = malformed_new(&pathio_messages, ROLE_GATEWAY, PHASE_SERVING);
 *	for (size_t i = 0; i < list->count; i++)
 *		malformed_send(list, i, fd);
 *	malformed_free(&list);
 */
#ifndef SALLYPORT_TESTS_HOSTILE_MALFORMED_H
#define SALLYPORT_TESTS_HOSTILE_MALFORMED_H

#include "ipc/message.h"

enum malformed_kind {
	MALFORMED_HEADER,     /* fewer than 8 bytes */
	MALFORMED_SIZE,       /* more than 64 KiB */
	MALFORMED_MANY,       /* more descriptors than any message has */
	MALFORMED_CODE,       /* of no message */
	MALFORMED_SENDER,     /* a message of the other side */
	MALFORMED_PHASE,      /* not now */
	MALFORMED_UNWANTED,   /* a descriptor with a message that has none */
	MALFORMED_COUNT,      /* none, or two */
	MALFORMED_DESCRIPTOR, /* of another kind */
	MALFORMED_FIELD,      /* out of range, cut short, or followed by more */
	MALFORMED_EMPTY,      /* no byte at all: much like the end of the channel */
};

struct malformed {
	char name[120];      /* "attach: attempt below the least" */
	const char *message; /* whose row it was made from; "-": none */
	enum malformed_kind kind;
	struct bytes bytes;   /* header and body */
	unsigned descriptors; /* so many of */
	unsigned specimen;    /* this kind */
};

struct malformed_list {
	struct malformed *items;
	size_t count;
	size_t capacity;
	const struct message_table *messages;
	enum role sender;
	enum message_phase phase;
};

/* All that `sender` can do wrong in that phase. Dies when memory is short. */
struct malformed_list *
malformed_new(const struct message_table *messages, enum role sender, enum message_phase phase);
void malformed_free(struct malformed_list **list);

/* Which rule the receiver names (channel.c). */
const char *malformed_rule(const struct malformed_list *list, enum malformed_kind kind);

/* The first of the kind with that name ("header", "size", ...); dies if there is none. */
size_t malformed_find(const struct malformed_list *list, const char *kind);

/* Its tag, where it has a whole header: an event's is the sender's count. */
void malformed_set_tag(const struct malformed_list *list, size_t index, uint32_t tag);

/*
 * Sends one of them, with descriptors that are made for it and closed again. Blocks while the
 * socket is full. 0, or -EPIPE when the receiver has closed the channel.
 */
MUST_CHECK int malformed_send(const struct malformed_list *list, size_t index, int fd);

/* ---- what they are made of, for those who build other lies ---- */

/* A valid message of a row, header included, in the caller's buffer. */
enum { MALFORMED_BUFFER_BYTES = 2 * (MESSAGE_HEADER_BYTES + MESSAGE_BODY_BYTES_MAX) };
enum { MALFORMED_TAG = 1 }; /* of every one */
struct bytes malformed_sample(const struct message_rule *rule, char *buffer);

#endif
