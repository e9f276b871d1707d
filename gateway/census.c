/*
 * Connections per address (see census.h). Runs in the gateway. Addresses are chosen by clients:
 * the table has as many entries as there are connections without a login, which are limited.
 */
#include "gateway/census.h"

#include "ipc/address.h"
#include "ipc/base/ends.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

enum { BUCKETS = 1024 };

struct resident {
	struct resident *next;
	uint8_t prefix[16];
	uint32_t count;
};

struct census {
	uint64_t seed; /* so that nobody can choose addresses that share a bucket */
	struct resident *buckets[BUCKETS];
};

static void
find_prefix(const struct wire_address *address, uint8_t prefix[16])
{
	memcpy(prefix, address->ip, 16);
	if (!address_is_v4(address))
		memset(prefix + 8, 0, 8);
}

bool
census_is_same(const struct wire_address *a, const struct wire_address *b)
{
	uint8_t prefixes[2][16];
	find_prefix(a, prefixes[0]);
	find_prefix(b, prefixes[1]);
	return memcmp(prefixes[0], prefixes[1], sizeof(prefixes[0])) == 0;
}

/* The list that the prefix belongs to. FNV-1a, seeded. */
static struct resident **
find_bucket(struct census *census, const uint8_t prefix[16])
{
	uint64_t hash = census->seed;
	for (size_t i = 0; i < 16; i++)
		hash = (hash ^ prefix[i]) * 0x100000001b3;
	return &census->buckets[hash >> 32 & (BUCKETS - 1)];
}

/* Its place in the list, or the list's end. */
static struct resident **
find_resident(struct resident **bucket, const uint8_t prefix[16])
{
	struct resident **place = bucket;
	while (*place != NULL && memcmp((*place)->prefix, prefix, 16) != 0)
		place = &(*place)->next;
	return place;
}

static struct resident *
add_resident(struct resident **bucket, const uint8_t prefix[16])
{
	struct resident *resident = calloc(1, sizeof(*resident));
	if (resident == NULL)
		return NULL;
	memcpy(resident->prefix, prefix, 16);
	resident->next = *bucket;
	*bucket = resident;
	return resident;
}

struct census *
census_new(void)
{
	struct census *census = calloc(1, sizeof(*census));
	if (census != NULL &&
		getrandom(&census->seed, sizeof(census->seed), 0) != sizeof(census->seed))
		die("no random numbers");
	return census;
}

void
census_free(struct census **census)
{
	if (*census == NULL)
		return;
	for (size_t i = 0; i < BUCKETS; i++) {
		while ((*census)->buckets[i] != NULL) {
			struct resident *first = (*census)->buckets[i];
			(*census)->buckets[i] = first->next;
			free(first);
		}
	}
	free(*census);
	*census = NULL;
}

int
census_enter(struct census *census, const struct wire_address *address, uint32_t maximum)
{
	uint8_t prefix[16];
	find_prefix(address, prefix);
	struct resident **bucket = find_bucket(census, prefix);
	struct resident *resident = *find_resident(bucket, prefix);
	if (resident == NULL)
		resident = add_resident(bucket, prefix);
	if (resident == NULL)
		return -ENOMEM;
	if (resident->count >= maximum)
		return -EUSERS;
	resident->count++;
	return 0;
}

void
census_leave(struct census *census, const struct wire_address *address)
{
	uint8_t prefix[16];
	find_prefix(address, prefix);
	struct resident **place = find_resident(find_bucket(census, prefix), prefix);
	ensure(*place != NULL);
	if (--(*place)->count > 0)
		return;
	struct resident *left = *place;
	*place = left->next;
	free(left);
}
