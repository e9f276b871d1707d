/*
 * The life of a channel with a peer that keeps the rules: order, ends, what a handler may do to its
 * own channel, pausing, and who has their turn.
 */
#include "ipc/base/ends.h"
#include "ipc/base/scope.h"
#include "ipc/gate.h"
#include "ipc/pathio_messages.h"
#include "tests/json.h"
#include "tests/unit/ipc/fixture.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>

static void
send_attach(struct fixture *fixture)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	static const char attach[34] = { [0] = 1, [8] = 1 }; /* session, attempt, no claim */
	fixture_send(fixture, GATE_ATTACH, bytes_of(attach, sizeof(attach)), &fd, 1);
	close(fd);
}

static int
post_ping(struct fixture *fixture, uint32_t tag)
{
	return gate_post_ping(fixture->channel, tag, &(struct gate_ping){ 0 });
}

/* ---- ends ---- */

static void
check_silence(UNUSED void **state)
{
	struct fixture *fixture = fixture_new(&fixture_gate);
	fixture_settle(fixture);
	assert_int_equal(fixture->received + fixture->closed + fixture->drained, 0);
	fixture_end(&fixture);
}

static void
check_peer_ends(UNUSED void **state)
{
	struct fixture *fixture = fixture_new(&fixture_gate);
	fixture_complain(fixture, 3);
	fixture_close_peer(fixture);
	fixture_settle(fixture);
	assert_int_equal(fixture->received, 3);
	assert_int_equal(fixture->closed, 1);
	assert_null(fixture->malformed);
	fixture_settle(fixture);
	assert_int_equal(fixture->closed, 1);
	assert_int_equal(post_ping(fixture, 1), -EPIPE);
	fixture_end(&fixture);
}

/* A process that dies with unread messages: the kernel says ECONNRESET before its last words. */
static void
check_last_words(UNUSED void **state)
{
	struct fixture *fixture = fixture_new(&fixture_gate);
	assert_int_equal(post_ping(fixture, 1), 0);
	fixture_send(fixture, GATE_VIOLATION, bytes_of("\1\0\0\0\1\0\0\0", 8), NULL, 0);
	fixture_close_peer(fixture);
	fixture_settle(fixture);
	assert_int_equal(fixture->received, 1);
	assert_int_equal(fixture->codes[0], GATE_VIOLATION);
	assert_int_equal(fixture->closed, 1);
	assert_null(fixture->malformed);
	fixture_end(&fixture);
}

/* The same when the end is first found by posting. */
static void
check_last_words_after_post(UNUSED void **state)
{
	struct fixture *fixture = fixture_new(&fixture_gate);
	assert_int_equal(post_ping(fixture, 1), 0);
	fixture_send(fixture, GATE_VIOLATION, bytes_of("\1\0\0\0\1\0\0\0", 8), NULL, 0);
	fixture_close_peer(fixture);
	assert_int_equal(post_ping(fixture, 2), -EPIPE);
	assert_int_equal(post_ping(fixture, 3), -EPIPE);
	assert_int_equal(fixture->closed, 0);
	fixture_settle(fixture);
	assert_int_equal(fixture->received, 1);
	assert_int_equal(fixture->closed, 1);
	fixture_end(&fixture);
}

static void
reject(struct fixture *fixture, UNUSED struct message *message)
{
	channel_reject(fixture->channel, "not now");
	channel_reject(fixture->channel, "not at all");
	assert_int_equal(post_ping(fixture, 1), -EPIPE);
	assert_int_equal(fixture->closed, 0);
}

static void
check_rejected(UNUSED void **state)
{
	struct fixture *fixture = fixture_new(&fixture_gate);
	fixture->on_message = reject;
	fixture_complain(fixture, 2);
	fixture_close_peer(fixture);
	fixture_settle(fixture);
	assert_int_equal(fixture->received, 1);
	assert_int_equal(fixture->closed, 1);
	assert_string_equal(fixture->malformed, "not now");
	fixture_end(&fixture);
}

static void
free_channel(struct fixture *fixture)
{
	channel_free(&fixture->channel);
}

static void
check_free_in_closed(UNUSED void **state)
{
	struct fixture *fixture = fixture_new(&fixture_gate);
	fixture->on_closed = free_channel;
	fixture_close_peer(fixture);
	fixture_settle(fixture);
	assert_int_equal(fixture->closed, 1);
	assert_null(fixture->channel);
	fixture_end(&fixture);
}

/* Freed between its end and `closed`: its owner has gone, nobody is told. */
static void
check_free_before_closed(UNUSED void **state)
{
	struct fixture *fixture = fixture_new(&fixture_gate);
	channel_reject(fixture->channel, "not now");
	channel_free(&fixture->channel);
	fixture_settle(fixture);
	assert_int_equal(fixture->closed, 0);
	fixture_end(&fixture);
}

/* ---- handlers that end their own channel ---- */

static void
free_and_touch(struct fixture *fixture, struct message *message)
{
	struct channel *channel = fixture->channel;
	channel_free(&fixture->channel);
	channel_free(&fixture->channel);
	/* Its memory lives until the handler returns. */
	assert_int_equal(message->tag, 7);
	assert_int_equal(gate_post_ping(channel, 1, &(struct gate_ping){ 0 }), -EPIPE);
}

