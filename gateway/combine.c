/*
 * COMB: files that were stored in parts become one (GlobalSCAPE's; in no standard). Runs in the
 * gateway, which reads the words; the worker puts them together, all or nothing, for minutes
 * perhaps, and ABOR ends it.
 */
#include "gateway/command.h"
#include "gateway/session.h"
#include "gateway/words.h"
#include "ipc/base/scope.h"

#include <errno.h>
#include <stdlib.h>

static void
on_combined(void *argument, const struct pathio_answer *answer)
{
	struct session *session = argument;
	if (answer->error < 0) {
		session_reply_failure(session, FAILURE_GENERAL, answer->error);
	} else {
		const struct pathio_combined *combined = &answer->body->combined;
		if (combined->left == 0)
			session_reply(session, reply_combined, combined->bytes);
		else
			session_reply(session, reply_combined_parts_left, combined->bytes,
				combined->left);
	}
	session_finish(session);
}

/* What is wrong with the words has been replied: false. */
static bool
read_parts(struct session *session, struct words *words, struct wire_list_builder *parts)
{
	struct bytes word;
	int result;
	while ((result = words_next(words, &word)) == 1) {
		struct path path;
		struct pathio_part part;
		if (!session_resolve(session, FAILURE_GENERAL, word, &path))
			return false;
		part.path = path_bytes(&path);
		if (parts->count == PATHIO_PARTS_MAX ||
			wire_list_add(parts, &pathio_part_record, &part) < 0) {
			session_reply(session, reply_parts_too_many, (unsigned)parts->count);
			return false;
		}
	}
	if (result == 0 && parts->count > 0)
		return true;
	session_reply(session, reply_argument_bad, "\"target\" \"part\" ...");
	return false;
}

static bool
read_target(struct session *session, struct words *words, struct path *target)
{
	struct bytes word;
	if (words_next(words, &word) == 1)
		return session_resolve(session, FAILURE_GENERAL, word, target);
	session_reply(session, reply_argument_bad, "\"target\" \"part\" ...");
	return false;
}

void
combine_comb(struct session *session, struct bytes argument)
{
	SCOPE_FREE char *buffer = malloc(WIRE_LIST_BYTES_MAX);
	struct wire_list_builder parts = { .buffer = buffer, .capacity = WIRE_LIST_BYTES_MAX };
	struct words words;
	struct path target;
	if (buffer == NULL) {
		session_reply_failure(session, FAILURE_GENERAL, EIO);
		return;
	}
	words_begin(&words, argument);
	if (!read_target(session, &words, &target) || !read_parts(session, &words, &parts))
		return;
	struct pathio_combine request = {
		.path = path_bytes(&target),
		.parts = wire_list_built(&parts),
	};
	session_begin_long(session);
	session->long_tag = pathio_combine(session->files, &request, on_combined, session);
}
