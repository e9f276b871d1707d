/*
 * The table of sessions (sessions.h) in its scene. A row is a history and what the scene's log has
 * of it.
 *
 *	A1.2 V1.2	attach, and verdict, of session 1 in attempt 2
 *	a1.2 B1.2	attach from another address, verdict for another user
 *	H1.2		verdict for the user of that name at a virtual host
 *	C1 R1 P1	session closed; reattach; complain
 *	T9		9 s pass
 *	Wr Wd Wp	the worker becomes ready, dies, answers a ping
 *	Wh Ws		the next one is held back; it hangs in the kernel and is given up
 *	p1.2 n1.2	attach by a proxy, which names 192.0.2.session; and names nobody
 *	f1.2 N		the same claim about a client who came directly; it is no proxy any more
 *	Gd X1		the gateway dies; the control socket is gone
 *	Un Ur Ui Uh	users reloaded: gone, with other rights, with another uid, gone at hosts
 */
#include "policy/sessions/sessions.h"
#include "tests/table.h"
#include "tests/unit/sessions/session_scene.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- steps ---- */

static struct account_user
make_user(const char *name, uint32_t uid)
{
	return (struct account_user){
		.name = bytes_of_text(name),
		.uid = uid,
		.gid = 2000,
		.home = bytes_of_text("/home/ann"),
		.backend = bytes_of_text("sync"),
		.path_threads = 4,
		.sessions_max = 2,
	};
}

static void
step_session(char verb, uint64_t id, uint32_t attempt)
{
	struct message message = { .tag = 1, .descriptor = scene->control[1] };
	struct gate_attach attach = { .session = id, .attempt = attempt };
	const struct gate_reattach reattach = { .session = id };
	const struct gate_session_closed closed = { .session = id };
	const struct gate_complain complain = { .session = id };
	const struct verdict_identified identified = { .session = id,
		.attempt = attempt,
		.user = make_user(verb == 'B' ? "bob" : "ann", 2000) };
	struct verdict_identified at_host = identified;
	at_host.user.host = bytes_of_text("example.org");
	switch (verb) {
	case 'A':
		sessions_on_attach(&scene->gateway_process, &message, &attach);
		return;
	case 'a':
		message.descriptor = scene->other_control[1];
		sessions_on_attach(&scene->gateway_process, &message, &attach);
		return;
	case 'p':
	case 'n':
	case 'f':
		scene->is_from_proxy = verb != 'f';
		message.descriptor = scene->other_control[1];
		if (verb != 'n')
			attach.claimed = (struct wire_address){
				.ip = { [10] = 0xff, 0xff, 192, 0, 2, (uint8_t)id }, .port = 4000
			};
		sessions_on_attach(&scene->gateway_process, &message, &attach);
		scene->is_from_proxy = false;
		return;
	case 'B':
	case 'V':
		sessions_identify(scene->supervisor.sessions, &identified);
		return;
	case 'H':
		sessions_identify(scene->supervisor.sessions, &at_host);
		return;
	case 'R':
		sessions_on_reattach(&scene->gateway_process, &message, &reattach);
		return;
	case 'C':
		scene->ports_left = 0;
		sessions_on_closed(&scene->gateway_process, &message, &closed);
		assert_int_equal(scene->ports_left, 1);
		return;
	case 'P':
		sessions_on_complain(&scene->gateway_process, &message, &complain);
		return;
	case 'X':
		message.descriptor = -1;
		sessions_on_attach(&scene->gateway_process, &message, &attach);
		return;
	default:
		fail_msg("no step %c", verb);
	}
}

static void
step_worker(char what)
{
	struct denial denial;
	switch (what) {
	case 'r':
		scene->worker_process.state = PROCESS_SERVING;
		sessions_worker_ready(scene->supervisor.sessions, &scene->worker);
		return;
	case 'd':
	case 's':
		scene->worker_process.state = what == 's' ? PROCESS_STUCK : PROCESS_STARTING;
		account_deny(&denial, REFUSAL_HOME, ENOENT, "died");
		sessions_worker_ended(scene->supervisor.sessions, &scene->worker, &denial);
		return;
	case 'p':
		sessions_worker_answered(scene->supervisor.sessions, &scene->worker);
		return;
	case 'h':
		scene->is_held = true;
		return;
	default:
		fail_msg("no step W%c", what);
	}
}

