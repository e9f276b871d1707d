/*
 * Certificates and private keys that a loader has opened, on their way to gateways and to
 * sallyport-keys. Nobody in between reads them. Owned by what they are part of; all zero: none.
 */
#ifndef SALLYPORT_POLICY_RULES_CREDENTIALS_H
#define SALLYPORT_POLICY_RULES_CREDENTIALS_H

#include "ipc/base/bytes.h"

#include <stdbool.h>

enum { CREDENTIALS_MAX = 64, AUTHORITY_FILES_MAX = 2 };

struct credential {
	int chain_fd;   /* the certificate and its issuers, in PEM */
	int key_fd;     /* its private key, in PEM; -1 until it has come */
	int staple_fd;  /* an OCSP response in DER; -1: none */
	char *key_name; /* of the file, for messages */
};

/* What certificates of clients are held to, in PEM. */
struct authority_file {
	int fd;
	bool is_crl; /* lists of what is revoked; else the certificates of authorities */
};

struct credentials {
	size_t count;
	struct credential items[CREDENTIALS_MAX];
	size_t authority_count;
	struct authority_file authorities[AUTHORITY_FILES_MAX];
};

/* Takes *chain_fd. -E2BIG, or 0. */
MUST_CHECK int credentials_add(struct credentials *credentials, int *chain_fd);

/* Of the last one: takes *fd. -EINVAL if there is none, or it has one; -ENOMEM; or 0. */
MUST_CHECK int credentials_add_key(struct credentials *credentials, struct bytes name, int *fd);
MUST_CHECK int credentials_add_staple(struct credentials *credentials, int *fd);

/* Takes *fd. -E2BIG, or 0. */
MUST_CHECK int credentials_add_authority(struct credentials *credentials, bool is_crl, int *fd);

/* Has each certificate its key? */
bool credentials_are_whole(const struct credentials *credentials);

/* Moves them; `from` is empty then. `to` was. */
void credentials_move(struct credentials *from, struct credentials *to);

void credentials_clear(struct credentials *credentials);

#endif
