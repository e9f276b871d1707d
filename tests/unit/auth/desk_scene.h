/*
 * Auth's desk with everything around it: a supervisor, a gateway and a record at the other ends of
 * its channels, two virtual hosts, and a pool that counts instead of hashing.
 */
#ifndef SALLYPORT_TESTS_UNIT_AUTH_DESK_SCENE_H
#define SALLYPORT_TESTS_UNIT_AUTH_DESK_SCENE_H

#include "policy/auth/desk.h"
#include "policy/auth/events.h"
#include "policy/auth/pool.h"

enum { INCARNATION = 7 };

/* Computes nothing: the test says when it is done, and what came out. */
struct pool {
	struct pool_options options;
	unsigned computed;
	void *request;
	char hash[256];
};

extern struct pool the_pool;

struct desk_scene {
	struct event_base *base;
	struct events events;
	struct desk *desk;
	struct channel *to_supervisor;
	struct channel *supervisor; /* the other ends */
	struct channel *gateway;
	int record;
	char log[256]; /* what arrived where, in order */
};

struct desk_scene *desk_scene_open(void);
void desk_scene_close(struct desk_scene *scene);

/* Everything that is on its way arrives. */
void desk_scene_settle(struct desk_scene *scene);

/* A login attempt, which has arrived; at the server itself, or at a host. */
void desk_scene_type(struct desk_scene *scene, uint32_t tag, const char *name, const char *secret);
void desk_scene_type_at(struct desk_scene *scene, const char *host, uint32_t tag, const char *name,
	const char *secret);

/* What is computed comes to this. */
void pool_finish(enum pool_result result);

#endif
