/*
 * A session to test: an instance over a tree of its own, in this process or across a channel as a
 * gateway has it, with the events that were recorded and socketpairs for transfers.
 */
#ifndef SALLYPORT_TESTS_UNIT_WORKER_SESSION_H
#define SALLYPORT_TESTS_UNIT_WORKER_SESSION_H

#include "ipc/pathio.h"
#include "tests/table.h"
#include "tests/unit/worker/calls.h"
#include "worker/instance.h"
#include "worker/nursery.h"
#include "worker/serve.h"

#include <event2/event.h>
#include <pthread.h>

enum { RECORDED_MAX = 256 };

/* An event as the observer or the record's end of the channel got it. */
struct recorded {
	char name[32];
	char path[256];
	char destination[256];
	int error;
	uint64_t bytes;
};

struct session {
	struct event_base *base;
	struct event_base *worker_base; /* the same, unless it is led */
	char folder[64];                /* the root of a kernel tree, "" of a memory tree */
	int root_fd;
	struct nursery *nursery;
	struct instance_totals totals;
	struct pathio *io;
	struct pathio *other; /* of session_make_other() */
	struct pathio_wait wait;
	struct recorded recorded[RECORDED_MAX];
	size_t recorded_count;
	bool count_only; /* too many to keep */

	/* Across a channel only. */
	struct recorder *recorder;
	struct serve *serve;
	struct channel *record;
	uint32_t last_sequence;
	uint64_t ended; /* the session that ended last */
	bool closed;    /* the gateway's end */

	/* Led only. */
	pthread_t dispatcher;
	struct event *stop;
	int stop_fds[2];
	uint32_t progress_count;
	uint64_t progress_bytes;
};

/* What the session may do where; ends with a NULL folder. */
struct session_right {
	const char *folder;
	uint32_t bits;
};

/* Where a session lives: over which backend, carried out by whom, and whether across a channel. */
struct session_world {
	const struct backend *backend;
	uint32_t threads; /* 0: on the loop */
	bool remote;
	bool holds;  /* with `remote`: answers, until serve_flush() */
	bool is_led; /* with `remote`: so it does, on a loop of its own, led by its threads */
	uint32_t deadline_ms; /* of the worker's side; 0: none */
	enum symlink_policy symlinks;
	bool without_mode_z;
};

/* Across a channel with its record open. */
struct session *session_new_in(const struct session_world *world);

/* `rights` NULL: everything everywhere. */
struct session *session_new(const struct backend *backend, const struct session_right *rights,
	uint32_t stall_timeout_ms);
struct session *session_new_across(const struct backend *backend);
void session_free(struct session *session);

/* Across a channel: gives the recorder its channel; until then every session waits. */
void session_open_record(struct session *session);

/* Across a channel: one more session, with the gateway's end of its channel. */
void session_attach(struct session *session, uint64_t id, int *gateway_fd);

/*
 * Another instance over the same tree, across a channel if the session is: ->other, freed with the
 * session.
 */
void session_make_other(struct session *session);

struct rights *session_rights(const struct session_right *rights);

/*
 * Runs the loop until the submitted call is done: its error, with the body in session->wait. For a
 * call that is to be waited for at once see calls.h.
 */
int session_finish(struct session *session, uint32_t tag);

/* The tree, behind the session's back. */
struct tree *session_tree(struct session *session);

/* A file with these bytes, made behind the session's back. */
void session_plant(struct session *session, const char *path, const void *content, size_t length);

/* A folder, likewise. */
void session_plant_folder(struct session *session, const char *path);

/* A connected pair of stream sockets, both non-blocking. */
void session_pair(int ends[2]);

#endif
