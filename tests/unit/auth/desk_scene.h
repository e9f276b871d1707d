/*
 * Auth's desk with stand-ins around it, for tests: a pool that counts instead of hashing, a gateway
 * and a supervisor that note in `log` what they hear, and a record that can be full.
 */
#ifndef SALLYPORT_TESTS_UNIT_AUTH_DESK_SCENE_H
#define SALLYPORT_TESTS_UNIT_AUTH_DESK_SCENE_H

#include "ipc/verify.h"
#include "policy/auth/desk.h"
#include "policy/auth/pool.h"
#include "tests/table.h"

#include <string.h>

enum { INCARNATION = 7 };

#define FINGERPRINT       "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define OTHER_FINGERPRINT "ff112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

struct pool {
	struct pool_options options;
	unsigned computed, proved, renewed;
	char proof[256];
	void *request;
	char hash[256];
	char secret[256];
	bool matches;
};

extern struct pool the_pool;

/* It has computed, or checked a proof: of a certificate with that fingerprint, called so or not. */
void pool_finish(enum pool_result result);
void pool_finish_proof(enum pool_result result, const char *fingerprint, const char *called);

struct scene {
	struct event_base *base;
	struct events events;
	struct desk *desk;
	struct channel *to_supervisor;
	struct channel *supervisor; /* the other ends */
	struct channel *gateway;
	int record;
	char log[256]; /* what arrived where, in order */
};

/* A new one, in *state. */
int scene_open(void **state);
void scene_close(struct scene *scene);

/* Everything that is on its way arrives. */
void scene_settle(struct scene *scene);

/* A gateway asks, in the session and the attempt with the tag's number. */
void scene_type_password_at(
	struct scene *scene, const char *host, uint32_t tag, const char *name, const char *secret);
void scene_type_password(struct scene *scene, uint32_t tag, const char *name, const char *secret);

#endif
