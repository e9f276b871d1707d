/*
 * The workers (see workers.h). Runs in the supervisor as root: who a worker becomes is decided
 * here, from an account that account_check() has passed. Homes are never touched here: a home may
 * hang, and then the worker does.
 */
#include "policy/sessions/workers.h"

#include "ipc/attach.h"
#include "ipc/base/scope.h"
#include "policy/rules/limits.h"
#include "policy/sessions/admins.h"
#include "policy/sessions/record.h"
#include "policy/sessions/sessions.h"
#include "policy/supervisor/supervisor.h"

enum { STUCK_MAX = 2 };

/* A user whose worker has crashed. */
struct crashes {
	LIST_ENTRY(crashes) link;
	char *user;
	struct often often;
};

struct workers {
	struct supervisor *supervisor;
	LIST_HEAD(worker_list, worker) list;
	LIST_HEAD(crashes_list, crashes) crashed;
};

/* ---- crashes ---- */

static struct crashes *
find_crashes(const struct workers *workers, struct bytes user)
{
	struct crashes *crashes;
	LIST_FOREACH(crashes, &workers->crashed, link)
	if (bytes_equal_text(user, crashes->user))
		break;
	return crashes;
}

static void
note_crash(struct workers *workers, struct bytes user)
{
	struct crashes *crashes = find_crashes(workers, user);
	if (crashes == NULL) {
		crashes = calloc(1, sizeof(*crashes));
		char *name = bytes_copy_text(user);
		if (crashes == NULL || name == NULL) {
			free(crashes);
			free(name);
			return;
		}
		crashes->user = name;
		LIST_INSERT_HEAD(&workers->crashed, crashes, link);
	}
	often_note(&crashes->often, supervisor_now_ms());
	if (often_is_reached(&crashes->often, supervisor_now_ms()))
		record_notice(workers->supervisor->record, SEVERITY_ERROR,
			"the worker of user %s crashed %d times in a minute: no more logins for "
			"now",
			crashes->user, OFTEN_TIMES);
}

static int
check_health(const struct workers *workers, struct bytes user, struct denial *denial)
{
	const struct crashes *crashes = find_crashes(workers, user);
	if (crashes != NULL && often_is_reached(&crashes->often, supervisor_now_ms()))
		return account_deny(denial, REFUSAL_WORKER, EAGAIN, "crashed %d times in a minute",
			OFTEN_TIMES);
	if (processes_count_stuck(workers->supervisor, user) >= STUCK_MAX)
		return account_deny(denial, REFUSAL_WORKER, EAGAIN,
			"%d workers of this user hang in the kernel", STUCK_MAX);
	return 0;
}

/* ---- its channel ---- */

static void
on_failed(void *owner, UNUSED struct message *message, const struct attach_failed *body)
{
	process_failed(owner, body->error, body->reason);
}

/* The end of a session is its gateway's to tell; this says that its files are closed, too. */
static void
on_session_ended(UNUSED void *owner, UNUSED struct message *message,
	UNUSED const struct attach_session_ended *body)
{
}

static void
on_saved(void *owner, struct message *message, const struct attach_saved *body)
{
	const struct process *process = owner;
	admins_saved(process->supervisor->admins, message->tag, body);
}

#define CHANNEL(name) attach_##name
#include "policy/sessions/process_handlers.h"

static const struct attach_handlers handlers = {
	.violation = on_violation,
	.ready = on_ready,
	.failed = on_failed,
	.session_ended = on_session_ended,
	.saved = on_saved,
	.pong = on_pong,
};

/* ---- the process ---- */

static void
on_process_ready(struct process *process)
{
	sessions_worker_ready(process->supervisor->sessions, process->owner);
}

static void
on_process_answered(struct process *process)
{
	sessions_worker_answered(process->supervisor->sessions, process->owner);
}

static bool
is_about_home(int error)
{
	return error == ENOENT || error == ENOTDIR || error == EACCES || error == ELOOP;
}

static void
on_process_ended(struct process *process)
{
	struct worker *worker = process->owner;
	struct denial denial;
	account_deny(&denial, is_about_home(process->error) ? REFUSAL_HOME : REFUSAL_WORKER,
		process->error != 0 ? process->error : EIO, "%s", process_how(process));
	if (!process->expected && process->error == 0)
		note_crash(process->supervisor->workers, worker->account->who);
	LIST_REMOVE(worker, link);
	admins_worker_ended(process->supervisor->admins, worker);
	sessions_worker_ended(process->supervisor->sessions, worker, &denial);
	free(worker->account);
	free(worker);
}

static const struct process_duty duty = {
	.handlers = &handlers,
	.ready = on_process_ready,
	.answered = on_process_answered,
	.ended = on_process_ended,
};

/* Without a folder there is no message: the worker says what is missing. */
static void
send_custom(struct process *process, struct bytes backend)
{
	const struct config *config = process->supervisor->settings->config;
	const struct attach_custom custom = {
		.directory = bytes_of_text(config->backend_directory),
		.settings = bytes_of_text(config->backend_settings),
		.owner = process->supervisor->own.uid,
	};
	if (!backend_is_built_in(backend) && custom.directory.length > 0)
		process_posted(process, attach_post_custom(process->channel, 0, &custom));
}

static void
send_first(struct process *process, const struct account *account)
{
	const struct config *config = process->supervisor->settings->config;
	const struct attach_configure configure = {
		.user = account->user,
		.path_timeout_s = (uint16_t)config->path_timeout,
		.commit_timeout_s = (uint32_t)config->commit_timeout,
		.stall_timeout_s = (uint32_t)config->stall_timeout,
		.cage_required = config->cage == CONFIG_CAGE_REQUIRED,
	};
	const struct attach_record record = { 0 };
	SCOPE_FD int fd = -1;
	send_custom(process, account->user.backend);
	process_posted(process, attach_post_configure(process->channel, 0, &configure));
	int error = record_add_writer(process->supervisor->record, process, 0, &fd);
	if (error == 0)
		error = attach_post_record_with(process->channel, 0, &record, fd);
	process_posted(process, error);
}