static void
check_free_in_handler(UNUSED void **state)
{
	struct fixture *fixture = fixture_new(&fixture_gate);
	int descriptors = count_descriptors();
	fixture->on_message = free_and_touch;
	send_attach(fixture);
	fixture_complain(fixture, 3);
	fixture_settle(fixture);
	assert_int_equal(fixture->received, 1);
	assert_int_equal(fixture->closed, 0);
	assert_int_equal(count_descriptors(), descriptors - 1); /* our end */
	fixture_end(&fixture);
}

static void
reject_and_free(struct fixture *fixture, UNUSED struct message *message)
{
	channel_reject(fixture->channel, "not now");
	channel_free(&fixture->channel);
}

static void
check_reject_and_free(UNUSED void **state)
{
	struct fixture *fixture = fixture_new(&fixture_gate);
	fixture->on_message = reject_and_free;
	fixture_complain(fixture, 2);
	fixture_settle(fixture);
	assert_int_equal(fixture->received, 1);
	assert_int_equal(fixture->closed, 0);
	fixture_end(&fixture);
}

static void
take_descriptor(struct fixture *fixture, struct message *message)
{
	int *taken = fixture->argument;
	*taken = fd_take(&message->descriptor);
}

static void
check_descriptor_taken(UNUSED void **state)
{
	struct fixture *fixture = fixture_new(&fixture_gate);
	int descriptors = count_descriptors();
	int taken = -1;
	send_attach(fixture);
	fixture_settle(fixture);
	assert_int_equal(count_descriptors(), descriptors);
	fixture->on_message = take_descriptor;
	fixture->argument = &taken;
	send_attach(fixture);
	fixture_settle(fixture);
	assert_int_equal(fixture->received, 2);
	assert_int_equal(count_descriptors(), descriptors + 1);
	assert_int_equal(descriptor_check(taken, DESCRIPTOR_CONTROL), 0);
	close(taken);
	fixture_end(&fixture);
}

/* ---- two channels ---- */

static void
free_other(struct fixture *fixture, UNUSED struct message *message)
{
	struct fixture *other = fixture->argument;
	if (other != NULL)
		channel_free(&other->channel);
}

/* Both are ready at once; whichever is served first frees the other. */
static void
check_free_other(UNUSED void **state)
{
	struct fixture *a = fixture_new(&fixture_gate);
	struct fixture *b = fixture_new_beside(a, &fixture_gate);
	a->on_message = b->on_message = free_other;
	a->argument = b;
	b->argument = a;
	fixture_complain(a, 2);
	fixture_complain(b, 2);
	fixture_settle(a);
	assert_true(
		(a->received == 2 && b->received == 0) || (a->received == 0 && b->received == 2));
	fixture_end(&b);
	fixture_end(&a);
}

/* How far the other one had come when this one was done. */
static void
compare(struct fixture *fixture, UNUSED struct message *message)
{
	const struct fixture *other = fixture->argument;
	if (fixture->received == 200)
		assert_in_range(other->received, 100, 200);
}

static void
check_turns(UNUSED void **state)
{
	struct fixture *a = fixture_new(&fixture_gate);
	struct fixture *b = fixture_new_beside(a, &fixture_gate);
	a->on_message = b->on_message = compare;
	a->argument = b;
	b->argument = a;
	fixture_complain(a, 200);
	fixture_complain(b, 200);
	fixture_settle(a);
	assert_int_equal(a->received + b->received, 400);
	fixture_end(&b);
	fixture_end(&a);
}

/* ---- pausing ---- */

static void
pause_after_two(struct fixture *fixture, UNUSED struct message *message)
{
	if (fixture->received == 2)
		channel_pause(fixture->channel);
}

static void
check_pause(UNUSED void **state)
{
	struct fixture *fixture = fixture_new(&fixture_gate);
	channel_pause(fixture->channel);
	fixture_complain(fixture, 5);
	fixture_settle(fixture);
	assert_int_equal(fixture->received, 0);
	fixture->on_message = pause_after_two;
	channel_resume(fixture->channel);
	fixture_settle(fixture);
	assert_int_equal(fixture->received, 2);
	assert_int_equal(post_ping(fixture, 5), 0);
	assert_int_equal(fixture_read_tag(fixture), 5);
	channel_resume(fixture->channel);
	channel_resume(fixture->channel);
	fixture_settle(fixture);
	assert_int_equal(fixture->received, 5);
	fixture_end(&fixture);
}

static void
check_end_while_paused(UNUSED void **state)
{
	struct fixture *fixture = fixture_new(&fixture_gate);
	channel_pause(fixture->channel);
	fixture_complain(fixture, 2);
	fixture_close_peer(fixture);
	fixture_settle(fixture);
	assert_int_equal(fixture->received + fixture->closed, 0);
	channel_resume(fixture->channel);
	fixture_settle(fixture);
	assert_int_equal(fixture->received, 2);
	assert_int_equal(fixture->closed, 1);
	fixture_end(&fixture);
}

