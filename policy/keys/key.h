/*
 * One private key: from PEM to signatures. Knows no process and no channel.
 */
#ifndef SALLYPORT_POLICY_KEYS_KEY_H
#define SALLYPORT_POLICY_KEYS_KEY_H

#include "ipc/base/bytes.h"
#include "policy/keys/shape.h"

enum { KEY_FILE_BYTES_MAX = 64 * 1024, KEY_RSA_BITS_MIN = 2048, KEY_RSA_BITS_MAX = 4096 };

struct key;

/* Once, before the first key and before the cage: what OpenSSL would load late. 0 or -ENOMEM. */
MUST_CHECK int key_prepare(void);

/*
 * The key that a regular file holds in PEM (PKCS #8, or RFC 5915 and 8017 forms), from its
 * beginning whatever the descriptor's offset. 0; or negative errno and *reason, a constant that
 * says what to do (the file is too large, encrypted, no key, too short, of no kind that TLS servers
 * use).
 */
MUST_CHECK int key_read(int fd, struct key **result, const char **reason);

/* Wipes it and sets *key to NULL. NULL is fine. */
void key_free(struct key **key);

enum shape_key key_kind(const struct key *key);

/*
 * The signature of `content` into `signature`: its length, or -EIO where OpenSSL fails. The scheme
 * is one that shape_permits().
 */
MUST_CHECK int key_sign(const struct key *key, enum tls_scheme scheme, struct bytes content,
	unsigned char *signature, size_t capacity);

#endif
