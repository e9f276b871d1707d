/*
 * sallyport-worker in its cage, started as the supervisor starts it: the test plays the supervisor,
 * record and a gateway.
 */
#ifndef SALLYPORT_TESTS_UNIT_WORKER_PROGRAM_WORLD_H
#define SALLYPORT_TESTS_UNIT_WORKER_PROGRAM_WORLD_H

#include "ipc/attach.h"
#include "ipc/pathio.h"

#include <sys/types.h>

enum { PROGRAM_SAVE_TAG = 9 }; /* of the only request to save */

/* The worker's file, which main() opens: its folder may be closed to the worker's user. */
extern int program_world_file;

struct program_world {
	struct event_base *base;
	struct channel *worker;
	struct channel *record;
	struct pathio *io;
	struct pathio_wait wait;
	char home[64];
	pid_t pid;
	bool ready;
	bool pong;
	bool gone;        /* end of file on the supervisor's channel, */
	bool record_gone; /* and on record's */
	bool is_saved;
	struct attach_saved saved;
	char failed[1024];
	char loaded[256]; /* a notice that is expected */
	uint64_t ended;
	uint32_t events;
};

/* Starts it. `home` NULL: a new folder; `load` as memory_load. */
struct program_world *program_world_new(const char *backend, const char *home, const char *load);

/* A record, and a session with all rights, seen from the gateway: ->io. */
void program_world_attach(struct program_world *world);

/* Runs the loop until something is told, and at most for the time of liveness. */
void program_world_run(struct program_world *world);

/* Until that is true; the worker must still be there. */
void program_world_wait(struct program_world *world, const bool *what);

/* Ends the supervisor's side; the worker must leave with that status. */
void program_world_free(struct program_world *world, int want_status);

#endif
