/*
 * Relays for tests (see pump_relay.h).
 */
#include "tests/unit/gateway/pump_relay.h"

#include "gateway/tls_provider.h"
#include "ipc/base/scope.h"
#include "policy/keys/key.h"

#include <openssl/err.h>
#include <signal.h>
#include <sys/socket.h>

static const struct tls_world_key ordinary = { "EC", "P-256", "ftp.example.org" };

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

bool
relay_worker_sees_end(int fd)
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
	relay->saw_end_before = relay->worker_fd >= 0 && relay_worker_sees_end(relay->worker_fd);
}

void
relay_open_with(struct relay *relay, bool is_upload, const struct tls_kernel *kernel)
{
	*relay = (struct relay){ .worker_fd = -1 };
	tls_world_open(&relay->world, &ordinary, 1);
	tls_line_open(&relay->world, &relay->line, RELAY_SESSION, NULL, true);
	tls_free(&relay->line.server);
	relay->room = pump_room_new(relay->world.base);
	const struct pump_options options = {
		.room = relay->room,
		.context = relay->world.context,
		.session = RELAY_SESSION,
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

void
relay_open(struct relay *relay, bool is_upload)
{
	relay_open_with(relay, is_upload, NULL);
}

void
relay_close(struct relay *relay)
{
	pump_free(&relay->pump);
	pump_room_free(&relay->room);
	fd_close(&relay->worker_fd);
	tls_line_close(&relay->line);
	tls_world_close(&relay->world);
}

void
relay_turn(struct relay *relay)
{
	event_base_loop(relay->world.base, EVLOOP_NONBLOCK);
}

void
relay_shake(struct relay *relay)
{
	for (int i = 0; i < 40; i++) {
		ERR_clear_error();
		(void)SSL_do_handshake(relay->line.client);
		relay_turn(relay);
	}
}

int
relay_read(struct relay *relay, char *buffer, int capacity)
{
	ERR_clear_error();
	int length = SSL_read(relay->line.client, buffer, capacity);
	if (length > 0)
		return length;
	int error = SSL_get_error(relay->line.client, length);
	return error == SSL_ERROR_ZERO_RETURN ? 0 : -error;
}

int
relay_run(const struct table *tables, size_t count)
{
	signal(SIGPIPE, SIG_IGN);
	if (key_prepare() < 0 || tls_provider_load() < 0)
		return 1;
	int result = table_run(tables, count);
	tls_provider_unload();
	return result;
}
