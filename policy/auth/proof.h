/*
 * Proofs of certificates: from the messages of a handshake, as a gateway says that they were, to
 * the certificate of which the client must hold the key. Runs in a hasher, on bytes from the
 * network, where there is no password, no hash and no way out.
 */
#ifndef SALLYPORT_POLICY_AUTH_PROOF_H
#define SALLYPORT_POLICY_AUTH_PROOF_H

#include "ipc/base/bytes.h"
#include "policy/auth/trust.h"

struct proof_trust;

enum { PROOF_FINGERPRINT_DIGITS = 64, PROOF_NAMES_MAX = 32 };

struct proof_certificate {
	char fingerprint[PROOF_FINGERPRINT_DIGITS + 1]; /* SHA-256 */
	/* KIND/VALUE, as policy/rules/value_certificate.c folds them; only what an authority
	 * vouches for */
	char *names[PROOF_NAMES_MAX];
	size_t name_count;
};

/* Reads the files. 0, -ENOMEM, or another negative errno: they are not what they should be. */
MUST_CHECK int proof_trust_new(const struct trust_files *files, struct proof_trust **result);
void proof_trust_free(struct proof_trust **trust);

/*
 * Did the owner of a certificate shake hands like that with this server, and is the certificate
 * good now: within its time, by one of the authorities if there are any, and not revoked? 0, and
 * the caller frees *result; -EACCES if not; -EBADMSG: these are no such messages; -ENOMEM.
 */
MUST_CHECK int proof_check(
	const struct proof_trust *trust, struct bytes messages, struct proof_certificate *result);

void proof_certificate_free(struct proof_certificate *certificate);

#endif