static void
check_resume_after_end(UNUSED void **state)
{
	struct fixture *fixture = fixture_new(&fixture_gate);
	channel_pause(fixture->channel);
	channel_reject(fixture->channel, "not now");
	fixture_complain(fixture, 2);
	channel_resume(fixture->channel);
	fixture_settle(fixture);
	channel_pause(fixture->channel);
	channel_resume(fixture->channel);
	fixture_settle(fixture);
	assert_int_equal(fixture->received, 0);
	assert_int_equal(fixture->closed, 1);
	fixture_end(&fixture);
}

/* ---- phases ---- */

static void
serve(struct fixture *fixture, UNUSED struct message *message)
{
	channel_set_phase(fixture->channel, PHASE_SERVING);
}

/* What follows in the same breath is judged by the new phase. */
static void
check_phase_moves_on(UNUSED void **state)
{
	struct fixture *fixture = fixture_new_in(&fixture_gate, PHASE_STARTING);
	fixture->on_message = serve;
	fixture_send(fixture, GATE_READY, bytes_of("\0\0", 2), NULL, 0);
	fixture_complain(fixture, 1);
	fixture_send(fixture, GATE_READY, bytes_of("\0\0", 2), NULL, 0);
	fixture_settle(fixture);
	assert_int_equal(fixture->received, 2);
	assert_string_equal(fixture->malformed, "a message out of phase");
	fixture_end(&fixture);
}

/* ---- what the sender may not do ---- */

static void
check_sender_limits(UNUSED void **state)
{
	struct fixture *fixture = fixture_new(&fixture_gate);
	const struct gate_refused no_errno = { .error = 0 };
	assert_int_equal(gate_post_refused(fixture->channel, 1, &no_errno), -EINVAL);
	assert_int_equal(post_ping(fixture, 2), 0);
	assert_int_equal(fixture_read_tag(fixture), 2);
	assert_int_equal(fixture_read_tag(fixture), -1);
	fixture_end(&fixture);
}

static void
check_no_channel(UNUSED void **state)
{
	struct channel *channel = NULL;
	const struct channel_options options = {
		.messages = fixture_gate.messages,
		.our_role = fixture_gate.our_role,
		.peer_role = fixture_gate.peer_role,
		.handlers = fixture_gate.handlers,
	};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int kept = fd;
	assert_int_equal(channel_new(&options, &fd, &channel), -EBADMSG);
	assert_int_equal(fd, kept);
	assert_null(channel);
	close(fd);
	fd = -1;
	assert_int_equal(channel_new(&options, &fd, &channel), -EBADMSG);
	channel_free(&channel);
}

/* ---- the trace ---- */

static void
check_trace(UNUSED void **state)
{
	struct fixture *fixture = fixture_new(&fixture_gate);
	char *text = NULL;
	size_t length = 0;
	FILE *stream = open_memstream(&text, &length);
	assert_non_null(stream);
	channel_trace(stream);
	assert_int_equal(post_ping(fixture, 3), 0);
	fixture_send(fixture, GATE_COMPLAIN, bytes_of("\2\0\0\0\1\0\0\0", 8), NULL, 0);
	fixture_settle(fixture);
	channel_trace(NULL);
	assert_int_equal(fclose(stream), 0);
	assert_string_equal(text,
		"{\"posted\":\"ping\",\"peer\":\"gateway\",\"tag\":3,\"body\":{}}\n"
		"{\"received\":\"complain\",\"peer\":\"gateway\",\"tag\":7,"
		"\"body\":{\"session\":\"0000000100000002\"}}\n");
	size_t first = (size_t)(strchr(text, '\n') - text);
	assert_true(json_is_valid(bytes_of(text, first)));
	assert_true(json_is_valid(bytes_of(text + first + 1, length - first - 2)));
	free(text);
	fixture_end(&fixture);
}

int
main(void)
{
	const struct table tables[] = {
		CASE("a silent peer", check_silence),
		CASE("the peer ends", check_peer_ends),
		CASE("last words of a peer that left messages unread", check_last_words),
		CASE("last words, the end being found by posting", check_last_words_after_post),
		CASE("rejected by its handler", check_rejected),
		CASE("freed in closed", check_free_in_closed),
		CASE("freed before closed", check_free_before_closed),
		CASE("freed in a handler", check_free_in_handler),
		CASE("rejected and freed in a handler", check_reject_and_free),
		CASE("a descriptor is closed unless taken", check_descriptor_taken),
		CASE("freed by another channel's handler", check_free_other),
		CASE("two busy ones take turns", check_turns),
		CASE("paused and resumed", check_pause),
		CASE("the peer ends while paused", check_end_while_paused),
		CASE("resumed after its end", check_resume_after_end),
		CASE("the phase moves on", check_phase_moves_on),
		CASE("a field out of range is not sent", check_sender_limits),
		CASE("what is no channel", check_no_channel),
		CASE("the trace is JSON", check_trace),
	};
	return table_run(tables, ARRAY_LENGTH(tables));
}
