/*
 * sallyport-worker: serves the files of one logged-in user (DESIGN 2). The supervisor starts it as
 * that user with CAP_SYS_CHROOT alone; its first act is to lock itself into the user's home
 * (set_up.h). fd 3 is its channel to the supervisor, which it trusts; gateways, whose channels come
 * over it, and the files themselves it does not.
 *
 * What keeps it from starting it tells the supervisor in words, and ends. When the supervisor is
 * gone, it finishes the sessions that it has and leaves (DECISIONS 18).
 */
#include "ipc/base/ends.h"
#include "ipc/base/scope.h"
#include "worker/saving.h"
#include "worker/set_up.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>

struct worker {
	struct event_base *base;
	struct channel *supervisor;
	struct recorder *recorder;
	struct set_up set_up; /* empty until it is configured */
	char *directory;      /* of custom backends; NULL: none is asked for */
	char *settings;       /* what they are told */
	uint32_t owner;       /* who beside root may own them */
	uint32_t path_timeout_ms;
	uint32_t stall_timeout_ms;
	struct saving *saving; /* for the admin command; or NULL */
	uint32_t saving_tag;
	bool is_ready; /* the nursery runs the loop */
	bool retiring; /* no session will follow */
};

/* ---- starting ---- */

static void on_session_ended(void *owner, uint64_t session);

static int
set_up(struct worker *worker, const struct attach_configure *told, struct cage_report *report)
{
	worker->path_timeout_ms = told->path_timeout_s * 1000u;
	worker->stall_timeout_ms = told->stall_timeout_s * 1000u;
	return set_up_worker(
		&(struct set_up_options){
			.base = worker->base,
			.recorder = worker->recorder,
			.told = told,
			.directory = worker->directory,
			.settings = worker->settings,
			.owner = worker->owner,
			.ended = on_session_ended,
			.ended_owner = worker,
		},
		&worker->set_up, report);
}

/* Does not return: a worker that is not wholly caged serves nobody. */
static void
fail(struct worker *worker, const struct attach_configure *told, int error,
	const struct cage_report *report)
{
	char reason[1024];
	SCOPE_FREE char *words = set_up_problem(&worker->set_up, error, report);
	snprintf(reason, sizeof(reason), "worker of %.*s: %.900s", (int)told->user.name.length,
		told->user.name.data, words == NULL ? strerror(-error) : words);
	channel_lost(attach_post_failed(worker->supervisor, 0,
		&(struct attach_failed){
			.error = (uint16_t)-error, .reason = bytes_of_text(reason) }));
	die("%s", reason);
}

static void
on_custom(void *owner, struct message *message, const struct attach_custom *told)
{
	struct worker *worker = owner;
	(void)message;
	if (worker->directory != NULL) {
		channel_reject(worker->supervisor, "told of custom backends twice");
		return;
	}
	worker->directory = bytes_copy_text(told->directory);
	worker->settings = bytes_copy_text(told->settings);
	worker->owner = told->owner;
	if (worker->directory == NULL || worker->settings == NULL)
		die("memory is short");
}

static void
on_configure(void *owner, struct message *message, const struct attach_configure *told)
{
	struct worker *worker = owner;
	struct cage_report report = { .problem = NULL };
	if (worker->set_up.serve != NULL) {
		channel_reject(worker->supervisor, "configured twice");
		return;
	}
	int error = set_up(worker, told, &report);
	if (error < 0)
		fail(worker, told, error, &report);
	SCOPE_FREE char *walls = cage_report_text(&report);
	channel_set_phase(worker->supervisor, PHASE_SERVING);
	channel_lost(attach_post_ready(worker->supervisor, message->tag,
		&(struct attach_ready){ .cage = bytes_of_text(walls == NULL ? "" : walls) }));
	worker->is_ready = true;
	event_base_loopbreak(worker->base);
}

/* ---- sessions ---- */

