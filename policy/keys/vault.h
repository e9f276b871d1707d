/*
 * The keys that this process holds, by number, and the gateways that may have handshakes signed.
 * Lives as long as the process.
 */
#ifndef SALLYPORT_POLICY_KEYS_VAULT_H
#define SALLYPORT_POLICY_KEYS_VAULT_H

#include "ipc/channel.h"

struct vault;

/* `supervisor` is told of gateways that break rules (vault.def). NULL when memory is short. */
MUST_CHECK struct vault *vault_new(struct event_base *base, struct channel *supervisor);

void vault_free(struct vault **vault);

/*
 * Holds the key in that file under that number. 0; -EEXIST if the number was used before, which is
 * the supervisor's mistake; or another negative errno and *reason, a constant for the operator.
 */
MUST_CHECK int vault_add(struct vault *vault, uint32_t number, int fd, const char **reason);

/* Wipes a key; requests for it are refused from now on. */
void vault_forget(struct vault *vault, uint32_t number);

/* Takes *fd, a sign channel: 0, -ENOMEM or -EBADMSG. */
MUST_CHECK int vault_add_gateway(struct vault *vault, uint32_t incarnation, int *fd);

#endif
