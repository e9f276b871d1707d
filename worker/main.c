/*
 * sallyport-worker: serves the files of one logged-in user (DESIGN 2). The supervisor starts it as
 * that user with CAP_SYS_CHROOT alone; its first act is to lock itself into the user's home. fd 3
 * is its channel to the supervisor, which it trusts; gateways, whose channels come over it, and the
 * files themselves it does not.
 *
 * What keeps it from starting it tells the supervisor in words, and ends. When the supervisor is
 * gone, it finishes the sessions that it has and leaves (DECISIONS 18).
 */
#include "ipc/attach.h"
#include "ipc/base/ends.h"
#include "ipc/base/scope.h"
#include "policy/cage/cage.h"
#include "worker/backends.h"
#include "worker/charset.h"
#include "worker/memory_load.h"
#include "worker/operations.h"
#include "worker/saving.h"
#include "worker/serve.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>

struct worker {
	struct event_base *base;
	struct channel *supervisor;
	struct recorder *recorder;
	struct nursery *nursery;
	struct serve *serve; /* NULL until it is configured */
	char *user;
	char *home;      /* NULL where files are in memory */
	char *directory; /* of custom backends; NULL: none is asked for */
	char *settings;  /* what they are told */
	uint32_t owner;  /* who beside root may own them */
	struct backend_choice chosen;
	struct charset *charset;  /* NULL: names are UTF-8 for everybody */
	char *refusal;            /* why there is no backend, or NULL */
	struct memory_load *load; /* until record knows what was loaded; or NULL */
	uint32_t path_timeout_ms;
	uint32_t stall_timeout_ms;
	struct saving *saving; /* for the admin command; or NULL */
	uint32_t saving_tag;
	bool is_ready; /* the nursery runs the loop */
	bool retiring; /* no session will follow */
};

/* ---- starting ---- */

/* What libc opens late, before there is nothing left to open (DECISIONS 6). */
static int
prepare_libraries(void)
{
	if (setenv("TZ", ":/etc/localtime", 0) < 0)
		return -errno;
	tzset();
	/* An arena of a thread's own opens a file of /proc when it gives memory back. */
	(void)mallopt(M_ARENA_MAX, 1); /* AddressSanitizer's malloc has none, and says no */
	operation_digest_prepare();
	return 0;
}

static int
open_charset(struct worker *worker, const struct attach_configure *told)
{
	if (told->user.charset.length == 0)
		return 0;
	SCOPE_FREE char *name = bytes_copy_text(told->user.charset);
	if (name == NULL)
		return -ENOMEM;
	int error = charset_open(name, &worker->charset);
	if (error < 0 && asprintf(&worker->refusal,
				 "charset %s: %s; are libc's character sets (gconv) installed?",
				 name, strerror(-error)) < 0)
		worker->refusal = NULL;
	return error;
}

static struct backend_options
tree_options(const struct account_user *user)
{
	return (struct backend_options){
		.root_fd = -1,
		.memory_limit_bytes = user->memory_limit_bytes,
		.umask = user->umask,
		.uid = user->uid,
		.gid = user->gid,
		.symlinks = user->symlinks,
	};
}

static int
make_nursery(struct worker *worker, const struct attach_configure *told)
{
	const struct account_user *user = &told->user;
	struct backend_options tree = tree_options(user);
	/* Where cage_enter() went: the root too, unless no own root was to be had. Never closed. */
	int root_fd = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root_fd < 0)
		return -errno;
	tree.root_fd = root_fd;
	if (worker->load != NULL)
		tree.made = memory_load_take_tree(worker->load);
	return nursery_new(
		&(struct nursery_options){
			.base = worker->base,
			.backend = worker->chosen.backend,
			.threads = worker->chosen.executor == BACKEND_POOL ? user->path_threads : 0,
			.tree = tree,
			.uploads = { .sync = user->sync, .keep_partial = user->keep_partial },
			.charset = worker->charset,
			.mode_z = user->mode_z,
			.local_times = user->local_times,
			.owner = {
				.name = user->owner_names ? bytes_of_text(worker->user)
							  : bytes_of_text(""),
				.uid = user->uid,
				.gid = user->gid,
			},
			.observer = recorder_observer(worker->recorder),
		},
		&worker->nursery);
}

static void on_session_ended(void *owner, uint64_t session);

/* Not where an effect that lasts would hold up answers with the loop. */
static bool
may_hold_answers(const struct backend_choice *chosen)
{
	return chosen->executor == BACKEND_POOL || chosen->backend == &backend_memory;
}

