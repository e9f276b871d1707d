/*
 * The load generator: many FTP sessions from one thread, so lean that the server is what is
 * measured. It expects to be answered correctly and ends at anything else, since a benchmark with
 * failures in it says nothing.
 */
#ifndef SALLYPORT_TESTS_BENCH_LOAD_H
#define SALLYPORT_TESTS_BENCH_LOAD_H

#include <netinet/in.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum act {
	ACT_CONNECT, /* open the control connection */
	ACT_SHAKE,   /* TLS on it; from there on, on data connections as well */
	ACT_SAY,     /* one command, one reply */
	ACT_MEET,    /* EPSV: the reply tells the port of the transfer to come */
	ACT_FETCH,   /* a transfer from there: 150, the data to its end, 226 */
	ACT_STORE,   /* a transfer to there */
	ACT_LEAVE,   /* the last command; the control connection ends after it */
};

enum argument {
	ARGUMENT_NONE,
	ARGUMENT_USER,
	ARGUMENT_PASSWORD,
	ARGUMENT_NAME,
	ARGUMENT_OWN_NAME, /* NAME and the session's number */
};

struct step {
	enum act act;
	const char *verb;
	enum argument argument;
	int reply;
};

struct scenario {
	const char *name, *doc;
	const struct step *const *opening, *const *turn; /* each ends with NULL */
};

enum {
	CONTENT_BYTES = 64 << 20
}; /* of the memory that is stored from; a longer upload repeats it */

/* What is asked for, and what has come of it so far. One for the process. */
struct load {
	struct sockaddr_in server;
	const char *user, *password, *name;
	const struct scenario *scenario;
	uint64_t sessions, count, bytes;
	double limit_s; /* after so long no turn begins, though COUNT is not reached */
	int epoll_fd, content_fd;
	const char *content; /* the same, mapped */
	SSL_CTX *tls;

	uint64_t opened;        /* sessions */
	uint64_t begun, ended;  /* turns */
	uint64_t full, resumed; /* handshakes */
	uint64_t moved_bytes;
	double start_s, *took_s; /* each turn, in order of their ends */
};

struct session;

/* A connection in the epoll set, and who is called when something happens to it. */
struct endpoint {
	int fd;   /* -1: none */
	SSL *tls; /* NULL: in the clear */
	struct session *session;
	void (*ready)(struct session *session);
};

struct session {
	struct load *load;
	uint64_t number;
	const struct step *const *step; /* the one that is waited for */
	bool replied;                   /* its last reply has come */
	double begun_s;                 /* the turn */
	struct endpoint control, data;
	SSL_SESSION *resumable; /* of the control connection; NULL: none */
	uint16_t data_port;
	uint64_t stored_bytes; /* of the upload under way */
	char reply[4096];
	size_t reply_length;
};

double now_s(void);

/* Begins the opening. */
void session_open(struct session *session);

/* Begins a turn, unless all have begun or time is up. */
void session_begin_turn(struct session *session);

/* The data connection has ended: the step is done if its reply has come as well. */
void session_data_ended(struct session *session);

/* Connects to a port of the server and puts the endpoint into the set for EPOLLIN or EPOLLOUT. */
void endpoint_connect(struct endpoint *endpoint, uint16_t port, uint32_t events);

void endpoint_close(struct endpoint *endpoint);

/* Makes the data connection of a transfer; what it moves is counted in load. */
void data_connect(struct session *session, enum act act);

/* ---- TLS: what fails ends the program ---- */

SSL_CTX *tls_prepare(void);
void tls_stop(SSL_CTX *context);

/* What a session could have resumed. */
void tls_forget(struct session *session);

/* On a connection, as a client. */
void tls_open(struct endpoint *endpoint);
void tls_close(struct endpoint *endpoint);

/* Whether the handshake is done; false: again when the socket is ready. */
bool tls_shake(struct endpoint *endpoint);

/* As recv(2) and send(2); 0: the server's close_notify. */
ssize_t tls_receive(struct endpoint *endpoint, char *buffer, size_t capacity);
ssize_t tls_send(struct endpoint *endpoint, const char *bytes, size_t length);

/* After the handshake: from now on much is sent, and many records go together. */
void tls_gather(struct endpoint *endpoint);

/* Sends close_notify and whatever was gathered; false: again when the socket is ready. */
bool tls_end(struct endpoint *endpoint);

/* Has the server hung up? Reads what is left, since tickets unread would reset the upload. */
bool tls_is_gone(struct endpoint *endpoint);

#endif
