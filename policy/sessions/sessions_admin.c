/*
 * The table of sessions for administrators (see admin.h): looking at it, ending one. Runs in the
 * supervisor as root.
 */
#include "ipc/base/ends.h"
#include "policy/sessions/admin.h"
#include "policy/sessions/session.h"
#include "policy/sessions/workers.h"
#include "policy/supervisor/supervisor.h"

#include <search.h>
#include <stdio.h>

enum { PART_MAX = 96 };

_Static_assert((int)SESSION_CLOSING == (int)SESSION_STAGE_CLOSING, "the order of session_stage");

/* A part of the list, as it is collected. */
struct part {
	uint64_t after;
	uint64_t now_ms;
	struct wire_list_builder list;
	bool is_last;
};

static void
add(struct part *part, const struct session *session)
{
	const struct admin_session row = {
		.session = session->id,
		.account = session->account->who,
		.stage = (enum session_stage)session->state,
		.peer = session->peer,
		.local = session->local,
		.age_s = (part->now_ms - session->since_ms) / 1000,
		.worker_pid = session->worker == NULL || session->worker->process->pid < 0
				      ? 0
				      : (uint32_t)session->worker->process->pid,
	};
	ensure(wire_list_add(&part->list, &admin_session_record, &row) == 0);
}

/* twalk(3) comes to each in the order of their ids, at the visits "postorder" and "leaf". */
static void
visit(const void *node, VISIT which, void *argument)
{
	const struct session *session = *(struct session *const *)node;
	struct part *part = argument;
	if ((which != postorder && which != leaf) || session->id <= part->after ||
		session->account == NULL)
		return;
	if (part->list.count == PART_MAX)
		part->is_last = false;
	else
		add(part, session);
}

void
admin_on_ask_sessions(void *owner, struct message *message, const struct admin_ask_sessions *body)
{
	static char encoded[WIRE_LIST_BYTES_MAX];
	struct admin *admin = owner;
	struct part part = {
		.after = body->after,
		.now_ms = supervisor_now_ms(),
		.list = { .buffer = encoded, .capacity = sizeof(encoded) },
		.is_last = true,
	};
	if (!admin_begin(admin, message))
		return;
	twalk_r(admin->admins->supervisor->sessions->by_id, visit, &part);
	const struct admin_sessions answer = { .list = wire_list_built(&part.list),
		.is_last = part.is_last };
	admin_answered(admin, admin_post_sessions(admin->channel, admin->tag, &answer));
}

static struct session *
find(const struct sessions *sessions, uint64_t id)
{
	struct session *session;
	LIST_FOREACH(session, &sessions->all, link)
	if (session->id == id && session->account != NULL)
		break;
	return session;
}

void
admin_on_close_session(void *owner, struct message *message, const struct admin_close_session *body)
{
	struct admin *admin = owner;
	struct session *session = find(admin->admins->supervisor->sessions, body->session);
	char name[32];
	if (!admin_begin(admin, message))
		return;
	snprintf(name, sizeof(name), "%016jx", (uintmax_t)body->session);
	admin_record(admin, "close", bytes_of_text(name), session == NULL ? ENOENT : 0);
	if (session == NULL) {
		admin_refuse(admin, ENOENT, "there is no session %s", name);
		return;
	}
	session_close(session);
	admin_done(admin);
}
