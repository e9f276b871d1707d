/*
 * A session: one control connection, from the greeting to the goodbye. Session lifetime.
 *
 * Commands come one at a time and in order. A command that cannot be answered at once begins with
 * session_begin() and ends with session_finish(); until then no other is read, except by a transfer
 * (transfer.h). Whatever changes what a session may do next calls session_wake(); its turn then
 * comes once in this round of the loop: waiting lines are executed, replies written, an ended
 * session is taken apart. So nothing frees a session under somebody's feet.
 */
#ifndef SALLYPORT_GATEWAY_SESSION_H
#define SALLYPORT_GATEWAY_SESSION_H

#include "gateway/data.h"
#include "gateway/failure.h"
#include "gateway/gateway.h"
#include "gateway/limit.h"
#include "gateway/line.h"
#include "gateway/login.h"
#include "gateway/outbox.h"
#include "gateway/replies.h"
#include "gateway/secure.h"
#include "gateway/stream.h"
#include "ipc/base/path.h"
#include "ipc/pathio.h"

/* A line that was read and must wait. */
struct held_line {
	char *text; /* NULL: none */
	uint16_t length;
	enum line_result result;
};

/* What the held line waits for, besides the end of the running command. */
enum session_wait { WAITS_FOR_NOTHING, WAITS_FOR_AUTH, WAITS_FOR_TURN, WAITS_FOR_FILES };

/* Bytes of a file. */
struct byte_range {
	uint64_t start;
	uint64_t count; /* UINT64_MAX: to the end */
};

extern const struct byte_range byte_range_all;

/* See keepalive.h. */
struct keepalive {
	const char *line; /* NULL: none */
	bool is_out;
};

/* TYPE, MODE, REST, RANG and OPTS. */
struct parameters {
	enum pathio_form form;
	enum pathio_coding coding;
	uint8_t level;              /* of deflate */
	struct byte_range range;    /* of the next transfer, by REST or RANG */
	uint32_t facts;             /* enum pathio_fact bits */
	enum pathio_algorithm hash; /* of HASH */
	bool is_utf8;               /* names as they are stored, not in the user's character set */
};

extern const struct parameters parameters_initial;

struct session {
	struct gateway *gateway;
	uint64_t id;
	struct session *next_in_bucket;
	struct session *next_awake;
	bool is_awake;

	struct stream stream;
	struct line_reader lines;
	struct held_line held;
	struct outbox outbox;
	struct event readable;
	struct event *writable; /* while replies wait for the client */
	struct limit limit;
	struct keepalive keepalive;
	bool is_paused; /* not watched for lines */
	bool is_at_end; /* the client sends nothing more */

	bool is_running;    /* a command is */
	bool is_long;       /* it is one that ABOR cancels: long_tag */
	bool is_used;       /* a command was: the idle time begins anew */
	bool is_quitting;   /* QUIT came during a transfer */
	bool is_attended;   /* watched for urgent data and hang-up, with a line held */
	bool is_dropping;   /* urgent data came: lines before ABOR are dropped */
	bool is_leaving;    /* ends once no command runs */
	bool is_silent;     /* what is replied now goes nowhere */
	bool is_counted;    /* among those that have not logged in */
	bool has_mode_z;    /* it is offered; the worker decides */
	bool is_host_asked; /* `host` is, by HOST: it is not just where the client came to */
	bool is_introduced; /* CLNT or CSID is in the record */
	const char *ending; /* why, for the record; NULL: it lives */
	enum session_wait waits;
	uint16_t noops;    /* that came during a transfer or a long command */
	uint16_t aborts;   /* that wait for the end of either */
	uint32_t long_tag; /* of the long command's request */

	struct wire_address peer;    /* the client: of the connection, or by the proxy's word */
	struct wire_address local;   /* of the connection */
	struct wire_address proxy;   /* who has connected instead of the client; or none */
	struct wire_address reached; /* local, or what the client has connected to at the proxy */
	const struct host *host;     /* that the client is at */
	uint64_t connected_ms;
	uint64_t commands;

	uint32_t idle_timeout_s; /* SITE IDLE */
	uint32_t umask;          /* SITE UMASK: adds to that of the user */

