/*
 * The admin socket's connections (see admins.h). Runs in the supervisor as root, on requests of
 * local users whom the operator trusts with them, and with nothing else: messages are well-formed
 * when they come here, carry no descriptor, and name sessions and users that may not be there. On
 * failure the one request is refused, or the one connection ends.
 */
#include "policy/sessions/admin.h"

#include "ipc/base/scope.h"
#include "ipc/event.h"
#include "policy/sessions/record.h"
#include "policy/supervisor/supervisor.h"

#include <stdarg.h>
#include <stdio.h>

enum { ADMINS_MAX = 16, OF_USER_MAX = 8, IDLE_MS = 10000 };

/* ---- answers ---- */

static void
settle(struct admin *admin)
{
	admin->waits = ADMIN_IDLE;
	admin->worker = NULL;
	admin->deadline_ms = supervisor_now_ms() + IDLE_MS;
}

void
admin_answered(struct admin *admin, int post_result)
{
	/* One who does not even take an answer is not worth another word. */
	if (post_result < 0)
		channel_reject(admin->channel, "an answer that could not be sent");
	settle(admin);
}

void
admin_done(struct admin *admin)
{
	const struct admin_done body = { 0 };
	admin_answered(admin, admin_post_done(admin->channel, admin->tag, &body));
}

void
admin_refuse(struct admin *admin, int error, const char *format, ...)
{
	char reason[1024];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(reason, sizeof(reason), format, arguments);
	va_end(arguments);
	const struct admin_refused body = { .error = (uint16_t)error,
		.reason = bytes_of_text(reason) };
	admin_answered(admin, admin_post_refused(admin->channel, admin->tag, &body));
}

void
admin_record(const struct admin *admin, const char *request, struct bytes about, int error)
{
	const struct event_administered event = {
		.severity = error == EPERM ? SEVERITY_WARNING : SEVERITY_INFO,
		.by_uid = admin->uid,
		.by_pid = admin->pid,
		.request = bytes_of_text(request),
		.about = about,
		.error = (uint16_t)error,
	};
	record_event(admin->admins->supervisor->record, EVENT_ADMINISTERED, &event);
}

bool
admin_begin(struct admin *admin, const struct message *message)
{
	if (admin->waits != ADMIN_IDLE) {
		channel_reject(admin->channel, "a request before the answer to the last");
		return false;
	}
	admin->tag = message->tag;
	return true;
}

/* ---- reload ---- */

static void
on_reload(void *owner, struct message *message, UNUSED const struct admin_reload *body)
{
	struct admin *admin = owner;
	struct supervisor *supervisor = admin->admins->supervisor;
	if (!admin_begin(admin, message))
		return;
	int error = supervisor_reload(supervisor);
	admin_record(admin, "reload", bytes_of_text(""), -error);
	if (error == 0)
		admin->waits = ADMIN_RELOADS;
	else if (error == -ENOTSUP)
		admin_refuse(admin, ENOTSUP, "a quick start has no configuration to read again");
	else if (error == -EBUSY)
		admin_refuse(admin, EBUSY, "it is starting, ending, or reading them already");
	else
		admin_refuse(admin, -error, "no loader: %s", strerror(-error));
}

void
admins_reloaded(struct admins *admins, struct bytes refusal)
{
	struct admin *admin;
	if (admins == NULL)
		return;
	LIST_FOREACH(admin, &admins->list, link)
	{
		if (admin->waits != ADMIN_RELOADS)
			continue;
		if (refusal.length == 0)
			admin_done(admin);
		else
			admin_refuse(admin, EINVAL, "refused, what was in force stays: %.*s",
				(int)refusal.length, refusal.data);
	}
}

/* ---- connections ---- */

static const struct admin_handlers handlers = {
	.ask_status = admin_on_ask_status,
	.ask_processes = admin_on_ask_processes,
	.ask_sessions = admin_on_ask_sessions,
	.close_session = admin_on_close_session,
	.save = admin_on_save,
	.reload = on_reload,
};

