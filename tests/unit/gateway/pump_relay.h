/*
 * A pump between a client of OpenSSL's and the test as the worker (pump.h), for the tests of pumps.
 */
#ifndef SALLYPORT_TESTS_UNIT_GATEWAY_PUMP_RELAY_H
#define SALLYPORT_TESTS_UNIT_GATEWAY_PUMP_RELAY_H

#include "gateway/pump.h"
#include "gateway/tls_kernel.h"
#include "tests/table.h"
#include "tests/unit/gateway/tls_world.h"

enum { RELAY_SESSION = 3 };

struct relay {
	struct tls_world world;
	struct tls_line line; /* its server's end is the pump's */
	struct pump_room *room;
	struct pump *pump;
	int worker_fd;
	int refusal; /* what `secured` says */
	bool was_secured, has_ended;
	bool ends_when_placed; /* the owner does not want it any more */
	bool saw_end_before;   /* the worker did, before `ended` */
	int error;
};

/* With the worker's end, unless a kernel may encrypt: then it comes with the handshake. */
void relay_open_with(struct relay *relay, bool is_upload, const struct tls_kernel *kernel);
void relay_open(struct relay *relay, bool is_upload);
void relay_close(struct relay *relay);

/* The pump does what it can without waiting. */
void relay_turn(struct relay *relay);

/* The handshake, to its end or the pump's. */
void relay_shake(struct relay *relay);

/* What comes next for the client: bytes, 0 at close_notify, or a negative SSL_get_error(). */
int relay_read(struct relay *relay, char *buffer, int capacity);

bool relay_worker_sees_end(int worker_fd);

/* As table_run(), with keys and a client that may write to whoever is gone. */
int relay_run(const struct table *tables, size_t count);

#endif
