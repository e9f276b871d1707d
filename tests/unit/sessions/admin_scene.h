/*
 * The books of the admin socket between commands, a worker and a clock of their own, for
 * test_admins.c, which says what the steps are.
 */
#ifndef SALLYPORT_TESTS_UNIT_SCENE_SESSIONS_ADMIN_SCENE_H
#define SALLYPORT_TESTS_UNIT_SCENE_SESSIONS_ADMIN_SCENE_H

#include "ipc/admin.h"
#include "policy/sessions/admins.h"
#include "policy/sessions/session.h"
#include "policy/sessions/workers.h"
#include "policy/supervisor/supervisor.h"
#include "tests/unit/supervisor/sides.h"

enum { SCENE_OWN_UID = 1000, SCENE_ADMIN_GID = 44 };
enum { SCENE_SESSIONS = 200, SCENE_PROCESSES = 200, SCENE_COMMANDS_MAX = 20 };

struct command {
	struct channel *channel;
	uint32_t tag;
	int stream;
	unsigned rows; /* of lists so far */
	uint64_t last;
	bool is_last;
};

struct scene {
	struct supervisor supervisor;
	struct settings settings;
	struct sessions sessions;
	uint64_t now_ms;
	struct process worker_process;
	struct worker worker;
	struct account *ann, *bob, *longest;
	struct channel *worker_side;
	uint32_t save_tag;
	int reload_error;
	struct admin_peer peer;
	struct command commands[SCENE_COMMANDS_MAX];
	unsigned count;
	char name[512]; /* as long as a user's name with a host can be */
	char log[2048];
};

/* The one that is played. */
extern struct scene *scene;

/* Adds a word to scene->log. */
#define scene_note(...) sides_note(scene->log, sizeof(scene->log), __VA_ARGS__)

void scene_open(const struct admin_peer *peer);
void scene_close(void);

/* Lets everybody handle what has come. */
void scene_settle(void);

/* Connects as scene->peer (admin_command.c). */
struct command *command_connect(void);

/* One request, named by its step's letter and what follows it; a list is asked for to its end. */
void command_ask(struct command *command, char what, const char *rest);

#endif
