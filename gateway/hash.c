/*
 * Names of digest algorithms (see hash.h). Runs in the gateway, on words from clients.
 */
#include "gateway/hash.h"

#include "ipc/base/ends.h"

#include <stdio.h>
#include <strings.h>

static const struct hash {
	const char *name;
	enum pathio_algorithm algorithm;
} hashes[] = {
#define ALGORITHM(text, number) { (text), (number) },
#include "gateway/digests.def"
};

bool
hash_find(struct bytes name, enum pathio_algorithm *algorithm)
{
	for (size_t i = 0; i < ARRAY_LENGTH(hashes); i++) {
		if (strlen(hashes[i].name) != name.length ||
			strncasecmp(hashes[i].name, name.data, name.length) != 0)
			continue;
		*algorithm = hashes[i].algorithm;
		return true;
	}
	return false;
}

const char *
hash_name(enum pathio_algorithm algorithm)
{
	for (size_t i = 0; i < ARRAY_LENGTH(hashes); i++)
		if (hashes[i].algorithm == algorithm)
			return hashes[i].name;
	bug("an algorithm without a name");
}

const char *
hash_feature(enum pathio_algorithm chosen, char text[HASH_TEXT_BYTES])
{
	size_t length = 0;
	for (size_t i = 0; i < ARRAY_LENGTH(hashes); i++) {
		int added = snprintf(text + length, HASH_TEXT_BYTES - length, "%s%s%s",
			i == 0 ? "" : ";", hashes[i].name,
			hashes[i].algorithm == chosen ? "*" : "");
		length += (size_t)added;
		ensure(length < HASH_TEXT_BYTES);
	}
	return text;
}
