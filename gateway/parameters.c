/*
 * Commands that say how to transfer: TYPE STRU MODE REST RANG OPTS (RFC 959 4.1.2, RFC 3659 5,
 * draft-bryan-ftp-range, draft-preston-ftpext-deflate-04, RFC 2389 4). Run in the gateway.
 */
#include "gateway/command.h"
#include "gateway/digest.h"
#include "gateway/facts.h"
#include "gateway/language.h"
#include "gateway/session.h"
#include "ipc/base/number.h"

#include <strings.h>

enum { LEVEL_USUAL = 6 }; /* zlib's own choice: slower ones gain little */

const struct byte_range byte_range_all = { .start = 0, .count = UINT64_MAX };

const struct parameters parameters_initial = {
	.form = PATHIO_FORM_ASCII, /* RFC 959 3.1.1.1 */
	.coding = PATHIO_CODING_NONE,
	.level = LEVEL_USUAL,
	.range = { .start = 0, .count = UINT64_MAX },
	.facts = PATHIO_FACTS_ALL,
	.hash = PATHIO_SHA256,
};

/* In any case, blanks around it aside. */
static bool
is_word(struct bytes text, const char *word)
{
	while (text.length > 0 && text.data[text.length - 1] == ' ')
		text.length--;
	return text.length == strlen(word) && strncasecmp(text.data, word, text.length) == 0;
}

/* A parameter of one letter: the only one that is offered, another one, or nonsense. */
static void
set_only(struct session *session, struct bytes argument, const char *offered, const char *known)
{
	if (is_word(argument, offered))
		session_reply(session, reply_done);
	else if (argument.length == 1 && strcasestr(known, (char[]){ argument.data[0], '\0' }))
		session_reply(session, reply_parameter_unsupported);
	else
		session_reply(session, reply_argument_bad, known);
}

void
parameter_type(struct session *session, struct bytes argument)
{
	static const struct type {
		const char *word;
		enum pathio_form form;
		const char *name;
	} types[] = {
		{ "I", PATHIO_FORM_IMAGE, "I" },
		{ "L 8", PATHIO_FORM_IMAGE, "L 8" },
		{ "A", PATHIO_FORM_ASCII, "A" },
		{ "A N", PATHIO_FORM_ASCII, "A N" },
		{ "A T", PATHIO_FORM_ASCII, "A T" },
	};
	for (size_t i = 0; i < ARRAY_LENGTH(types); i++) {
		if (!is_word(argument, types[i].word))
			continue;
		session->parameters.form = types[i].form;
		session_reply(session, reply_type_set, types[i].name);
		return;
	}
	session_reply(session, reply_parameter_unsupported);
}

void
parameter_stru(struct session *session, struct bytes argument)
{
	set_only(session, argument, "F", "F, R or P");
}

void
parameter_mode(struct session *session, struct bytes argument)
{
	if (is_word(argument, "Z") && session->has_mode_z) {
		session->parameters.coding = PATHIO_CODING_DEFLATE;
		session_reply(session, reply_done);
		return;
	}
	if (is_word(argument, "S"))
		session->parameters.coding = PATHIO_CODING_NONE;
	set_only(session, argument, "S", "S, B, C or Z");
}

void
parameter_rest(struct session *session, struct bytes argument)
{
	uint64_t offset;
	if (number_parse(argument, INT64_MAX, &offset) < 0) {
		session_reply(session, reply_argument_bad, "a number of bytes is wanted");
	} else if (offset > 0 && session->parameters.form == PATHIO_FORM_ASCII) {
		/* It would count line ends that are not in the file (RFC 3659 5.3). */
		session_reply(session, reply_restart_type);
	} else {
		session->parameters.range = (struct byte_range){ offset, UINT64_MAX };
		session_reply(session, reply_restart_ready, offset);
	}
}

static bool
parse_two_numbers(struct bytes argument, uint64_t *first, uint64_t *second)
{
	struct bytes one, other;
	command_split(argument, &one, &other);
	return number_parse(one, INT64_MAX, first) == 0 &&
	       number_parse(other, INT64_MAX, second) == 0;
}

/* "start end", both inclusive; "1 0" is the whole file (draft-bryan-ftp-range 3). */
void
parameter_rang(struct session *session, struct bytes argument)
{
	uint64_t start, end;
	struct byte_range *range = &session->parameters.range;
	*range = byte_range_all;
	if (!parse_two_numbers(argument, &start, &end)) {
		session_reply(session, reply_argument_bad, "first and last byte are wanted");
	} else if (start == 1 && end == 0) {
		session_reply(session, reply_range_whole);
	} else if (start > end) {
		session_reply(session, reply_argument_bad, "the last byte is before the first");
	} else if (session->parameters.form == PATHIO_FORM_ASCII) {
		session_reply(session, reply_range_type);
	} else {
		*range = (struct byte_range){ start, end - start + 1 };
		session_reply(session, reply_range_ready, start, end);
	}
}

static void
choose_facts(struct session *session, struct bytes names)
{
	char text[FACTS_TEXT_BYTES];
	session->parameters.facts = facts_parse(names);
	session_reply(session, reply_facts_chosen, facts_text(session->parameters.facts, text));
}

/* "Z" alone is all as at the beginning; "Z LEVEL n". */
static void
set_deflate(struct session *session, struct bytes words)
{
	struct bytes mode, option, value;
	uint64_t level = LEVEL_USUAL;
	command_split(words, &mode, &option);
	bool is_bare = is_word(option, "");
	command_split(option, &option, &value);
	bool is_known = is_word(mode, "Z") && (is_bare || is_word(option, "LEVEL"));
	if (!is_known || !session->has_mode_z) {
		session_reply(session, reply_options_none);
	} else if (!is_bare && number_parse(value, PATHIO_LEVEL_MAX, &level) < 0) {
		session_reply(session, reply_argument_bad, "a level from 0 to 9 is wanted");
	} else {
		session->parameters.level = (uint8_t)level;
		session_reply(session, reply_level_set, (unsigned)level);
	}
}

void
parameter_opts(struct session *session, struct bytes argument)
{
	struct bytes verb;
	struct bytes option;
	command_split(argument, &verb, &option);
	if (is_word(verb, "MLST"))
		choose_facts(session, option);
	else if (is_word(verb, "HASH"))
		digest_opts_hash(session, option);
	else if (is_word(verb, "MODE"))
		set_deflate(session, option);
	else if (is_word(verb, "UTF8"))
		language_opts_utf8(session, option);
	else
		session_reply(session, reply_options_none);
}
