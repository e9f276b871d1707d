/*
 * Commands that ask how much may be stored: AVBL
 * (draft-peterson-streamlined-ftp-command-extensions) and ALLO (RFC 959 4.1.3). Run in the gateway;
 * the worker knows.
 */
#include "gateway/command.h"
#include "gateway/session.h"
#include "ipc/base/number.h"

#include <errno.h>
#include <stdlib.h>

static void
ask(struct session *session, const struct path *path, pathio_completion *done, void *argument)
{
	session_begin(session);
	pathio_space(
		session->files, &(struct pathio_space){ .path = path_bytes(path) }, done, argument);
}

/* ---- AVBL ---- */

static void
on_available(void *argument, const struct pathio_answer *answer)
{
	struct session *session = argument;
	if (session_complete(session, FAILURE_GENERAL, answer))
		session_reply(session, reply_size, answer->body->size.bytes);
}

void
space_avbl(struct session *session, struct bytes argument)
{
	struct path path;
	if (session_resolve(session, FAILURE_GENERAL, argument, &path))
		ask(session, &path, on_available, session);
}

/* ---- ALLO ---- */

struct allocating {
	struct session *session;
	uint64_t bytes;
};

static void
on_allocated(void *argument, const struct pathio_answer *answer)
{
	struct allocating *allocating = argument;
	struct session *session = allocating->session;
	uint64_t wanted = allocating->bytes;
	free(allocating);
	if (failure_means_nothing(answer->error)) {
		/* Who may not look at the folder learns nothing of the disk either. */
		session_reply(session, reply_superfluous);
		session_finish(session);
	} else if (session_complete(session, FAILURE_GENERAL, answer)) {
		uint64_t left = answer->body->size.bytes;
		if (wanted <= left)
			session_reply(session, reply_done);
		else
			session_reply(session, reply_space_short, left);
	}
}

/* "size" or "size R record-size", of which only the first says how much. */
static int
parse_size(struct bytes argument, uint64_t *size)
{
	uint64_t record;
	const char *mark = memmem(argument.data, argument.length, " R ", 3);
	size_t length = mark == NULL ? argument.length : (size_t)(mark - argument.data);
	int error = number_parse(bytes_of(argument.data, length), UINT64_MAX, size);
	if (error < 0 || mark == NULL)
		return error;
	return number_parse(bytes_of(mark + 3, argument.length - length - 3), UINT64_MAX, &record);
}

/* Nothing is set aside: the reply is true at this moment, in the current folder. */
void
space_allo(struct session *session, struct bytes argument)
{
	struct path path;
	uint64_t size;
	if (parse_size(argument, &size) < 0) {
		session_reply(session, reply_argument_bad, "a number of bytes is wanted");
		return;
	}
	if (!session_resolve(session, FAILURE_GENERAL, bytes_of("", 0), &path))
		return;
	struct allocating *allocating = malloc(sizeof(*allocating));
	if (allocating == NULL) {
		session_reply_failure(session, FAILURE_GENERAL, EIO);
		return;
	}
	*allocating = (struct allocating){ .session = session, .bytes = size };
	ask(session, &path, on_allocated, allocating);
}
