/*
 * A channel whose peer does not read (channel.h): posting never waits, the queue is bounded,
 * nothing that was accepted is lost or overtaken, and descriptors wait with their messages.
 */
#include "ipc/base/scope.h"
#include "ipc/gate.h"
#include "ipc/pathio_messages.h"
#include "ipc/verdict.h"
#include "tests/unit/ipc/fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>

enum { BLOCK_MESSAGE_BYTES = MESSAGE_HEADER_BYTES + 4 + 2 + PATHIO_BLOCK_BYTES };

static char block[PATHIO_BLOCK_BYTES];

static int
post_block(struct fixture *fixture, uint32_t tag)
{
	const struct pathio_write write = { .content = bytes_of(block, sizeof(block)) };
	return pathio_post_write(fixture->channel, tag, &write);
}

/* Posts blocks with the tags 1, 2, ... until one is refused; returns the number of accepted ones.
 */
static uint32_t
fill(struct fixture *fixture)
{
	uint32_t tag = 1;
	int error;
	while ((error = post_block(fixture, tag)) == 0)
		assert_true(++tag < 1000);
	assert_int_equal(error, -ENOBUFS);
	return tag - 1;
}

/* Reads at the outer end, the loop running in between, until nothing comes; checks the tags. */
static uint32_t
read_all(struct fixture *fixture)
{
	uint32_t expected = 1;
	int64_t tag;
	while ((tag = fixture_read_tag(fixture)) >= 0) {
		assert_int_equal(tag, expected);
		expected++;
		fixture_settle(fixture);
	}
	return expected - 1;
}

static void
check_full(UNUSED void **state)
{
	struct fixture *fixture = fixture_new(&fixture_pathio);
	assert_false(channel_is_full(fixture->channel));
	uint32_t accepted = fill(fixture);
	assert_true(channel_is_full(fixture->channel));
	assert_true(accepted * BLOCK_MESSAGE_BYTES > CHANNEL_QUEUE_BYTES_MAX - BLOCK_MESSAGE_BYTES);
	fixture_settle(fixture);
	assert_int_equal(fixture->closed + fixture->drained, 0);
	assert_int_equal(read_all(fixture), accepted);
	assert_int_equal(fixture->drained, 1);
	assert_false(channel_is_full(fixture->channel));
	assert_int_equal(post_block(fixture, 1), 0);
	assert_int_equal(fixture_read_tag(fixture), 1);
	fixture_end(&fixture);
}

/* There is room in the socket again, but others wait: what is posted now goes behind them. */
static void
check_order(UNUSED void **state)
{
	struct fixture *fixture = fixture_new(&fixture_pathio);
	uint32_t accepted = fill(fixture);
	const struct pathio_close small = { .file = 1 };
	assert_int_equal(fixture_read_tag(fixture), 1);
	while (pathio_post_close(fixture->channel, accepted + 1, &small) == 0)
		accepted++;
	for (uint32_t tag = 2; tag <= accepted; tag++) {
		assert_int_equal(fixture_read_tag(fixture), tag);
		fixture_settle(fixture);
	}
	fixture_end(&fixture);
}

/* A queue that was never full drains without a word. */
static void
check_not_full(UNUSED void **state)
{
	struct fixture *fixture = fixture_new(&fixture_pathio);
	uint32_t tag = 0;
	while (!channel_is_full(fixture->channel))
		assert_int_equal(post_block(fixture, ++tag), 0);
	assert_int_equal(read_all(fixture), tag);
	assert_int_equal(fixture->drained, 1);
	for (uint32_t i = 1; i < tag; i++) /* all but the one that made it full */
		assert_int_equal(post_block(fixture, i), 0);
	assert_false(channel_is_full(fixture->channel));
	assert_int_equal(read_all(fixture), tag - 1);
	assert_int_equal(fixture->drained, 1);
	fixture_end(&fixture);
}

static void
post_again(struct fixture *fixture)
{
	fixture->on_drained = NULL;
	fill(fixture);
}

