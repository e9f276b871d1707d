/*
 * What proofs of certificates are held to: open files, on their way from the supervisor to hashers,
 * which alone read them. All zero: none.
 */
#ifndef SALLYPORT_POLICY_AUTH_TRUST_H
#define SALLYPORT_POLICY_AUTH_TRUST_H

#include "ipc/base/compiler.h"

#include <stddef.h>

enum { TRUST_FILES_MAX = 66 };

enum trust_kind {
	TRUST_SERVER,    /* a certificate of this server and its issuers */
	TRUST_AUTHORITY, /* who vouches for clients */
	TRUST_CRL,       /* what is revoked */
};

struct trust_file {
	int fd;
	enum trust_kind kind;
};

struct trust_files {
	size_t count;
	struct trust_file items[TRUST_FILES_MAX];
};

/* Takes *fd. 0 or -E2BIG. */
MUST_CHECK int trust_files_add(struct trust_files *files, enum trust_kind kind, int *fd);

/* In place of what `to` had; `from` is empty then. */
void trust_files_move(struct trust_files *from, struct trust_files *to);

void trust_files_clear(struct trust_files *files);

#endif
