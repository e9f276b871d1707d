/*
 * Certificates and keys: those that the configuration names, opened and checked, and one that the
 * quick start makes for itself.
 */
#ifndef SALLYPORT_POLICY_LOADER_CERTIFICATES_H
#define SALLYPORT_POLICY_LOADER_CERTIFICATES_H

#include "policy/rules/config.h"
#include "policy/rules/credentials.h"

/*
 * Opens what tls_certificates, tls_keys and tls_staples name, and what certificates of clients are
 * held to. 0, -ENOMEM, or another negative errno
 * with the file and what is wrong with it: it cannot be read; it is no PEM, or no key that is
 * offered; the two do not belong together; it has expired or is not valid yet; everybody may read
 * the key.
 */
MUST_CHECK int certificates_load(
	const struct config *config, struct credentials *credentials, struct rules_error *error);

/* By what clients can be told to trust a certificate that nobody has signed. */
struct certificate_marks {
	char sha256[96]; /* of the certificate: "AB:CD:..." */
	char sha1[64];   /* likewise, as lftp wants it */
	char pin[64];    /* of the public key, for curl's --pinnedpubkey: "sha256//..." */
};

/*
 * A key, and a certificate for localhost and the loopback addresses that it signs itself, good for
 * a year. Both in memory and nowhere else. 0, -ENOMEM or -EIO.
 */
MUST_CHECK int certificates_make(struct credentials *credentials, struct certificate_marks *marks);

#endif