/* Whoever refills the queue when it has drained is told again. */
static void
check_refilled(UNUSED void **state)
{
	struct fixture *fixture = fixture_new(&fixture_pathio);
	fixture->on_drained = post_again;
	fill(fixture);
	while (fixture_read_tag(fixture) >= 0)
		fixture_settle(fixture);
	assert_int_equal(fixture->drained, 2);
	fixture_end(&fixture);
}

static void
free_channel(struct fixture *fixture)
{
	channel_free(&fixture->channel);
}

static void
check_free_in_drained(UNUSED void **state)
{
	struct fixture *fixture = fixture_new(&fixture_pathio);
	fixture->on_drained = free_channel;
	fill(fixture);
	while (fixture_read_tag(fixture) >= 0)
		fixture_settle(fixture);
	assert_int_equal(fixture->drained, 1);
	assert_null(fixture->channel);
	fixture_end(&fixture);
}

static void
check_peer_ends(UNUSED void **state)
{
	struct fixture *fixture = fixture_new(&fixture_pathio);
	fill(fixture);
	fixture_close_peer(fixture);
	fixture_settle(fixture);
	assert_int_equal(fixture->closed, 1);
	assert_null(fixture->malformed);
	assert_int_equal(post_block(fixture, 1), -EPIPE);
	fixture_end(&fixture);
}

/* Reading goes on while the queue waits. */
static void
check_reading_goes_on(UNUSED void **state)
{
	struct fixture *fixture = fixture_new(&fixture_pathio);
	fill(fixture);
	fixture_send(fixture, PATHIO_DONE, bytes_of("", 0), NULL, 0);
	fixture_settle(fixture);
	assert_int_equal(fixture->received, 1);
	fixture_end(&fixture);
}

/*
 * The kernel will not take a message that was accepted: it is too large for the socket's buffer,
 * which was made smaller meanwhile. What follows must not arrive without it.
 */
static void
check_cannot_be_sent(UNUSED void **state)
{
	struct fixture *fixture = fixture_new(&fixture_pathio);
	fill(fixture);
	int small = 1;
	/* Our end is the descriptor before the peer's: channel_pair() makes them together. */
	int ours = fixture->peer - 1;
	assert_int_equal(setsockopt(ours, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small)), 0);
	const struct pathio_close close_1 = { .file = 1 };
	assert_int_equal(pathio_post_close(fixture->channel, 999, &close_1), 0);
	int64_t tag;
	while ((tag = fixture_read_tag(fixture)) >= 0) {
		assert_int_not_equal(tag, 999);
		fixture_settle(fixture);
	}
	assert_int_equal(fixture->closed, 1);
	assert_null(fixture->malformed);
	fixture_end(&fixture);
}

/* ---- descriptors in the queue ---- */

static int
post_channel_end(struct fixture *fixture, uint32_t tag, int fd)
{
	const struct gate_attached attached = { .session = 1 };
	return gate_post_attached_with(fixture->channel, tag, &attached, fd);
}

/* Posts until the socket is full and the queue is not empty. Returns the number posted. */
static uint32_t
fill_with_descriptors(struct fixture *fixture)
{
	uint32_t tag = 0;
	int before;
	do {
		int ends[2];
		assert_int_equal(channel_pair(ends), 0);
		close(ends[1]);
		before = count_descriptors() - 1;
		assert_int_equal(post_channel_end(fixture, ++tag, ends[0]), 0);
		close(ends[0]);
		assert_true(tag < 10000);
	} while (count_descriptors() == before);
	return tag;
}

static void
check_descriptors_wait(UNUSED void **state)
{
	struct fixture *fixture = fixture_new(&fixture_gate);
	int descriptors = count_descriptors();
	uint32_t posted = fill_with_descriptors(fixture);
	assert_int_equal(count_descriptors(), descriptors + 1);
	assert_int_equal(read_all(fixture), posted);
	assert_int_equal(fixture->peer_descriptors, posted);
	assert_int_equal(count_descriptors(), descriptors);
	fixture_end(&fixture);
}

