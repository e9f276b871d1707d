/*
 * Handshakes as bytes (see proof_messages.h; RFC 5246 7.4, RFC 8446 4). Runs in a hasher. Every
 * length is a stranger's; what is longer than what holds it ends it. The order of the messages is
 * not judged: the client has signed it.
 */
#include "policy/auth/proof_messages.h"

#include <errno.h>

enum message_type {
	CLIENT_HELLO = 1,
	SERVER_HELLO = 2,
	CERTIFICATE = 11,
	CERTIFICATE_VERIFY = 15,
};

enum { SUPPORTED_VERSIONS = 43, TLS_1_2 = 0x0303, TLS_1_3 = 0x0304, RANDOM_BYTES = 32 };

struct message {
	unsigned type;
	struct bytes whole, body;
};

/* A number of so many bytes from the front. */
static int
take_number(struct bytes *rest, size_t size, size_t *result)
{
	size_t number = 0;
	if (rest->length < size)
		return -EBADMSG;
	for (size_t i = 0; i < size; i++)
		number = number << 8 | (unsigned char)rest->data[i];
	*rest = bytes_of(rest->data + size, rest->length - size);
	*result = number;
	return 0;
}

static int
take_bytes(struct bytes *rest, size_t length, struct bytes *result)
{
	if (rest->length < length)
		return -EBADMSG;
	*result = bytes_of(rest->data, length);
	*rest = bytes_of(rest->data + length, rest->length - length);
	return 0;
}

/* A length of so many bytes, and as much behind it. */
static int
take_vector(struct bytes *rest, size_t size, struct bytes *result)
{
	size_t length = 0;
	int error = take_number(rest, size, &length);
	return error < 0 ? error : take_bytes(rest, length, result);
}

static int
take_message(struct bytes *rest, struct message *result)
{
	const char *start = rest->data;
	size_t type = 0;
	int error = take_number(rest, 1, &type);
	if (error == 0)
		error = take_vector(rest, 3, &result->body);
	result->type = (unsigned)type;
	result->whole = bytes_of(start, (size_t)(rest->data - start));
	return error;
}

/* ---- ServerHello ---- */

/* RFC 8446 4.2.1: without the extension it is what the older field says. */
static int
find_version(struct bytes extensions, size_t *version)
{
	while (extensions.length > 0) {
		size_t type = 0;
		struct bytes value;
		if (take_number(&extensions, 2, &type) < 0 ||
			take_vector(&extensions, 2, &value) < 0)
			return -EBADMSG;
		if (type == SUPPORTED_VERSIONS)
			return take_number(&value, 2, version);
	}
	return 0;
}

static bool
asks_for_another(struct bytes random)
{
	/* RFC 8446 4.1.3: SHA-256 of "HelloRetryRequest". */
	static const unsigned char retry[RANDOM_BYTES] = { 0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61,
		0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2, 0xa2, 0x11, 0x16, 0x7a,
		0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c };
	return memcmp(random.data, retry, sizeof(retry)) == 0;
}

static int
read_server_hello(struct bytes body, struct proof_messages *result, bool *is_retry)
{
	size_t version = 0, cipher = 0, compression = 0;
	struct bytes random, session, extensions = bytes_of("", 0);
	if (take_number(&body, 2, &version) < 0 || take_bytes(&body, RANDOM_BYTES, &random) < 0 ||
		take_vector(&body, 1, &session) < 0 || take_number(&body, 2, &cipher) < 0 ||
		take_number(&body, 1, &compression) < 0)
		return -EBADMSG;
	if (body.length > 0 && take_vector(&body, 2, &extensions) < 0)
		return -EBADMSG;
	if (find_version(extensions, &version) < 0 || (version != TLS_1_2 && version != TLS_1_3))
		return -EBADMSG;
	result->is_1_3 = version == TLS_1_3;
	result->cipher = (uint16_t)cipher;
	*is_retry = result->is_1_3 && asks_for_another(random);
	return 0;
}

/* ---- Certificate ---- */

static int
read_certificates(struct bytes body, bool is_1_3, struct proof_messages *result)
{
	struct bytes context, list, ignored;
	result->chain_length = 0;
	if (is_1_3 && take_vector(&body, 1, &context) < 0)
		return -EBADMSG;
	if (take_vector(&body, 3, &list) < 0 || body.length > 0)
		return -EBADMSG;
	while (list.length > 0) {
		struct bytes *next = &result->chain[result->chain_length];
		if (result->chain_length == PROOF_CHAIN_MAX || take_vector(&list, 3, next) < 0)
			return -EBADMSG;
		if (is_1_3 && take_vector(&list, 2, &ignored) < 0)
			return -EBADMSG;
		result->chain_length++;
	}
	return result->chain_length == 0 ? -EBADMSG : 0;
}

/* The server's comes first. */
static int
read_certificate(struct bytes body, struct proof_messages *result)
{
	bool is_servers = result->server.length == 0;
	if (!is_servers && result->chain_length > 0)
		return -EBADMSG; /* a third one */
	int error = read_certificates(body, result->is_1_3, result);
	if (error == 0 && is_servers) {
		result->server = result->chain[0];
		result->chain_length = 0;
	}
	return error;
}

/* ---- all of them ---- */

static int
read_verify(struct bytes body, struct proof_messages *result)
{
	size_t scheme = 0;
	if (take_number(&body, 2, &scheme) < 0 || take_vector(&body, 2, &result->signature) < 0 ||
		body.length > 0)
		return -EBADMSG;
	result->scheme = (uint16_t)scheme;
	return 0;
}

static int
read_message(const struct message *message, struct proof_messages *result)
{
	bool is_retry = false;
	int error = 0;
	switch (message->type) {
	case SERVER_HELLO:
		error = read_server_hello(message->body, result, &is_retry);
		if (error == 0 && is_retry) {
			size_t hello = (size_t)(message->whole.data - result->covered.data);
			if (result->first_hello.length > 0)
				return -EBADMSG;
			result->first_hello = bytes_of(result->covered.data, hello);
		}
		return error;
	case CERTIFICATE:
		return result->cipher == 0 ? -EBADMSG : read_certificate(message->body, result);
	case CERTIFICATE_VERIFY:
		return read_verify(message->body, result);
	default:
		return 0;
	}
}

int
proof_messages_read(struct bytes messages, struct proof_messages *result)
{
	struct message message = { .type = 0 };
	struct bytes rest = messages;
	*result = (struct proof_messages){ .covered = messages };
	while (rest.length > 0) {
		bool is_first = rest.data == messages.data;
		if (take_message(&rest, &message) < 0 ||
			(is_first && message.type != CLIENT_HELLO) ||
			read_message(&message, result) < 0)
			return -EBADMSG;
	}
	if (message.type != CERTIFICATE_VERIFY || result->chain_length == 0)
		return -EBADMSG;
	result->covered.length = messages.length - message.whole.length;
	result->covered = bytes_of(result->covered.data + result->first_hello.length,
		result->covered.length - result->first_hello.length);
	return 0;
}
