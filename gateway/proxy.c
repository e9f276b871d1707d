/*
 * The PROXY protocol (see proxy.h). Runs in the gateway. Only connections from networks that the
 * operator named get here; what they say is taken word for word all the same, and anything else
 * than a header ends them.
 */
#include "gateway/proxy.h"

#include "ipc/address.h"
#include "ipc/base/number.h"

#include <arpa/inet.h>
#include <errno.h>
#include <sys/socket.h>

enum {
	V2_FIXED_BYTES = 16,
	V2_SIGNATURE_BYTES = 12,
	V2_VERSION = 2,
	COMMAND_LOCAL = 0,
	COMMAND_PROXY = 1,
	FAMILY_LAST = 3,   /* unspecified, IPv4, IPv6, Unix */
	PROTOCOL_LAST = 2, /* unspecified, stream, datagram */
	TCP_OVER_IPV4 = 0x11,
	TCP_OVER_IPV6 = 0x21,
	DROPPED_AT_ONCE = 1024,
};

static const uint8_t v2_signature[] = { '\r', '\n', '\r', '\n', 0, '\r', '\n', 'Q', 'U', 'I', 'T',
	'\n' };
static const char v1_signature[] = "PROXY ";

/* ---- how long it is ---- */

static size_t
lesser(size_t a, size_t b)
{
	return a < b ? a : b;
}

static int
measure_v1(const uint8_t *bytes, size_t length, size_t *belonging, size_t *total)
{
	const uint8_t *end = memchr(bytes, '\n', length);
	if (memcmp(bytes, v1_signature, lesser(length, strlen(v1_signature))) != 0)
		return -EBADMSG;
	*belonging = end == NULL ? length : (size_t)(end - bytes) + 1;
	*total = end == NULL ? 0 : *belonging;
	bool is_too_long =
		end == NULL ? length >= PROXY_V1_BYTES_MAX : *belonging > PROXY_V1_BYTES_MAX;
	return is_too_long || (end != NULL && end[-1] != '\r') ? -EBADMSG : 0;
}

static int
measure_v2(const uint8_t *bytes, size_t length, size_t *belonging, size_t *total)
{
	if (memcmp(bytes, v2_signature, lesser(length, V2_SIGNATURE_BYTES)) != 0)
		return -EBADMSG;
	*total =
		length < V2_FIXED_BYTES ? 0 : V2_FIXED_BYTES + (size_t)(bytes[14] << 8 | bytes[15]);
	*belonging = *total == 0 ? length : lesser(length, *total);
	return *total > PROXY_V2_BYTES_MAX ? -EBADMSG : 0;
}

int
proxy_measure(const uint8_t *bytes, size_t length, size_t *belonging, size_t *total)
{
	*belonging = *total = 0;
	if (length == 0)
		return 0;
	return bytes[0] == (uint8_t)v1_signature[0] ? measure_v1(bytes, length, belonging, total)
						    : measure_v2(bytes, length, belonging, total);
}

/* ---- what it says ---- */

/* An address that a client can have. */
static bool
is_somebody(const struct wire_address *address)
{
	static const struct wire_address none;
	static const uint8_t no_v4[4];
	if (address_is_v4(address))
		return memcmp(address->ip + 12, no_v4, sizeof(no_v4)) != 0;
	return memcmp(address->ip, none.ip, sizeof(none.ip)) != 0;
}

static int
accept_claim(struct proxy_claim *claim)
{
	claim->is_claimed = true;
	return is_somebody(&claim->source) ? 0 : -EBADMSG;
}

/* The word up to the next blank; moves *text behind that. */
static struct bytes
next_word(struct bytes *text)
{
	const char *blank = memchr(text->data, ' ', text->length);
	size_t length = blank == NULL ? text->length : (size_t)(blank - text->data);
	struct bytes word = bytes_of(text->data, length);
	size_t skipped = blank == NULL ? length : length + 1;
	*text = bytes_of(text->data + skipped, text->length - skipped);
	return word;
}

static int
parse_host(struct bytes word, bool is_v4, struct wire_address *address)
{
	char text[INET6_ADDRSTRLEN];
	if (word.length >= sizeof(text) || memchr(word.data, '\0', word.length) != NULL)
		return -EBADMSG;
	memcpy(text, word.data, word.length);
	text[word.length] = '\0';
	*address = (struct wire_address){ .port = 0 };
	if (!is_v4)
		return inet_pton(AF_INET6, text, address->ip) == 1 ? 0 : -EBADMSG;
	address->ip[10] = address->ip[11] = 0xff;
	return inet_pton(AF_INET, text, address->ip + 12) == 1 ? 0 : -EBADMSG;
}

static int
parse_port(struct bytes word, uint16_t *port)
{
	uint64_t number = 0;
	bool has_zeros = word.length > 1 && word.data[0] == '0';
	if (has_zeros || number_parse(word, UINT16_MAX, &number) < 0)
		return -EBADMSG;
	*port = (uint16_t)number;
	return 0;
}

