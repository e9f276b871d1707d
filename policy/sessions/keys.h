/*
 * The link to keys: its process, the private keys that it holds, and the certificates that go with
 * them to the gateways. Without certificates in the configuration there is no such process.
 *
 * A set of certificates is in force once keys holds all of its keys; until then, and if one cannot
 * be held, the set before it stays.
 */
#ifndef SALLYPORT_POLICY_SESSIONS_KEYS_H
#define SALLYPORT_POLICY_SESSIONS_KEYS_H

#include "ipc/base/compiler.h"

#include <stdint.h>

struct credentials;
struct gateway;
struct keys;
struct supervisor;

/* Starts keys, if the settings have certificates. 0 or negative errno. */
MUST_CHECK int keys_new(struct supervisor *supervisor, struct keys **result);
void keys_free(struct keys **keys);

void keys_tick(struct keys *keys);

/* Of the set in force, or the first one; NULL without keys. */
const struct credentials *keys_credentials(const struct keys *keys);

/* Gives a gateway that has just been started its channel to keys and the certificates in force. */
void keys_connect_gateway(struct keys *keys, struct gateway *gateway);

/* A gateway has lost its channel: another one. */
void keys_reconnect_gateway(struct keys *keys, struct gateway *gateway);

/* The settings were loaded again: their certificates are the next set. NULL: nothing happens. */
void keys_reload(struct keys *keys);

#endif
