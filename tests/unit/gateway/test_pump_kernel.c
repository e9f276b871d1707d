/*
 * Downloads that the kernel encrypts (pump.h, tls_kernel.h), with a kernel that only seems to: the
 * worker has the client's connection, and the pump says the last word.
 */
#include "tests/unit/gateway/pump_relay.h"

#include "ipc/base/scope.h"

#include <errno.h>
#include <openssl/err.h>
#include <sys/socket.h>

/*
 * A kernel that takes keys and throws them away: what would be encrypted is seen as it is, and a
 * record that is no file's as MARK, its type, and its bytes.
 */
enum { GIVE_KEYS = 72, ANNOUNCE_RECORD = 74, MARK = 0xff };

struct fake_kernel {
	int fd;
	int given; /* how often it got keys */
	long type; /* of the next record; 0: data */
};
static struct fake_kernel fake; /* of the one connection that a test has */

static int
fake_write(BIO *bio, const char *bytes, size_t length, size_t *written)
{
	const char head[2] = { (char)MARK, (char)fake.type };
	BIO_clear_retry_flags(bio);
	assert_true(fake.given > 0);
	assert_int_not_equal(fake.type, 0); /* data is the worker's */
	assert_int_equal(send(fake.fd, head, sizeof(head), MSG_NOSIGNAL), sizeof(head));
	assert_int_equal(send(fake.fd, bytes, length, MSG_NOSIGNAL), length);
	fake.type = 0;
	*written = length;
	return 1;
}

static long
fake_control(UNUSED BIO *bio, int command, long number, UNUSED void *pointer)
{
	switch (command) {
	case GIVE_KEYS:
		fake.given++;
		return 1;
	case ANNOUNCE_RECORD:
		fake.type = number;
		return 1;
	case BIO_CTRL_GET_KTLS_SEND:
		return fake.given > 0;
	case BIO_CTRL_FLUSH:
		return 1;
	default:
		return 0;
	}
}

static int
fake_create(BIO *bio)
{
	BIO_set_init(bio, 1);
	return 1;
}

static BIO *
open_fake(int fd)
{
	static BIO_METHOD *method;
	if (method == NULL) {
		method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "fake");
		BIO_meth_set_write_ex(method, fake_write);
		BIO_meth_set_ctrl(method, fake_control);
		BIO_meth_set_create(method, fake_create);
	}
	fake = (struct fake_kernel){ .fd = fd };
	return BIO_new(method);
}

static BIO *
open_nothing(UNUSED int fd)
{
	return NULL;
}

static const struct tls_kernel a_kernel = { .open = open_fake };
static const struct tls_kernel no_kernel = { .open = open_nothing };

struct version_row {
	const char *name;
	int version;
};

static const struct version_row version_rows[] = {
	{ "TLS 1.2", TLS1_2_VERSION },
	{ "TLS 1.3", TLS1_3_VERSION },
};

static void
open_kernel_relay(struct relay *relay, int version)
{
	relay_open_with(relay, false, &a_kernel);
	SSL_set_max_proto_version(relay->line.client, version);
	assert_int_equal(relay->worker_fd, -1);
	/* In TLS 1.2 the server's last word of the handshake is the fake's, not for this client. */
	for (int i = 0; i < 40; i++) {
		ERR_clear_error();
		if (version == TLS1_3_VERSION || fake.given == 0)
			(void)SSL_do_handshake(relay->line.client);
		relay_turn(relay);
	}
	assert_true(relay->was_secured);
	assert_int_equal(fake.given, 1);
}

static ssize_t
see(struct relay *relay, char *seen, size_t capacity)
{
	return recv(relay->line.client_fd, seen, capacity, MSG_DONTWAIT);
}

/* The worker has the client's connection; the pump says the last word, when it may. */
static void
check_kernel_download(void **state)
{
	const struct version_row *row = *state;
	const unsigned char last[] = { MARK, SSL3_RT_ALERT, SSL3_AL_WARNING, SSL3_AD_CLOSE_NOTIFY };
	struct relay relay;
	char seen[256];
	open_kernel_relay(&relay, row->version);
	while (see(&relay, seen, sizeof(seen)) > 0)
		; /* of the handshake */
	assert_int_equal(send(relay.worker_fd, "as it is", 8, 0), 8);
	assert_int_equal(see(&relay, seen, sizeof(seen)), 8);
	assert_memory_equal(seen, "as it is", 8);
	fd_close(&relay.worker_fd);
	relay_turn(&relay);
	assert_int_equal(see(&relay, seen, sizeof(seen)), -1);
	assert_false(relay.has_ended);
	pump_end(relay.pump);
	relay_turn(&relay);
	assert_true(relay.has_ended);
	assert_int_equal(relay.error, 0);
	assert_int_equal(see(&relay, seen, sizeof(seen)), sizeof(last));
	assert_memory_equal(seen, last, sizeof(last));
	assert_int_equal(see(&relay, seen, sizeof(seen)), -1); /* no FIN that could cut it off */
	relay_close(&relay);
}

/* For the worker too, whoever holds what: and without a word that would make it look whole. */
static void
check_kernel_cut(void **state)
{
	struct relay relay;
	char seen[16];
	(void)state;
	open_kernel_relay(&relay, TLS1_3_VERSION);
	assert_int_equal(send(relay.worker_fd, "half", 4, 0), 4);
	pump_free(&relay.pump);
	assert_int_equal(send(relay.worker_fd, "more", 4, MSG_NOSIGNAL), -1);
	assert_int_equal(see(&relay, seen, sizeof(seen)), 4);
	assert_int_equal(see(&relay, seen, sizeof(seen)), 0);
	relay_close(&relay);
}