	struct secure secure;
	struct login login;
	struct pathio *files; /* NULL without a worker */
	uint32_t last_file;   /* the handle used last */
	char *folder;         /* the working directory, folded; NULL: "/" */
	char *subject;        /* the path that the running command is about */
	char *rename_from;    /* RNFR's, until RNTO; NULL: none */
	char *copy_from;      /* CPFR's, until CPTO; NULL: none */
	struct parameters parameters;
	struct data_setup data;
	struct transfer *transfer;     /* the one that runs, or NULL */
	struct listing_reply *listing; /* of STAT, or NULL */
};

/* Where a control connection comes from, as in a session. */
struct origin {
	struct wire_address peer;
	struct wire_address local;
	struct wire_address proxy;
	struct wire_address reached;
	uint64_t since_ms;
	bool is_tls; /* from the first byte on */
};

/*
 * Begins with the greeting, or with a handshake before it. Takes *fd, a connected control
 * connection. 0 or -ENOMEM.
 */
MUST_CHECK int session_new(struct gateway *gateway, int *fd, const struct origin *origin);

/* Whom a proxy has named as the client; none without a proxy, or if it named nobody. */
struct wire_address session_claim(const struct session *session);

void session_greet(struct session *session);

/* By its id; NULL if it is gone, or ending. */
struct session *session_find(struct gateway *gateway, uint64_t id);

/* All of them in some order, from NULL to NULL. None may end meanwhile. */
struct session *session_next(struct gateway *gateway, const struct session *after);

/* Adds a reply (replies.h). Nothing is written before the session's turn. */
void session_reply(struct session *session, const char *format, ...) PRINTF_LIKE(2, 3);

/* Adds the reply that an errno means. */
void session_reply_failure(struct session *session, enum failure_context context, int error);

/* Adds lines as they are, ends of line included. */
void session_reply_text(struct session *session, struct bytes text);

/* Its turn comes in this round. */
void session_wake(struct session *session);
void session_wake_all(struct gateway *gateway);

/* What held lines waited for has come. */
void session_end_wait(struct gateway *gateway, enum session_wait wait);

/*
 * The running command is not answered yet; and now it is. Of a long one, which ABOR can cancel, the
 * request's tag goes to ->long_tag.
 */
void session_begin(struct session *session);
void session_begin_long(struct session *session);
void session_finish(struct session *session);

/* Does something run that ABOR, STAT, NOOP and QUIT may overtake (DECISIONS 32)? */
static inline bool
session_may_overtake(const struct session *session)
{
	return session->transfer != NULL || session->is_long;
}

/* The connection closes once what was replied is written; `reason` is a constant, for the record.
 */
void session_end(struct session *session, const char *reason);

/* The same for want of memory: with 421, if there is any for that. */
void session_give_up(struct session *session);

/* They end as soon as they run no command, with a reply that says so. */
void session_leave_all(struct gateway *gateway);

/*
 * For its last turn: ends what runs, and frees it once its replies are written. True if it is gone.
 */
MUST_CHECK bool session_take_apart(struct session *session);

/* At once, all of them. */
void session_free_all(struct gateway *gateway);

/* ---- for commands ---- */

bool session_is_logged_in(const struct session *session);

/* The working directory. */
struct bytes session_folder(const struct session *session);

/* What REST or RANG said, which is good once. */
struct byte_range session_take_range(struct session *session);

/*
 * The path that an argument means, read from the working directory; an empty one is that directory.
 * 0 or negative errno.
 */
MUST_CHECK int
session_fold(const struct session *session, struct bytes argument, struct path *path);

/* The same; on failure replies and answers false. */
MUST_CHECK bool session_resolve(struct session *session, enum failure_context context,
	struct bytes argument, struct path *path);

/* Keeps a path in one of the session's fields, in place of what was there. On failure replies. */
MUST_CHECK bool session_keep(struct session *session, char **field, const struct path *path);

/*
 * What every completion of a command does first: ends the command. True if the operation went
 * well; otherwise replies as the errno says.
 */
MUST_CHECK bool session_complete(
	struct session *session, enum failure_context context, const struct pathio_answer *answer);

/* A handle that is not in use. */
uint32_t session_next_file(struct session *session);

/* The answer of requests that nobody waits for. */
pathio_completion session_ignore_answer;

#endif
