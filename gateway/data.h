/*
 * Data connections: how the next one is to be made (PASV, EPSV, PORT, EPRT), and making it.
 *
 * A passive one is taken from nobody but the control connection's peer, and at the address that the
 * client already talks to; an active one is made by the supervisor, to the same peer (DESIGN 5,
 * DECISIONS 16, 17). One set-up is good for one transfer command.
 */
#ifndef SALLYPORT_GATEWAY_DATA_H
#define SALLYPORT_GATEWAY_DATA_H

#include "gateway/arrival.h"
#include "ipc/base/bytes.h"
#include "ipc/choices.h"

#include <event2/event_struct.h>

struct passive_port;
struct session;

enum data_mode {
	DATA_NONE,
	DATA_PASSIVE, /* at a port of ours */
	DATA_ASKED,   /* for a shared port (shared.h); the command runs */
	DATA_SHARED,  /* at that port, which the supervisor has */
	DATA_ARRIVED, /* the connection to that port is there */
	DATA_ACTIVE,
};

struct data_setup {
	enum data_mode mode;
	uint16_t port;         /* active: the client's */
	bool is_extended_only; /* EPSV ALL */
	bool is_waiting;       /* for a passive port, before the reply to PASV or EPSV */
	bool is_extended;      /* and it was EPSV */
	struct session *next_waiting;
	struct passive_port *passive;   /* held until the connection is there */
	uint32_t tag;                   /* asked, shared: of the open request for the port */
	int arrived_fd;                 /* arrived: the connection */
	struct arrival_list candidates; /* by a proxy: whose they are is not known yet */
	uint32_t candidate_count;
};

/* Waiting for a data connection. The transfer owns it. */
struct data_wait {
	struct session *session;
	struct event event;
	int connecting_fd; /* active: in progress; -1: not there yet */
	uint16_t port;     /* active: the client's */
	uint32_t tag;      /* active: of the open request to the supervisor; 0: none */
	bool is_armed;
};

/* The client's words of PORT (RFC 959) and EPRT (RFC 2428). 0, -EINVAL or -EPROTONOSUPPORT. */
MUST_CHECK int data_parse_port(struct bytes argument, struct wire_address *address);
MUST_CHECK int data_parse_eprt(struct bytes argument, struct wire_address *address);

/* What was set up is used, or of no use any more. */
void data_forget(struct session *session);

/* ---- for a transfer ---- */

/*
 * Its connection: 0 and *fd, when it is there already; -EINPROGRESS: transfer_connected() or
 * transfer_unconnected() follows, and `wait` is in use until then or data_stop_waiting();
 * -ENOTCONN: none was set up; another errno. The caller sets the time limit of the waiting, and
 * calls data_forget() once it has its connection.
 */
MUST_CHECK int data_open(struct session *session, struct data_wait *wait, int *fd);

void data_stop_waiting(struct data_wait *wait);

/* ---- what comes later ---- */

/* PASV or EPSV waited for that port, or there is none (NULL). */
void data_passive_ready(struct session *session, struct passive_port *port);

/* Takes *fd, the connection that a proxy has said to be the client's, if it is awaited. */
void data_proved(struct session *session, int *fd);

/* 227 or 229, as it was asked for. */
void data_reply_port(struct session *session, uint16_t port);

/* Does a port wait for the client, that others could use? */
bool data_holds_port(const struct session *session);

/* LIMIT_DATA is reached. */
void data_time_over(struct session *session);

/* The supervisor connects: takes *fd, a connection in progress; or does not. */
void data_connecting(struct session *session, int *fd);
void data_refused(struct session *session, enum refusal why);

#endif