static int
make_serve(struct worker *worker, const struct attach_configure *told)
{
	return serve_new(
		&(struct serve_options){
			.base = worker->base,
			.nursery = worker->nursery,
			.recorder = worker->recorder,
			.deadline_ms = told->path_timeout_s * 1000u,
			.slow_deadline_ms = told->commit_timeout_s * 1000,
			.stall_timeout_ms = told->stall_timeout_s * 1000,
			.user = bytes_of_text(worker->user),
			.holds = may_hold_answers(&worker->chosen),
			.ended = on_session_ended,
			.owner = worker,
		},
		&worker->serve);
}

/* Custom code is loaded while there are files to load it from. */
static int
choose_backend(struct worker *worker, const struct attach_configure *told)
{
	return backends_choose(
		&(struct backends_options){
			.name = told->user.backend,
			.directory =
				bytes_of_text(worker->directory == NULL ? "" : worker->directory),
			.settings = bytes_of_text(worker->settings == NULL ? "" : worker->settings),
			.owner = worker->owner,
		},
		&worker->chosen, &worker->refusal);
}

static int
begin_load(struct worker *worker, const struct attach_configure *told)
{
	const struct backend_options options = tree_options(&told->user);
	if (worker->chosen.backend != &backend_memory || told->user.memory_load.length == 0)
		return 0;
	return memory_load_begin(told->user.memory_load, &options, &worker->load);
}

/* From the open world into the cage, in the one order that works. */
static int
set_up(struct worker *worker, const struct attach_configure *told, struct cage_report *report)
{
	int error = choose_backend(worker, told);
	if (error < 0)
		return error;
	worker->path_timeout_ms = told->path_timeout_s * 1000u;
	worker->stall_timeout_ms = told->stall_timeout_s * 1000u;
	/* Whose files are in memory lives in the empty folder where the supervisor started it. */
	bool in_memory = worker->chosen.in_memory;
	worker->home = in_memory ? NULL : bytes_copy_text(told->user.home);
	worker->user = bytes_copy_text(told->user.name);
	if (worker->user == NULL || (worker->home == NULL && !in_memory))
		return -ENOMEM;
	error = prepare_libraries();
	if (error == 0)
		error = open_charset(worker, told);
	if (error == 0)
		error = begin_load(worker, told);
	if (error == 0)
		error = cage_enter(CAGE_WORKER,
			&(struct cage_options){
				.home = worker->home, .required = told->cage_required },
			report);
	if (error == 0)
		error = make_nursery(worker, told);
	if (error == 0)
		error = make_serve(worker, told);
	if (error == 0)
		error = cage_close(CAGE_WORKER, &worker->chosen.additions, report);
	if (error == 0 && worker->load != NULL)
		error = memory_load_finish(worker->load);
	return error;
}

/* Does not return: a worker that is not wholly caged serves nobody. */
static void
fail(struct worker *worker, const struct attach_configure *told, int error,
	const struct cage_report *report)
{
	char reason[1024];
	SCOPE_FREE char *words = worker->refusal;
	if (report->problem != NULL)
		words = cage_report_text(report);
	else if (worker->load != NULL && memory_load_text(worker->load) != NULL)
		words = strdup(memory_load_text(worker->load));
	snprintf(reason, sizeof(reason), "worker of %.*s: %.900s", (int)told->user.name.length,
		told->user.name.data, words == NULL ? tree_open_problem(error) : words);
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
	if (worker->serve != NULL) {
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
	bool is_idle = worker->serve == NULL || serve_count(worker->serve) == 0;
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
	if (worker->serve == NULL || worker->retiring) {
		channel_reject(worker->supervisor, "a session where none can be served");
		return;
	}
	int error = read_rights(told->rights, &rights);
	if (error == 0)
		error = serve_attach(worker->serve, &client, &rights, &message->descriptor);
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
		serve_change_rights(worker->serve, told->session, &rights);
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
		.nursery = worker->nursery,
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
	if (worker->load != NULL && memory_load_text(worker->load) != NULL)
		recorder_notice(worker->recorder, memory_load_text(worker->load));
	memory_load_free(&worker->load);
}

static void
on_recorder_resumed(void *owner)
{
	const struct worker *worker = owner;
	if (worker->serve != NULL)
		serve_resume(worker->serve);
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

/* What still hangs after a while may do so for ever, and what it uses must not be torn down. */
static void
leave_threads(struct worker *worker)
{
	if (worker->nursery != NULL && !nursery_rest(worker->nursery, worker->path_timeout_ms))
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
		nursery_dispatch(worker.nursery, serve_flush, worker.serve);

	serve_free(&worker.serve);
	leave_threads(&worker);
	nursery_free(&worker.nursery);
	charset_free(&worker.charset);
	recorder_free(&worker.recorder);
	memory_load_free(&worker.load);
	channel_free(&worker.supervisor);
	free(worker.user);
	free(worker.home);
	free(worker.directory);
	free(worker.settings);
	event_base_free(worker.base);
	return 0;
}
