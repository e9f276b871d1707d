/*
 * Sessions of a worker: each is a channel to a gateway, with an instance that carries out what the
 * channel asks for. Requests are begun in the order in which they come and answered under their
 * tags. The end of the channel is the end of the session; a malformed message ends that session and
 * no other (DECISIONS 21).
 */
#ifndef SALLYPORT_WORKER_SERVE_H
#define SALLYPORT_WORKER_SERVE_H

#include "worker/nursery.h"
#include "worker/recorder.h"

struct serve;

struct serve_options {
	struct event_base *base;
	struct nursery *nursery;   /* outlives it, as the recorder does */
	struct recorder *recorder; /* its `resumed` calls serve_resume() */
	uint32_t deadline_ms;      /* these three as of struct instance_options */
	uint32_t slow_deadline_ms;
	uint32_t stall_timeout_ms;
	struct bytes user;
	bool holds; /* small answers wait for serve_flush() */
	/* A session has ended and its files are closed. From the loop. */
	void (*ended)(void *owner, uint64_t session);
	void *owner;
};

/* 0 or -ENOMEM. */
MUST_CHECK int serve_new(const struct serve_options *options, struct serve **result);

/* Ends all sessions, without a word to `ended`. Sets *serve to NULL. NULL is fine. */
void serve_free(struct serve **serve);

/* A session to be served: who it is. */
struct serve_client {
	uint64_t session;
	struct wire_address peer;
	bool is_claimed; /* by a proxy */
};

/*
 * Takes *fd and *rights. A session that is still served ends first: its gateway has closed that
 * channel (REIN, and the login after it), and what says so has only not been read yet. 0 or
 * negative errno.
 */
MUST_CHECK int serve_attach(
	struct serve *serve, const struct serve_client *client, struct rights **rights, int *fd);

/* Takes *rights; a session that has ended meanwhile is no error. */
void serve_change_rights(struct serve *serve, uint64_t session, struct rights **rights);

size_t serve_count(const struct serve *serve);

/*
 * Between two rounds of the loop: what was answered since the last time goes out, so that a gateway
 * that asked for several things in one breath is woken once. `serve` is a struct serve.
 */
void serve_flush(void *serve);

/* The recorder waits no longer. */
void serve_resume(struct serve *serve);

#endif
