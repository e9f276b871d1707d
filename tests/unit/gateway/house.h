/*
 * A gateway with everything around it, in one process and on one loop: a listener on the loopback
 * interface, and stand-ins for supervisor, auth, record and worker at the other ends of its
 * channels. They answer everything well unless they were told otherwise.
 */
#ifndef SALLYPORT_TESTS_UNIT_GATEWAY_HOUSE_H
#define SALLYPORT_TESTS_UNIT_GATEWAY_HOUSE_H

#include "gateway/gateway.h"
#include "ipc/pathio.h"

enum {
	HOUSE_CODES = 64, /* requests of pathio.def are below */
	HOUSE_TEXT_BYTES = 8192,
	HOUSE_LATE_REQUESTS = 16,
	HOUSE_LIVENESS_MS = 10000, /* whatever works takes less */
};

/* Any request, by the name of its row. */
union house_body {
#define REQUEST(name, CODE, number, answer, doc)  struct pathio_##name name;
#define TRANSFER(name, CODE, number, answer, doc) struct pathio_##name name;
#define ANSWER(name, CODE, number, doc)
#include "ipc/pathio.def"
};

/* A request that is answered only when the test says so. */
struct house_request {
	uint32_t code;
	uint32_t tag;
	int fd;
	union house_body body;
	char path[PATH_BYTES_MAX + 1]; /* what a path in the body points to */
};

struct house_worker {
	struct channel *channel;         /* NULL: none */
	uint16_t errors[HOUSE_CODES];    /* what the next such request is answered with */
	bool is_late[HOUSE_CODES];       /* such requests wait for house_release() */
	char log[HOUSE_TEXT_BYTES];      /* requests since it was last read: "open /a; send 0; " */
	char received[HOUSE_TEXT_BYTES]; /* of the last upload */
	struct house_request late[HOUSE_LATE_REQUESTS];
	size_t late_count;
	uint32_t parts_left; /* by each combine */
};

struct house {
	struct event_base *base;
	struct gateway *gateway;
	struct channel *supervisor; /* our ends */
	struct channel *auth;
	struct channel *record;
	struct house_worker worker;
	struct gate_configure settings;
	struct sockaddr_storage address; /* of the listener */
	enum verdict verdict;
	bool has_mode_z;      /* says the verdict */
	bool is_verdict_late; /* until house_release_verdicts() */
	uint32_t asked;       /* passwords that auth was asked about */
	char asked_at[256];   /* the host of the last of them */
	uint32_t late_verdicts[HOUSE_LATE_REQUESTS];
	size_t late_verdict_count;
	enum refusal refusal;        /* REFUSAL_NONE: sessions are attached */
	bool is_behind_proxy;        /* clients come from a proxy, and begin with its header */
	struct wire_address claimed; /* by the last attach */
	bool has_no_ports;
	int shared_fd; /* the port that a session waits at; 0: none */
	uint32_t shared_tag;
	uint64_t shared_session;
	struct event knock;
	uint32_t ports_left;
	uint32_t attached;     /* how often */
	uint64_t last_session; /* that was attached */
	uint32_t complaints;
	uint32_t closed_sessions;
	uint32_t last_sequence; /* of events */
	char events[HOUSE_TEXT_BYTES];
	bool is_ipv6;
};

/*
 * With settings that tests may change before house_open(). There are the virtual hosts example.org
 * and b.
 */
void house_init(struct house *house);
void house_open(struct house *house);
void house_close(struct house *house);

/* Auth comes, goes, and comes again. */
void house_open_auth(struct house *house);
void house_close_auth(struct house *house);

/* The worker dies. */
void house_close_worker(struct house *house);

/* Late requests are carried out now, and none is late any more. */
void house_release(struct house *house);

/* An answer that answers nothing: the worker is broken. */
void house_break_worker(struct house *house);

/* The supervisor's orders, and its death. */
void house_close_session(struct house *house);
void house_drain(struct house *house);
void house_close_supervisor(struct house *house);

/* Late verdicts are given, and none is late any more. */
void house_release_verdicts(struct house *house);

/* Somebody comes to the shared port whom nobody awaits, by the last tag or by another one. */
void house_intrude(struct house *house, bool is_of_last);

/* A new connection to the gateway's listener, non-blocking. */
int house_connect(struct house *house);

/* The loop turns once, for at most so long. */
void house_turn(struct house *house, int milliseconds);

#endif
