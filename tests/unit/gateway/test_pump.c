/*
 * The relay between a worker's data descriptor and a client's TLS (pump.h): everything arrives,
 * both ways, whoever is slow; an end is an end only where it was meant.
 */
#include "tests/unit/gateway/tls_world.h"

#include "gateway/pump.h"
#include "gateway/tls_kernel.h"
#include "gateway/tls_provider.h"
#include "ipc/base/scope.h"
#include "policy/keys/key.h"

#include <errno.h>
#include <openssl/err.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>

enum { SESSION = 3, ROUNDS = 4000 };

static const struct tls_world_key ordinary = { "EC", "P-256", "ftp.example.org" };

/* A pump between a client of OpenSSL's and the test as the worker. */
struct relay {
	struct tls_world world;
	struct tls_line line; /* its server's end is the pump's */
	struct pump_room *room;
	struct pump *pump;
	int worker_fd;
	int refusal; /* what `secured` says */
	bool was_secured, has_ended;
	bool ends_when_placed; /* the owner does not want it any more */
	bool saw_end_before;   /* the worker did, before `ended` */
	int error;
};

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

static void
on_placed(void *owner, int worker_fd)
{
	struct relay *relay = owner;
	assert_true(relay->was_secured);
	assert_int_equal(relay->worker_fd, -1);
	relay->worker_fd = worker_fd;
	if (relay->ends_when_placed)
		pump_free(&relay->pump);
}

static int
on_secured(void *owner, const struct tls *tls)
{
	struct relay *relay = owner;
	assert_non_null(tls);
	relay->was_secured = true;
	return relay->refusal;
}

