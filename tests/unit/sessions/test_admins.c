/*
 * The books of the admin socket (admins.h), between a fake command, a fake worker and a clock of
 * its own. A row is who comes, what is asked, and what comes of it.
 *
 *	s            status                p7   processes above pid 7    l7   sessions above 7
 *	c7           close session 7       v    save ann, vb: bob        r    reload
 *	W0 W95       the worker has saved, or with that errno            Wd   it has ended
 *	R  R!        reloaded, refused     T9   9 s pass                 X    the command ends
 *	+            another connection of the same user; what follows is asked there
 *
 * Results: answers by their names, refused:ERRNO, end; and what goes to the record, in braces.
 */
#include "ipc/base/scope.h"
#include "tests/table.h"
#include "tests/unit/sessions/admin_scene.h"

#include <stdlib.h>
#include <string.h>

static void
step_worker(const char *rest)
{
	const struct attach_saved saved = { .error = (uint16_t)atoi(rest), .tree.bytes = 5 };
	if (*rest == 'd')
		admins_worker_ended(scene->supervisor.admins, &scene->worker);
	else
		admins_saved(scene->supervisor.admins, scene->save_tag, &saved);
}

static void
step(struct command **command, const char *word)
{
	switch (word[0]) {
	case 's':
	case 'c':
	case 'v':
	case 'r':
	case 'l':
	case 'p':
		command_ask(*command, word[0], word + 1);
		return;
	case 'W':
		step_worker(word + 1);
		return;
	case 'R':
		scene->supervisor.loading = false;
		admins_reloaded(scene->supervisor.admins,
			bytes_of_text(word[1] == '!' ? "line 7 is wrong" : ""));
		return;
	case 'T':
		scene->now_ms += strtoull(word + 1, NULL, 10) * 1000;
		admins_tick(scene->supervisor.admins);
		return;
	case 'X':
		channel_free(&(*command)->channel);
		return;
	case '+':
		*command = command_connect();
		return;
	case 'E':
		scene->supervisor.stage = STAGE_GATEWAYS;
		scene->supervisor.listeners = NULL;
		return;
	case 'e':
		scene->reload_error = -atoi(word + 1);
		return;
	default:
		fail_msg("no step %s", word);
	}
}

struct row {
	const char *name;
	struct admin_peer peer;
	const char *steps;
	const char *want;
};

static const uint32_t member[] = { 7, SCENE_ADMIN_GID };
static const uint32_t stranger[] = { 7, 43 };

#define ROOT              \
	{                 \
		.uid = 0, \
	}

static const struct row rows[] = {
	{ "root", ROOT, "s", "status:127.0.0.1:21" },
	{ "the server's own user", { .uid = SCENE_OWN_UID }, "s", "status:127.0.0.1:21" },
	{ "a member by the first group", { .uid = 5, .gid = SCENE_ADMIN_GID }, "s",
		"status:127.0.0.1:21" },
	{ "a member by another group", { .uid = 5, .groups = member, .group_count = 2 }, "s",
		"status:127.0.0.1:21" },
	{ "nobody in particular", { .uid = 5, .gid = 7, .groups = stranger, .group_count = 2 }, "",
		"{connect 1} refused-connection:EPERM end" },
	{ "root's group is not root", { .uid = 5, .gid = 0 }, "",
		"{connect 1} refused-connection:EPERM end" },
	{ "who keeps coming is recorded three times a minute", { .uid = 5 }, "+ + + T61 +",
		"{connect 1} refused-connection:EPERM end {connect 1} refused-connection:EPERM end "
		"{connect 1} refused-connection:EPERM end refused-connection:EPERM end "
		"{connect 1} refused-connection:EPERM end" },
	{ "as many as a user may have", ROOT, "+ + + + + + + s", "status:127.0.0.1:21" },
	{ "one more than a user may have", ROOT, "+ + + + + + + +",
		"refused-connection:EAGAIN end" },
	{ "a place that is free again", ROOT, "+ + + + + + + X + s", "status:127.0.0.1:21" },

	{ "one request after the other", ROOT, "s s", "status:127.0.0.1:21 status:127.0.0.1:21" },
	{ "while it ends", ROOT, "E s", "status(ending):" },
	{ "idle, but not for long", ROOT, "T9 s T9 s", "status:127.0.0.1:21 status:127.0.0.1:21" },
	{ "idle", ROOT, "T10", "end" },
	{ "all sessions", ROOT, "l0", "sessions:200" },
	{ "later sessions", ROOT, "l390", "sessions:5" },
	{ "all processes", ROOT, "p0", "processes:200" },
	{ "later processes", ROOT, "p198", "processes:2" },

	{ "a session is closed", ROOT, "c8", "{close 0000000000000008 0} close:8 done" },
	{ "a session that is not there", ROOT, "c1000",
		"{close 00000000000003e8 2} refused:ENOENT" },
	{ "a session that is half", ROOT, "c7", "{close 0000000000000007 2} refused:ENOENT" },

	{ "reload", ROOT, "r R", "{reload 0} done" },
	{ "reload that is refused", ROOT, "r R!", "{reload 0} refused:EINVAL" },
	{ "reload of a quick start", ROOT, "e95 r", "{reload 95} refused:EOPNOTSUPP" },
	{ "reload during one", ROOT, "e16 r", "{reload 16} refused:EBUSY" },
	{ "reload that somebody else began", ROOT, "R s", "status:127.0.0.1:21" },
	{ "a reload has time", ROOT, "r T60 R", "{reload 0} done" },
	{ "reload, and the command has gone", ROOT, "r X R", "{reload 0}" },

	{ "save", ROOT, "v W0", "saving order {save ann 0} saved:5" },
	{ "save that the worker cannot do", ROOT, "v W12",
		"saving order {save ann 12} refused:ENOMEM" },
	{ "save, and the worker dies", ROOT, "v Wd", "saving order {save ann 32} refused:EPIPE" },
	{ "save takes its time", ROOT, "v T600 W0", "saving order {save ann 0} saved:5" },
	{ "save, and the command has gone", ROOT, "v X W0", "saving order {save ann 125}" },
	{ "save of real files", ROOT, "vb", "{save bob 95} refused:EOPNOTSUPP" },
	{ "save of nobody", ROOT, "vn", "{save nobody 2} refused:ENOENT" },
	{ "save of one of several", ROOT, "v9", "{save ann 76} refused:ENOTUNIQ" },
	{ "the answer to a save that is over", ROOT, "v W0 W0",
		"saving order {save ann 0} saved:5" },
	{ "one after the other", ROOT, "v W0 v W0",
		"saving order {save ann 0} saved:5 saving order {save ann 0} saved:5" },
	{ "two at a time", ROOT, "v + s", "saving order status:127.0.0.1:21" },
	{ "a request before the answer to the last", ROOT, "v s",
		"saving order {a request before the answer to the last} {save ann 125} end" },
	{ "another, before a reload is done", ROOT, "r r",
		"{reload 0} {a request before the answer to the last} end" },
};

static void
check_row(void **state)
{
	const struct row *row = *state;
	scene_open(&row->peer);
	SCOPE_FREE char *steps = strdup(row->steps);
	struct command *command = command_connect();
	scene_settle();
	for (char *rest = steps, *word; (word = strsep(&rest, " ")) != NULL;) {
		if (word[0] != '\0')
			step(&command, word);
		scene_settle();
	}
	assert_string_equal(scene->log, row->want);
	scene_close();
}

int
main(void)
{
	const struct table tables[] = { TABLE("admins", rows, check_row) };
	return table_run(tables, ARRAY_LENGTH(tables));
}