static void
check_descriptors_dropped(UNUSED void **state)
{
	struct fixture *fixture = fixture_new(&fixture_gate);
	fill_with_descriptors(fixture);
	fixture_end(&fixture); /* counts */
}

/* No room for the copy that waits: refused, and nothing of it is sent later. */
static void
check_no_room(UNUSED void **state)
{
	struct fixture *fixture = fixture_new(&fixture_gate);
	uint32_t posted = fill_with_descriptors(fixture);
	int ends[2];
	struct rlimit before;
	assert_int_equal(channel_pair(ends), 0);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	struct rlimit none = { .rlim_cur = 3, .rlim_max = before.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	int error = post_channel_end(fixture, posted + 1, ends[0]);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	close(ends[0]);
	close(ends[1]);
	assert_int_equal(error, -EMFILE);
	assert_int_equal(read_all(fixture), posted);
	assert_int_equal(fixture->closed, 0);
	fixture_end(&fixture);
}

/* ---- a message that is too large as a whole ---- */

/* Each field is in range; together they are more than a body holds. */
static void
check_too_large(UNUSED void **state)
{
	struct fixture *fixture = fixture_new(&fixture_verdict);
	static char rights[WIRE_LIST_BYTES_MAX];
	struct wire_list_builder list = { .buffer = rights, .capacity = sizeof(rights) };
	char folder[PATH_BYTES_MAX];
	memset(folder, '/', sizeof(folder));
	struct account_right right = { .folder = bytes_of(folder, sizeof(folder)) };
	while (wire_list_add(&list, &account_right_record, &right) == 0)
		continue;
	struct verdict_identified identified = {
		.attempt = 1,
		.user = { .name = bytes_of_text("x"),
			.home = right.folder,
			.backend = bytes_of_text("sync"),
			.path_threads = 4,
			.sessions_max = 1,
			.rights = wire_list_built(&list) },
	};
	identified.user.home.length = 1;
	assert_int_equal(verdict_post_identified(fixture->channel, 1, &identified), 0);
	assert_int_equal(fixture_read_tag(fixture), 1);
	identified.user.home.length = PATH_BYTES_MAX;
	identified.user.memory_load = identified.user.home;
	right.folder.length = WIRE_LIST_BYTES_MAX - list.length - 6; /* fill the list up */
	assert_int_equal(wire_list_add(&list, &account_right_record, &right), 0);
	identified.user.rights = wire_list_built(&list);
	assert_int_equal(verdict_post_identified(fixture->channel, 2, &identified), -EMSGSIZE);
	assert_int_equal(fixture_read_tag(fixture), -1);
	assert_int_equal(verdict_post_pong(fixture->channel, 3, &(struct verdict_pong){ 0 }), 0);
	assert_int_equal(fixture_read_tag(fixture), 3);
	fixture_end(&fixture);
}

/* ---- what is held ---- */

static int
hold_block(struct fixture *fixture, uint32_t tag)
{
	const struct pathio_write write = { .content = bytes_of(block, sizeof(block)) };
	return channel_hold(fixture->channel, PATHIO_WRITE, tag, &write);
}

static void
check_held(UNUSED void **state)
{
	struct fixture *fixture = fixture_new(&fixture_pathio);
	assert_int_equal(hold_block(fixture, 1), 0);
	assert_int_equal(hold_block(fixture, 2), 0);
	fixture_settle(fixture);
	assert_int_equal(fixture_read_tag(fixture), -1);
	channel_flush(fixture->channel);
	assert_int_equal(read_all(fixture), 2);
	channel_flush(fixture->channel); /* of nothing */
	assert_int_equal(read_all(fixture), 0);
	fixture_end(&fixture);
}

/* What is posted does not overtake it. */
static void
check_held_and_posted(UNUSED void **state)
{
	struct fixture *fixture = fixture_new(&fixture_pathio);
	assert_int_equal(hold_block(fixture, 1), 0);
	assert_int_equal(post_block(fixture, 2), 0);
	assert_int_equal(hold_block(fixture, 3), 0);
	fixture_settle(fixture);
	assert_int_equal(read_all(fixture), 3);
	fixture_end(&fixture);
}

/* A peer that reads is never the reason for a refusal: what makes the channel full goes out. */
static void
check_held_until_full(UNUSED void **state)
{
	struct fixture *fixture = fixture_new(&fixture_pathio);
	uint32_t held = 0;
	while (fixture->drained == 0) {
		assert_int_equal(fixture_read_tag(fixture), -1);
		assert_int_equal(hold_block(fixture, ++held), 0);
		assert_true(held * BLOCK_MESSAGE_BYTES < CHANNEL_QUEUE_BYTES_MAX);
	}
	assert_true(held * BLOCK_MESSAGE_BYTES >= CHANNEL_QUEUE_BYTES_FULL);
	assert_false(channel_is_full(fixture->channel));
	assert_int_equal(read_all(fixture), held);
	fixture_end(&fixture);
}

/* One that does not is: then nothing waits, and what was accepted arrives. */
static void
check_held_refused(UNUSED void **state)
{
	struct fixture *fixture = fixture_new(&fixture_pathio);
	uint32_t held = 0;
	int error;
	while ((error = hold_block(fixture, held + 1)) == 0)
		held++;
	assert_int_equal(error, -ENOBUFS);
	assert_true(held * BLOCK_MESSAGE_BYTES > CHANNEL_QUEUE_BYTES_MAX);
	assert_true(channel_is_full(fixture->channel));
	channel_flush(fixture->channel);
	assert_true(channel_is_full(fixture->channel));
	unsigned drained = fixture->drained;
	assert_int_equal(read_all(fixture), held);
	assert_int_equal(fixture->drained, drained + 1);
	assert_false(channel_is_full(fixture->channel));
	fixture_end(&fixture);
}

/* Posted to a peer that does not read, then held: no flush is needed for what it waits behind. */
static void
check_held_behind_full(UNUSED void **state)
{
	struct fixture *fixture = fixture_new(&fixture_pathio);
	uint32_t count = 0;
	while (!channel_is_full(fixture->channel))
		assert_int_equal(post_block(fixture, ++count), 0);
	assert_int_equal(hold_block(fixture, ++count), 0);
	fixture_settle(fixture);
	assert_int_equal(read_all(fixture), count);
	assert_int_equal(fixture->closed, 0);
	fixture_end(&fixture);
}

static void
check_held_for_nobody(UNUSED void **state)
{
	struct fixture *fixture = fixture_new(&fixture_pathio);
	assert_int_equal(hold_block(fixture, 1), 0);
	fixture_close_peer(fixture);
	channel_flush(fixture->channel);
	fixture_settle(fixture);
	assert_int_equal(fixture->closed, 1);
	assert_int_equal(hold_block(fixture, 2), -EPIPE);
	channel_flush(fixture->channel);
	fixture_end(&fixture);
}

int
main(void)
{
	const struct table tables[] = {
		CASE("full, and drained", check_full),
		CASE("nothing overtakes", check_order),
		CASE("not full, and drained", check_not_full),
		CASE("refilled when drained", check_refilled),
		CASE("freed when drained", check_free_in_drained),
		CASE("the peer ends", check_peer_ends),
		CASE("reading goes on", check_reading_goes_on),
		CASE("accepted, and cannot be sent", check_cannot_be_sent),
		CASE("descriptors wait in the queue", check_descriptors_wait),
		CASE("descriptors are closed with the queue", check_descriptors_dropped),
		CASE("no room for a descriptor in the queue", check_no_room),
		CASE("too large as a whole", check_too_large),
		CASE("held, and flushed", check_held),
		CASE("held, and posted behind it", check_held_and_posted),
		CASE("held until it is full", check_held_until_full),
		CASE("held until it is refused", check_held_refused),
		CASE("held behind a full queue", check_held_behind_full),
		CASE("held for nobody", check_held_for_nobody),
	};
	return table_run(tables, ARRAY_LENGTH(tables));
}