/* A connection that the kernel does not want is as any other. */
static void
check_no_kernel(void **state)
{
	struct relay relay;
	char got[16];
	(void)state;
	relay_open_with(&relay, false, &no_kernel);
	assert_int_not_equal(relay.worker_fd, -1);
	relay_shake(&relay);
	assert_int_equal(send(relay.worker_fd, "whole", 5, 0), 5);
	fd_close(&relay.worker_fd);
	pump_end(relay.pump);
	for (int i = 0; i < 4; i++)
		relay_turn(&relay);
	assert_int_equal(relay_read(&relay, got, sizeof(got)), 5);
	assert_int_equal(relay_read(&relay, got, sizeof(got)), 0);
	assert_true(relay.has_ended);
	relay_close(&relay);
}

struct said_row {
	const char *name;
	void (*say)(struct relay *relay);
	int error; /* 0: the transfer goes on */
};

static void
say_goodbye(struct relay *relay)
{
	assert_int_equal(SSL_shutdown(relay->line.client), 0);
}

static void
say_new_keys(struct relay *relay)
{
	assert_int_equal(SSL_key_update(relay->line.client, SSL_KEY_UPDATE_REQUESTED), 1);
	assert_int_equal(SSL_do_handshake(relay->line.client), 1);
}

static void
say_own_new_keys(struct relay *relay)
{
	assert_int_equal(SSL_key_update(relay->line.client, SSL_KEY_UPDATE_NOT_REQUESTED), 1);
	assert_int_equal(SSL_do_handshake(relay->line.client), 1);
	say_goodbye(relay); /* read with the new ones */
}

static void
say_data(struct relay *relay)
{
	assert_int_equal(SSL_write(relay->line.client, "why", 3), 3);
}

static void
say_garbage(struct relay *relay)
{
	assert_int_equal(
		send(relay->line.client_fd, "\x17\x03\x03\x00\x14zzzzzzzzzzzzzzzzzzzz", 25, 0), 25);
}

static void
say_no_more(struct relay *relay)
{
	assert_int_equal(shutdown(relay->line.client_fd, SHUT_WR), 0);
}

static void
vanish(struct relay *relay)
{
	assert_int_equal(send(relay->worker_fd, "unread", 6, 0), 6);
	fd_close(&relay->line.client_fd); /* a reset */
}

static const struct said_row said_rows[] = {
	{ "close_notify", say_goodbye, 0 },
	{ "the end of what it sends", say_no_more, 0 },
	{ "data", say_data, 0 },
	{ "that its own keys are new", say_own_new_keys, 0 },
	{ "that it wants new keys", say_new_keys, -EPROTO },
	{ "what is no record", say_garbage, -EPROTO },
	{ "a reset", vanish, -ECONNRESET },
};

/* The gateway goes on listening while the worker sends. */
static void
check_said_to_kernel(void **state)
{
	const struct said_row *row = *state;
	struct relay relay;
	open_kernel_relay(&relay, TLS1_3_VERSION);
	relay_turn(&relay);
	ERR_clear_error();
	row->say(&relay);
	for (int i = 0; i < 4; i++)
		relay_turn(&relay);
	assert_int_equal(relay.has_ended, row->error < 0);
	assert_int_equal(relay.error, row->error);
	ssize_t sent = send(relay.worker_fd, "more", 4, MSG_NOSIGNAL);
	assert_int_equal(sent, row->error < 0 ? -1 : 4); /* ended for the worker, too */
	if (row->error == 0) {
		pump_end(relay.pump);
		relay_turn(&relay);
		assert_true(relay.has_ended);
		assert_int_equal(relay.error, 0);
	}
	relay_close(&relay);
}

/* The receiving side stays with libssl, whatever the kernel could do. */
static void
check_kept_out(void **state)
{
	(void)state;
	BIO *input = open_fake(-1);
	assert_int_equal(BIO_ctrl(input, GIVE_KEYS, 0, NULL), 1);
	tls_kernel_keep_out(input);
	assert_int_equal(BIO_ctrl(input, GIVE_KEYS, 0, NULL), 0);
	assert_int_equal(fake.given, 1);
	assert_int_equal(BIO_ctrl(input, BIO_CTRL_FLUSH, 0, NULL), 1);
	BIO_free(input);
}

static void
check_freed_when_placed(void **state)
{
	struct relay relay;
	(void)state;
	relay_open_with(&relay, false, &a_kernel);
	relay.ends_when_placed = true;
	relay_shake(&relay);
	assert_null(relay.pump);
	assert_false(relay.has_ended);
	assert_int_equal(send(relay.worker_fd, "more", 4, MSG_NOSIGNAL), -1);
	relay_close(&relay);
}

int
main(void)
{
	const struct table tables[] = {
		TABLE("download that a kernel encrypts", version_rows, check_kernel_download),
		CASE("a download that a kernel encrypts, cut", check_kernel_cut),
		CASE("a connection that the kernel does not take", check_no_kernel),
		TABLE("while a kernel encrypts the client says", said_rows, check_said_to_kernel),
		CASE("the kernel does not decrypt", check_kept_out),
		CASE("freed when the worker's end is there", check_freed_when_placed),
	};
	return relay_run(tables, ARRAY_LENGTH(tables));
}
