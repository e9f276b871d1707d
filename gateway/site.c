/*
 * SITE: from its argument to a verb (see site.h), and SITE HELP. Runs in the gateway; the argument
 * is the client's.
 */
#include "gateway/site.h"

#include "gateway/session.h"

#include <stdlib.h>
#include <strings.h>

const struct site_verb site_verbs[] = {
#define SITE(name, function, rule, bits, form, text) \
	{                                            \
		.verb = #name,                       \
		.argument = ARGUMENT_##rule,         \
		.flags = (bits),                     \
		.syntax = (form),                    \
		.doc = (text),                       \
		.run = (function),                   \
	},
#include "gateway/site.def"
	{ .verb = NULL },
};

const struct site_verb *
site_find(struct bytes verb)
{
	for (const struct site_verb *site = site_verbs; site->verb != NULL; site++)
		if (strlen(site->verb) == verb.length &&
			strncasecmp(site->verb, verb.data, verb.length) == 0)
			return site;
	return NULL;
}

void
site_command(struct session *session, struct bytes argument)
{
	struct bytes verb, rest;
	command_split(argument, &verb, &rest);
	const struct site_verb *site = site_find(verb);
	if (site == NULL) {
		session_reply(session, reply_command_not_offered);
		return;
	}
	if (!command_check_argument(session, site->verb, site->argument, rest))
		return;
	if ((site->flags & SITE_COPIES) == 0) {
		free(session->copy_from);
		session->copy_from = NULL;
	}
	site->run(session, rest);
}

void
site_add_features(struct session *session)
{
	for (const struct site_verb *site = site_verbs; site->verb != NULL; site++)
		if ((site->flags & SITE_COMMON) == 0)
			session_reply(session, " SITE %s", site->verb);
}

static void
list_verbs(struct session *session)
{
	session_reply(session, reply_help_site_begin);
	for (const struct site_verb *site = site_verbs; site->verb != NULL; site++)
		session_reply(session, " SITE %s%s%s: %s", site->verb,
			site->syntax[0] == '\0' ? "" : " ", site->syntax, site->doc);
	session_reply(session, reply_help_site_end);
}

void
site_help(struct session *session, struct bytes argument)
{
	const struct site_verb *site = site_find(argument);
	if (argument.length == 0)
		list_verbs(session);
	else if (site == NULL)
		session_reply(session, reply_command_not_offered);
	else
		session_reply(session, reply_help_site_verb, site->verb,
			site->syntax[0] == '\0' ? "" : " ", site->syntax, site->doc);
}
