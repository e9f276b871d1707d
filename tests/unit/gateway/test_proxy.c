/*
 * The PROXY protocol (proxy.h): headers in both versions, in one piece and in two of every length,
 * with what follows left in the socket.
 */
#include "gateway/proxy.h"
#include "ipc/address.h"
#include "ipc/base/scope.h"
#include "tests/table.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>

#define IN(literal)                          \
	{                                    \
		literal, sizeof(literal) - 1 \
	}
#define V2(command, family, length) "\r\n\r\n\0\r\nQUIT\n" command family length

struct header_row {
	const char *name;
	struct bytes header;
	const char *want; /* "source destination", "" if nothing is claimed; NULL: no header */
};

#define V4_ADDRESSES \
	"\300\0\2\7" \
	"\300\0\2\1" \
	"\17\240"    \
	"\0\25"
#define V6_SOURCE "\40\1\15\270\0\0\0\0\0\0\0\0\0\0\0\7"
#define V6_ADDRESSES                                     \
	V6_SOURCE "\40\1\15\270\0\0\0\0\0\0\0\0\0\0\0\1" \
		  "\17\240"                              \
		  "\0\25"
#define HUNDRED                                                                                    \
	"0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567" \
	"890123456789"
#define LONGEST "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"

static const struct header_row header_rows[] = {
	{ "1: IPv4", IN("PROXY TCP4 192.0.2.7 192.0.2.1 4000 21\r\n"),
		"192.0.2.7:4000 192.0.2.1:21" },
	{ "1: IPv6", IN("PROXY TCP6 2001:db8::7 2001:db8::1 4000 21\r\n"),
		"[2001:db8::7]:4000 [2001:db8::1]:21" },
	{ "1: the longest", IN("PROXY TCP6 " LONGEST " " LONGEST " 65535 65535\r\n"),
		"[" LONGEST "]:65535 [" LONGEST "]:65535" },
	{ "1: IPv4 in IPv6's clothes", IN("PROXY TCP6 ::ffff:192.0.2.7 ::1 4000 21\r\n"),
		"192.0.2.7:4000 [::1]:21" },
	{ "1: unknown", IN("PROXY UNKNOWN\r\n"), "" },
	{ "1: unknown, with words", IN("PROXY UNKNOWN " LONGEST " " LONGEST " 65535 65535\r\n"),
		"" },
	{ "1: port 0", IN("PROXY TCP4 192.0.2.7 192.0.2.1 0 0\r\n"), "192.0.2.7:0 192.0.2.1:0" },
	{ "1: too long", IN("PROXY UNKNOWN " LONGEST " " LONGEST " 65535 65535x\r\n"), NULL },
	{ "1: endless", IN("PROXY UNKNOWN " HUNDRED HUNDRED), NULL },
	{ "1: a bare line feed", IN("PROXY TCP4 192.0.2.7 192.0.2.1 4000 21\n"), NULL },
	{ "1: a bare return", IN("PROXY TCP4 192.0.2.7 192.0.2.1 4000 21\r \r\n"), NULL },
	{ "1: another family", IN("PROXY UDP4 192.0.2.7 192.0.2.1 4000 21\r\n"), NULL },
	{ "1: unknown to nobody", IN("PROXY UNKNOWNX\r\n"), NULL },
	{ "1: small letters", IN("PROXY tcp4 192.0.2.7 192.0.2.1 4000 21\r\n"), NULL },
	{ "1: two blanks", IN("PROXY TCP4  192.0.2.7 192.0.2.1 4000 21\r\n"), NULL },
	{ "1: a blank at the end", IN("PROXY TCP4 192.0.2.7 192.0.2.1 4000 21 \r\n"), NULL },
	{ "1: a word too many", IN("PROXY TCP4 192.0.2.7 192.0.2.1 4000 21 x\r\n"), NULL },
	{ "1: a word too few", IN("PROXY TCP4 192.0.2.7 192.0.2.1 4000\r\n"), NULL },
	{ "1: no words", IN("PROXY TCP4\r\n"), NULL },
	{ "1: nothing", IN("PROXY \r\n"), NULL },
	{ "1: IPv6 where IPv4 belongs", IN("PROXY TCP4 ::1 ::1 4000 21\r\n"), NULL },
	{ "1: IPv4 where IPv6 belongs", IN("PROXY TCP6 192.0.2.7 192.0.2.1 4000 21\r\n"), NULL },
	{ "1: a leading zero in an address", IN("PROXY TCP4 192.0.02.7 192.0.2.1 4000 21\r\n"),
		NULL },
	{ "1: three numbers", IN("PROXY TCP4 192.0.2 192.0.2.1 4000 21\r\n"), NULL },
	{ "1: a leading zero in a port", IN("PROXY TCP4 192.0.2.7 192.0.2.1 04000 21\r\n"), NULL },
	{ "1: a port too large", IN("PROXY TCP4 192.0.2.7 192.0.2.1 65536 21\r\n"), NULL },
	{ "1: a negative port", IN("PROXY TCP4 192.0.2.7 192.0.2.1 -1 21\r\n"), NULL },
	{ "1: an address with a NUL", IN("PROXY TCP4 192.0.2.7\0 192.0.2.1 4000 21\r\n"), NULL },
	{ "1: nobody's address", IN("PROXY TCP4 0.0.0.0 192.0.2.1 4000 21\r\n"), NULL },
	{ "1: nobody's address of IPv6", IN("PROXY TCP6 :: ::1 4000 21\r\n"), NULL },
	{ "2: IPv4", IN(V2("\x21", "\x11", "\0\14") V4_ADDRESSES), "192.0.2.7:4000 192.0.2.1:21" },
	{ "2: IPv6", IN(V2("\x21", "\x21", "\0\44") V6_ADDRESSES),
		"[2001:db8::7]:4000 [2001:db8::1]:21" },
	{ "2: and more that is said", IN(V2("\x21", "\x11", "\0\160") V4_ADDRESSES HUNDRED),
		"192.0.2.7:4000 192.0.2.1:21" },
	{ "2: and much more", IN(V2("\x21", "\x21", "\1\120") V6_ADDRESSES HUNDRED HUNDRED HUNDRED),
		"[2001:db8::7]:4000 [2001:db8::1]:21" },
	{ "2: local", IN(V2("\x20", "\0", "\0\0")), "" },
	{ "2: local, with addresses", IN(V2("\x20", "\x11", "\0\14") V4_ADDRESSES), "" },
	{ "2: local, of a family that is none", IN(V2("\x20", "\xff", "\0\3") "xyz"), "" },
	{ "2: no family", IN(V2("\x21", "\0", "\0\0")), "" },
	{ "2: datagrams", IN(V2("\x21", "\x12", "\0\14") V4_ADDRESSES), "" },
	{ "2: a Unix socket", IN(V2("\x21", "\x31", "\0\310") HUNDRED HUNDRED), "" },
	{ "2: another family", IN(V2("\x21", "\x41", "\0\14") V4_ADDRESSES), NULL },
	{ "2: another protocol", IN(V2("\x21", "\x13", "\0\14") V4_ADDRESSES), NULL },
	{ "2: another command", IN(V2("\x22", "\x11", "\0\14") V4_ADDRESSES), NULL },
	{ "2: another version", IN(V2("\x11", "\x11", "\0\14") V4_ADDRESSES), NULL },
	{ "2: too short for its addresses", IN(V2("\x21", "\x11", "\0\13") V4_ADDRESSES), NULL },
	{ "2: too short for those of IPv6", IN(V2("\x21", "\x21", "\0\14") V4_ADDRESSES), NULL },
	{ "2: too long", IN(V2("\x21", "\x11", "\x10\0") V4_ADDRESSES), NULL },
	{ "2: nobody's address",
		IN(V2("\x21", "\x11", "\0\14") "\0\0\0\0"
					       "\300\0\2\1"
					       "\17\240\0\25"),
		NULL },
	{ "a signature with a slip", IN("\r\n\r\n\0\r\nQUIT\r\x21\x11\0\14" V4_ADDRESSES), NULL },
	{ "a client that says what it wants", IN("USER anonymous\r\n"), NULL },
	{ "a client that begins with a P", IN("PASV\r\n"), NULL },
	{ "a TLS client", IN("\x16\x03\x01\2\0\1\0\1\xfc\x03\x03"), NULL },
};

