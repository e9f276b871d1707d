/*
 * Control listeners: one per gateway and address, shared among them and with nobody else, and
 * listening again after a gateway shut one down (listeners.h).
 */
#include "ipc/base/scope.h"
#include "ipc/gate.h"
#include "policy/supervisor/listeners.h"
#include "policy/supervisor/supervisor.h"
#include "tests/table.h"
#include "tests/unit/supervisor/sides.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

enum { GATEWAYS = 3 };

static unsigned notices;
static int sent[8];
static bool sent_for_proxies[8];
static size_t sent_count;

void
supervisor_event(
	UNUSED struct supervisor *supervisor, UNUSED uint32_t code, UNUSED const void *event)
{
	notices++;
}

void
process_posted(UNUSED struct process *process, int post_result)
{
	assert_int_equal(post_result, 0);
}

static void
on_listener(UNUSED void *owner, struct message *message, const struct gate_listener *body)
{
	sent_for_proxies[sent_count] = body->is_for_proxies;
	sent[sent_count++] = fd_take(&message->descriptor);
}

static struct supervisor *
make_supervisor(const char *const *addresses)
{
	static struct settings settings;
	static struct supervisor supervisor;
	struct rules_error error = { 0 };
	assert_int_equal(config_create(&settings.config), 0);
	for (; *addresses != NULL; addresses++)
		assert_int_equal(config_accept(settings.config, OPTION_listen,
					 bytes_of_text(*addresses), &error),
			0);
	supervisor.settings = &settings;
	return &supervisor;
}

static uint16_t
port_of(const struct listeners *listeners)
{
	static const char before[] = "127.0.0.1:";
	SCOPE_FREE char *text = listeners_text(listeners);
	assert_memory_equal(text, before, strlen(before));
	return (uint16_t)strtoul(text + strlen(before), NULL, 10);
}

static void
check_taken(void **state)
{
	struct supervisor *supervisor = make_supervisor((const char *[]){ "127.0.0.1:0", NULL });
	struct listeners *listeners = NULL, *others = NULL;
	size_t failed = 77;
	char address[64];
	(void)state;
	assert_int_equal(listeners_open(supervisor, GATEWAYS, &listeners, &failed), 0);
	snprintf(address, sizeof(address), "127.0.0.1:%u", port_of(listeners));
	config_free(&supervisor->settings->config);
	supervisor = make_supervisor((const char *[]){ "127.0.0.1:0", address, NULL });
	assert_int_equal(listeners_open(supervisor, GATEWAYS, &others, &failed), -EADDRINUSE);
	assert_int_equal(failed, 1);
	assert_null(others);
	listeners_free(&listeners);
	assert_int_equal(listeners_open(supervisor, GATEWAYS, &others, &failed), 0);
	listeners_free(&others);
	config_free(&supervisor->settings->config);
}

static void
on_closed(UNUSED void *owner, UNUSED const char *malformed)
{
}

/* The listeners of a gateway, as it gets them, are in `sent`. */
static void
send_all(struct listeners *listeners, unsigned slot)
{
	static struct gate_handlers handlers;
	struct event_base *base = event_base_new();
	struct process gateway = { .role = ROLE_GATEWAY };
	struct channel *child = NULL;
	sides_fill(&handlers, sizeof(handlers));
	handlers.listener = on_listener;
	const struct sides sides = { base, &gate_messages, ROLE_GATEWAY, &handlers,
		sizeof(handlers), on_closed };
	sides_open(&sides, &gateway.channel, &child);
	sent_count = 0;
	listeners_send(listeners, slot, &gateway);
	event_base_loop(base, EVLOOP_NONBLOCK);
	channel_free(&gateway.channel);
	channel_free(&child);
	event_base_free(base);
}

static int
listens(int fd)
{
	int value = -1;
	socklen_t length = sizeof(value);
	getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &value, &length);
	return value;
}

