/*
 * The link to auth: its process, its users, its verdicts.
 */
#ifndef SALLYPORT_POLICY_SESSIONS_AUTH_H
#define SALLYPORT_POLICY_SESSIONS_AUTH_H

#include "ipc/base/compiler.h"

#include <stdint.h>

struct auth;
struct gateway;
struct supervisor;

/* Starts auth. 0 or negative errno. */
MUST_CHECK int auth_new(struct supervisor *supervisor, struct auth **result);

void auth_tick(struct auth *auth);

/* Takes over its end of a channel to a gateway; without an auth it is closed. */
void auth_add_gateway(struct auth *auth, uint32_t incarnation, int *verify_fd);

/* The certificates that keys has are in force, or auth is new: what proofs are held to. */
void auth_use_certificates(struct auth *auth);

/* The users file of the settings was read again. */
void auth_reload(struct auth *auth);

#endif
