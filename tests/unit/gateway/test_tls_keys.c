/*
 * Keys that is not there, dies or hangs in the middle of handshakes (tls_signer.h).
 */
#include "tests/unit/gateway/tls_world.h"

#include "gateway/tls_provider.h"
#include "ipc/base/scope.h"
#include "policy/keys/key.h"

#include <errno.h>

enum { SESSION = 9 };

static const struct tls_world_key ordinary = { "EC", "P-256", "ftp.example.org" };

/* ---- keys ---- */

static void
check_dead_keys(void **state)
{
	struct tls_world world = { .base = NULL };
	struct tls_line line;
	(void)state;
	tls_world_open(&world, &ordinary, 1);
	tls_world_kill_keys(&world);
	assert_int_equal(world.lost, 1);
	tls_line_open(&world, &line, SESSION, NULL, false);
	tls_line_shake(&world, &line);
	assert_int_equal(line.server_result, -EPROTO);
	tls_line_close(&line);
	tls_world_close(&world);
}

static void
check_keys_that_die_meanwhile(void **state)
{
	struct tls_world world = { .base = NULL };
	struct tls_line line;
	int other_end;
	(void)state;
	tls_world_open(&world, &ordinary, 1);
	tls_world_connect_silence(&world, &other_end);
	tls_line_open(&world, &line, SESSION, NULL, false);
	tls_line_shake(&world, &line);
	assert_int_equal(line.server_result, -EAGAIN);
	assert_int_equal(tls_wants(line.server), 0);
	assert_int_equal(line.woken, 0);
	fd_close(&other_end);
	tls_line_shake(&world, &line);
	assert_int_equal(line.woken, 1);
	assert_int_equal(line.server_result, -EPROTO);
	tls_line_close(&line);
	tls_world_close(&world);
}

/* Clients that leave while keys is asked leave nothing behind (the sanitizer looks for it). */
static void
check_abandoned(void **state)
{
	struct tls_world world = { .base = NULL };
	struct tls_line lines[20];
	int other_end;
	(void)state;
	tls_world_open(&world, &ordinary, 1);
	tls_world_connect_silence(&world, &other_end);
	for (size_t i = 0; i < ARRAY_LENGTH(lines); i++) {
		tls_line_open(&world, &lines[i], SESSION + i, NULL, false);
		tls_line_shake(&world, &lines[i]);
		assert_int_equal(lines[i].server_result, -EAGAIN);
	}
	for (size_t i = 0; i < ARRAY_LENGTH(lines); i += 2)
		tls_line_close(&lines[i]);
	for (size_t i = 1; i < ARRAY_LENGTH(lines); i += 2)
		tls_line_close(&lines[i]);
	tls_world_connect_keys(&world);
	tls_line_open(&world, &lines[0], SESSION, NULL, false);
	tls_line_shake(&world, &lines[0]);
	assert_int_equal(lines[0].server_result, 0);
	tls_line_close(&lines[0]);
	fd_close(&other_end);
	tls_world_close(&world);
}

/* A reload: what runs keeps its certificate, whose key may be gone afterwards. */
static void
check_new_context(void **state)
{
	struct tls_world world = { .base = NULL };
	struct tls_line line;
	(void)state;
	tls_world_open(&world, &ordinary, 1);
	tls_line_open(&world, &line, SESSION, NULL, false);
	tls_context_release(&world.context);
	tls_line_shake(&world, &line);
	assert_int_equal(line.server_result, 0);
	tls_line_close(&line);
	tls_world_close(&world);
}

int
main(void)
{
	const struct table tables[] = {
		CASE("keys is not there", check_dead_keys),
		CASE("keys dies while it is asked", check_keys_that_die_meanwhile),
		CASE("handshakes that are given up while keys is asked", check_abandoned),
		CASE("a context that is replaced lives on in its connections", check_new_context),
	};
	if (key_prepare() < 0 || tls_provider_load() < 0)
		return 1;
	int result = table_run(tables, ARRAY_LENGTH(tables));
	tls_provider_unload();
	return result;
}