static bool
is_done(const struct worker *worker)
{
	bool is_idle = worker->set_up.serve == NULL || serve_count(worker->set_up.serve) == 0;
	return worker->retiring && is_idle && worker->saving == NULL;
}

static void
leave_if_done(struct worker *worker)
{
	if (is_done(worker))
		event_base_loopbreak(worker->base);
}

static void
on_session_ended(void *owner, uint64_t session)
{
	struct worker *worker = owner;
	if (worker->supervisor != NULL)
		channel_lost(attach_post_session_ended(worker->supervisor, 0,
			&(struct attach_session_ended){ .session = session }));
	leave_if_done(worker);
}

static int
read_rights(struct wire_list list, struct rights **rights)
{
	struct rights_rule rules[RIGHTS_RULES_MAX];
	struct account_right right;
	size_t count = 0;
	while (wire_list_next(&list, &account_right_record, &right)) {
		if (count == ARRAY_LENGTH(rules))
			return -E2BIG;
		rules[count++] = (struct rights_rule){ .folder = right.folder, .bits = right.bits };
	}
	return rights_create(rules, count, rights);
}

static void
on_attach(void *owner, struct message *message, const struct attach_attach *told)
{
	struct worker *worker = owner;
	struct rights *rights = NULL;
	const struct serve_client client = {
		.session = told->session,
		.peer = told->peer,
		.is_claimed = told->claimed,
	};
	if (worker->set_up.serve == NULL || worker->retiring) {
		channel_reject(worker->supervisor, "a session where none can be served");
		return;
	}
	int error = read_rights(told->rights, &rights);
	if (error == 0)
		error = serve_attach(worker->set_up.serve, &client, &rights, &message->descriptor);
	if (error == -ENOMEM)
		on_session_ended(worker, told->session);
	else if (error < 0)
		channel_reject(worker->supervisor, "a session that cannot be served");
}

static void
on_change_rights(void *owner, struct message *message, const struct attach_change_rights *told)
{
	struct worker *worker = owner;
	struct rights *rights = NULL;
	(void)message;
	if (read_rights(told->rights, &rights) < 0)
		channel_reject(worker->supervisor, "rights that are none");
	else
		serve_change_rights(worker->set_up.serve, told->session, &rights);
}

/* ---- saving ---- */

static void
post_saved(struct worker *worker, uint32_t tag, const struct saving_result *result)
{
	const struct attach_saved saved = {
		.error = (uint16_t)-result->error,
		.tree = {
			.bytes = result->bytes,
			.files = result->totals.files,
			.folders = result->totals.folders,
			.links = result->totals.links,
			.left_out = result->totals.left_out,
		},
	};
	if (worker->supervisor != NULL)
		channel_lost(attach_post_saved(worker->supervisor, tag, &saved));
}

static void
on_saved(void *owner, const struct saving_result *result)
{
	struct worker *worker = owner;
	post_saved(worker, worker->saving_tag, result);
	leave_if_done(worker);
}

static void
on_save(void *owner, struct message *message, const struct attach_save *told)
{
	struct worker *worker = owner;
	(void)told;
	const struct saving_options options = {
		.nursery = worker->set_up.nursery,
		.descriptor = message->descriptor,
		.stall_timeout_ms = worker->stall_timeout_ms,
		.running = &worker->saving,
		.ended = on_saved,
		.owner = worker,
	};
	int error = -EBUSY;
	if (worker->saving == NULL) {
		worker->saving_tag = message->tag;
		error = saving_begin(&options);
	}
	if (error < 0)
		post_saved(worker, message->tag, &(struct saving_result){ .error = error });
}

/* ---- the supervisor ---- */

static void
on_record(void *owner, struct message *message, const struct attach_record *told)
{
	struct worker *worker = owner;
	(void)told;
	if (recorder_set_channel(worker->recorder, &message->descriptor) < 0)
		die("cannot take the channel to record");
	if (worker->set_up.load != NULL && memory_load_text(worker->set_up.load) != NULL)
		recorder_notice(worker->recorder, memory_load_text(worker->set_up.load));
	memory_load_free(&worker->set_up.load);
}

