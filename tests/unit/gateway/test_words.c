/*
 * Words of clients: PORT and EPRT, names of facts, and paths on their way back.
 */
#include "gateway/data.h"
#include "gateway/facts.h"
#include "gateway/quote.h"
#include "ipc/address.h"
#include "ipc/pathio_messages.h"
#include "tests/table.h"

#include <errno.h>
#include <stdio.h>

/* ---- PORT, EPRT ---- */

struct address_row {
	const char *name;
	const char *in;
	int want_result;
	const char *want;
};

static const struct address_row port_rows[] = {
	{ "plain", "192,0,2,7,4,1", 0, "192.0.2.7:1025" },
	{ "zeros", "0,0,0,0,0,0", 0, "0.0.0.0:0" },
	{ "largest", "255,255,255,255,255,255", 0, "255.255.255.255:65535" },
	{ "leading zeros", "127,000,000,001,004,001", 0, "127.0.0.1:1025" },
	{ "256", "256,0,0,1,4,1", -EINVAL, "" },
	{ "five numbers", "192,0,2,7,4", -EINVAL, "" },
	{ "seven numbers", "192,0,2,7,4,1,1", -EINVAL, "" },
	{ "a comma at the end", "192,0,2,7,4,1,", -EINVAL, "" },
	{ "empty number", "192,,2,7,4,1", -EINVAL, "" },
	{ "blank", "192, 0,2,7,4,1", -EINVAL, "" },
	{ "sign", "192,0,2,7,4,-1", -EINVAL, "" },
	{ "hexadecimal", "192,0,2,7,0x4,1", -EINVAL, "" },
	{ "wraps", "4294967488,0,2,7,4,1", -EINVAL, "" },
	{ "points", "192.0.2.7.4.1", -EINVAL, "" },
	{ "empty", "", -EINVAL, "" },
};

static const struct address_row eprt_rows[] = {
	{ "IPv4", "|1|192.0.2.7|1025|", 0, "192.0.2.7:1025" },
	{ "IPv6", "|2|2001:db8::7|1025|", 0, "[2001:db8::7]:1025" },
	{ "another delimiter", "!1!192.0.2.7!1025!", 0, "192.0.2.7:1025" },
	{ "port 0", "|1|192.0.2.7|0|", 0, "192.0.2.7:0" },
	{ "largest port", "|1|192.0.2.7|65535|", 0, "192.0.2.7:65535" },
	{ "port too large", "|1|192.0.2.7|65536|", -EINVAL, "" },
	{ "v4-mapped", "|2|::ffff:192.0.2.7|1025|", -EINVAL, "" },
	{ "protocol 3", "|3|192.0.2.7|1025|", -EPROTONOSUPPORT, "" },
	{ "protocol 0", "|0|192.0.2.7|1025|", -EPROTONOSUPPORT, "" },
	{ "protocol and address differ", "|1|2001:db8::7|1025|", -EINVAL, "" },
	{ "and the other way", "|2|192.0.2.7|1025|", -EINVAL, "" },
	{ "a scope", "|2|fe80::1%1|1025|", -EINVAL, "" },
	{ "a name", "|1|localhost|1025|", -EINVAL, "" },
	{ "no end", "|1|192.0.2.7|1025", -EINVAL, "" },
	{ "something after the end", "|1|192.0.2.7|1025|x", -EINVAL, "" },
	{ "no address", "|1||1025|", -EINVAL, "" },
	{ "no port", "|1|192.0.2.7||", -EINVAL, "" },
	{ "no protocol", "||192.0.2.7|1025|", -EINVAL, "" },
	{ "only delimiters", "||||", -EINVAL, "" },
	{ "a blank as delimiter", " 1 192.0.2.7 1025 ", -EINVAL, "" },
	{ "a digit as delimiter", "111192.0.2.7110251", -EINVAL, "" },
	{ "an endless address", "|1|192.0.2.7192.0.2.7192.0.2.7192.0.2.7192.0.2.7192.0.2.7|1|",
		-EINVAL, "" },
	{ "empty", "", -EINVAL, "" },
};

