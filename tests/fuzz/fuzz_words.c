/*
 * Words of clients: PORT and EPRT are understood or leave the result alone; options, folder and
 * pattern of LIST lie inside the argument and in that order.
 */
#include "gateway/command.h"
#include "gateway/data.h"
#include "gateway/facts.h"
#include "gateway/listing_words.h"
#include "ipc/address.h"
#include "ipc/base/ends.h"
#include "ipc/pathio_messages.h"
#include "tests/fuzz/target.h"

#include <errno.h>

static void
check_address(int result, const struct wire_address *address)
{
	ensure(result == 0 || result == -EINVAL || result == -EPROTONOSUPPORT);
	ensure(result == 0 || address->port == 7);
	ensure(result != 0 || address->scope == 0);
}

static void
check_view(struct bytes view, struct bytes of)
{
	ensure(view.length == 0 ||
		(view.data >= of.data && view.length <= of.length &&
			view.data - of.data <= (ptrdiff_t)(of.length - view.length)));
}

static void
check_listing(struct bytes in)
{
	struct listing_words words = listing_parse(in, PATHIO_STYLE_LIST);
	check_view(words.path, in);
	check_view(words.folder, words.path);
	check_view(words.pattern, words.path);
	check_view(words.below, words.path);
	size_t length = words.folder.length + words.pattern.length;
	if (words.pattern.length > 0)
		ensure(length == words.path.length ||
			length + words.below.length + (words.path.data[length] == '/') ==
				words.path.length);
	ensure((words.show & ~(uint32_t)PATHIO_SHOW_ALL) == 0);
	int error = listing_check(&words);
	ensure(error == 0 || error == -EINVAL || error == -E2BIG || error == -ENAMETOOLONG);
	ensure(memchr(words.pattern.data, '/', words.pattern.length) == NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
	struct bytes in = bytes_of(data == NULL ? (const uint8_t *)"" : data, length);
	struct wire_address address = { .port = 7 };
	check_address(data_parse_port(in, &address), &address);
	address.port = 7;
	int result = data_parse_eprt(in, &address);
	check_address(result, &address);
	check_listing(in);
	ensure((facts_parse(in) & ~(uint32_t)PATHIO_FACTS_ALL) == 0);

	struct bytes verb;
	struct bytes argument;
	command_split(in, &verb, &argument);
	check_view(verb, in);
	check_view(argument, in);
	const struct command *command = command_find(verb);
	ensure(command == NULL || strlen(command->verb) == verb.length);
	return 0;
}
