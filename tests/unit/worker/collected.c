/*
 * Answers that are collected (see collected.h).
 */
#include "tests/unit/worker/collected.h"

static int turns;

void
collect(void *argument, const struct pathio_answer *answer)
{
	struct collected *collected = argument;
	collected->count++;
	collected->error = answer->error;
	collected->turn = ++turns;
	if (answer->code == PATHIO_MOVED)
		collected->bytes = answer->body->moved.bytes;
	if (collected->freed != NULL)
		pathio_free(collected->freed);
}

void
collected_await(struct session *session, const struct collected *collected)
{
	while (collected->count == 0)
		event_base_loop(session->base, EVLOOP_ONCE);
}

struct session *
collected_session(void)
{
	static char content[COLLECTED_BIG];
	struct session *session = session_new(&backend_memory, NULL, 0);
	session_plant(session, "/big", content, sizeof(content));
	turns = 0;
	return session;
}

uint32_t
collect_open(struct session *session, uint32_t number, struct collected *collected)
{
	return pathio_open(session->io,
		&(struct pathio_open){ .file = number, .path = PATH("/big") }, collect, collected);
}

uint32_t
collect_send(struct session *session, uint32_t number, int descriptor, struct collected *collected)
{
	return pathio_send(session->io,
		&(struct pathio_send){ .file = number, .count = UINT64_MAX }, descriptor, collect,
		collected);
}

uint32_t
collect_close(struct session *session, uint32_t number, struct collected *collected)
{
	return pathio_close(
		session->io, &(struct pathio_close){ .file = number }, collect, collected);
}

uint32_t
collect_upload(
	struct session *session, uint32_t number, struct bytes path, struct collected *collected)
{
	return pathio_upload_open(session->io,
		&(struct pathio_upload_open){ .file = number, .path = path }, collect, collected);
}

bool
session_has(struct session *session, struct bytes path)
{
	return call_stat(session->io, &session->wait, &(struct pathio_stat){ .path = path }) == 0;
}
