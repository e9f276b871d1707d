/*
 * Private keys made for a test (see new_key.h).
 */
#include "tests/table.h"

#include "tests/unit/keys/new_key.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

EVP_PKEY *
new_key(const char *algorithm, int bits, const char *group)
{
	EVP_PKEY *key;
	if (strcmp(algorithm, "RSA") == 0)
		key = EVP_PKEY_Q_keygen(NULL, NULL, algorithm, (size_t)bits);
	else if (strcmp(algorithm, "EC") == 0)
		key = EVP_PKEY_Q_keygen(NULL, NULL, algorithm, group);
	else
		key = EVP_PKEY_Q_keygen(NULL, NULL, algorithm);
	assert_non_null(key);
	return key;
}

int
new_file(const void *bytes, size_t length)
{
	int fd = memfd_create("file", MFD_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, length), length);
	return fd;
}

int
new_key_file(EVP_PKEY *key, const char *passphrase)
{
	BIO *pem = BIO_new(BIO_s_mem());
	char *text;
	assert_int_equal(PEM_write_bio_PKCS8PrivateKey(pem, key,
				 passphrase == NULL ? NULL : EVP_aes_256_cbc(), passphrase,
				 passphrase == NULL ? 0 : (int)strlen(passphrase), NULL, NULL),
		1);
	long length = BIO_get_mem_data(pem, &text);
	int fd = new_file(text, (size_t)length);
	BIO_free(pem);
	return fd;
}
