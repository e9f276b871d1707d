/*
 * Commands that set up the data connection: PASV EPSV PORT EPRT (RFC 959 4.1.2, RFC 2428). Run in
 * the gateway; the words are the client's.
 */
#include "gateway/command.h"
#include "gateway/passive.h"
#include "gateway/session.h"
#include "gateway/shared.h"
#include "ipc/address.h"
#include "ipc/base/number.h"

#include <arpa/inet.h>
#include <errno.h>
#include <strings.h>

enum { LOWEST_ACTIVE_PORT = 1024 };

/* ---- the client connects ---- */

void
data_reply_port(struct session *session, uint16_t port)
{
	if (session->data.is_extended) {
		session_reply(session, reply_passive_extended, (unsigned)port);
		return;
	}
	const uint8_t *ip = announce_find(session)->ip;
	session_reply(session, reply_passive, (unsigned)ip[12], (unsigned)ip[13], (unsigned)ip[14],
		(unsigned)ip[15], (unsigned)port >> 8, (unsigned)port & 0xff);
}

static void
use_port(struct session *session, struct passive_port *port)
{
	session->data.mode = DATA_PASSIVE;
	session->data.passive = port;
	data_reply_port(session, port->number);
}

void
data_passive_ready(struct session *session, struct passive_port *port)
{
	limit_clear(&session->limit, LIMIT_DATA);
	if (port == NULL)
		session_reply(session, reply_passive_none);
	else
		use_port(session, port);
	session_finish(session);
}

static void
set_passive(struct session *session, bool is_extended)
{
	struct passive_pool *pool = session->gateway->passive;
	session->data.is_extended = is_extended;
	if (session->gateway->settings.ports_are_shared) {
		shared_want(session);
		return;
	}
	/* Before the old one goes back: who still knocks there must not find the new one. */
	struct passive_port *port = passive_take(pool);
	data_forget(session);
	if (port == NULL)
		port = passive_take(pool);
	if (port != NULL) {
		use_port(session, port);
	} else if (!passive_can_wait(pool)) {
		session_reply(session, reply_passive_none);
	} else {
		session_begin(session);
		passive_wait(pool, session);
		limit_set(&session->limit, LIMIT_DATA, session->gateway->settings.data_timeout_s);
	}
}

/* EPSV ALL: nothing but EPSV from then on (RFC 2428 4). */
static bool
refuse_after_all(struct session *session)
{
	if (session->data.is_extended_only)
		session_reply(session, reply_data_extended_only);
	return session->data.is_extended_only;
}

void
data_pasv(struct session *session, struct bytes argument)
{
	(void)argument;
	if (refuse_after_all(session))
		return;
	if (!address_is_v4(&session->reached))
		session_reply(session, reply_passive_use_extended);
	else
		set_passive(session, false);
}

void
data_epsv(struct session *session, struct bytes argument)
{
	const char *ours = address_is_v4(&session->reached) ? "1" : "2";
	uint64_t protocol;
	if (argument.length == strlen("ALL") &&
		strncasecmp(argument.data, "ALL", strlen("ALL")) == 0) {
		session->data.is_extended_only = true;
		session_reply(session, reply_extended_only);
	} else if (argument.length == 0 || bytes_equal_text(argument, ours)) {
		set_passive(session, true);
	} else if (number_parse(argument, UINT64_MAX, &protocol) == 0) {
		session_reply(session, reply_protocol_unsupported, ours);
	} else {
		session_reply(session, reply_argument_bad, "1, 2 or ALL is wanted");
	}
}

/* ---- the server connects ---- */

/* The next number up to the separator; moves *text behind it. */
static int
next_number(struct bytes *text, char separator, uint64_t maximum, uint64_t *number)
{
	const char *end = memchr(text->data, separator, text->length);
	size_t length = end == NULL ? text->length : (size_t)(end - text->data);
	int error = number_parse(bytes_of(text->data, length), maximum, number);
	if (error < 0)
		return -EINVAL;
	size_t skipped = end == NULL ? length : length + 1;
	*text = bytes_of(text->data + skipped, text->length - skipped);
	return end == NULL ? 0 : 1;
}

