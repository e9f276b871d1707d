/*
 * A channel under test with a bare socket at its other end, which may send anything; what arrives
 * is noted. For tests of the channel.
 *
 *	struct fixture *fixture = fixture_new(&fixture_gate);
 *	fixture_send(fixture, GATE_READY, body, NULL, 0);
 *	fixture_settle(fixture);		// runs the loop until nothing is left to do
 *	assert_int_equal(fixture->received, 1);
 *	fixture_end(&fixture);			// and no descriptor is left over
 */
#ifndef SALLYPORT_TESTS_UNIT_IPC_FIXTURE_H
#define SALLYPORT_TESTS_UNIT_IPC_FIXTURE_H

#include "ipc/channel.h"
#include "tests/descriptors.h"
#include "tests/table.h"

/* Which end of which channel is under test. */
struct fixture_side {
	const struct message_table *messages;
	enum role our_role, peer_role;
	const void *handlers; /* notes */
};

extern const struct fixture_side fixture_gate;    /* the supervisor's, gateway outside */
extern const struct fixture_side fixture_pathio;  /* the gateway's, worker outside */
extern const struct fixture_side fixture_verify;  /* auth's, gateway outside */
extern const struct fixture_side fixture_hash;    /* auth's, hasher outside */
extern const struct fixture_side fixture_verdict; /* auth's, supervisor outside */

enum { FIXTURE_NOTES = 4096 };

struct fixture {
	struct event_base *base;
	bool is_base_shared;
	struct channel *channel;
	int peer;                  /* the other end; -1 once closed */
	unsigned peer_descriptors; /* that were read there */
	int descriptors_before;

	/* What has happened. */
	size_t received;
	uint32_t codes[FIXTURE_NOTES], tags[FIXTURE_NOTES];
	unsigned closed;
	const char *malformed; /* what `closed` said */
	unsigned drained;
	bool is_inside; /* a handler or callback runs */

	/* May be NULL: run by the handler, by `closed`, by `drained`. */
	void (*on_message)(struct fixture *fixture, struct message *message);
	void (*on_closed)(struct fixture *fixture);
	void (*on_drained)(struct fixture *fixture);
	void *argument; /* for these */
};

struct fixture *fixture_new(const struct fixture_side *side);

/* The same, the channel in that phase. */
struct fixture *fixture_new_in(const struct fixture_side *side, enum message_phase phase);

/* The same, on the loop of another one, which is to be ended last. */
struct fixture *fixture_new_beside(struct fixture *other, const struct fixture_side *side);

/* Frees what is left and checks that as many descriptors are open as before. */
void fixture_end(struct fixture **fixture);

/* Runs the loop until nothing is ready. A loop that never comes to rest ends the program. */
void fixture_settle(struct fixture *fixture);

/* Sends raw bytes from the outer end, with these descriptors (borrowed). */
void fixture_send_raw(
	struct fixture *fixture, struct bytes message, const int *descriptors, size_t count);

/* Sends a header with tag 7 and a body. */
void fixture_send(struct fixture *fixture, uint32_t code, struct bytes body, const int *descriptors,
	size_t count);

/* Reads one message at the outer end: its tag, or -1 when there is none. */
int64_t fixture_read_tag(struct fixture *fixture);

void fixture_close_peer(struct fixture *fixture);

/* As the peer: so many messages that need no answer. */
void fixture_complain(struct fixture *fixture, unsigned count);

#endif
