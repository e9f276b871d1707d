/*
 * The set-up of a worker (see set_up.h). Runs in the worker, as the user with CAP_SYS_CHROOT alone,
 * and from cage_enter() on without it. Trusts the supervisor, who says for whom it is; distrusts
 * the home, the archive and the folder that it is told to open. A step that fails ends the process:
 * a worker that is not wholly caged serves nobody.
 */
#include "worker/set_up.h"

#include "ipc/base/scope.h"
#include "worker/charset.h"
#include "worker/operations.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <time.h>

/* ---- in the open ---- */

/* Custom code is loaded while there are files to load it from. */
static int
choose_backend(const struct set_up_options *options, struct set_up *made)
{
	const char *directory = options->directory;
	const char *settings = options->settings;
	return backends_choose(
		&(struct backends_options){
			.name = options->told->user.backend,
			.directory = bytes_of_text(directory == NULL ? "" : directory),
			.settings = bytes_of_text(settings == NULL ? "" : settings),
			.owner = options->owner,
		},
		&made->chosen, &made->refusal);
}

/* Whose files are in memory lives in the empty folder where the supervisor started it. */
static int
keep_names(const struct account_user *user, struct set_up *made)
{
	bool in_memory = made->chosen.in_memory;
	made->user = bytes_copy_text(user->name);
	made->home = in_memory ? NULL : bytes_copy_text(user->home);
	return made->user == NULL || (made->home == NULL && !in_memory) ? -ENOMEM : 0;
}

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
open_charset(const struct account_user *user, struct set_up *made)
{
	if (user->charset.length == 0)
		return 0;
	SCOPE_FREE char *name = bytes_copy_text(user->charset);
	if (name == NULL)
		return -ENOMEM;
	int error = charset_open(name, &made->charset);
	if (error < 0 && asprintf(&made->refusal,
				 "charset %s: %s; are libc's character sets (gconv) installed?",
				 name, strerror(-error)) < 0)
		made->refusal = NULL;
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
begin_load(const struct account_user *user, struct set_up *made)
{
	const struct backend_options options = tree_options(user);
	if (made->chosen.backend != &backend_memory || user->memory_load.length == 0)
		return 0;
	return memory_load_begin(user->memory_load, &options, &made->load);
}

/* ---- behind walls ---- */

static int
make_nursery(const struct set_up_options *options, struct set_up *made)
{
	const struct account_user *user = &options->told->user;
	struct backend_options tree = tree_options(user);
	/* Where cage_enter() went: the root too, unless no own root was to be had. Never closed. */
	int root_fd = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root_fd < 0)
		return -errno;
	tree.root_fd = root_fd;
	if (made->load != NULL)
		tree.made = memory_load_take_tree(made->load);
	return nursery_new(
		&(struct nursery_options){
			.base = options->base,
			.backend = made->chosen.backend,
			.threads = made->chosen.executor == BACKEND_POOL ? user->path_threads : 0,
			.tree = tree,
			.uploads = { .sync = user->sync, .keep_partial = user->keep_partial },
			.charset = made->charset,
			.mode_z = user->mode_z,
			.local_times = user->local_times,
			.owner = {
				.name = user->owner_names ? bytes_of_text(made->user)
							  : bytes_of_text(""),
				.uid = user->uid,
				.gid = user->gid,
			},
			.observer = recorder_observer(options->recorder),
		},
		&made->nursery);
}

/* Not where an effect that lasts would hold up answers with the loop. */
static bool
may_hold_answers(const struct backend_choice *chosen)
{
	return chosen->executor == BACKEND_POOL || chosen->backend == &backend_memory;
}

static int
make_serve(const struct set_up_options *options, struct set_up *made)
{
	const struct attach_configure *told = options->told;
	return serve_new(
		&(struct serve_options){
			.base = options->base,
			.nursery = made->nursery,
			.recorder = options->recorder,
			.deadline_ms = told->path_timeout_s * 1000u,
			.slow_deadline_ms = told->commit_timeout_s * 1000,
			.stall_timeout_ms = told->stall_timeout_s * 1000,
			.user = bytes_of_text(made->user),
			.holds = may_hold_answers(&made->chosen),
			.ended = options->ended,
			.owner = options->ended_owner,
		},
		&made->serve);
}

/* ---- from the one to the other ---- */

static int
enter(const struct attach_configure *told, const struct set_up *made, struct cage_report *report)
{
	return cage_enter(CAGE_WORKER,
		&(struct cage_options){ .home = made->home, .required = told->cage_required },
		report);
}

/* In the one order that works. */
int
set_up_worker(
	const struct set_up_options *options, struct set_up *result, struct cage_report *report)
{
	const struct attach_configure *told = options->told;
	int error = choose_backend(options, result);
	if (error == 0)
		error = keep_names(&told->user, result);
	if (error == 0)
		error = prepare_libraries();
	if (error == 0)
		error = open_charset(&told->user, result);
	if (error == 0)
		error = begin_load(&told->user, result);
	if (error == 0)
		error = enter(told, result, report);
	if (error == 0)
		error = make_nursery(options, result);
	if (error == 0)
		error = make_serve(options, result);
	if (error == 0)
		error = cage_close(CAGE_WORKER, &result->chosen.additions, report);
	if (error == 0 && result->load != NULL)
		error = memory_load_finish(result->load);
	return error;
}

char *
set_up_problem(const struct set_up *set_up, int error, const struct cage_report *report)
{
	if (report->problem != NULL)
		return cage_report_text(report);
	if (set_up->load != NULL && memory_load_text(set_up->load) != NULL)
		return strdup(memory_load_text(set_up->load));
	return strdup(set_up->refusal != NULL ? set_up->refusal : tree_open_problem(error));
}

void
set_up_free(struct set_up *set_up)
{
	nursery_free(&set_up->nursery);
	charset_free(&set_up->charset);
	memory_load_free(&set_up->load);
	free(set_up->user);
	free(set_up->home);
	free(set_up->refusal);
	*set_up = (struct set_up){ .user = NULL };
}
