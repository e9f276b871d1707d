/*
 * Private keys made for a test, and files that hold them.
 */
#ifndef SALLYPORT_TESTS_UNIT_KEYS_NEW_KEY_H
#define SALLYPORT_TESTS_UNIT_KEYS_NEW_KEY_H

#include <openssl/types.h>
#include <stddef.h>

/* "RSA" with `bits`; "EC" with `group`; "ED25519", "X25519". The caller frees it. */
EVP_PKEY *new_key(const char *algorithm, int bits, const char *group);

/* A file in memory with the key in PEM, encrypted if there is a passphrase. The caller closes it.
 */
int new_key_file(EVP_PKEY *key, const char *passphrase);

/* A file in memory with these bytes. */
int new_file(const void *bytes, size_t length);

#endif
