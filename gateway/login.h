/*
 * How a session gets its user and the user's files: a verdict of auth, a channel to a worker from
 * the supervisor, and another channel when that worker has died (DESIGN 6.3 and 7, DECISIONS 9,
 * 13).
 */
#ifndef SALLYPORT_GATEWAY_LOGIN_H
#define SALLYPORT_GATEWAY_LOGIN_H

#include "ipc/base/bytes.h"
#include "ipc/choices.h"

#include <stdint.h>

struct gateway;
struct session;

enum login_stage {
	LOGIN_NAME_NEEDED, /* USER */
	LOGIN_NAMED,       /* PASS */
	LOGIN_VERIFYING,   /* auth is asked */
	LOGIN_ATTACHING,   /* the supervisor is asked for a worker */
	LOGIN_DONE,        /* logged in, also while a lost worker is replaced */
};

/* What this user's data connections must be like. */
struct tls_policies {
	enum tls_policy data;
	enum tls_reuse reuse;
	enum tls_end upload_end;
};

struct login {
	enum login_stage stage;
	char *name; /* as USER gave it, until the verdict */
	uint32_t attempt;
	uint32_t failed;              /* of this connection */
	uint32_t tag;                 /* of the open request to auth or the supervisor; 0: none */
	bool is_known;                /* the supervisor has heard of it: tell it the end */
	bool is_inside;               /* it has passed the turnstile */
	bool is_by_certificate;       /* what is asked, or has let it in */
	bool is_repeated;             /* an auth has died over it already */
	struct session *next_waiting; /* before the turnstile */
	struct tls_policies tls;      /* of who is logged in */
};

/* USER. The name has 1 to 255 bytes. 0 or -ENOMEM. */
MUST_CHECK int login_name(struct session *session, struct bytes name);

/*
 * PASS, after USER, whose line is held until the verdict. The command has begun, or must run again
 * when what session->waits names has come (auth restarts, or it is not this login's turn). An auth
 * that dies before its verdict costs the client a moment, another one that does so the connection.
 */
void login_verify(struct session *session, struct bytes secret);

/*
 * USER, over a connection whose client has shown a certificate: the same without a password. A
 * certificate that does not log that name in is 331, as if there were none.
 */
bool login_has_certificate(const struct session *session);
void login_verify_certificate(struct session *session);

/* REIN, or the end of the session: the files are closed, the supervisor is told. */
void login_forget(struct session *session);

/* A logged-in session without files asks for a worker again; session_wake() follows. */
void login_reattach(struct session *session);

/* ---- what auth and the supervisor answer ---- */

/* Takes *fd, a channel to auth, in place of an earlier one. 0 or negative errno. */
MUST_CHECK int login_connect_auth(struct gateway *gateway, int *fd);

/* Takes *fd, the gateway's end of the session's channel. */
void login_attached(struct session *session, const struct tls_policies *policies, int *fd);
void login_refused(struct session *session, enum refusal why);

#endif