static void
step_users(char what)
{
	struct sessions *sessions = scene->supervisor.sessions;
	struct account_user user = make_user("ann", what == 'i' ? 2001 : 2000);
	struct bytes host, name;
	sessions_begin_review(sessions);
	while (sessions_next_to_review(sessions, &host, &name)) {
		assert_true(bytes_equal_text(name, "ann"));
		user.host = host;
		bool is_gone = what == 'n' || (what == 'h' && host.length > 0);
		sessions_review(sessions, host, name, is_gone ? NULL : &user);
	}
}

static void
step(const char *word)
{
	char *end;
	unsigned long number = strtoul(word + 1, &end, 10);
	uint32_t attempt = *end == '.' ? (uint32_t)strtoul(end + 1, NULL, 10) : 0;
	if (word[0] == 'W') {
		step_worker(word[1]);
	} else if (word[0] == 'U') {
		step_users(word[1]);
	} else if (word[0] == 'G') {
		sessions_drop_gateway(scene->supervisor.sessions, &scene->gateway);
	} else if (word[0] == 'N') {
		scene->is_no_proxy_any_more = true;
	} else if (word[0] == 'T') {
		for (; number > 0; number--) {
			scene->now_ms += 1000;
			sessions_tick(scene->supervisor.sessions);
		}
	} else {
		step_session(word[0], (uint64_t)INCARNATION << 32 | number, attempt);
	}
	event_base_loop(scene->supervisor.base, EVLOOP_NONBLOCK);
	event_base_loop(scene->supervisor.base, EVLOOP_NONBLOCK);
}

struct session_row {
	const char *name;
	const char *steps;
	const char *want;
};

