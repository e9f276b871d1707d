/*
 * Control connections under TLS, in a house with a certificate whose key is at keys (house.h):
 * what becomes of replies and of data connections when the protection comes, goes, or hangs.
 */
#include "gateway/reception.h"
#include "gateway/session.h"
#include "gateway/tls.h"
#include "ipc/base/ends.h"
#include "ipc/base/scope.h"
#include "ipc/sign.h"
#include "policy/keys/vault.h"
#include "tests/table.h"
#include "tests/unit/gateway/house.h"
#include "tests/unit/gateway/tls_world.h"
#include "tests/unit/keys/new_key.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <sys/socket.h>

enum { KEY = 1, TURN_MS = 5 };

/* A client, which speaks TLS where `tls` is set, and where it has come to. */
struct guest {
	struct house house;
	struct vault *vault;
	SSL_CTX *context;
	int fd;
	SSL *tls;
	char input[64 * 1024];
	size_t length;
	char line[512]; /* the last one that was heard */
};

/* ---- the house ---- */

static int
new_pem_file(X509 *certificate)
{
	char *text;
	BIO *pem = BIO_new(BIO_s_mem());
	assert_int_equal(PEM_write_bio_X509(pem, certificate), 1);
	long length = BIO_get_mem_data(pem, &text);
	int fd = new_file(text, (size_t)length);
	BIO_free(pem);
	return fd;
}

static void
give_certificate(struct guest *guest)
{
	const char *reason;
	struct channel *supervisor = guest->house.supervisor;
	const struct gate_certificate certificate = { .key = KEY };
	EVP_PKEY *key = new_key("EC", 0, "P-256");
	X509 *made = tls_world_sign_itself(key, "ftp.example.org");
	SCOPE_FD int key_fd = new_key_file(key, NULL);
	SCOPE_FD int pem_fd = new_pem_file(made);
	assert_int_equal(vault_add(guest->vault, KEY, key_fd, &reason), 0);
	channel_lost(gate_post_certificate_with(supervisor, 0, &certificate, pem_fd));
	channel_lost(
		gate_post_use_certificates(supervisor, 0, &(struct gate_use_certificates){ 0 }));
	X509_free(made);
	EVP_PKEY_free(key);
}

static void
give_keys(struct guest *guest)
{
	int ends[2];
	assert_int_equal(channel_pair(ends), 0);
	assert_int_equal(vault_add_gateway(guest->vault, 1, &ends[0]), 0);
	channel_lost(
		gate_post_keys_with(guest->house.supervisor, 0, &(struct gate_keys){ 0 }, ends[1]));
	fd_close(&ends[1]);
}

static void
arrive(struct guest *guest, uint32_t login_timeout_s)
{
	*guest = (struct guest){ .context = SSL_CTX_new(TLS_client_method()) };
	house_init(&guest->house);
	guest->house.settings.tls = TLS_POLICY_OPTIONAL;
	guest->house.settings.tls_data = TLS_POLICY_OPTIONAL;
	guest->house.settings.tls_ccc = true;
	guest->house.settings.login_timeout_s = login_timeout_s;
	house_open(&guest->house);
	guest->vault = vault_new(guest->house.base, NULL);
	assert_non_null(guest->vault);
	give_keys(guest);
	give_certificate(guest);
	guest->fd = house_connect(&guest->house);
}

static void
leave(struct guest *guest)
{
	SSL_free(guest->tls);
	fd_close(&guest->fd);
	SSL_CTX_free(guest->context);
	house_close(&guest->house);
	vault_free(&guest->vault);
}

/* The one session that there is; NULL once it is gone. */
static struct session *
session_of(struct guest *guest)
{
	return session_next(guest->house.gateway, NULL);
}

/* ---- what is said ---- */

static void
say(struct guest *guest, const char *line)
{
	size_t length = strlen(line);
	if (guest->tls != NULL)
		assert_int_equal(SSL_write(guest->tls, line, (int)length), length);
	else
		assert_int_equal(send(guest->fd, line, length, MSG_NOSIGNAL), length);
}

