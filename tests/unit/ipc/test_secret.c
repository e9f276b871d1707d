/*
 * A password stays nowhere: after it was received, refused as malformed, posted, queued or dropped,
 * no writable memory of the process holds it.
 */
#include "ipc/hash.h"
#include "ipc/verify.h"
#include "tests/unit/ipc/fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	SECRET_BYTES = 24,
	MASK = 0x5a,
	CHUNK_BYTES = 65536,
	REGION_BYTES_MAX = 256 * 1024 * 1024, /* larger ones are a sanitizer's own */
};

/* Never stands in memory as it is, but where it is made and wiped. */
static const char masked[SECRET_BYTES + 1] = "\x29\x3f\x39\x28\x3f\x2e\x77\x6b\x68\x69\x6e\x6f\x6c"
					     "\x6d\x62\x63\x6a\x77\x3f\x32\x36\x35\x29\x3f";

static void
make_secret(char *secret)
{
	for (size_t i = 0; i < SECRET_BYTES; i++)
		secret[i] = masked[i] ^ MASK;
}

static bool
is_secret(const char *at)
{
	for (size_t i = 0; i < SECRET_BYTES; i++)
		if ((at[i] ^ masked[i]) != MASK)
			return false;
	return true;
}

static bool
chunk_holds_secret(const char *chunk, ssize_t length)
{
	for (ssize_t i = 0; i + SECRET_BYTES <= length; i++)
		if (is_secret(chunk + i))
			return true;
	return false;
}

static bool
region_holds_secret(int memory_fd, uint64_t start, uint64_t end)
{
	static char chunk[CHUNK_BYTES];
	for (uint64_t at = start; at < end; at += CHUNK_BYTES - SECRET_BYTES) {
		size_t wanted = end - at < CHUNK_BYTES ? (size_t)(end - at) : CHUNK_BYTES;
		ssize_t length = pread(memory_fd, chunk, wanted, (off_t)at);
		if (length <= 0)
			return false; /* a guard page */
		bool found = chunk_holds_secret(chunk, length);
		explicit_bzero(chunk, sizeof(chunk)); /* or the next search finds this copy */
		if (found)
			return true;
	}
	return false;
}

static bool
memory_holds_secret(void)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	int memory_fd = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
	char line[512];
	bool found = false;
	assert_non_null(maps);
	assert_true(memory_fd >= 0);
	while (!found && fgets(line, sizeof(line), maps) != NULL) {
		uint64_t start, end;
		char access[8];
		if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %7s", &start, &end, access) != 3)
			continue;
		if (access[0] == 'r' && access[1] == 'w' && end - start < REGION_BYTES_MAX)
			found = region_holds_secret(memory_fd, start, end);
	}
	fclose(maps);
	close(memory_fd);
	return found;
}

/* ---- ways of a secret ---- */

/* The message `password` with a byte too much if asked for. */
static void
send_password(struct fixture *fixture, bool is_malformed)
{
	/* Session, attempt, no host, the user "u", the secret, not over TLS, no proof, an address.
	 */
	char body[8 + 4 + 2 + 3 + 2 + SECRET_BYTES + 1 + 2 + 22 + 1] = {
		1, [8] = 1, [14] = 1, [16] = 'u'
	};
	body[17] = SECRET_BYTES;
	make_secret(body + 19);
	struct bytes encoded = bytes_of(body, is_malformed ? sizeof(body) : sizeof(body) - 1);
	fixture_send(fixture, VERIFY_PASSWORD, encoded, NULL, 0);
	explicit_bzero(body, sizeof(body));
}

static int
post_secret(struct fixture *fixture, size_t hash_bytes)
{
	char secret[SECRET_BYTES];
	char hash[1024] = "$y$";
	make_secret(secret);
	const struct hash_compute compute = {
		.secret = bytes_of(secret, sizeof(secret)),
		.hash = bytes_of(hash, hash_bytes),
	};
	int error = hash_post_compute(fixture->channel, 1, &compute);
	explicit_bzero(secret, sizeof(secret));
	return error;
}

static void
look_at_secret(UNUSED struct fixture *fixture, UNUSED struct message *message)
{
	assert_true(memory_holds_secret()); /* the search can find one */
}

static void
check_received(UNUSED void **state)
{
	struct fixture *fixture = fixture_new(&fixture_verify);
	fixture->on_message = look_at_secret;
	send_password(fixture, false);
	fixture_settle(fixture);
	assert_int_equal(fixture->received, 1);
	assert_false(memory_holds_secret());
	fixture_end(&fixture);
}

static void
check_malformed(UNUSED void **state)
{
	struct fixture *fixture = fixture_new(&fixture_verify);
	send_password(fixture, true);
	fixture_settle(fixture);
	assert_int_equal(fixture->closed, 1);
	assert_non_null(fixture->malformed);
	assert_false(memory_holds_secret());
	fixture_end(&fixture);
}

static void
check_posted(UNUSED void **state)
{
	struct fixture *fixture = fixture_new(&fixture_hash);
	assert_int_equal(post_secret(fixture, 3), 0);
	assert_false(memory_holds_secret());
	fixture_end(&fixture);
}

static void
check_not_posted(UNUSED void **state)
{
	struct fixture *fixture = fixture_new(&fixture_hash);
	assert_int_equal(post_secret(fixture, 0), -EINVAL);
	assert_false(memory_holds_secret());
	fixture_end(&fixture);
}

/* Posts until messages wait in the queue, where they have to hold the secret. */
static void
fill(struct fixture *fixture)
{
	while (!channel_is_full(fixture->channel))
		assert_int_equal(post_secret(fixture, 1024), 0);
	assert_true(memory_holds_secret());
}

static void
check_queued_and_sent(UNUSED void **state)
{
	struct fixture *fixture = fixture_new(&fixture_hash);
	char discarded[2048];
	fill(fixture);
	while (recv(fixture->peer, discarded, sizeof(discarded), MSG_DONTWAIT) > 0)
		fixture_settle(fixture);
	explicit_bzero(discarded, sizeof(discarded));
	assert_int_equal(fixture->drained, 1);
	assert_false(memory_holds_secret());
	fixture_end(&fixture);
}

static void
check_queued_and_dropped(UNUSED void **state)
{
	struct fixture *fixture = fixture_new(&fixture_hash);
	fill(fixture);
	channel_free(&fixture->channel);
	assert_false(memory_holds_secret());
	fixture_end(&fixture);
}

static void
check_peer_gone(UNUSED void **state)
{
	struct fixture *fixture = fixture_new(&fixture_hash);
	fixture_close_peer(fixture);
	assert_int_equal(post_secret(fixture, 3), -EPIPE);
	assert_false(memory_holds_secret());
	fixture_end(&fixture);
}

int
main(void)
{
	const struct table tables[] = {
		CASE("received", check_received),
		CASE("received in a malformed message", check_malformed),
		CASE("posted", check_posted),
		CASE("posted in a message that is not sent", check_not_posted),
		CASE("posted to nobody", check_peer_gone),
		CASE("queued and sent", check_queued_and_sent),
		CASE("queued and dropped", check_queued_and_dropped),
	};
	return table_run(tables, ARRAY_LENGTH(tables));
}
