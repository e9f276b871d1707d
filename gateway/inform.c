/*
 * Commands that only tell: NOOP SYST FEAT HELP, and CLNT and CSID, by which the client does. RFC
 * 959 4.1.3, RFC 2389. Run in the gateway; what they say is in the command table.
 */
#include "gateway/command.h"
#include "gateway/facts.h"
#include "gateway/hash.h"
#include "gateway/session.h"
#include "gateway/site.h"

enum { CLIENT_BYTES_MAX = 255 };

void
inform_noop(struct session *session, struct bytes argument)
{
	(void)argument;
	session_reply(session, reply_done);
}

void
inform_syst(struct session *session, struct bytes argument)
{
	(void)argument;
	session_reply(session, reply_system);
}

static void
add_feature(struct session *session, const struct command *command)
{
	char facts[FACTS_TEXT_BYTES];
	char hashes[HASH_TEXT_BYTES];
	bool is_refused = (command->flags & COMMAND_MODE_Z) != 0 && !session->has_mode_z;
	if (!command_is_offered(session, command) || command->feature[0] == '\0' || is_refused)
		return;
	if ((command->flags & COMMAND_FACTS) != 0)
		session_reply(session, " %s %s", command->feature,
			facts_feature(session->parameters.facts, facts));
	else if ((command->flags & COMMAND_SITE) != 0)
		site_add_features(session);
	else if ((command->flags & COMMAND_HASHES) != 0)
		session_reply(session, " %s %s", command->feature,
			hash_feature(session->parameters.hash, hashes));
	else
		session_reply(session, " %s", command->feature);
}

void
inform_feat(struct session *session, struct bytes argument)
{
	(void)argument;
	session_reply(session, reply_features_begin);
	for (const struct command *command = commands; command->verb != NULL; command++)
		add_feature(session, command);
	session_reply(session, reply_features_end);
}

static void
list_commands(struct session *session)
{
	enum { VERBS_PER_LINE = 8, VERB_WIDTH = COMMAND_VERB_BYTES_MAX + 1 };
	char line[VERBS_PER_LINE * VERB_WIDTH + 1];
	size_t count = 0;
	session_reply(session, reply_help_begin);
	for (const struct command *command = commands; command->verb != NULL; command++) {
		if (!command_is_offered(session, command))
			continue;
		snprintf(line + count * VERB_WIDTH, VERB_WIDTH + 1, " %-*s", VERB_WIDTH - 1,
			command->verb);
		if (++count == VERBS_PER_LINE) {
			session_reply(session, "%s", line);
			count = 0;
		}
	}
	if (count > 0)
		session_reply(session, "%s", line);
	session_reply(session, reply_help_end);
}

void
inform_help(struct session *session, struct bytes argument)
{
	if (argument.length == 0) {
		list_commands(session);
		return;
	}
	const struct command *command = command_find(argument);
	if (command == NULL || command->kind == COMMAND_FOREIGN)
		session_reply(session, reply_command_not_offered);
	else if (!command_is_offered(session, command))
		session_reply(session, reply_help_not_offered, command->verb);
	else if ((command->flags & COMMAND_SITE) != 0)
		site_help(session, bytes_of("", 0));
	else
		session_reply(session, reply_help_command, command->verb,
			command->syntax[0] == '\0' ? "" : " ", command->syntax, command->doc);
}

/* What the client calls itself: kept for the record, once, so that nobody fills it with names. */
static bool
introduce(struct session *session, struct bytes name)
{
	if (name.length > CLIENT_BYTES_MAX) {
		session_reply(session, reply_argument_bad, "too long");
		return false;
	}
	if (!session->is_introduced)
		record_client(session, name);
	session->is_introduced = true;
	return true;
}

void
inform_clnt(struct session *session, struct bytes argument)
{
	if (introduce(session, argument))
		session_reply(session, reply_done);
}

/* As Serv-U has it: "Name=...; Version=...;" is answered in kind. Versions are nobody's business.
 */
void
inform_csid(struct session *session, struct bytes argument)
{
	if (introduce(session, argument))
		session_reply(session, reply_server_identity);
}