static const char rest[] = "USER alice\r\n";

struct ends {
	int proxy;
	int ours;
};

static struct ends
open_ends(void)
{
	int fds[2];
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
	return (struct ends){ .proxy = fds[0], .ours = fds[1] };
}

static void
close_ends(struct ends *ends)
{
	fd_close(&ends->proxy);
	fd_close(&ends->ours);
}

static void
say(const struct ends *ends, const char *data, size_t length)
{
	assert_int_equal(send(ends->proxy, data, length, 0), (ssize_t)length);
}

static void
check_claim(const struct proxy_claim *claim, const char *want)
{
	char source[ADDRESS_TEXT_BYTES], destination[ADDRESS_TEXT_BYTES];
	char text[2 * ADDRESS_TEXT_BYTES] = "";
	if (claim->is_claimed)
		snprintf(text, sizeof(text), "%s %s", address_text(&claim->source, source),
			address_text(&claim->destination, destination));
	assert_string_equal(text, want);
}

static void
check_rest(const struct ends *ends)
{
	char found[64];
	assert_int_equal(recv(ends->ours, found, sizeof(found), 0), strlen(rest));
	assert_memory_equal(found, rest, strlen(rest));
}

/* In two pieces, the second together with what the client said. */
static void
check_split(const struct header_row *row, size_t split)
{
	struct ends ends = open_ends();
	struct proxy_header header = { .length = 0 };
	struct proxy_claim claim;
	say(&ends, row->header.data, split);
	int error = proxy_read(&header, ends.ours, &claim);
	if (row->want != NULL)
		assert_int_equal(error, -EAGAIN);
	say(&ends, row->header.data + split, row->header.length - split);
	say(&ends, rest, strlen(rest));
	if (error == -EAGAIN)
		error = proxy_read(&header, ends.ours, &claim);
	if (row->want == NULL) {
		assert_int_equal(error, -EBADMSG);
	} else {
		assert_int_equal(error, 0);
		check_claim(&claim, row->want);
		check_rest(&ends);
	}
	close_ends(&ends);
}

static void
check_header(void **state)
{
	const struct header_row *row = *state;
	for (size_t split = 0; split < row->header.length; split++)
		check_split(row, split);
}

/* Byte by byte, as a proxy does not, and then it hangs up. */
static void
check_cut(void **state)
{
	const struct header_row *row = *state;
	struct ends ends = open_ends();
	struct proxy_header header = { .length = 0 };
	struct proxy_claim claim;
	int error = -EAGAIN;
	for (size_t i = 0; i + 1 < row->header.length && error == -EAGAIN; i++) {
		say(&ends, row->header.data + i, 1);
		error = proxy_read(&header, ends.ours, &claim);
	}
	fd_close(&ends.proxy);
	if (row->want != NULL) {
		assert_int_equal(error, -EAGAIN);
		assert_int_equal(proxy_read(&header, ends.ours, &claim), -ECONNRESET);
	}
	close_ends(&ends);
}

int
main(void)
{
	const struct table tables[] = {
		TABLE("header", header_rows, check_header),
		TABLE("cut off", header_rows, check_cut),
	};
	return table_run(tables, ARRAY_LENGTH(tables));
}
