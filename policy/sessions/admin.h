/*
 * One connection to the admin socket, and what the files about it (admins.c, admin_*.c) do for each
 * other; others see admins.h.
 */
#ifndef SALLYPORT_POLICY_SESSIONS_ADMIN_H
#define SALLYPORT_POLICY_SESSIONS_ADMIN_H

#include "ipc/admin.h"
#include "policy/rules/limits.h"
#include "policy/sessions/admins.h"

#include <stdbool.h>
#include <sys/queue.h>

enum admin_waits {
	ADMIN_IDLE,    /* it may ask */
	ADMIN_RELOADS, /* for the loader, then for auth */
	ADMIN_SAVES,   /* for a worker */
};

struct admin {
	LIST_ENTRY(admin) link;
	struct admins *admins;
	struct channel *channel;
	uint32_t uid, pid;
	enum admin_waits waits;
	uint64_t deadline_ms; /* while idle */
	uint32_t tag;         /* of the request */

	/* Of a save. */
	const struct worker *worker;
	uint32_t save_tag;
	char account[512];
};
LIST_HEAD(admin_list, admin);

struct admins {
	struct supervisor *supervisor;
	struct admin_list list;
	unsigned count;
	uint32_t last_save;
	uint64_t started_ms;
	struct often turned_away;
};

/* A request begins; false: it came too early, and the connection ends. */
bool admin_begin(struct admin *admin, const struct message *message);

/* Answers of its request: with the result of a post, `done`, or a refusal in words. */
void admin_answered(struct admin *admin, int post_result);
void admin_done(struct admin *admin);
void admin_refuse(struct admin *admin, int error, const char *format, ...) PRINTF_LIKE(3, 4);

/* To the record: who asked for what; error: positive errno, or 0. */
void admin_record(const struct admin *admin, const char *request, struct bytes about, int error);

/* Handlers of its channel: admin_lists.c, admin_save.c, sessions_admin.c. */
void admin_on_ask_status(void *owner, struct message *message, const struct admin_ask_status *body);
void admin_on_ask_processes(
	void *owner, struct message *message, const struct admin_ask_processes *body);
void
admin_on_ask_sessions(void *owner, struct message *message, const struct admin_ask_sessions *body);
void admin_on_close_session(
	void *owner, struct message *message, const struct admin_close_session *body);
void admin_on_save(void *owner, struct message *message, const struct admin_save *body);

#endif
