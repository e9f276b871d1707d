/*
 * What is known of a message apart from its bytes: who may send it, in which phase, with which
 * descriptor, what answers it. Tables of rules come from the rows of a channel's .def file through
 * declare_messages.h and define_messages.h.
 */
#ifndef SALLYPORT_IPC_MESSAGE_H
#define SALLYPORT_IPC_MESSAGE_H

#include "ipc/base/role.h"
#include "ipc/descriptor.h"
#include "ipc/wire.h"

enum {
	MESSAGE_HEADER_BYTES = 8,        /* u32 code, u32 tag */
	MESSAGE_BODY_BYTES_MAX = 65536,  /* encoded */
	MESSAGE_STRUCT_BYTES_MAX = 1024, /* decoded */
};

/* A channel to the supervisor begins in PHASE_STARTING until the child says that it is ready. */
enum message_phase {
	PHASE_STARTING = 1,
	PHASE_SERVING = 2,
	PHASE_ANY = PHASE_STARTING | PHASE_SERVING,
};

#define SENT_BY(role) (1u << (role))

/* A message that arrived, as its handler sees it. The handler may take the descriptor. */
struct message {
	uint32_t tag;   /* of a request; an answer repeats it */
	int descriptor; /* -1 if none; closed after the handler unless taken with fd_take() */
	const void *body;
};

struct message_rule {
	const char *name; /* NULL: no such code */
	const char *doc;
	const char *reply;
	uint32_t code;
	uint32_t senders; /* SENT_BY() bits */
	uint32_t phases;  /* enum message_phase bits */
	enum descriptor_kind descriptor;
	const struct wire_record *record;
	size_t handler_offset; /* of the member in the channel's struct of handlers */
	void (*call)(const void *handlers, void *owner, struct message *message);
};

struct message_table {
	const char *name;
	const struct message_rule *rules; /* indexed by code; index 0 is never a message */
	uint32_t count;
};

#endif