static const struct session_row session_rows[] = {
	{ "verdict, attach, ready", "V1.1 A1.1 Wr", "attached1 order1" },
	{ "attach, verdict, ready", "A1.1 V1.1 Wr", "attached1 order1" },
	{ "the worker is there already", "Wr A1.1 V1.1", "attached1 order1" },
	{ "attach without a verdict", "Wr A1.1 T11", "refused:no-verdict" },
	{ "verdict comes too late", "Wr A1.1 T11 V1.1", "refused:no-verdict" },
	{ "attach comes too late", "Wr V1.1 T11 A1.1 T11", "refused:no-verdict" },
	{ "a verdict of another attempt", "Wr V1.2 A1.1 T11", "refused:no-verdict" },
	{ "a verdict is used once", "Wr V1.1 A1.1 C1 A1.1", "attached1 order1 refused:no-verdict" },
	{ "the control connection is gone", "Wr V1.1 X1.1", "refused:none" },
	{ "attach twice", "Wr V1.1 A1.1 A1.2", "attached1 order1 malformed" },
	{ "attach twice while one waits", "A1.1 A1.2", "malformed" },
	{ "another login of the connection", "Wr V1.1 A1.1 C1 V1.2 A1.2",
		"attached1 order1 attached1 order1" },
	{ "its verdict overtakes the end of the first", "Wr V1.1 A1.1 V1.2 C1 A1.2",
		"attached1 order1 attached1 order1" },
	{ "closed before its verdict", "Wr A1.1 C1 V1.1", "" },
	{ "closed while its worker starts", "A1.1 V1.1 C1 Wr", "" },
	{ "closed twice", "Wr V1.1 A1.1 C1 C1", "attached1 order1" },
	{ "the worker cannot start", "A1.1 V1.1 Wd", "refused:home-unavailable" },
	{ "the worker is held back", "Wh A1.1 V1.1", "refused:worker-unavailable" },
	{ "a refused session may log in again", "A1.1 V1.1 Wd A1.2 V1.2 Wr",
		"refused:home-unavailable attached1 order1" },
	{ "reattach after the worker's death", "Wr V1.1 A1.1 Wd R1 Wr",
		"attached1 order1 attached1 order1" },
	{ "reattach before we know of the death", "Wr V1.1 A1.1 R1 Wd Wr",
		"attached1 order1 doubt attached1 order1" },
	{ "reattach while the worker lives", "Wr V1.1 A1.1 R1 Wp",
		"attached1 order1 doubt refused:worker-unavailable" },
	{ "reattach of nobody", "R1", "refused:none" },
	{ "reattach of half a session", "V1.1 R1", "refused:none" },
	{ "reattach after the end", "Wr V1.1 A1.1 C1 R1", "attached1 order1 refused:none" },
	{ "reattach while one waits", "Wr V1.1 A1.1 R1 R1", "attached1 order1 doubt refused:none" },
	{ "reattach four times in a minute", "Wr V1.1 A1.1 Wd R1 Wr Wd R1 Wr Wd R1 Wr Wd R1",
		"attached1 order1 attached1 order1 attached1 order1 attached1 order1 "
		"refused:too-often" },
	{ "reattach once more after the minute",
		"Wr V1.1 A1.1 Wd R1 Wr Wd R1 Wr Wd R1 Wr Wd T60 R1 Wr",
		"attached1 order1 attached1 order1 attached1 order1 attached1 order1 "
		"attached1 order1" },
	{ "reattach that is refused can be tried again", "Wr V1.1 A1.1 Wd R1 Wd R1 Wr",
		"attached1 order1 refused:home-unavailable attached1 order1" },
	{ "a complaint", "Wr V1.1 A1.1 P1", "attached1 order1 doubt" },
	{ "a worker hangs and is given up", "Wr V1.1 A1.1 P1 Ws R1 Wr",
		"attached1 order1 doubt abandon1 attached1 order1" },
	{ "a complaint without a worker", "Wr V1.1 A1.1 Wd P1", "attached1 order1" },
	{ "a complaint of nobody", "P1", "" },
	{ "too many of the user", "Wr V1.1 A1.1 V2.1 A2.1 V3.1 A3.1",
		"attached1 order1 attached2 order2 refused:too-many-sessions-of-user" },
	{ "one of the same name at a host is somebody else", "Wr V1.1 A1.1 V2.1 A2.1 H3.1 a3.1",
		"attached1 order1 attached2 order2 attached3 order3" },
	{ "too many from an address", "Wr V1.1 A1.1 B2.1 A2.1 B3.1 A3.1",
		"attached1 order1 attached2 order2 refused:too-many-sessions-from-address" },
	{ "others come from elsewhere", "Wr V1.1 A1.1 B2.1 A2.1 B3.1 a3.1",
		"attached1 order1 attached2 order2 attached3 order3" },
	{ "by a proxy", "Wr V1.1 p1.1", "attached1 order1c" },
	{ "by a proxy that names nobody", "Wr V1.1 n1.1", "attached1 order1" },
	{ "claimed, and came by no proxy", "Wr V1.1 f1.1", "malformed" },
	{ "by a proxy that is none since a reload", "Wr V1.1 N p1.1", "refused:none" },
	{ "by a proxy, and each has an address of its own", "Wr V1.1 p1.1 B2.1 p2.1 V3.1 p3.1",
		"attached1 order1c attached2 order2c attached3 order3c" },
	{ "by a proxy, and none has one", "Wr V1.1 n1.1 B2.1 n2.1 B3.1 n3.1",
		"attached1 order1 attached2 order2 refused:too-many-sessions-from-address" },
	{ "too many in all", "Wr V1.1 A1.1 B2.1 A2.1 B3.1 a3.1 V4.1 a4.1",
		"attached1 order1 attached2 order2 attached3 order3 refused:too-many-sessions" },
	{ "one ends, one begins", "Wr V1.1 A1.1 V2.1 A2.1 C1 V3.1 A3.1",
		"attached1 order1 attached2 order2 attached3 order3" },
	{ "the gateway dies", "Wr V1.1 A1.1 V2.1 A2.1 Gd R1 V3.1 A3.1",
		"attached1 order1 attached2 order2 refused:none attached3 order3" },
	{ "time is up", "Wr V1.1 A1.1 T99 C1", "attached1 order1" },
	{ "time is up, and it is closed", "Wr V1.1 A1.1 T100 C1 T20", "attached1 order1 close1" },
	{ "time is up, and it is kept", "Wr V1.1 A1.1 T110", "attached1 order1 close1 kill" },
	{ "time is up while it is lost", "Wr V1.1 A1.1 Wd T100", "attached1 order1 close1" },
	{ "time goes on across a reattach", "Wr V1.1 A1.1 T60 Wd R1 Wr T40",
		"attached1 order1 attached1 order1 close1" },
	{ "users reloaded: gone", "Wr V1.1 A1.1 V2.1 A2.1 Un",
		"attached1 order1 attached2 order2 close1 close2" },
	{ "users reloaded: other rights", "Wr V1.1 A1.1 Ur", "attached1 order1 rights1" },
	{ "users reloaded: another uid", "Wr V1.1 A1.1 Ui", "attached1 order1 retire rights1" },
	{ "users reloaded: gone at a host only", "Wr V1.1 A1.1 H2.1 A2.1 Uh",
		"attached1 order1 attached2 order2 close2 rights1" },
	{ "users reloaded: nobody is here", "Ur", "" },
	{ "users reloaded: gone, and an attach comes to the verdict of before", "Wr V1.1 Un A1.1",
		"refused:no-verdict" },
	{ "users reloaded: another uid, and so for a verdict that waits", "Wr V1.1 Ui A1.1 Ui",
		"attached1 order1 rights1" },
	{ "users reloaded: gone, and its verdict for another login with it",
		"Wr V1.1 A1.1 V1.2 Un C1 A1.2", "attached1 order1 close1 refused:no-verdict" },
	{ "users reloaded: gone, and logs in as another user", "Wr V1.1 Un B1.2 A1.2",
		"attached1 order1" },
	{ "users reloaded: other rights while the worker is doubted", "Wr V1.1 A1.1 R1 Ur Wp",
		"attached1 order1 doubt rights1 refused:worker-unavailable" },
	{ "another gateway's session is dropped", "Wr V1.1", "" },
};

