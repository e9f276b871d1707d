/*
 * The supervisor as a whole: what its modules share, and its life from start to end. Made once;
 * lives as long as the process.
 */
#ifndef SALLYPORT_POLICY_SUPERVISOR_SUPERVISOR_H
#define SALLYPORT_POLICY_SUPERVISOR_SUPERVISOR_H

#include "policy/cage/launch.h"
#include "policy/sessions/configuration.h"
#include "policy/supervisor/admin_socket.h"
#include "policy/supervisor/processes.h"

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>

/* What ends at each stage; the next one comes when nothing of it is left. */
enum supervisor_stage { STAGE_RUN, STAGE_GATEWAYS, STAGE_WORKERS, STAGE_RECORD };

struct supervisor {
	struct event_base *base;
	struct cage_identity own; /* who we are */
	struct launch_program programs[ROLE_COUNT];
	struct launch_ground ground;
	char *const *load_arguments; /* of the loader, NULL-terminated */
	bool quick;
	struct settings *settings;
	struct process_list processes;

	struct admin_socket admin_socket;
	char *cage; /* which walls of a worker stand; NULL: not known yet */

	struct admins *admins;
	struct record *record;
	struct auth *auth;
	struct keys *keys; /* NULL: no certificates */
	struct gateways *gateways;
	struct workers *workers;
	struct sessions *sessions;
	struct listeners *listeners;

	uint64_t bind_until_ms; /* a port was taken at the start; 0: none was yet */
	unsigned awaited;       /* record, auth and gateways that were never ready yet */
	bool loading;
	enum supervisor_stage stage;
	int exit_status;
};

/* Milliseconds of the monotonic clock. */
uint64_t supervisor_now_ms(void);

/* Cores that this process may use. */
unsigned supervisor_cores(void);

/* The identity of the processes of a role: from the configuration as root, else our own. */
struct cage_identity supervisor_identity(const struct supervisor *supervisor, enum role role);

/* An event of the supervisor's own: a code of event.def with its struct. */
void supervisor_event(struct supervisor *supervisor, uint32_t code, const void *event);

/* A service is ready for the first time: with the last of them the server is. */
void supervisor_service_ready(struct supervisor *supervisor);

/* The start cannot go on: says why, and who (or NULL), and ends. */
void supervisor_give_up(struct supervisor *supervisor, const char *who, const char *reason);

/*
 * Reads configuration and users again, and opens the logs anew; admins_reloaded() follows. 0;
 * -ENOTSUP: a quick start has none; -EBUSY: not now; or another negative errno.
 */
MUST_CHECK int supervisor_reload(struct supervisor *supervisor);

/* A child has ended: the next stage of the end may begin. */
void supervisor_child_ended(struct supervisor *supervisor);

/*
 * Runs until a signal ends it; returns the exit status. `load_arguments` are those of the loader.
 */
MUST_CHECK int supervisor_run(char *const *load_arguments, bool quick);

#endif