static void
check_shares(void **state)
{
	struct supervisor *supervisor =
		make_supervisor((const char *[]){ "127.0.0.1:0", "127.0.0.2:0", NULL });
	struct listeners *listeners = NULL;
	struct wire_address first[2], seen;
	size_t failed;
	(void)state;
	assert_int_equal(listeners_open(supervisor, GATEWAYS, &listeners, &failed), 0);
	for (unsigned slot = 0; slot < GATEWAYS; slot++) {
		send_all(listeners, slot);
		assert_int_equal(sent_count, 2);
		for (size_t i = 0; i < 2; i++) {
			assert_int_equal(address_of_local(sent[i], &seen), 0);
			if (slot == 0)
				first[i] = seen;
			assert_memory_equal(&seen, &first[i], sizeof(seen));
			fd_close(&sent[i]);
		}
		assert_false(address_is_same_host(&first[0], &first[1]));
	}
	listeners_free(&listeners);
	config_free(&supervisor->settings->config);
}

static void
check_for_proxies(void **state)
{
	struct supervisor *supervisor =
		make_supervisor((const char *[]){ "127.0.0.1:0", "127.0.0.2:0", NULL });
	struct config *config = supervisor->settings->config;
	struct listeners *listeners = NULL;
	struct rules_error error = { 0 };
	size_t failed;
	(void)state;
	assert_int_equal(
		config_accept(config, OPTION_proxy_listen, bytes_of_text("127.0.0.3:0"), &error),
		0);
	assert_int_equal(listeners_open(supervisor, GATEWAYS, &listeners, &failed), 0);
	for (unsigned slot = 0; slot < GATEWAYS; slot++) {
		send_all(listeners, slot);
		assert_int_equal(sent_count, 3);
		for (size_t i = 0; i < 3; i++) {
			assert_int_equal(sent_for_proxies[i], i == 2);
			fd_close(&sent[i]);
		}
	}
	listeners_free(&listeners);
	config_free(&supervisor->settings->config);
}

static void
check_shut_down(void **state)
{
	struct supervisor *supervisor = make_supervisor((const char *[]){ "127.0.0.1:0", NULL });
	struct listeners *listeners = NULL;
	size_t failed;
	(void)state;
	assert_int_equal(listeners_open(supervisor, 1, &listeners, &failed), 0);
	send_all(listeners, 0);
	notices = 0;
	listeners_tick(listeners);
	assert_int_equal(notices, 0);
	assert_int_equal(shutdown(sent[0], SHUT_RDWR), 0);
	assert_int_equal(listens(sent[0]), 0);
	listeners_tick(listeners);
	assert_int_equal(listens(sent[0]), 1);
	assert_int_equal(notices, 1);
	fd_close(&sent[0]);
	listeners_free(&listeners);
	config_free(&supervisor->settings->config);
}

struct failing_row {
	const char *name;
	const char *address;
	int want;
};

static const struct failing_row failing_rows[] = {
	{ "an address that is not ours", "192.0.2.1:0", -EADDRNOTAVAIL },
	{ "an IPv6 address that is not ours", "[2001:db8::1]:0", -EADDRNOTAVAIL },
};

static void
check_failing(void **state)
{
	const struct failing_row *row = *state;
	struct supervisor *supervisor =
		make_supervisor((const char *[]){ "127.0.0.1:0", row->address, NULL });
	struct listeners *listeners = NULL;
	size_t failed = 77;
	assert_int_equal(listeners_open(supervisor, GATEWAYS, &listeners, &failed), row->want);
	assert_int_equal(failed, 1);
	assert_null(listeners);
	config_free(&supervisor->settings->config);
}

int
main(void)
{
	const struct table tables[] = {
		CASE("a port is ours or somebody else's", check_taken),
		CASE("each gateway has its own of each address", check_shares),
		CASE("those for proxies are told apart", check_for_proxies),
		CASE("one that was shut down listens again", check_shut_down),
		TABLE("failing", failing_rows, check_failing),
	};
	return table_run(tables, ARRAY_LENGTH(tables));
}
