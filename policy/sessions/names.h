/*
 * What PASV announces: the rules of passive_address with what their host names stand for, as a
 * short-lived process last found out. A name that cannot be looked up keeps the address that it
 * had; that it cannot is in the record once.
 */
#ifndef SALLYPORT_POLICY_SESSIONS_NAMES_H
#define SALLYPORT_POLICY_SESSIONS_NAMES_H

#include "ipc/base/compiler.h"

struct names;
struct process;
struct supervisor;

/* Looks all names up; the server is not ready before that is over. 0 or -ENOMEM. */
MUST_CHECK int names_new(struct supervisor *supervisor, struct names **result);

/* For tests: the supervisor keeps them to its end. */
void names_free(struct names **names);

/* Looks them up again when it is time. Once a second. */
void names_tick(struct names *names);

/* Other settings are in force. */
void names_reload(struct names *names);

/* Tells a gateway all rules; it is told again when one of them changes. */
void names_send(const struct names *names, struct process *gateway);

/* The server ends: none is looked up any more. NULL is fine. */
void names_close(struct names *names);

#endif
