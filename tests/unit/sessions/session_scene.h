/*
 * The table of sessions between a fake gateway, a fake auth and a fake worker, with real channels
 * and a clock of its own. What the table does to them is told in the scene's log: order and rights
 * to the worker, attached, refused:WHY, close and abandon to the gateway; doubt, retire, kill and
 * malformed as they are asked for.
 */
#ifndef SALLYPORT_TESTS_UNIT_SESSIONS_SESSION_SCENE_H
#define SALLYPORT_TESTS_UNIT_SESSIONS_SESSION_SCENE_H

#include "policy/sessions/gateways.h"
#include "policy/sessions/workers.h"
#include "policy/supervisor/supervisor.h"

enum { INCARNATION = 7 };

struct session_scene {
	struct supervisor supervisor;
	struct settings settings;
	uint64_t now_ms;
	struct gateway gateway;
	struct process gateway_process;
	struct channel *gateway_side;
	struct worker worker;
	struct process worker_process;
	struct channel *worker_side;
	bool is_held;
	bool is_malformed;
	unsigned ports_left;
	bool is_from_proxy;
	bool is_no_proxy_any_more;
	int control[2];
	int other_control[2];
	unsigned refusals_recorded;
	char notice[128]; /* the last one */
	char log[512];
};

/* The one there is, between open and close. */
extern struct session_scene *scene;

void session_scene_open(void);
void session_scene_close(void);

#endif
