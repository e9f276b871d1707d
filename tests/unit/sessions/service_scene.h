/*
 * The supervisor's link to one of its services, over a real channel to a fake of it, with a clock
 * of its own: what the tests of auth, keys and record have in common. There is one at a time.
 */
#ifndef SALLYPORT_TESTS_UNIT_SESSIONS_SERVICE_SCENE_H
#define SALLYPORT_TESTS_UNIT_SESSIONS_SERVICE_SCENE_H

#include "policy/supervisor/supervisor.h"
#include "tests/unit/supervisor/sides.h"

struct service_scene {
	struct supervisor supervisor;
	struct settings settings;
	struct process process; /* the last that was started */
	const struct process_duty *duty;
	struct channel *side; /* its own */
	unsigned started;
	uint64_t now_ms;
	char log[512];
};

extern struct service_scene *scene;

#define note(...) sides_note(scene->log, sizeof(scene->log), __VA_ARGS__)

/* `handlers` of the fake, which reads nothing before service_scene_turn(). */
void service_scene_open(const struct message_table *messages, enum role role, const void *handlers);
void service_scene_close(void);

/* The process is ready; it has ended, of itself. */
void service_scene_ready(void);
void service_scene_end(void);

/* What is under way arrives. */
void service_scene_turn(void);

#endif
