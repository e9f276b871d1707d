/*
 * Who may talk to whom: the whole matrix, and the ends of a channel (pairs.h).
 */
#include "ipc/descriptor.h"
#include "policy/supervisor/pairs.h"
#include "tests/table.h"

#include <stdio.h>
#include <unistd.h>

struct pair_row {
	const char *name;
	enum role one;
	const char *others; /* S G W A R L H K N C: roles that share a channel with it */
};

static const struct pair_row pair_rows[] = {
	{ "supervisor", ROLE_SUPERVISOR, "GWARLKNC" },
	{ "gateway", ROLE_GATEWAY, "SWARK" },
	{ "worker", ROLE_WORKER, "SGRC" },
	{ "auth", ROLE_AUTH, "SGR" },
	{ "record", ROLE_RECORD, "SGWA" },
	{ "loader", ROLE_LOADER, "S" },
	{ "hasher", ROLE_HASHER, "" },
	{ "keys", ROLE_KEYS, "SG" },
	{ "resolver", ROLE_RESOLVER, "S" },
	{ "admin", ROLE_ADMIN, "SW" },
};

static void
check_pairs(void **state)
{
	const struct pair_row *row = *state;
	static const char letters[] = {
		[ROLE_SUPERVISOR] = 'S',
		[ROLE_GATEWAY] = 'G',
		[ROLE_WORKER] = 'W',
		[ROLE_AUTH] = 'A',
		[ROLE_RECORD] = 'R',
		[ROLE_LOADER] = 'L',
		[ROLE_HASHER] = 'H',
		[ROLE_KEYS] = 'K',
		[ROLE_RESOLVER] = 'N',
		[ROLE_ADMIN] = 'C',
	};
	char got[ROLE_COUNT + 1] = "";
	size_t count = 0;
	for (enum role other = ROLE_SUPERVISOR; other < ROLE_COUNT; other++)
		if (pair_is_permitted(row->one, other))
			got[count++] = letters[other];
	assert_string_equal(got, row->others);
}

static void
check_ends(void **state)
{
	struct pair pair = { -1, -1 };
	(void)state;
	assert_int_equal(pair_make(ROLE_WORKER, ROLE_GATEWAY, &pair), 0);
	assert_int_equal(descriptor_check(pair.one, DESCRIPTOR_CHANNEL), 0);
	assert_int_equal(descriptor_check(pair.other, DESCRIPTOR_CHANNEL), 0);
	int one = pair.one;
	pair_close(&pair);
	assert_int_equal(pair.one, -1);
	assert_int_equal(pair.other, -1);
	assert_int_equal(close(one), -1);
}

static void
check_stream(void **state)
{
	struct pair pair = { -1, -1 };
	(void)state;
	assert_int_equal(pair_make_stream(ROLE_WORKER, ROLE_ADMIN, &pair), 0);
	assert_int_equal(descriptor_check(pair.one, DESCRIPTOR_DATA), 0);
	assert_int_equal(descriptor_check(pair.other, DESCRIPTOR_DATA), 0);
	pair_close(&pair);
}

int
main(void)
{
	const struct table tables[] = {
		TABLE("pairs", pair_rows, check_pairs),
		CASE("a pair is two ends of a channel, and closed whole", check_ends),
		CASE("a stream is two data descriptors", check_stream),
	};
	return table_run(tables, ARRAY_LENGTH(tables));
}
