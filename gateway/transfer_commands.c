/*
 * Commands that move files: RETR STOR APPE STOU ABOR (RFC 959 4.1.3), and what may be said while
 * one of them runs (DECISIONS 32). Run in the gateway.
 */
#include "gateway/command.h"
#include "gateway/session.h"
#include "gateway/transfer.h"

/* REST's offset, which is good once. */
static uint64_t
take_restart(struct session *session)
{
	uint64_t restart = session->parameters.restart;
	session->parameters.restart = 0;
	return restart;
}

void
transfer_retr(struct session *session, struct bytes argument)
{
	struct path path;
	uint64_t restart = take_restart(session);
	if (!session_resolve(session, FAILURE_GENERAL, argument, &path))
		return;
	struct transfer_order order = {
		.kind = TRANSFER_DOWNLOAD,
		.path = path_bytes(&path),
		.form = session->parameters.form,
		.offset = restart,
	};
	transfer_start(session, &order);
}

static void
upload(struct session *session, struct bytes argument, enum pathio_how how, uint64_t offset)
{
	struct path path;
	if (!session_resolve(session, FAILURE_NAMING, argument, &path))
		return;
	struct transfer_order order = {
		.kind = TRANSFER_UPLOAD,
		.path = path_bytes(&path),
		.form = session->parameters.form,
		.offset = offset,
		.how = how,
	};
	transfer_start(session, &order);
}

void
transfer_stor(struct session *session, struct bytes argument)
{
	uint64_t restart = take_restart(session);
	upload(session, argument, restart == 0 ? PATHIO_HOW_REPLACE : PATHIO_HOW_AT_OFFSET,
		restart);
}

void
transfer_appe(struct session *session, struct bytes argument)
{
	upload(session, argument, PATHIO_HOW_APPEND, take_restart(session));
}

void
transfer_stou(struct session *session, struct bytes argument)
{
	struct bytes name = argument.length == 0 ? bytes_of_text("stou") : argument;
	upload(session, name, PATHIO_HOW_UNIQUE, 0);
}

/* Nothing is running, or this would not be reached. */
void
transfer_abor(struct session *session, struct bytes argument)
{
	(void)argument;
	data_forget(session);
	session_reply(session, reply_abort_nothing);
}

bool
transfer_overtake(struct session *session, enum line_result result, struct bytes line)
{
	struct bytes verb;
	struct bytes argument;
	command_split(line, &verb, &argument);
	const struct command *command = result == LINE_COMPLETE ? command_find(verb) : NULL;
	void (*run)(struct session *, struct bytes) = command == NULL ? NULL : command->run;
	if (run == transfer_abor) {
		session->is_dropping = false;
		transfer_abort(session);
		return true;
	}
	if (run == NULL || argument.length > 0 || session->is_dropping)
		return session->is_dropping;
	if (run == status_stat)
		transfer_reply_status(session);
	else if (run == inform_noop && session->noops < UINT16_MAX)
		session->noops++;
	else if (run == access_quit)
		session->is_quitting = true;
	else
		return false;
	return true;
}
