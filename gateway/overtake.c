/*
 * ABOR, STAT, NOOP and QUIT during a transfer or a long command (see overtake.h). Runs in the
 * gateway.
 */
#include "gateway/overtake.h"

#include "gateway/command.h"
#include "gateway/keepalive.h"
#include "gateway/session.h"
#include "gateway/transfer.h"

/*
 * Its end, with the reply to both, may come only as the answer of what is cancelled. That is asked
 * for once, however often the client says it.
 */
static bool
abort_running(struct session *session)
{
	session->is_dropping = false;
	if (session->aborts == UINT16_MAX)
		return false;
	bool is_first = session->aborts++ == 0;
	if (is_first && session->transfer != NULL)
		transfer_abort(session);
	else if (is_first)
		pathio_cancel(session->files, session->long_tag);
	return true;
}

static void
reply_status(struct session *session)
{
	if (session->transfer != NULL)
		transfer_reply_status(session);
	else
		session_reply(session, reply_status_working);
}

bool
overtake_line(struct session *session, enum line_result result, struct bytes line)
{
	struct bytes verb;
	struct bytes argument;
	command_split(line, &verb, &argument);
	const struct command *command = result == LINE_COMPLETE ? command_find(verb) : NULL;
	void (*run)(struct session *, struct bytes) = command == NULL ? NULL : command->run;
	if (run == transfer_abor)
		return abort_running(session);
	if (run == NULL || argument.length > 0 || session->is_dropping)
		return session->is_dropping;
	/* No other reply fits into the middle of one that has begun. */
	if (run == status_stat && keepalive_is_out(session))
		return false;
	if (run == status_stat)
		reply_status(session);
	else if (run == inform_noop && session->noops < UINT16_MAX)
		session->noops++;
	else if (run == access_quit)
		session->is_quitting = true;
	else
		return false;
	return true;
}
