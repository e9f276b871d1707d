/*
 * liar: stands in the place of one of our programs, runs the real one behind itself, passes on all
 * that it says and hears, and tells the lies that a test asks for. Started by a supervisor that
 * takes it for sallyport-gateway, -worker, -auth or -record; runs as that program's user, with no
 * cage of its own. Ends as the program behind it ends.
 *
 * In its own folder it finds `real`, a link to the folder of a build, and `deeds`, with lines
 *	ROLE WHO DEED			(deed.h)
 * where WHO is a number, the how manieth process of that role since the test began; of a worker
 * USER-NUMBER, the how manieth of that user. Each notes in `starts` which one it is: a link from
 * ROLE-WHO to its pid.
 */
#include "ipc/attach.h"
#include "ipc/base/ends.h"
#include "ipc/base/scope.h"
#include "tests/hostile/deed.h"

#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>

enum { CHANNEL_FD = 3, DEEDS_MAX = 64, STARTS_MAX = 1000 };

/* The roles that it can stand for. */
static const struct part {
	const char *program;
	const char *place; /* in a build */
	enum role role;
	const char *channel;
} parts[] = {
	{ "sallyport-gateway", "gateway/sallyport-gateway", ROLE_GATEWAY, "gate" },
	{ "sallyport-worker", "worker/sallyport-worker", ROLE_WORKER, "attach" },
	{ "sallyport-auth", "policy/auth/sallyport-auth", ROLE_AUTH, "verdict" },
	{ "sallyport-record", "policy/record/sallyport-record", ROLE_RECORD, "ledger" },
};

/* Channels that reach the program in a message of another one. */
static const struct {
	const char *through;
	const char *message;
	const char *channel;
} gifts[] = {
	{ "gate", "auth", "verify" },
	{ "gate", "record", "event" },
	{ "gate", "attached", "pathio" },
	{ "attach", "record", "event" },
	{ "attach", "attach", "pathio" },
	{ "verdict", "gateway", "verify" },
	{ "verdict", "record", "event" },
	{ "ledger", "writer", "event" },
};

static char folder[PATH_MAX];
static char who[NAME_MAX];
static struct deed deeds[DEEDS_MAX];
static unsigned deed_count;

static const struct part *
find_part(const char *program)
{
	for (size_t i = 0; i < ARRAY_LENGTH(parts); i++)
		if (strcmp(parts[i].program, program) == 0)
			return &parts[i];
	die("%s is no program of ours", program);
}

static char *
in_folder(const char *name)
{
	char *path;
	if (asprintf(&path, "%s/%s", folder, name) < 0)
		die("no memory for a path");
	return path;
}

/* ---- which deeds are ours ---- */

/* "" or "eve-", to which the number is added. */
static void
number_start(const struct part *part, const char *user)
{
	char pid[32];
	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	for (int number = 1; number < STARTS_MAX; number++) {
		char name[2 * NAME_MAX];
		snprintf(who, sizeof(who), "%s%d", user, number);
		snprintf(name, sizeof(name), "starts/%s-%s", role_name(part->role), who);
		SCOPE_FREE char *path = in_folder(name);
		if (symlink(pid, path) == 0)
			return;
		if (errno != EEXIST)
			die("%s: %s", path, strerror(errno));
	}
	die("too many starts");
}

static void
read_deeds(const struct part *part)
{
	SCOPE_FREE char *path = in_folder("deeds");
	SCOPE_FREE char *line = NULL;
	size_t capacity = 0;
	FILE *file = fopen(path, "re");
	if (file == NULL)
		die("%s: %s", path, strerror(errno));
	while (getline(&line, &capacity, file) > 0) {
		char *rest;
		const char *role = strtok_r(line, " \n", &rest);
		const char *whose = strtok_r(NULL, " \n", &rest);
		if (role == NULL || whose == NULL || strcmp(role, role_name(part->role)) != 0 ||
			strcmp(whose, who) != 0)
			continue;
		ensure(deed_count < DEEDS_MAX);
		deed_parse(&deeds[deed_count++], rest);
		line = NULL; /* the deed's now */
		capacity = 0;
	}
	fclose(file);
}