int
data_parse_port(struct bytes argument, struct wire_address *address)
{
	uint64_t number[6];
	for (size_t i = 0; i < ARRAY_LENGTH(number); i++) {
		bool is_last = i + 1 == ARRAY_LENGTH(number);
		if (next_number(&argument, ',', 255, &number[i]) != (is_last ? 0 : 1))
			return -EINVAL;
	}
	*address = (struct wire_address){
		.ip = { [10] = 0xff, [11] = 0xff },
		.port = (uint16_t)(number[4] << 8 | number[5]),
	};
	for (size_t i = 0; i < 4; i++)
		address->ip[12 + i] = (uint8_t)number[i];
	return 0;
}

/* An address in the words of protocol 1 or 2. */
static int
parse_host(uint64_t protocol, struct bytes text, struct wire_address *address)
{
	char copy[INET6_ADDRSTRLEN];
	if (text.length >= sizeof(copy) || memchr(text.data, '\0', text.length) != NULL)
		return -EINVAL;
	memcpy(copy, text.data, text.length);
	copy[text.length] = '\0';
	*address = (struct wire_address){ .ip = { [10] = 0xff, [11] = 0xff } };
	if (protocol == 1)
		return inet_pton(AF_INET, copy, address->ip + 12) == 1 ? 0 : -EINVAL;
	/* A v4-mapped address would be another spelling of protocol 1. */
	if (inet_pton(AF_INET6, copy, address->ip) != 1 || address_is_v4(address))
		return -EINVAL;
	return 0;
}

int
data_parse_eprt(struct bytes argument, struct wire_address *address)
{
	uint64_t protocol;
	uint64_t port;
	if (argument.length < 2 || argument.data[0] < 33 || argument.data[0] > 126)
		return -EINVAL;
	char delimiter = argument.data[0];
	struct bytes rest = bytes_after(argument, 1);
	if (next_number(&rest, delimiter, UINT16_MAX, &protocol) != 1)
		return -EINVAL;
	if (protocol != 1 && protocol != 2)
		return -EPROTONOSUPPORT;
	const char *end = memchr(rest.data, delimiter, rest.length);
	if (end == NULL)
		return -EINVAL;
	struct bytes host = bytes_of(rest.data, (size_t)(end - rest.data));
	rest = bytes_of(end + 1, rest.length - host.length - 1);
	struct wire_address parsed;
	if (next_number(&rest, delimiter, UINT16_MAX, &port) != 1 || rest.length != 0 ||
		parse_host(protocol, host, &parsed) < 0)
		return -EINVAL;
	parsed.port = (uint16_t)port;
	*address = parsed;
	return 0;
}

static void
set_active(struct session *session, const struct wire_address *address)
{
	struct wire_address peer = session->peer;
	peer.scope = 0; /* no command has words for it, and the supervisor knows it */
	if (!address_is_none(&session->proxy)) {
		session_reply(session, reply_data_proxied); /* DECISIONS 17 */
	} else if (!address_is_same_host(address, &peer)) {
		session_reply(session, reply_data_foreign_address);
	} else if (address->port < LOWEST_ACTIVE_PORT) {
		session_reply(session, reply_data_low_port);
	} else {
		data_forget(session);
		session->data.mode = DATA_ACTIVE;
		session->data.port = address->port;
		session_reply(session, reply_done);
	}
}

void
data_port(struct session *session, struct bytes argument)
{
	struct wire_address address;
	if (refuse_after_all(session))
		return;
	if (data_parse_port(argument, &address) < 0)
		session_reply(session, reply_argument_bad, "six numbers are wanted");
	else
		set_active(session, &address);
}

void
data_eprt(struct session *session, struct bytes argument)
{
	struct wire_address address;
	if (refuse_after_all(session))
		return;
	int error = data_parse_eprt(argument, &address);
	if (error == -EPROTONOSUPPORT)
		session_reply(session, reply_protocol_unsupported, "1,2");
	else if (error < 0)
		session_reply(session, reply_argument_bad, "|1|address|port| is wanted");
	else
		set_active(session, &address);
}
