/*
 * The gateway's channel to the supervisor (ipc/gate.def): settings, listeners and channels come
 * from there, and everything that the gateway may not do itself is asked for there.
 */
#ifndef SALLYPORT_GATEWAY_SUPERVISOR_H
#define SALLYPORT_GATEWAY_SUPERVISOR_H

#include "ipc/base/compiler.h"

#include <stdbool.h>
#include <stdint.h>

struct data_wait;
struct gateway;
struct session;

/*
 * Locks the process in, once the settings are there: 0 or negative errno, and one line in words in
 * either case, which the caller frees (NULL when memory is short). `kernel_tls`: with the rows that
 * it takes.
 */
typedef int supervisor_cage(bool required, bool kernel_tls, char **report);

/* Takes *fd, the channel to the supervisor. 0 or negative errno. */
MUST_CHECK int supervisor_connect(struct gateway *gateway, int *fd, supervisor_cage *cage);

/*
 * Requests of a session; the answer comes to login_attached() or login_refused(). 0, or negative
 * errno if the supervisor cannot be asked.
 */
MUST_CHECK int supervisor_attach(struct session *session);
MUST_CHECK int supervisor_reattach(struct session *session);

/* The answer comes to data_connecting() or data_refused(). 0 and *tag, or negative errno. */
MUST_CHECK int supervisor_connect_active(struct session *session, uint16_t port, uint32_t *tag);

/* The answer comes to passive_arrived() or passive_refused(). 0 or negative errno. */
MUST_CHECK int supervisor_want_passive(struct gateway *gateway);

/*
 * A shared port for the session: the answer comes to shared_given() or shared_refused(), and after
 * it shared_arrived(), as often as somebody comes, while the ticket *tag is open. 0 or negative
 * errno. And nobody is awaited there any more.
 */
MUST_CHECK int supervisor_want_port(struct session *session, uint32_t *tag);
void supervisor_leave_port(struct session *session);

/* Auth broke a rule; another channel to it comes to login_connect_auth(). */
void supervisor_want_auth(struct gateway *gateway);

/* The channel to keys has ended; another comes to security_connect_keys(). */
void supervisor_want_keys(struct gateway *gateway);

/* A session that the supervisor knows has ended. */
void supervisor_session_closed(struct session *session);

/* The session's worker let a deadline pass. */
void supervisor_complain(struct session *session);

#endif