/* False at the end. */
static bool
take(struct guest *guest)
{
	char *room = guest->input + guest->length;
	int capacity = (int)(sizeof(guest->input) - guest->length);
	int count = guest->tls != NULL ? SSL_read(guest->tls, room, capacity)
				       : (int)recv(guest->fd, room, (size_t)capacity, MSG_DONTWAIT);
	guest->length += count > 0 ? (size_t)count : 0;
	if (count > 0)
		return true;
	return guest->tls != NULL ? SSL_get_error(guest->tls, count) == SSL_ERROR_WANT_READ
				  : count < 0 && errno == EAGAIN;
}

static bool
next_line(struct guest *guest)
{
	const char *end = memmem(guest->input, guest->length, "\r\n", 2);
	if (end == NULL)
		return false;
	size_t length = (size_t)(end - guest->input);
	snprintf(guest->line, sizeof(guest->line), "%.*s", (int)length, guest->input);
	guest->length -= length + 2;
	memmove(guest->input, end + 2, guest->length);
	return true;
}

/* The next line that begins so; those before it are skipped. */
static void
hear(struct guest *guest, const char *code)
{
	uint64_t limit = gateway_now_ms() + HOUSE_LIVENESS_MS;
	bool goes_on = true;
	for (;;) {
		while (next_line(guest))
			if (strncmp(guest->line, code, strlen(code)) == 0)
				return;
		if (!goes_on || gateway_now_ms() > limit)
			fail_msg("no %s behind: %s", code, guest->line);
		goes_on = take(guest);
		house_turn(&guest->house, TURN_MS);
	}
}

static void
ask(struct guest *guest, const char *line, const char *code)
{
	say(guest, line);
	hear(guest, code);
}

/* ---- TLS ---- */

/* SSL_ERROR_NONE once it is done, or why it is not. */
static int
shake(struct guest *guest, SSL *tls)
{
	uint64_t limit = gateway_now_ms() + HOUSE_LIVENESS_MS;
	int error;
	while ((error = SSL_get_error(tls, SSL_do_handshake(tls))) == SSL_ERROR_WANT_READ) {
		assert_true(gateway_now_ms() < limit);
		house_turn(&guest->house, TURN_MS);
	}
	return error;
}

static SSL *
new_tls(const struct guest *guest, int fd)
{
	SSL *tls = SSL_new(guest->context);
	assert_non_null(tls);
	SSL_set_fd(tls, fd);
	SSL_set_connect_state(tls);
	return tls;
}

static void
secure(struct guest *guest)
{
	hear(guest, "220");
	ask(guest, "AUTH TLS\r\n", "234");
	guest->length = 0;
	guest->tls = new_tls(guest, guest->fd);
	assert_int_equal(shake(guest, guest->tls), SSL_ERROR_NONE);
}

static void
log_in(struct guest *guest)
{
	ask(guest, "USER u\r\n", "331");
	ask(guest, "PASS secret\r\n", "230");
}

/* CCC: the end of TLS from both sides. What is left is its session, to be resumed. */
static SSL_SESSION *
go_in_the_clear(struct guest *guest)
{
	char nothing;
	ask(guest, "CCC\r\n", "200");
	SSL_SESSION *session = SSL_get1_session(guest->tls);
	int result;
	while ((result = SSL_read(guest->tls, &nothing, 1)) <= 0 &&
		SSL_get_error(guest->tls, result) == SSL_ERROR_WANT_READ)
		house_turn(&guest->house, TURN_MS);
	assert_int_equal(SSL_get_error(guest->tls, result), SSL_ERROR_ZERO_RETURN);
	SSL_shutdown(guest->tls);
	SSL_free(guest->tls);
	guest->tls = NULL;
	return session;
}

/* ---- data ---- */

/* A connection to the port of the 229 that was heard last. */
static int
open_data(const struct guest *guest)
{
	const char *number = strstr(guest->line, "(|||");
	assert_non_null(number);
	struct sockaddr_in6 address;
	memcpy(&address, &guest->house.address, sizeof(address));
	address.sin6_port = htons((uint16_t)strtoul(number + strlen("(|||"), NULL, 10));
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int result = connect(fd, (const struct sockaddr *)&address, sizeof(address));
	assert_true(result == 0 || errno == EINPROGRESS);
	return fd;
}