static int
compare_words(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* What one step brings on two channels comes in any order: sorted, it is one text. */
static void
sort_words(char *text)
{
	char *words[8] = { NULL }, copy[512];
	size_t count = 0;
	memcpy(copy, text, strlen(text) + 1);
	char *rest = copy;
	for (char *word; (word = strsep(&rest, " ")) != NULL;)
		words[count++] = word;
	qsort(words, count, sizeof(words[0]), compare_words);
	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			*text++ = ' ';
		text = stpcpy(text, words[i]);
	}
}

static void
check_session(void **state)
{
	const struct session_row *row = *state;
	char steps[256];
	session_scene_open();
	snprintf(steps, sizeof(steps), "%s", row->steps);
	char *rest = steps;
	for (char *word; (word = strsep(&rest, " ")) != NULL;) {
		size_t before = strlen(scene->log);
		step(word);
		if (strlen(scene->log) > before)
			sort_words(scene->log + before + (before > 0));
	}
	assert_string_equal(scene->log, row->want);
	session_scene_close();
}

/* A gateway may have itself refused as fast as it likes: that does not fill the record. */
static void
check_refusals(void **state)
{
	char word[16];
	(void)state;
	session_scene_open();
	for (unsigned i = 1; i <= 1000; i++) {
		snprintf(word, sizeof(word), "X%u.1", i);
		step(word);
		assert_string_equal(scene->log, "refused:none");
		scene->log[0] = '\0';
	}
	assert_int_equal(scene->refusals_recorded, 64);
	assert_string_equal(scene->notice, "");
	step("T1");
	assert_string_equal(scene->notice, "936 more logins without a verdict were refused to the "
					   "gateway of sessions 00000007...");
	step("X2000.1");
	assert_int_equal(scene->refusals_recorded, 65);
	scene->notice[0] = '\0';
	step("T1");
	assert_string_equal(scene->notice, "");
	for (unsigned i = 0; i < 65; i++) {
		step("X3000.1");
		scene->log[0] = '\0';
	}
	step("Gd");
	assert_string_equal(scene->notice, "1 more logins without a verdict were refused to the "
					   "gateway of sessions 00000007...");
	/* Who has been vouched for is told whatever else happens. */
	for (unsigned i = 0; i < 64; i++) {
		step("X4000.1");
		scene->log[0] = '\0';
	}
	scene->refusals_recorded = 0;
	step("Wh");
	step("V1.1");
	step("A1.1");
	assert_string_equal(scene->log, "refused:worker-unavailable");
	assert_int_equal(scene->refusals_recorded, 1);
	session_scene_close();
}

int
main(void)
{
	const struct table tables[] = {
		TABLE("session", session_rows, check_session),
		CASE("refusals without a verdict are counted", check_refusals),
	};
	return table_run(tables, ARRAY_LENGTH(tables));
}
