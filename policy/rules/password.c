/*
 * Making of passwords and their hashes (see password.h). Runs in the loader of the quick start.
 * Wipes what it held of a password.
 */
#include "policy/rules/password.h"

#include <assert.h>
#include <crypt.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

int
password_make(char result[PASSWORD_MADE_BYTES + 1])
{
	/* 32 of them, so that five bits of each random byte choose without a bias. */
	static const char letters[] = "abcdefghijkmnpqrstuvwxyz23456789";
	static_assert(sizeof(letters) - 1 == 32, "five bits");
	unsigned char random[PASSWORD_MADE_BYTES];
	if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
		return -errno; /* so few bytes come whole or not at all */
	for (size_t i = 0; i < sizeof(random); i++)
		result[i] = letters[random[i] % 32];
	result[PASSWORD_MADE_BYTES] = '\0';
	explicit_bzero(random, sizeof(random));
	return 0;
}

int
password_hash(const char *password, char **hash)
{
	char salt[CRYPT_GENSALT_OUTPUT_SIZE];
	if (crypt_gensalt_rn("$y$", 0, NULL, 0, salt, sizeof(salt)) == NULL)
		return -errno;
	struct crypt_data *data = calloc(1, sizeof(*data)); /* 32 KiB */
	if (data == NULL)
		return -ENOMEM;
	const char *made = crypt_r(password, salt, data);
	char *copy = made == NULL || made[0] == '*' ? NULL : strdup(made);
	int error = copy != NULL ? 0 : errno == ENOMEM ? -ENOMEM : -EINVAL;
	explicit_bzero(data, sizeof(*data));
	free(data);
	if (error == 0)
		*hash = copy;
	return error;
}