static void
forget(struct admin *admin)
{
	if (admin->waits == ADMIN_SAVES)
		admin_record(admin, "save", bytes_of_text(admin->account), ECANCELED);
	LIST_REMOVE(admin, link);
	admin->admins->count--;
	channel_free(&admin->channel);
	free(admin);
}

static void
on_closed(void *owner, const char *malformed)
{
	struct admin *admin = owner;
	if (malformed != NULL) {
		const struct event_malformed event = {
			.severity = SEVERITY_WARNING,
			.peer = PROCESS_ADMIN,
			.peer_pid = admin->pid,
			.rule = bytes_of_text(malformed),
		};
		record_event(admin->admins->supervisor->record, EVENT_MALFORMED, &event);
	}
	forget(admin);
}

static int
add(struct admins *admins, const struct admin_peer *peer, int *fd, struct admin **result)
{
	struct admin *admin = calloc(1, sizeof(*admin));
	if (admin == NULL)
		return -ENOMEM;
	*admin = (struct admin){ .admins = admins, .uid = peer->uid, .pid = peer->pid };
	const struct channel_options options = {
		.base = admins->supervisor->base,
		.messages = &admin_messages,
		.our_role = ROLE_SUPERVISOR,
		.peer_role = ROLE_ADMIN,
		.phase = PHASE_SERVING,
		.handlers = &handlers,
		.owner = admin,
		.closed = on_closed,
	};
	int error = channel_new(&options, fd, &admin->channel);
	if (error < 0) {
		free(admin);
		return error;
	}
	LIST_INSERT_HEAD(&admins->list, admin, link);
	admins->count++;
	settle(admin);
	*result = admin;
	return 0;
}

static bool
is_permitted(const struct supervisor *supervisor, const struct admin_peer *peer)
{
	const struct value_group *group = &supervisor->settings->config->admin_group;
	if (peer->uid == 0 || peer->uid == supervisor->own.uid)
		return true;
	bool is_member = group->resolved && peer->gid == group->gid;
	for (size_t i = 0; i < peer->group_count; i++)
		is_member = is_member || (group->resolved && peer->groups[i] == group->gid);
	return is_member;
}

static unsigned
count_of(const struct admins *admins, uint32_t uid)
{
	unsigned count = 0;
	const struct admin *admin;
	LIST_FOREACH(admin, &admins->list, link)
	count += admin->uid == uid;
	return count;
}

/* Who keeps knocking is recorded three times a minute. */
static void
turn_away(struct admin *admin)
{
	struct admins *admins = admin->admins;
	uint64_t now_ms = supervisor_now_ms();
	if (!often_is_reached(&admins->turned_away, now_ms))
		admin_record(admin, "connect", bytes_of_text(""), EPERM);
	often_note(&admins->turned_away, now_ms);
	admin_refuse(admin, EPERM,
		"only root, the server's own user and members of admin_group may do this");
	forget(admin);
}

void
admins_admit(struct admins *admins, const struct admin_peer *peer, int *fd)
{
	bool is_full = admins->count >= ADMINS_MAX || count_of(admins, peer->uid) >= OF_USER_MAX;
	struct admin *admin;
	if (add(admins, peer, fd, &admin) < 0) {
		fd_close(fd);
		return;
	}
	if (!is_permitted(admins->supervisor, peer)) {
		turn_away(admin);
	} else if (is_full) {
		admin_refuse(admin, EAGAIN, "too many connections to the admin socket");
		forget(admin);
	}
}

void
admins_tick(struct admins *admins)
{
	uint64_t now_ms = supervisor_now_ms();
	struct admin *next, *admin = LIST_FIRST(&admins->list);
	for (; admin != NULL; admin = next) {
		next = LIST_NEXT(admin, link);
		if (admin->waits == ADMIN_IDLE && now_ms >= admin->deadline_ms)
			forget(admin);
	}
}

int
admins_new(struct supervisor *supervisor, struct admins **result)
{
	struct admins *admins = calloc(1, sizeof(*admins));
	if (admins == NULL)
		return -ENOMEM;
	admins->supervisor = supervisor;
	admins->started_ms = supervisor_now_ms();
	*result = admins;
	return 0;
}