static void
fetch_under_tls(struct guest *guest, SSL_SESSION *session)
{
	char text[16];
	int length;
	ask(guest, "EPSV\r\n", "229");
	SCOPE_FD int fd = open_data(guest);
	ask(guest, "RETR f\r\n", "150");
	SSL *data = new_tls(guest, fd);
	SSL_set_session(data, session);
	assert_int_equal(shake(guest, data), SSL_ERROR_NONE);
	while ((length = SSL_read(data, text, sizeof(text))) <= 0 &&
		SSL_get_error(data, length) == SSL_ERROR_WANT_READ)
		house_turn(&guest->house, TURN_MS);
	assert_int_equal(length, strlen("hello"));
	assert_memory_equal(text, "hello", strlen("hello"));
	hear(guest, "226");
	SSL_free(data);
}

/* ---- cases ---- */

static void
check_data_after_ccc(UNUSED void **state)
{
	struct guest guest;
	arrive(&guest, 10);
	secure(&guest);
	log_in(&guest);
	ask(&guest, "PBSZ 0\r\n", "200");
	ask(&guest, "PROT P\r\n", "200");
	SSL_SESSION *session = go_in_the_clear(&guest);
	ask(&guest, "TYPE I\r\n", "200");
	fetch_under_tls(&guest, session);
	ask(&guest, "PROT C\r\n", "503");
	SSL_SESSION_free(session);
	leave(&guest);
}

static void
check_rein_after_ccc(UNUSED void **state)
{
	struct guest guest;
	char text[16];
	arrive(&guest, 10);
	secure(&guest);
	log_in(&guest);
	ask(&guest, "PBSZ 0\r\n", "200");
	ask(&guest, "PROT P\r\n", "200");
	SSL_SESSION_free(go_in_the_clear(&guest));
	ask(&guest, "REIN\r\n", "220");
	log_in(&guest);
	ask(&guest, "TYPE I\r\n", "200");
	ask(&guest, "EPSV\r\n", "229");
	SCOPE_FD int fd = open_data(&guest);
	ask(&guest, "RETR f\r\n", "226");
	assert_int_equal(recv(fd, text, sizeof(text), 0), strlen("hello"));
	leave(&guest);
}

/* Who is silent in the handshake cannot be told so: nothing waits, nothing turns meanwhile. */
static void
check_silence_in_the_handshake(UNUSED void **state)
{
	struct guest guest;
	uint64_t limit = gateway_now_ms() + HOUSE_LIVENESS_MS;
	arrive(&guest, 1);
	hear(&guest, "220");
	ask(&guest, "AUTH TLS\r\n", "234");
	while (session_of(&guest) != NULL) {
		assert_null(session_of(&guest)->ending);
		assert_true(gateway_now_ms() < limit);
		house_turn(&guest.house, TURN_MS);
	}
	leave(&guest);
}

/* Events that wait in the loop, once it has come to rest. */
static int
count_events(struct guest *guest)
{
	for (int i = 0; i < 10; i++)
		house_turn(&guest->house, TURN_MS);
	return event_base_get_num_events(guest->house.base, EVENT_BASE_COUNT_ADDED);
}

/* Whatever its socket takes, which the client has not read: how much that was. */
static size_t
stuff(int fd)
{
	static const char junk[1024];
	size_t length = 0;
	ssize_t sent;
	while ((sent = send(fd, junk, sizeof(junk), MSG_DONTWAIT | MSG_NOSIGNAL)) > 0)
		length += (size_t)sent;
	return length;
}

static void
unstuff(const struct guest *guest, size_t length)
{
	char junk[1024];
	while (length > 0) {
		size_t wanted = length < sizeof(junk) ? length : sizeof(junk);
		ssize_t count = recv(guest->fd, junk, wanted, 0);
		assert_true(count > 0 || errno == EAGAIN);
		length -= count > 0 ? (size_t)count : 0;
	}
}