/* A worker's user is known from its first message, of which no deed can come too late. */
static void
learn_user(const struct wire *wire, const struct parcel *parcel)
{
	struct attach_configure told;
	struct bytes body = bytes_of(
		parcel->data + MESSAGE_HEADER_BYTES, parcel->length - MESSAGE_HEADER_BYTES);
	if (who[0] != '\0')
		return;
	if (parcel_word(parcel, 0) != ATTACH_CONFIGURE ||
		wire_decode(&attach_configure_record, body, &told, NULL) < 0)
		die("a worker that is not configured first");
	char user[NAME_MAX];
	snprintf(user, sizeof(user), "%.*s-", (int)told.user.name.length, told.user.name.data);
	number_start(find_part("sallyport-worker"), user);
	read_deeds(find_part("sallyport-worker"));
	(void)wire;
}

/* ---- what passes ---- */

static bool
is_lied_on(const struct protocol *protocol)
{
	for (unsigned i = 0; i < deed_count; i++)
		if (deeds[i].protocol == protocol)
			return true;
	return false;
}

/* Puts us on a channel that passes inward, if there is something to do on it. */
static void
take_gift(struct relay *relay, const struct wire *wire, struct parcel *parcel)
{
	uint32_t code = parcel_word(parcel, 0);
	if (parcel->count != 1 || code >= wire->protocol->messages->count)
		return;
	for (size_t i = 0; i < ARRAY_LENGTH(gifts); i++) {
		if (strcmp(gifts[i].through, wire->protocol->name) != 0 ||
			strcmp(gifts[i].message, wire->protocol->messages->rules[code].name) != 0)
			continue;
		const struct protocol *protocol = relay_protocol(gifts[i].channel);
		if (is_lied_on(protocol))
			parcel->descriptors[0] = relay_add(
				relay, protocol, wire->inner_role, parcel->descriptors[0]);
	}
}

static bool
pass(struct relay *relay, struct wire *wire, bool is_outward, struct parcel *parcel)
{
	if (!is_outward)
		learn_user(wire, parcel);
	deed_note(wire, parcel);
	if (!is_outward)
		take_gift(relay, wire, parcel);
	for (unsigned i = 0; i < deed_count; i++)
		if (!deed_do(&deeds[i], relay, wire, is_outward, parcel))
			return false;
	return true;
}

/* ---- the program behind ---- */

/* It may not outlive the liar, also one that was killed before this line. */
NORETURN static void
become_real(const struct part *part, pid_t liar, int channel_fd)
{
	char place[128];
	snprintf(place, sizeof(place), "real/%s", part->place);
	char *const path = in_folder(place);
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || dup2(channel_fd, CHANNEL_FD) < 0)
		die("cannot prepare %s: %s", path, strerror(errno));
	if (getppid() != liar)
		_exit(1);
	execv(path, (char *const[]){ path, NULL });
	die("%s: %s", path, strerror(errno));
}

NORETURN static void
end_as(pid_t child)
{
	int status;
	if (waitpid(child, &status, 0) < 0)
		die("waitpid: %s", strerror(errno));
	if (WIFSIGNALED(status)) {
		signal(WTERMSIG(status), SIG_DFL);
		raise(WTERMSIG(status));
	}
	_exit(WEXITSTATUS(status));
}

int
main(int count, char **arguments)
{
	static struct relay relay = { .pass = pass };
	(void)count;
	const struct part *part = find_part(basename(arguments[0]));
	ends_set_program(part->program);
	ssize_t length = readlink("/proc/self/exe", folder, sizeof(folder) - 1);
	if (length < 0)
		die("/proc/self/exe: %s", strerror(errno));
	folder[length] = '\0';
	snprintf(folder, sizeof(folder), "%s", dirname(strdup(folder)));
	if (part->role != ROLE_WORKER) {
		number_start(part, "");
		read_deeds(part);
	}
	int outer_fd = fcntl(CHANNEL_FD, F_DUPFD_CLOEXEC, CHANNEL_FD + 1);
	int inner_fd = relay_add(&relay, relay_protocol(part->channel), part->role, outer_fd);
	pid_t liar = getpid(), child = fork();
	if (child < 0)
		die("fork: %s", strerror(errno));
	if (child == 0)
		become_real(part, liar, inner_fd);
	fd_close(&inner_fd);
	close(CHANNEL_FD);
	SCOPE_FD int process_fd = pidfd_open(child, 0);
	if (process_fd < 0)
		die("pidfd_open: %s", strerror(errno));
	relay_run(&relay, process_fd);
	end_as(child);
}