/* "PROXY TCP4 192.0.2.7 192.0.2.1 4000 21": single blanks, and nothing behind. */
static int
parse_v1(struct bytes text, struct proxy_claim *claim)
{
	next_word(&text);
	bool is_unknown = bytes_equal_text(text, "UNKNOWN") ||
			  (text.length > 8 && memcmp(text.data, "UNKNOWN ", 8) == 0);
	if (is_unknown)
		return 0; /* whatever else it says */
	struct bytes family = next_word(&text);
	bool is_v4 = bytes_equal_text(family, "TCP4");
	if (!is_v4 && !bytes_equal_text(family, "TCP6"))
		return -EBADMSG;
	if (parse_host(next_word(&text), is_v4, &claim->source) < 0 ||
		parse_host(next_word(&text), is_v4, &claim->destination) < 0 ||
		parse_port(next_word(&text), &claim->source.port) < 0 ||
		memchr(text.data, ' ', text.length) != NULL ||
		parse_port(text, &claim->destination.port) < 0)
		return -EBADMSG;
	return accept_claim(claim);
}

static struct wire_address
address_of(const uint8_t *ip, size_t ip_bytes, const uint8_t *port)
{
	struct wire_address address = { .port = (uint16_t)(port[0] << 8 | port[1]) };
	if (ip_bytes < sizeof(address.ip))
		address.ip[10] = address.ip[11] = 0xff;
	memcpy(address.ip + sizeof(address.ip) - ip_bytes, ip, ip_bytes);
	return address;
}

static int
parse_v2_addresses(const uint8_t *bytes, size_t length, size_t ip_bytes, struct proxy_claim *claim)
{
	const uint8_t *ports = bytes + 2 * ip_bytes;
	if (length < 2 * ip_bytes + 4)
		return -EBADMSG;
	claim->source = address_of(bytes, ip_bytes, ports);
	claim->destination = address_of(bytes + ip_bytes, ip_bytes, ports + 2);
	return accept_claim(claim);
}

static int
parse_v2(const uint8_t *bytes, size_t length, struct proxy_claim *claim)
{
	if (length < V2_FIXED_BYTES)
		return -EBADMSG;
	unsigned version = bytes[12] >> 4, command = bytes[12] & 0xf;
	unsigned family = bytes[13] >> 4, protocol = bytes[13] & 0xf;
	const uint8_t *addresses = bytes + V2_FIXED_BYTES;
	size_t rest = length - V2_FIXED_BYTES;
	if (version != V2_VERSION || command > COMMAND_PROXY)
		return -EBADMSG;
	if (command == COMMAND_LOCAL)
		return 0;
	if (family > FAMILY_LAST || protocol > PROTOCOL_LAST)
		return -EBADMSG;
	if (bytes[13] == TCP_OVER_IPV4)
		return parse_v2_addresses(addresses, rest, 4, claim);
	if (bytes[13] == TCP_OVER_IPV6)
		return parse_v2_addresses(addresses, rest, 16, claim);
	return 0; /* nothing that reaches us by TCP: as LOCAL */
}

int
proxy_parse(const uint8_t *bytes, size_t length, struct proxy_claim *claim)
{
	*claim = (struct proxy_claim){ .is_claimed = false };
	if (length > 2 && bytes[0] == (uint8_t)v1_signature[0])
		return parse_v1(bytes_of((const char *)bytes, length - 2), claim);
	return parse_v2(bytes, length, claim);
}

/* ---- reading ---- */

/* As recv(2), and 0 is an end that comes too early. */
static int
receive(int fd, void *buffer, size_t capacity, int flags)
{
	ssize_t count;
	do
		count = recv(fd, buffer, capacity, MSG_DONTWAIT | flags);
	while (count < 0 && errno == EINTR);
	return count > 0 ? (int)count : count == 0 ? -ECONNRESET : -errno;
}

/* Looks at what is there, and takes what belongs to the header. */
static int
read_kept(struct proxy_header *header, int fd, size_t *total)
{
	uint8_t *end = header->bytes + header->length;
	size_t belonging;
	int count = receive(fd, end, sizeof(header->bytes) - header->length, MSG_PEEK);
	if (count < 0)
		return count;
	int error = proxy_measure(header->bytes, header->length + (size_t)count, &belonging, total);
	if (error == 0 && belonging > header->length)
		error = receive(fd, end, belonging - header->length, 0);
	if (error < 0)
		return error;
	header->length = (uint16_t)belonging;
	return 0;
}

static int
drop(struct proxy_header *header, int fd, size_t count)
{
	uint8_t nobody_reads_it[DROPPED_AT_ONCE];
	int dropped = receive(fd, nobody_reads_it, lesser(count, sizeof(nobody_reads_it)), 0);
	if (dropped < 0)
		return dropped;
	header->dropped = (uint16_t)(header->dropped + dropped);
	return 0;
}

int
proxy_read(struct proxy_header *header, int fd, struct proxy_claim *claim)
{
	size_t belonging, total;
	int error = proxy_measure(header->bytes, header->length, &belonging, &total);
	while (error == 0) {
		size_t have = (size_t)header->length + header->dropped;
		if (total != 0 && have >= total)
			return proxy_parse(header->bytes, header->length, claim);
		error = header->length < sizeof(header->bytes) ? read_kept(header, fd, &total)
							       : drop(header, fd, total - have);
	}
	return error;
}