/* Over a local stream, which takes bytes again as soon as some are read: TCP thinks it over. */
static void
arrive_locally(struct guest *guest)
{
	int ends[2];
	const struct origin origin = {
		.peer = { .ip = { [10] = 0xff, 0xff, 127, 0, 0, 1 }, .port = 4000 },
		.local = { .ip = { [10] = 0xff, 0xff, 127, 0, 0, 1 }, .port = 21 },
		.since_ms = gateway_now_ms(),
	};
	arrive(guest, 10);
	hear(guest, "220");
	ask(guest, "QUIT\r\n", "221");
	while (session_of(guest) != NULL)
		house_turn(&guest->house, TURN_MS);
	fd_close(&guest->fd);
	assert_int_equal(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
	guest->fd = ends[1];
	assert_int_equal(session_new(guest->house.gateway, &ends[0], &origin), 0);
	/* It did not come by way of the door, which would have counted it. */
	session_of(guest)->is_counted = false;
	reception_count(session_of(guest));
}

/* The server's part of the handshake has to wait; it waits once, and leaves nothing behind. */
static void
check_blocked_handshake(UNUSED void **state)
{
	struct guest guest;
	arrive_locally(&guest);
	hear(&guest, "220");
	int before = count_events(&guest);
	ask(&guest, "AUTH TLS\r\n", "234");
	guest.tls = new_tls(&guest, guest.fd);
	assert_int_equal(
		SSL_get_error(guest.tls, SSL_do_handshake(guest.tls)), SSL_ERROR_WANT_READ);
	size_t length = stuff(session_of(&guest)->stream.fd);
	while (session_of(&guest)->writable == NULL)
		house_turn(&guest.house, TURN_MS);
	assert_int_equal(count_events(&guest), before); /* one is in the place of another */
	unstuff(&guest, length);
	assert_int_equal(shake(&guest, guest.tls), SSL_ERROR_NONE);
	ask(&guest, "NOOP\r\n", "200");
	assert_int_equal(count_events(&guest), before);
	leave(&guest);
}

/* Replies that are more than the kernel takes at once, and less than libssl does. */
static void
fill(struct guest *guest)
{
	enum { LINES = 2000 };
	static const char line[] =
		" a hundred bytes in a line of a reply that is longer than what a "
		"kernel has room for at any time\r\n";
	struct session *session = session_of(guest);
	int few = 4096;
	assert_int_equal(
		setsockopt(session->stream.fd, SOL_SOCKET, SO_SNDBUF, &few, sizeof(few)), 0);
	assert_int_equal(setsockopt(guest->fd, SOL_SOCKET, SO_RCVBUF, &few, sizeof(few)), 0);
	for (int i = 0; i < LINES; i++)
		session_reply_text(session, bytes_of_text(line));
}

static void
check_last_words(UNUSED void **state)
{
	struct guest guest;
	arrive(&guest, 10);
	secure(&guest);
	log_in(&guest);
	fill(&guest);
	house_close_session(&guest.house);
	hear(&guest, "421");
	leave(&guest);
}

static void
check_last_words_that_nobody_hears(UNUSED void **state)
{
	struct guest guest;
	uint64_t limit = gateway_now_ms() + 2 * HOUSE_LIVENESS_MS;
	arrive(&guest, 10);
	secure(&guest);
	log_in(&guest);
	fill(&guest);
	house_close_session(&guest.house);
	while (session_of(&guest) != NULL) {
		assert_true(gateway_now_ms() < limit);
		house_turn(&guest.house, TURN_MS);
	}
	leave(&guest);
}

int
main(void)
{
	const struct table tables[] = {
		CASE("CCC leaves data connections as PROT has set them", check_data_after_ccc),
		CASE("REIN behind CCC: data in the clear again", check_rein_after_ccc),
		CASE("a handshake for which the socket has no room", check_blocked_handshake),
		CASE("no login in time, in the middle of a handshake",
			check_silence_in_the_handshake),
		CASE("a slow client hears all that was said under TLS", check_last_words),
		CASE("a client that takes nothing is not waited for",
			check_last_words_that_nobody_hears),
	};
	return table_run(tables, ARRAY_LENGTH(tables));
}