static void
check_address(const struct address_row *row,
	int (*parse)(struct bytes argument, struct wire_address *address))
{
	char text[ADDRESS_TEXT_BYTES] = "";
	struct wire_address address = { .port = 7 };
	int result = parse(bytes_of_text(row->in), &address);
	assert_int_equal(result, row->want_result);
	if (result == 0)
		assert_string_equal(address_text(&address, text), row->want);
	else
		assert_int_equal(address.port, 7);
}

static void
check_port(void **state)
{
	check_address(*state, data_parse_port);
}

static void
check_eprt(void **state)
{
	check_address(*state, data_parse_eprt);
}

/* ---- facts ---- */

struct facts_row {
	const char *name;
	const char *in;
	const char *want;
};

static const struct facts_row facts_rows[] = {
	{ "some", "size;type;", "type;size;" },
	{ "no semicolon at the end", "size;type", "type;size;" },
	{ "any case", "SIZE;unix.MODE;", "size;UNIX.mode;" },
	{ "unknown ones", "size;media-type;x;", "size;" },
	{ "none", "", "" },
	{ "nothing between", ";;;", "" },
	{ "a part of a name", "siz;sizes;", "" },
};

static void
check_facts(void **state)
{
	const struct facts_row *row = *state;
	char text[FACTS_TEXT_BYTES];
	assert_string_equal(facts_text(facts_parse(bytes_of_text(row->in)), text), row->want);
}

static void
check_all_facts(void **state)
{
	char text[FACTS_TEXT_BYTES];
	(void)state;
	assert_int_equal(
		facts_parse(bytes_of_text(facts_text(PATHIO_FACTS_ALL, text))), PATHIO_FACTS_ALL);
	assert_string_equal(facts_feature(PATHIO_FACT_SIZE | PATHIO_FACT_PERM, text),
		"type;size*;modify;create;perm*;unique;UNIX.mode;UNIX.owner;UNIX.group;");
}

/* ---- paths in replies ---- */

struct quote_row {
	const char *name;
	const char *in;
	const char *plain;
	const char *doubled;
};

static const struct quote_row quote_rows[] = {
	{ "plain", "/a b", "/a b", "/a b" },
	{ "quotes", "/\"a\"", "/\"a\"", "/\"\"a\"\"" },
	{ "control characters", "/\r\n\t\x1b[m\x7f", "/????[m?", "/????[m?" },
	{ "UTF-8", "/\xc3\xbc\x80", "/\xc3\xbc\x80", "/\xc3\xbc\x80" },
	{ "control characters of UTF-8", "/\xc2\x9bm\xc2\xa7\xc2", "/??m\xc2\xa7\xc2",
		"/??m\xc2\xa7\xc2" },
	{ "formats", "/%n%s", "/%n%s", "/%n%s" },
	{ "empty", "", "", "" },
};

static void
check_quote(void **state)
{
	const struct quote_row *row = *state;
	static struct quoted quoted;
	assert_string_equal(quote_plain(bytes_of_text(row->in), &quoted), row->plain);
	assert_string_equal(quote_doubled(bytes_of_text(row->in), &quoted), row->doubled);
}

static void
check_longest_quote(void **state)
{
	static char path[PATH_BYTES_MAX + 1];
	static struct quoted quoted;
	(void)state;
	memset(path, '"', PATH_BYTES_MAX);
	assert_int_equal(
		strlen(quote_doubled(bytes_of(path, PATH_BYTES_MAX), &quoted)), 2 * PATH_BYTES_MAX);
}

int
main(void)
{
	const struct table tables[] = {
		TABLE("PORT", port_rows, check_port),
		TABLE("EPRT", eprt_rows, check_eprt),
		TABLE("facts", facts_rows, check_facts),
		CASE("facts: all", check_all_facts),
		TABLE("quote", quote_rows, check_quote),
		CASE("quote: the longest path", check_longest_quote),
	};
	return table_run(tables, ARRAY_LENGTH(tables));
}
