/*
 * Messages on their way through a process that stands between two others: taken whole, with their
 * descriptors, looked at or exchanged, and passed on. Linked into test programs only.
 */
#ifndef SALLYPORT_TESTS_HOSTILE_RELAY_H
#define SALLYPORT_TESTS_HOSTILE_RELAY_H

#include "ipc/protocol.h"

#include <stdbool.h>

enum { PARCEL_DESCRIPTORS_MAX = 4 };

/* One message. */
struct parcel {
	size_t length;
	unsigned count;
	int descriptors[PARCEL_DESCRIPTORS_MAX];
	char data[MESSAGE_HEADER_BYTES + MESSAGE_BODY_BYTES_MAX];
};

static inline uint32_t
parcel_word(const struct parcel *parcel, unsigned at)
{
	uint32_t word;
	memcpy(&word, parcel->data + at, sizeof(word)); /* tests run on little-endian machines */
	return word;
}

/* A channel that is relayed: our two ends of it. */
struct wire {
	const struct protocol *protocol;
	enum role inner_role;
	int outer_fd; /* to the other process */
	int inner_fd; /* to the program that runs behind us; -1: it has closed */
};

enum { RELAY_WIRES_MAX = 64 };

struct relay {
	struct wire wires[RELAY_WIRES_MAX];
	unsigned count;
	/*
	 * Looks at a message before it goes on, and may exchange it. False: it does not go on.
	 */
	bool (*pass)(
		struct relay *relay, struct wire *wire, bool is_outward, struct parcel *parcel);
};

/* The channel of that name; dies if there is none. */
const struct protocol *relay_protocol(const char *name);

/* Puts us on a channel: takes outer_fd, and returns the end for the program behind us. */
int
relay_add(struct relay *relay, const struct protocol *protocol, enum role inner_role, int outer_fd);

/* Sends it, waiting for room; a peer that is gone is no error. Its descriptors stay ours. */
void relay_send(int fd, const struct parcel *parcel);

/*
 * Sends one more outward; while there is no room, what comes inward is passed on. For floods: a
 * peer that is not heard stops listening.
 */
void relay_flood(struct relay *relay, struct wire *wire, const struct parcel *parcel);

void parcel_close(struct parcel *parcel);

/* Until the process with that descriptor (pidfd_open(2)) has ended, and its last words are out. */
void relay_run(struct relay *relay, int process_fd);

#endif
