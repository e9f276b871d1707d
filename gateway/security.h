/*
 * TLS of the process: its certificates, its channel to sallyport-keys, its tickets. Process
 * lifetime. Without certificates there is no TLS.
 */
#ifndef SALLYPORT_GATEWAY_SECURITY_H
#define SALLYPORT_GATEWAY_SECURITY_H

#include "gateway/pump.h"
#include "ipc/base/bytes.h"

struct gateway;
struct security;

/* Before the cage is closed. NULL when memory is short, or OpenSSL does not start. */
MUST_CHECK struct security *security_new(struct gateway *gateway);

/* After the last session. */
void security_free(struct security **security);

/* Takes *fd, a channel to keys, in place of an earlier one. 0 or negative errno. */
MUST_CHECK int security_connect_keys(struct security *security, int *fd);

/*
 * Certificates of the next set: PEM in a file, with the number of the key at keys; and what an OCSP
 * responder says of the one before. 0, -EFBIG or another negative errno.
 */
MUST_CHECK int security_add_certificate(struct security *security, uint32_t key, int fd);
MUST_CHECK int security_add_staple(struct security *security, int fd);

/* What certificates of clients are held to, in PEM. 0, -EINVAL: it came before; as above. */
MUST_CHECK int security_add_authority(struct security *security, bool is_crl, int fd);

/* The set is complete and in force; connections keep theirs. 0, -EINVAL or -ENOMEM. */
MUST_CHECK int security_use_certificates(struct security *security);

/* Of new connections; NULL without certificates. */
struct tls_context *security_context(const struct security *security);

/*
 * kernel_tls = auto, before the cage: will the kernel be asked to encrypt downloads? What came of
 * it is in words in the log once record is there, by way of security_report().
 */
MUST_CHECK bool security_try_kernel(struct security *security);
void security_report(struct security *security);

/* For data connections of downloads; NULL: not asked for, or not there. */
const struct tls_kernel *security_kernel(const struct security *security);

struct pump_room *security_pumps(const struct security *security);

#endif
