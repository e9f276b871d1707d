/*
 * Commands that move files: RETR STOR APPE STOU ABOR (RFC 959 4.1.3). Run in the gateway.
 */
#include "gateway/command.h"
#include "gateway/session.h"
#include "gateway/transfer.h"

void
transfer_retr(struct session *session, struct bytes argument)
{
	struct path path;
	struct byte_range range = session_take_range(session);
	if (!session_resolve(session, FAILURE_GENERAL, argument, &path))
		return;
	struct transfer_order order = {
		.kind = TRANSFER_DOWNLOAD,
		.path = path_bytes(&path),
		.form = session->parameters.form,
		.offset = range.start,
		.count = range.count,
	};
	transfer_start(session, &order);
}

static void
upload(struct session *session, struct bytes argument, enum pathio_how how, struct byte_range range)
{
	struct path path;
	if (!session_resolve(session, FAILURE_NAMING, argument, &path))
		return;
	struct transfer_order order = {
		.kind = TRANSFER_UPLOAD,
		.path = path_bytes(&path),
		.form = session->parameters.form,
		.offset = range.start,
		.count = range.count,
		.how = range.count == UINT64_MAX ? how : PATHIO_HOW_RANGE,
	};
	transfer_start(session, &order);
}

void
transfer_stor(struct session *session, struct bytes argument)
{
	struct byte_range range = session_take_range(session);
	upload(session, argument, range.start == 0 ? PATHIO_HOW_REPLACE : PATHIO_HOW_AT_OFFSET,
		range);
}

/* With a range it is the same as STOR (draft-bryan-ftp-range 4.3). */
void
transfer_appe(struct session *session, struct bytes argument)
{
	upload(session, argument, PATHIO_HOW_APPEND, session_take_range(session));
}

void
transfer_stou(struct session *session, struct bytes argument)
{
	struct bytes name = argument.length == 0 ? bytes_of_text("stou") : argument;
	upload(session, name, PATHIO_HOW_UNIQUE, byte_range_all);
}

/* Nothing is running, or this would not be reached. */
void
transfer_abor(struct session *session, struct bytes argument)
{
	(void)argument;
	data_forget(session);
	session_reply(session, reply_abort_nothing);
}
