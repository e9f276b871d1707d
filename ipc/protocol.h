/*
 * All tables of messages side by side (protocol.def), for the protocol page, tests and the fuzz
 * target. No program that serves anybody needs this: each knows its own channels.
 */
#ifndef SALLYPORT_IPC_PROTOCOL_H
#define SALLYPORT_IPC_PROTOCOL_H

#include "ipc/message.h"

struct protocol {
	const char *name; /* "pathio" */
	const char *doc;
	const struct message_table *messages;
	uint32_t ends[2]; /* SENT_BY() bits of the roles at either end */
};

enum {
#define PROTOCOL(name, one_end, other_end, doc) PROTOCOL_INDEX_##name,
#include "ipc/protocol.def"
	PROTOCOL_COUNT
};

extern const struct protocol protocols[PROTOCOL_COUNT];

#endif
