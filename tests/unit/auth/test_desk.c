/*
 * Login attempts at auth's desk, with a pool that counts instead of hashing: every attempt costs
 * exactly one computation, the supervisor hears of a user before the gateway does, and neither a
 * gateway nor a full record makes an attempt disappear (desk.h, DECISIONS 9, 11, 36).
 */
#include "tests/unit/auth/desk_scene.h"

#include <sys/socket.h>

/* Whose hash is looked at, where names are the same. */
static void
check_hash_of_host(void **state)
{
	scene_open(state);
	struct scene *scene = *state;
	scene_type_password_at(scene, "b", 1, "alice", "right");
	assert_non_null(strstr(the_pool.hash, "$ijklmnop$"));
	pool_finish(POOL_DIFFERS);
	scene_type_password_at(scene, "", 2, "alice", "right");
	assert_non_null(strstr(the_pool.hash, "$abcdefgh$"));
	pool_finish(POOL_DIFFERS);
	scene_close(scene);
}

struct verdict_row {
	const char *name;
	const char *host;
	const char *user;
	const char *secret;
	enum pool_result result;
	const char *want;
};

static const struct verdict_row verdict_rows[] = {
	{ "the right password", "", "alice", "right", POOL_MATCHES,
		"identified:alice:1 accepted:1 " },
	{ "what the user may", "", "dora", "right", POOL_MATCHES,
		"identified:dora:1 accepted+mode_z:1 " },
	{ "a wrong password", "", "alice", "wrong", POOL_DIFFERS, "refused:1 " },
	{ "a wrong password tells nothing", "", "dora", "wrong", POOL_DIFFERS, "refused:1 " },
	{ "an empty password", "", "alice", "", POOL_DIFFERS, "refused:1 " },
	{ "nobody's name", "", "mallory", "right", POOL_MATCHES, "refused:1 " },
	{ "a user without a hash", "", "bert", "right", POOL_MATCHES, "refused:1 " },
	{ "a disabled user", "", "carl", "right", POOL_MATCHES, "refused:1 " },
	{ "a name in other letters", "", "Alice", "right", POOL_MATCHES, "refused:1 " },
	{ "a hasher that dies", "", "alice", "right", POOL_DIED, "unavailable:1 " },
	{ "a host with the server's users", "a", "alice", "right", POOL_MATCHES,
		"identified:alice:1 accepted:1 " },
	{ "a host with users of its own", "b", "alice", "right", POOL_MATCHES,
		"identified:b/alice:1 accepted:1 " },
	{ "a name that may log in elsewhere only", "b", "bert", "right", POOL_MATCHES,
		"identified:b/bert:1 accepted:1 " },
	{ "a name of another host", "b", "carl", "right", POOL_MATCHES, "refused:1 " },
	{ "a host that is none", "c", "alice", "right", POOL_MATCHES, "refused:1 " },
};

static void
check_verdict(void **state)
{
	const struct verdict_row row = *(const struct verdict_row *)*state;
	scene_open(state);
	struct scene *scene = *state;
	scene_type_password_at(scene, row.host, 1, row.user, row.secret);
	assert_int_equal(the_pool.computed, 1);
	assert_true(strncmp(the_pool.hash, "$6$rounds=1000$", 15) == 0);
	pool_finish(row.result);
	scene_settle(scene);
	assert_string_equal(scene->log, row.want);
	assert_int_equal(the_pool.computed, 1);
	scene_close(scene);
}

static void
check_busy(void **state)
{
	scene_open(state);
	struct scene *scene = *state;
	for (uint32_t tag = 1; tag <= 4;
		tag++) /* one computes, two wait, the fourth is one too many */
		scene_type_password(scene, tag, "alice", "right");
	assert_string_equal(scene->log, "busy:4 ");
	for (int i = 0; i < 3; i++)
		pool_finish(POOL_DIFFERS);
	scene_settle(scene);
	assert_string_equal(scene->log, "busy:4 refused:1 refused:2 refused:3 ");
	scene_close(scene);
}

static void
check_withdrawn(void **state)
{
	scene_open(state);
	struct scene *scene = *state;
	scene_type_password(scene, 1, "alice", "right");
	scene_type_password(scene, 2, "alice", "right");
	for (uint32_t tag = 1; tag <= 2; tag++) {
		struct verify_withdraw withdraw = {
			.session = (uint64_t)INCARNATION << 32 | tag,
			.attempt = tag,
		};
		assert_int_equal(verify_post_withdraw(scene->gateway, 0, &withdraw), 0);
	}
	scene_settle(scene);
	pool_finish(POOL_MATCHES);
	scene_settle(scene);
	assert_string_equal(scene->log, "");
	assert_int_equal(the_pool.computed, 1);
	scene_close(scene);
}

static void
check_foreign_session(void **state)
{
	scene_open(state);
	struct scene *scene = *state;
	struct verify_password password = {
		.session = (uint64_t)(INCARNATION + 1) << 32 | 1,
		.attempt = 1,
		.user = bytes_of_text("alice"),
		.secret = bytes_of_text("right"),
	};
	assert_int_equal(verify_post_password(scene->gateway, 1, &password), 0);
	scene_settle(scene);
	assert_non_null(strstr(scene->log, "closed "));
	assert_non_null(strstr(scene->log, "broken:7:a session of another gateway "));
	assert_int_equal(the_pool.computed, 0);
	scene_close(scene);
}

static void
check_gateway_dies(void **state)
{
	scene_open(state);
	struct scene *scene = *state;
	scene_type_password(scene, 1, "alice", "right");
	scene_type_password(scene, 2, "alice", "right");
	channel_free(&scene->gateway);
	scene_settle(scene);
	pool_finish(POOL_MATCHES);
	scene_settle(scene);
	assert_string_equal(scene->log, "");
	assert_int_equal(the_pool.computed, 1);
	scene_close(scene);
}

/* Nothing is judged whose line could not be written; the attempts wait. */
static void
check_full_record(void **state)
{
	scene_open(state);
	struct scene *scene = *state;
	char text[2048];
	memset(text, 'x', sizeof(text));
	struct event_notice notice = { .text = bytes_of(text, sizeof(text)) };
	while (events_have_room(&scene->events))
		assert_int_equal(event_post_notice(scene->events.channel, 1, &notice), 0);
	scene_type_password(scene, 1, "alice", "right");
	assert_int_equal(the_pool.computed, 0);
	while (recv(scene->record, text, sizeof(text), MSG_DONTWAIT) > 0)
		scene_settle(scene);
	assert_int_equal(the_pool.computed, 1);
	scene_close(scene);
}

int
main(void)
{
	const struct table tables[] = {
		TABLE("verdict", verdict_rows, check_verdict),
		CASE("the hash of the host's user", check_hash_of_host),
		CASE("too many wait", check_busy),
		CASE("the client leaves", check_withdrawn),
		CASE("a session of another gateway", check_foreign_session),
		CASE("the gateway dies", check_gateway_dies),
		CASE("the record is full", check_full_record),
	};
	return table_run(tables, ARRAY_LENGTH(tables));
}
