/*
 * Languages and character sets: LANG, OPTS UTF8 (RFC 2640). Run in the gateway, which passes bytes:
 * the worker knows the user's character set, reads and writes names in it. A session begins with
 * that, and OPTS UTF8 ON turns to names as they are stored.
 */
#include "gateway/language.h"

#include "gateway/command.h"
#include "gateway/session.h"
#include "gateway/words.h"

#include <stdlib.h>

/* ---- LANG ---- */

/* A tag of RFC 5646, as far as its letters go. */
static bool
is_tag(struct bytes text)
{
	for (size_t i = 0; i < text.length; i++) {
		char byte = text.data[i];
		bool is_letter = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
		if (!is_letter && !(byte >= '0' && byte <= '9') && byte != '-')
			return false;
	}
	return true;
}

/* English is the only language, in all its regions; no argument asks for the first one. */
void
language_lang(struct session *session, struct bytes argument)
{
	const char *hyphen =
		argument.length == 0 ? NULL : memchr(argument.data, '-', argument.length);
	size_t length = hyphen == NULL ? argument.length : (size_t)(hyphen - argument.data);
	if (!is_tag(argument))
		session_reply(session, reply_argument_bad, "a language is wanted, as EN");
	else if (length == 0 || words_are_equal(bytes_of(argument.data, length), "EN"))
		session_reply(session, reply_language_set);
	else
		session_reply(session, reply_parameter_unsupported);
}

/* ---- OPTS UTF8 ---- */

/* The working directory is what it was, in other bytes. */
static void
take_choice(struct session *session, const struct pathio_answer *answer, bool is_utf8)
{
	if (!session_complete(session, FAILURE_GENERAL, answer))
		return;
	char *folder = bytes_copy_text(answer->body->text.bytes);
	if (folder == NULL) {
		session_give_up(session); /* the old one would be read in the wrong way */
		return;
	}
	free(session->folder);
	session->folder = folder;
	session->parameters.is_utf8 = is_utf8;
	session_reply(session, reply_done);
}

static void
on_utf8(void *argument, const struct pathio_answer *answer)
{
	take_choice(argument, answer, true);
}

static void
on_users(void *argument, const struct pathio_answer *answer)
{
	take_choice(argument, answer, false);
}

static void
choose(struct session *session, bool is_utf8)
{
	const struct pathio_charset request = {
		.path = session_folder(session),
		.is_users = !is_utf8,
	};
	if (!session_is_logged_in(session)) {
		/* Before login nobody knows what the user has. */
		session->parameters.is_utf8 = is_utf8;
		session_reply(session, reply_done);
		return;
	}
	session_begin(session);
	pathio_charset(session->files, &request, is_utf8 ? on_utf8 : on_users, session);
}

void
language_opts_utf8(struct session *session, struct bytes option)
{
	while (option.length > 0 && option.data[option.length - 1] == ' ')
		option.length--;
	if (option.length == 0 || words_are_equal(option, "ON"))
		choose(session, true);
	else if (words_are_equal(option, "OFF"))
		choose(session, false);
	else
		session_reply(session, reply_argument_bad, "UTF8 is ON or OFF");
}

void
language_tell_worker(struct session *session)
{
	const struct pathio_charset request = { .path = bytes_of_text("/"), .is_users = false };
	if (session->parameters.is_utf8)
		pathio_charset(session->files, &request, session_ignore_answer, NULL);
}