static int
start(struct workers *workers, struct worker *worker)
{
	const struct account *account = worker->account;
	struct cage_identity identity = workers->supervisor->own;
	const struct process_plan plan = {
		.role = ROLE_WORKER,
		.duty = &duty,
		.owner = worker,
		.user = account->who,
		.identity = &identity,
	};
	if (identity.uid == 0)
		identity = (struct cage_identity){
			.uid = account->identity.uid,
			.gid = account->identity.gid,
			.groups = account->groups,
			.group_count = account->identity.group_count,
		};
	int error = process_start(workers->supervisor, &plan, &worker->process);
	if (error == 0)
		send_first(worker->process, account);
	return error;
}

/* ---- finding and ending ---- */

static void
retire(struct worker *worker, uint64_t limit_ms)
{
	const struct attach_retire body = { 0 };
	worker->retired = true;
	if (worker->process->state != PROCESS_SERVING) {
		process_kill(worker->process, "was not needed any more");
		return;
	}
	process_expect_end(worker->process, limit_ms);
	process_posted(worker->process, attach_post_retire(worker->process->channel, 0, &body));
}

void
worker_retire(struct worker *worker)
{
	if (!worker->retired && worker->process->state == PROCESS_SERVING)
		retire(worker, 0);
}

/* Finds the worker of that identity; others of the same user have been overtaken. */
static struct worker *
find(const struct workers *workers, const struct account *account)
{
	struct worker *worker, *found = NULL;
	LIST_FOREACH(worker, &workers->list, link)
	{
		if (worker->retired || worker->process->state > PROCESS_SERVING)
			continue;
		if (bytes_equal(worker->account->key, account->key))
			found = worker;
		else if (bytes_equal(worker->account->who, account->who))
			worker_retire(worker);
	}
	return found;
}

static int
add(struct workers *workers, const struct account *account, struct worker **result)
{
	struct worker *worker = calloc(1, sizeof(*worker));
	if (worker == NULL)
		return -ENOMEM;
	int error = account_copy(&account->user, &worker->account);
	if (error == 0)
		error = start(workers, worker);
	if (error < 0) {
		free(worker->account);
		free(worker);
		return error;
	}
	LIST_INSERT_HEAD(&workers->list, worker, link);
	*result = worker;
	return 0;
}

int
workers_get(struct workers *workers, const struct account *account, struct worker **result,
	struct denial *denial)
{
	*result = find(workers, account);
	if (*result != NULL)
		return 0;
	int error = check_health(workers, account->who, denial);
	if (error < 0)
		return error;
	error = add(workers, account, result);
	if (error < 0)
		return account_deny(denial, REFUSAL_WORKER, -error, "cannot be started");
	return 0;
}

/* How many of a user's workers serve, retired ones or others; *result is one of them. */
static unsigned
count_serving(const struct workers *workers, struct bytes user, bool retired,
	const struct worker **result)
{
	const struct worker *worker;
	unsigned count = 0;
	LIST_FOREACH(worker, &workers->list, link)
	{
		if (worker->retired != retired || worker->process->state != PROCESS_SERVING ||
			!bytes_equal(worker->account->who, user))
			continue;
		*result = worker;
		count++;
	}
	return count;
}

static int
find_pid(const struct workers *workers, struct bytes user, pid_t pid, const struct worker **result)
{
	const struct worker *worker;
	LIST_FOREACH(worker, &workers->list, link)
	if (worker->process->pid == pid && worker->process->state == PROCESS_SERVING &&
		bytes_equal(worker->account->who, user))
		break;
	if (worker == NULL)
		return -ENOENT;
	*result = worker;
	return 0;
}

int
workers_find(
	const struct workers *workers, struct bytes user, pid_t pid, const struct worker **result)
{
	const struct worker *found = NULL;
	if (pid != 0)
		return find_pid(workers, user, pid, result);
	unsigned count = count_serving(workers, user, false, &found);
	if (count == 0)
		count = count_serving(workers, user, true, &found);
	if (count != 1)
		return count == 0 ? -ENOENT : -ENOTUNIQ;
	*result = found;
	return 0;
}

void
worker_doubt(struct worker *worker)
{
	const struct config *config = worker->process->supervisor->settings->config;
	process_ping(worker->process, 2 * config->path_timeout * 1000);
}

/* The memory backend's worker stays: it holds the only copy of its files (DECISIONS 14). */
void
workers_tick(struct workers *workers)
{
	const struct config *config = workers->supervisor->settings->config;
	uint64_t now_ms = supervisor_now_ms();
	struct worker *worker;
	LIST_FOREACH(worker, &workers->list, link)
	{
		if (worker->sessions > 0)
			worker->idle_since_ms = 0;
		else if (worker->idle_since_ms == 0)
			worker->idle_since_ms = now_ms;
		else if (!worker->retired && !backend_is_in_memory(worker->account->user.backend) &&
			 now_ms - worker->idle_since_ms >= config->worker_linger * 1000)
			retire(worker, 2 * config->path_timeout * 1000);
	}
}

int
workers_new(struct supervisor *supervisor, struct workers **result)
{
	*result = calloc(1, sizeof(**result));
	if (*result == NULL)
		return -ENOMEM;
	(*result)->supervisor = supervisor;
	return 0;
}
