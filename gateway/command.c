/*
 * From line to command (see command.h). Runs in the gateway; the line is the client's.
 */
#include "gateway/command.h"

#include "gateway/session.h"
#include "gateway/turn.h"

#include <stdlib.h>
#include <strings.h>

const struct command commands[] = {
#define COMMAND(name, function, rule, bits, announced, form, text) \
	{                                                          \
		.verb = #name,                                     \
		.kind = COMMAND_OFFERED,                           \
		.argument = ARGUMENT_##rule,                       \
		.flags = (bits),                                   \
		.feature = (announced),                            \
		.syntax = (form),                                  \
		.doc = (text),                                     \
		.run = (function),                                 \
	},
#define MISSING(name, bits) { .verb = #name, .kind = COMMAND_MISSING, .flags = (bits) },
#define FOREIGN(name)       { .verb = #name, .kind = COMMAND_FOREIGN, .flags = COMMAND_FREE },
#include "gateway/commands.def"
	{ .verb = NULL },
};

const struct command *
command_find(struct bytes verb)
{
	for (const struct command *command = commands; command->verb != NULL; command++)
		if (strlen(command->verb) == verb.length &&
			strncasecmp(command->verb, verb.data, verb.length) == 0)
			return command;
	return NULL;
}

bool
command_is_offered(const struct session *session, const struct command *command)
{
	return command->kind == COMMAND_OFFERED &&
	       ((command->flags & COMMAND_TLS) == 0 ||
		       session->gateway->settings.tls != TLS_POLICY_OFF);
}

void
command_split(struct bytes line, struct bytes *verb, struct bytes *argument)
{
	const char *blank = memchr(line.data, ' ', line.length);
	size_t length = blank == NULL ? line.length : (size_t)(blank - line.data);
	size_t skipped = blank == NULL ? length : length + 1;
	*verb = bytes_of(line.data, length);
	*argument = bytes_after(line, skipped);
}

bool
command_check_argument(
	struct session *session, const char *verb, enum argument_rule rule, struct bytes argument)
{
	bool is_missing = argument.length == 0 && rule == ARGUMENT_REQUIRED;
	bool is_unwanted = argument.length > 0 && rule == ARGUMENT_NONE;
	if (is_missing)
		session_reply(session, reply_argument_missing, verb);
	if (is_unwanted)
		session_reply(session, reply_argument_unwanted, verb);
	return !is_missing && !is_unwanted;
}

/* May it run now? If not, it was replied to. */
static bool
permit(struct session *session, const struct command *command, struct bytes argument)
{
	if (command == NULL) {
		session_reply(session, reply_command_unknown);
		return false;
	}
	if (command->kind == COMMAND_FOREIGN) {
		session_reply(session, reply_foreign_protocol);
		session_end(session, "foreign-protocol");
		return false;
	}
	if (!session_is_logged_in(session) && (command->flags & COMMAND_FREE) == 0) {
		session_reply(session, reply_login_needed);
		return false;
	}
	if (!command_is_offered(session, command)) {
		session_reply(session, reply_command_not_offered);
		return false;
	}
	return command_check_argument(session, command->verb, command->argument, argument);
}

/* REST, RANG, RNFR and SITE CPFR are good for the command that follows, and no other. */
static void
drop_marks(struct session *session, const struct command *command)
{
	if ((command->flags & (COMMAND_LEADS | COMMAND_RESTARTS)) == 0)
		session->parameters.range = byte_range_all;
	if ((command->flags & COMMAND_RENAMES) == 0) {
		free(session->rename_from);
		session->rename_from = NULL;
	}
	if ((command->flags & COMMAND_SITE) == 0) {
		free(session->copy_from);
		session->copy_from = NULL;
	}
}

void
command_run(struct session *session, struct bytes line)
{
	struct bytes verb;
	struct bytes argument;
	command_split(line, &verb, &argument);
	const struct command *command = command_find(verb);
	if (!permit(session, command, argument))
		return;
	if ((command->flags & COMMAND_FILES) != 0 && session->files == NULL &&
		session_is_logged_in(session)) {
		turn_hold(session, LINE_COMPLETE, line);
		login_reattach(session);
		return;
	}
	drop_marks(session, command);
	command->run(session, argument);
}
