/*
 * Digests of files (see operations.h). Runs in the worker, as the user. Every algorithm is fetched
 * before the cage closes; one that this OpenSSL does not offer (MD5 under FIPS) is ENOTSUP.
 */
#include "worker/operation.h"

#include <errno.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdlib.h>
#include <zlib.h>

struct digesting {
	struct operation operation;
	struct backend_file *file;
	uint64_t offset;
	uint64_t left;
	EVP_MD_CTX *context; /* NULL: crc32 */
	uint32_t crc;
	unsigned char value[EVP_MAX_MD_SIZE];
	char block[OPERATION_BLOCK_BYTES];
};

/* Fetched once; process lifetime. crc32 has none, it is zlib's. */
static EVP_MD *fetched[] = {
	[PATHIO_CRC32] = NULL,
	[PATHIO_MD5] = NULL,
	[PATHIO_SHA1] = NULL,
	[PATHIO_SHA256] = NULL,
	[PATHIO_SHA512] = NULL,
};

static const char *const openssl_names[] = {
	[PATHIO_MD5] = "MD5",
	[PATHIO_SHA1] = "SHA1",
	[PATHIO_SHA256] = "SHA2-256",
	[PATHIO_SHA512] = "SHA2-512",
};

static void
fetch_all(void)
{
	OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
	for (size_t i = 0; i < ARRAY_LENGTH(openssl_names); i++) {
		if (openssl_names[i] == NULL)
			continue;
		fetched[i] = EVP_MD_fetch(NULL, openssl_names[i], NULL);
		/* Used once, so that nothing is left that OpenSSL would set up inside the cage. */
		unsigned char value[EVP_MAX_MD_SIZE];
		if (fetched[i] != NULL && EVP_Digest("", 0, value, NULL, fetched[i], NULL) != 1) {
			EVP_MD_free(fetched[i]);
			fetched[i] = NULL;
		}
	}
}

void
operation_digest_prepare(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	pthread_once(&once, fetch_all);
}

static int
add_block(struct digesting *digesting, size_t length)
{
	if (digesting->context == NULL) {
		const unsigned char *bytes = (const unsigned char *)digesting->block;
		digesting->crc = (uint32_t)crc32_z(digesting->crc, bytes, length);
		return 0;
	}
	return EVP_DigestUpdate(digesting->context, digesting->block, length) == 1 ? 0 : -ENOMEM;
}

static int
finish(struct digesting *digesting)
{
	unsigned length = sizeof(digesting->crc);
	if (digesting->context == NULL)
		for (unsigned i = 0; i < length; i++)
			digesting->value[i] =
				(unsigned char)(digesting->crc >> (8 * (length - 1 - i)));
	else if (EVP_DigestFinal_ex(digesting->context, digesting->value, &length) != 1)
		return -ENOMEM;
	digesting->operation.digest = bytes_of(digesting->value, length);
	return 0;
}

static int
digest_step(struct operation *operation)
{
	struct digesting *digesting = (struct digesting *)operation;
	uint64_t piece_end = operation->bytes + OPERATION_PIECE_BYTES;
	while (digesting->left > 0 && operation->bytes < piece_end) {
		size_t wanted = sizeof(digesting->block);
		if (wanted > digesting->left)
			wanted = (size_t)digesting->left;
		ssize_t got = operation->tree->backend->read(
			digesting->file, digesting->offset, digesting->block, wanted);
		if (got < 0)
			return (int)got;
		if (got == 0)
			digesting->left = 0;
		else
			digesting->left -= (uint64_t)got;
		digesting->offset += (uint64_t)got;
		operation->bytes += (uint64_t)got;
		int error = add_block(digesting, (size_t)got);
		if (error < 0)
			return error;
	}
	return digesting->left > 0 ? 1 : finish(digesting);
}

static void
digest_release(struct operation *operation)
{
	struct digesting *digesting = (struct digesting *)operation;
	EVP_MD_CTX_free(digesting->context);
	if (digesting->file != NULL)
		operation->tree->backend->close(&digesting->file);
}

static const struct operation_kind digest_kind = { digest_step, digest_release };

static int
choose_algorithm(struct digesting *digesting, enum pathio_algorithm algorithm)
{
	if (algorithm == PATHIO_CRC32)
		return 0;
	operation_digest_prepare(); /* programs without a cage need not have called it */
	if (fetched[algorithm] == NULL)
		return -ENOTSUP;
	digesting->context = EVP_MD_CTX_new();
	if (digesting->context == NULL)
		return -ENOMEM;
	return EVP_DigestInit_ex2(digesting->context, fetched[algorithm], NULL) == 1 ? 0 : -ENOMEM;
}

int
operation_digest(struct tree *tree, const struct path *path, enum pathio_algorithm algorithm,
	uint64_t offset, uint64_t count, struct operation **result)
{
	struct digesting *digesting = calloc(1, sizeof(*digesting));
	if (digesting == NULL)
		return -ENOMEM;
	struct operation *operation = &digesting->operation;
	*operation = (struct operation){ .kind = &digest_kind, .tree = tree };
	digesting->offset = offset;
	digesting->left = count;
	struct pathio_attributes found;
	int error =
		tree->backend->open(tree->state, path, BACKEND_READ, 0, &digesting->file, &found);
	if (error == 0 && offset > found.size)
		error = -EINVAL;
	if (error == 0)
		error = choose_algorithm(digesting, algorithm);
	if (error < 0)
		operation_free(&operation);
	else
		*result = operation;
	return error;
}