static void
on_recorder_resumed(void *owner)
{
	const struct worker *worker = owner;
	if (worker->set_up.serve != NULL)
		serve_resume(worker->set_up.serve);
}

static void
on_retire(void *owner, struct message *message, const struct attach_retire *told)
{
	struct worker *worker = owner;
	(void)message;
	(void)told;
	worker->retiring = true;
	leave_if_done(worker);
}

static void
on_ping(void *owner, struct message *message, const struct attach_ping *told)
{
	const struct worker *worker = owner;
	(void)told;
	channel_lost(attach_post_pong(
		worker->supervisor, message->tag, &(struct attach_pong){ .nothing = 0 }));
}

static void
on_supervisor_gone(void *owner, const char *malformed)
{
	struct worker *worker = owner;
	if (malformed != NULL)
		die("the supervisor's channel: %s", malformed);
	channel_free(&worker->supervisor);
	worker->retiring = true;
	if (worker->saving != NULL)
		saving_cancel(worker->saving); /* whoever asked has lost the supervisor, too */
	leave_if_done(worker);
}

static const struct attach_handlers handlers = {
	.custom = on_custom,
	.configure = on_configure,
	.record = on_record,
	.attach = on_attach,
	.change_rights = on_change_rights,
	.save = on_save,
	.retire = on_retire,
	.ping = on_ping,
};

/* DECISIONS 22: what record had no room for yet would end with this process. */
static void
finish_record(struct worker *worker)
{
	while (!recorder_is_drained(worker->recorder))
		if (event_base_loop(worker->base, EVLOOP_ONCE) != 0)
			die("what is left for record cannot be sent");
}

/* What still hangs after a while may do so for ever, and what it uses must not be torn down. */
static void
leave_threads(struct worker *worker)
{
	if (worker->set_up.nursery != NULL &&
		!nursery_rest(worker->set_up.nursery, worker->path_timeout_ms))
		_exit(EXIT_SUCCESS);
}

int
main(int count, char **words)
{
	ends_set_program("sallyport-worker");
	if (count == 5 && strcmp(words[1], "--show-calls") == 0) {
		backends_show_calls(words + 2, CAGE_CHANNEL_FD);
		return 0;
	}
	struct worker worker = { .base = event_base_new() };
	int supervisor_fd = CAGE_CHANNEL_FD;
	/* A peer that hangs up is an errno, here as everywhere. */
	/* A limit of file size is EFBIG, as a full disk is ENOSPC, and no death. */
	if (worker.base == NULL || signal(SIGPIPE, SIG_IGN) == SIG_ERR ||
		signal(SIGXFSZ, SIG_IGN) == SIG_ERR)
		die("cannot start");
	int error = recorder_new(
		&(struct recorder_options){
			.base = worker.base, .resumed = on_recorder_resumed, .owner = &worker },
		&worker.recorder);
	if (error == 0)
		error = channel_new(
			&(struct channel_options){
				.base = worker.base,
				.messages = &attach_messages,
				.our_role = ROLE_WORKER,
				.peer_role = ROLE_SUPERVISOR,
				.phase = PHASE_STARTING,
				.handlers = &handlers,
				.owner = &worker,
				.closed = on_supervisor_gone,
			},
			&supervisor_fd, &worker.supervisor);
	if (error < 0)
		die("started by hand? descriptor 3 is no channel to a supervisor");
	event_base_dispatch(worker.base); /* until it is configured: then there may be threads */
	if (worker.is_ready && !is_done(&worker))
		nursery_dispatch(worker.set_up.nursery, serve_flush, worker.set_up.serve);

	serve_free(&worker.set_up.serve);
	finish_record(&worker);
	leave_threads(&worker);
	set_up_free(&worker.set_up);
	recorder_free(&worker.recorder);
	channel_free(&worker.supervisor);
	free(worker.directory);
	free(worker.settings);
	event_base_free(worker.base);
	return 0;
}
