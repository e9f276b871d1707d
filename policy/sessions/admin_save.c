/*
 * Saving a user's tree in memory (see admin.h): the books find the worker and give it and the
 * command the two ends of a stream; what goes through it is never seen here. Runs in the supervisor
 * as root.
 */
#include "policy/sessions/admin.h"

#include "ipc/base/scope.h"
#include "policy/sessions/workers.h"
#include "policy/supervisor/pairs.h"
#include "policy/supervisor/supervisor.h"

/* Takes an end of the stream to each of them. */
static int
connect_ends(struct admin *admin, const struct worker *worker)
{
	const struct attach_save order = { 0 };
	const struct admin_saving answer = { 0 };
	SCOPE_PAIR struct pair pair = { -1, -1 };
	int error = pair_make_stream(ROLE_WORKER, ROLE_ADMIN, &pair);
	if (error == 0)
		error = admin_post_saving_with(admin->channel, admin->tag, &answer, pair.other);
	if (error == 0)
		error = attach_post_save_with(
			worker->process->channel, admin->save_tag, &order, pair.one);
	return error;
}

static int
begin(struct admin *admin, const struct admin_save *body)
{
	struct admins *admins = admin->admins;
	const struct worker *worker;
	int found = workers_find(
		admins->supervisor->workers, body->account, (pid_t)body->worker_pid, &worker);
	admin->save_tag = ++admins->last_save;
	if (found == -ENOENT)
		admin_refuse(admin, ENOENT,
			"%s has no worker%s: there is no such user, or nobody has logged in as "
			"that user yet, and there is nothing to save",
			admin->account, body->worker_pid != 0 ? " of that pid" : "");
	else if (found == -ENOTUNIQ)
		admin_refuse(admin, ENOTUNIQ, "%s has several workers: choose one by its pid",
			admin->account);
	else if (!backend_is_in_memory(worker->account->user.backend))
		found = -ENOTSUP;
	if (found == -ENOTSUP)
		admin_refuse(admin, ENOTSUP,
			"the files of %s are real ones, in the user's home: there is nothing to "
			"save",
			admin->account);
	if (found < 0)
		return found;
	int error = connect_ends(admin, worker);
	if (error < 0) {
		admin_refuse(admin, -error, "no stream to the worker: %s", strerror(-error));
		return error;
	}
	admin->worker = worker;
	admin->waits = ADMIN_SAVES;
	return 0;
}

void
admin_on_save(void *owner, struct message *message, const struct admin_save *body)
{
	struct admin *admin = owner;
	if (!admin_begin(admin, message))
		return;
	memcpy(admin->account, body->account.data, body->account.length);
	admin->account[body->account.length] = '\0';
	int error = begin(admin, body);
	if (error < 0)
		admin_record(admin, "save", body->account, -error);
}

static const char *
explain(int error)
{
	switch (error) {
	case ENOTSUP:
		return "its files are not in memory: there is nothing to save";
	case EBUSY:
		return "another save of that user is under way";
	case ETIMEDOUT:
		return "the archive was not read for longer than stall_timeout";
	default:
		return strerror(error);
	}
}

static void
conclude(struct admin *admin, int error, const char *reason)
{
	admin_record(admin, "save", bytes_of_text(admin->account), error);
	if (error != 0)
		admin_refuse(admin, error, "the archive is not whole: %s", reason);
}

/* Nobody waits for it any more, where the command is gone. */
void
admins_saved(struct admins *admins, uint32_t tag, const struct attach_saved *body)
{
	struct admin *admin;
	LIST_FOREACH(admin, &admins->list, link)
	if (admin->waits == ADMIN_SAVES && admin->save_tag == tag)
		break;
	if (admin == NULL)
		return;
	conclude(admin, body->error, explain(body->error));
	const struct admin_saved answer = { .tree = body->tree };
	if (body->error == 0)
		admin_answered(admin, admin_post_saved(admin->channel, admin->tag, &answer));
}

void
admins_worker_ended(struct admins *admins, const struct worker *worker)
{
	struct admin *admin;
	LIST_FOREACH(admin, &admins->list, link)
	if (admin->waits == ADMIN_SAVES && admin->worker == worker)
		conclude(admin, EPIPE, "its worker has ended");
}