static bool
worker_sees_end(int fd)
{
	char byte;
	return recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

static void
on_ended(void *owner, int error)
{
	struct relay *relay = owner;
	assert_false(relay->has_ended);
	assert_null(relay->pump);
	relay->has_ended = true;
	relay->error = error;
	relay->saw_end_before = relay->worker_fd >= 0 && worker_sees_end(relay->worker_fd);
}

static void
open_relay_with(struct relay *relay, bool is_upload, const struct tls_kernel *kernel)
{
	*relay = (struct relay){ .worker_fd = -1 };
	tls_world_open(&relay->world, &ordinary, 1);
	tls_line_open(&relay->world, &relay->line, SESSION, NULL, true);
	tls_free(&relay->line.server);
	relay->room = pump_room_new(relay->world.base);
	const struct pump_options options = {
		.room = relay->room,
		.context = relay->world.context,
		.session = SESSION,
		.is_upload = is_upload,
		.stall_timeout_s = 60,
		.kernel = kernel,
		.secured = on_secured,
		.placed = on_placed,
		.ended = on_ended,
		.owner = relay,
	};
	assert_int_equal(
		pump_new(&options, &relay->line.server_fd, &relay->worker_fd, &relay->pump), 0);
	assert_int_equal(relay->line.server_fd, -1);
}

static void
open_relay(struct relay *relay, bool is_upload)
{
	open_relay_with(relay, is_upload, NULL);
}

static void
close_relay(struct relay *relay)
{
	pump_free(&relay->pump);
	pump_room_free(&relay->room);
	fd_close(&relay->worker_fd);
	tls_line_close(&relay->line);
	tls_world_close(&relay->world);
}

static void
turn(struct relay *relay)
{
	event_base_loop(relay->world.base, EVLOOP_NONBLOCK);
}

static void
shake(struct relay *relay)
{
	for (int i = 0; i < 40; i++) {
		ERR_clear_error();
		(void)SSL_do_handshake(relay->line.client);
		turn(relay);
	}
}

/* What comes next for the client: bytes, 0 at close_notify, or a negative SSL_get_error(). */
static int
client_read(struct relay *relay, char *buffer, int capacity)
{
	ERR_clear_error();
	int length = SSL_read(relay->line.client, buffer, capacity);
	if (length > 0)
		return length;
	int error = SSL_get_error(relay->line.client, length);
	return error == SSL_ERROR_ZERO_RETURN ? 0 : -error;
}

/* ---- out ---- */

struct size_row {
	const char *name;
	size_t bytes;
	size_t step; /* that the slow side takes at once */
};

static const struct size_row size_rows[] = {
	{ "nothing", 0, 4096 },
	{ "one byte", 1, 4096 },
	{ "a record and a byte", 16385, 16384 },
	{ "more than everything in between holds", 3 * 1024 * 1024, 65536 },
	{ "a peer that takes little", 200 * 1024, 1000 },
};

static char *
make_content(size_t length)
{
	char *content = malloc(length + 1);
	for (size_t i = 0; i < length; i++)
		content[i] = (char)(i * 7 + i / 251);
	return content;
}

static void
check_download(void **state)
{
	const struct size_row *row = *state;
	struct relay relay;
	SCOPE_FREE char *content = make_content(row->bytes);
	SCOPE_FREE char *got = malloc(row->bytes + row->step);
	size_t sent = 0, received = 0;
	int length = -SSL_ERROR_WANT_READ;
	open_relay(&relay, false);
	shake(&relay);
	assert_true(relay.was_secured);
	for (int i = 0; i < ROUNDS && length != 0; i++) {
		ssize_t taken = relay.worker_fd < 0 || sent == row->bytes
					? 0
					: send(relay.worker_fd, content + sent, row->bytes - sent,
						  MSG_DONTWAIT | MSG_NOSIGNAL);
		sent += taken > 0 ? (size_t)taken : 0;
		if (sent == row->bytes && relay.worker_fd >= 0) {
			fd_close(&relay.worker_fd);
			assert_false(relay.has_ended);
			pump_end(relay.pump);
		}
		turn(&relay);
		length = client_read(&relay, got + received, (int)row->step);
		assert_true(length >= 0 || length == -SSL_ERROR_WANT_READ);
		received += length > 0 ? (size_t)length : 0;
	}
	assert_int_equal(length, 0);
	assert_int_equal(received, row->bytes);
	assert_memory_equal(got, content, row->bytes);
	assert_true(relay.has_ended);
	assert_int_equal(relay.error, 0);
	close_relay(&relay);
}

/* The worker's end alone is not the client's: it may have failed. */
static void
check_unconfirmed(void **state)
{
	struct relay relay;
	char buffer[16];
	(void)state;
	open_relay(&relay, false);
	shake(&relay);
	assert_int_equal(send(relay.worker_fd, "half", 4, 0), 4);
	fd_close(&relay.worker_fd);
	for (int i = 0; i < 10; i++)
		turn(&relay);
	assert_int_equal(client_read(&relay, buffer, sizeof(buffer)), 4);
	assert_int_equal(client_read(&relay, buffer, sizeof(buffer)), -SSL_ERROR_WANT_READ);
	assert_false(relay.has_ended);
	pump_free(&relay.pump);
	assert_int_equal(client_read(&relay, buffer, sizeof(buffer)), -SSL_ERROR_SSL);
	assert_int_equal(ERR_GET_REASON(ERR_peek_error()), SSL_R_UNEXPECTED_EOF_WHILE_READING);
	close_relay(&relay);
}

static void
check_vanished_reader(void **state)
{
	struct relay relay;
	static char piece[65536];
	(void)state;
	open_relay(&relay, false);
	shake(&relay);
	fd_close(&relay.line.client_fd);
	for (int i = 0; i < 100 && !relay.has_ended; i++) {
		(void)!send(relay.worker_fd, piece, sizeof(piece), MSG_DONTWAIT | MSG_NOSIGNAL);
		turn(&relay);
	}
	assert_true(relay.has_ended);
	assert_true(relay.error < 0);
	close_relay(&relay);
}

/* ---- out, encrypted by a kernel ---- */

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
	open_relay_with(relay, false, &a_kernel);
	SSL_set_max_proto_version(relay->line.client, version);
	assert_int_equal(relay->worker_fd, -1);
	/* In TLS 1.2 the server's last word of the handshake is the fake's, not for this client. */
	for (int i = 0; i < 40; i++) {
		ERR_clear_error();
		if (version == TLS1_3_VERSION || fake.given == 0)
			(void)SSL_do_handshake(relay->line.client);
		turn(relay);
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
	turn(&relay);
	assert_int_equal(see(&relay, seen, sizeof(seen)), -1);
	assert_false(relay.has_ended);
	pump_end(relay.pump);
	turn(&relay);
	assert_true(relay.has_ended);
	assert_int_equal(relay.error, 0);
	assert_int_equal(see(&relay, seen, sizeof(seen)), sizeof(last));
	assert_memory_equal(seen, last, sizeof(last));
	assert_int_equal(see(&relay, seen, sizeof(seen)), -1); /* no FIN that could cut it off */
	close_relay(&relay);
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
	close_relay(&relay);
}

/* A connection that the kernel does not want is as any other. */
static void
check_no_kernel(void **state)
{
	struct relay relay;
	char got[16];
	(void)state;
	open_relay_with(&relay, false, &no_kernel);
	assert_int_not_equal(relay.worker_fd, -1);
	shake(&relay);
	assert_int_equal(send(relay.worker_fd, "whole", 5, 0), 5);
	fd_close(&relay.worker_fd);
	pump_end(relay.pump);
	for (int i = 0; i < 4; i++)
		turn(&relay);
	assert_int_equal(client_read(&relay, got, sizeof(got)), 5);
	assert_int_equal(client_read(&relay, got, sizeof(got)), 0);
	assert_true(relay.has_ended);
	close_relay(&relay);
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
	turn(&relay);
	ERR_clear_error();
	row->say(&relay);
	for (int i = 0; i < 4; i++)
		turn(&relay);
	assert_int_equal(relay.has_ended, row->error < 0);
	assert_int_equal(relay.error, row->error);
	ssize_t sent = send(relay.worker_fd, "more", 4, MSG_NOSIGNAL);
	assert_int_equal(sent, row->error < 0 ? -1 : 4); /* ended for the worker, too */
	if (row->error == 0) {
		pump_end(relay.pump);
		turn(&relay);
		assert_true(relay.has_ended);
		assert_int_equal(relay.error, 0);
	}
	close_relay(&relay);
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
	open_relay_with(&relay, false, &a_kernel);
	relay.ends_when_placed = true;
	shake(&relay);
	assert_null(relay.pump);
	assert_false(relay.has_ended);
	assert_int_equal(send(relay.worker_fd, "more", 4, MSG_NOSIGNAL), -1);
	close_relay(&relay);
}

/* ---- in ---- */

static void
check_upload(void **state)
{
	const struct size_row *row = *state;
	struct relay relay;
	SCOPE_FREE char *content = make_content(row->bytes);
	SCOPE_FREE char *got = malloc(row->bytes + row->step);
	size_t sent = 0, received = 0;
	ssize_t length = -1;
	bool said_so = false;
	open_relay(&relay, true);
	shake(&relay);
	for (int i = 0; i < ROUNDS && length != 0; i++) {
		ERR_clear_error();
		int taken = sent == row->bytes
				    ? 0
				    : SSL_write(relay.line.client, content + sent,
					      (int)(row->bytes - sent > 16384 ? 16384
									      : row->bytes - sent));
		sent += taken > 0 ? (size_t)taken : 0;
		if (sent == row->bytes && !said_so)
			said_so = SSL_shutdown(relay.line.client) >= 0;
		turn(&relay);
		length = recv(relay.worker_fd, got + received, row->step, MSG_DONTWAIT);
		received += length > 0 ? (size_t)length : 0;
	}
	assert_int_equal(length, 0);
	assert_int_equal(received, row->bytes);
	assert_memory_equal(got, content, row->bytes);
	assert_true(relay.has_ended);
	assert_int_equal(relay.error, 0);
	assert_false(relay.saw_end_before);
	close_relay(&relay);
}

/* After records that came thick, a few that nothing follows do not wait for others. */
static void
check_few_records(void **state)
{
	static const size_t lengths[] = { 16384, 4, 16384, 16384, 1 };
	static char piece[16384];
	struct relay relay;
	(void)state;
	open_relay(&relay, true);
	shake(&relay);
	for (size_t i = 0; i < ARRAY_LENGTH(lengths); i++) {
		size_t received = 0;
		assert_int_equal(
			SSL_write(relay.line.client, piece, (int)lengths[i]), (int)lengths[i]);
		while (received < lengths[i]) {
			assert_int_equal(event_base_loop(relay.world.base, EVLOOP_ONCE), 0);
			ssize_t length = recv(relay.worker_fd, piece, sizeof(piece), MSG_DONTWAIT);
			received += length > 0 ? (size_t)length : 0;
		}
		assert_int_equal(received, lengths[i]);
	}
	assert_false(relay.has_ended);
	close_relay(&relay);
}

/* What arrived is passed on, and the owner knows before the worker that it was not all. */
static void
check_cut_upload(void **state)
{
	struct relay relay;
	char got[64];
	(void)state;
	open_relay(&relay, true);
	shake(&relay);
	assert_int_equal(SSL_write(relay.line.client, "half", 4), 4);
	shutdown(relay.line.client_fd, SHUT_WR);
	for (int i = 0; i < 10; i++)
		turn(&relay);
	assert_true(relay.has_ended);
	assert_int_equal(relay.error, -ECONNABORTED);
	assert_false(relay.saw_end_before);
	assert_int_equal(recv(relay.worker_fd, got, sizeof(got), MSG_DONTWAIT), 4);
	assert_true(worker_sees_end(relay.worker_fd));
	close_relay(&relay);
}

static void
check_worker_that_leaves(void **state)
{
	struct relay relay;
	static char piece[16384];
	(void)state;
	open_relay(&relay, true);
	shake(&relay);
	int worker_fd = fd_take(&relay.worker_fd);
	fd_close(&worker_fd);
	relay.worker_fd = -1;
	for (int i = 0; i < 100 && !relay.has_ended; i++) {
		(void)SSL_write(relay.line.client, piece, sizeof(piece));
		turn(&relay);
	}
	assert_true(relay.has_ended);
	assert_true(relay.error < 0);
	close_relay(&relay);
}

/* ---- handshakes ---- */

static void
check_refused(void **state)
{
	struct relay relay;
	(void)state;
	open_relay(&relay, true);
	relay.refusal = -EPERM;
	shake(&relay);
	assert_true(relay.was_secured);
	assert_true(relay.has_ended);
	assert_int_equal(relay.error, -EPERM);
	close_relay(&relay);
}

static void
check_garbage(void **state)
{
	struct relay relay;
	(void)state;
	open_relay(&relay, false);
	assert_int_equal(send(relay.line.client_fd, "GET / HTTP/1.0\r\n\r\n", 18, 0), 18);
	for (int i = 0; i < 10; i++)
		turn(&relay);
	assert_false(relay.was_secured);
	assert_true(relay.has_ended);
	assert_int_equal(relay.error, -EPROTO);
	close_relay(&relay);
}

static void
check_freed_while_keys_is_asked(void **state)
{
	struct relay relay;
	int other_end;
	(void)state;
	open_relay(&relay, false);
	tls_world_connect_silence(&relay.world, &other_end);
	shake(&relay);
	assert_false(relay.was_secured);
	pump_free(&relay.pump);
	fd_close(&other_end);
	turn(&relay);
	close_relay(&relay);
}

int
main(void)
{
	const struct table tables[] = {
		TABLE("download", size_rows, check_download),
		CASE("what the worker did not vouch for has no end", check_unconfirmed),
		CASE("a reader that vanishes", check_vanished_reader),
		TABLE("download that a kernel encrypts", version_rows, check_kernel_download),
		CASE("a download that a kernel encrypts, cut", check_kernel_cut),
		CASE("a connection that the kernel does not take", check_no_kernel),
		TABLE("while a kernel encrypts the client says", said_rows, check_said_to_kernel),
		CASE("the kernel does not decrypt", check_kept_out),
		CASE("freed when the worker's end is there", check_freed_when_placed),
		TABLE("upload", size_rows, check_upload),
		CASE("upload: a few records, and nothing for a while", check_few_records),
		CASE("an upload that is cut", check_cut_upload),
		CASE("a worker that takes no more", check_worker_that_leaves),
		CASE("a connection that the owner does not want", check_refused),
		CASE("garbage instead of a hello", check_garbage),
		CASE("freed while keys is asked", check_freed_while_keys_is_asked),
	};
	signal(SIGPIPE, SIG_IGN); /* the client writes to whoever is gone */
	if (key_prepare() < 0 || tls_provider_load() < 0)
		return 1;
	int result = table_run(tables, ARRAY_LENGTH(tables));
	tls_provider_unload();
	return result;
}
