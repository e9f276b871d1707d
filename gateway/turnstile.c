/*
 * Logins in turn (see turnstile.h). Runs in the gateway. There are never more sessions waiting than
 * connections without a login, which are limited by address.
 */
#include "gateway/turnstile.h"

#include "gateway/census.h"
#include "gateway/session.h"

#include <errno.h>
#include <stdlib.h>

/* One that is hashed and one that follows at once, for each gateway, of which each core has one. */
enum { VERIFYING_PER_ADDRESS = 2 };

struct turnstile {
	struct census *verifying;
	struct session *first; /* in the order of their coming */
	struct session **last;
};

struct turnstile *
turnstile_new(void)
{
	struct turnstile *turnstile = calloc(1, sizeof(*turnstile));
	if (turnstile == NULL)
		return NULL;
	turnstile->last = &turnstile->first;
	turnstile->verifying = census_new();
	if (turnstile->verifying == NULL)
		turnstile_free(&turnstile);
	return turnstile;
}

void
turnstile_free(struct turnstile **turnstile)
{
	if (*turnstile == NULL)
		return;
	census_free(&(*turnstile)->verifying);
	free(*turnstile);
	*turnstile = NULL;
}

static void
wait_behind(struct turnstile *turnstile, struct session *session)
{
	session->waits = WAITS_FOR_TURN;
	session->login.next_waiting = NULL;
	*turnstile->last = session;
	turnstile->last = &session->login.next_waiting;
}

bool
turnstile_enter(struct session *session)
{
	struct turnstile *turnstile = session->gateway->turnstile;
	if (session->login.is_inside)
		return true;
	int error = census_enter(turnstile->verifying, &session->peer, VERIFYING_PER_ADDRESS);
	if (error == -EUSERS)
		wait_behind(turnstile, session);
	session->login.is_inside = error == 0;
	return error != -EUSERS;
}

static void
remove_waiting(struct turnstile *turnstile, struct session **place)
{
	struct session *session = *place;
	*place = session->login.next_waiting;
	if (*place == NULL)
		turnstile->last = place;
	session->waits = WAITS_FOR_NOTHING;
}

/* The place itself goes to the next: who is called and leaves at once passes it on as well. */
void
turnstile_leave(struct session *session)
{
	struct turnstile *turnstile = session->gateway->turnstile;
	struct session **place = &turnstile->first;
	if (!session->login.is_inside)
		return;
	session->login.is_inside = false;
	while (*place != NULL && !census_is_same(&(*place)->peer, &session->peer))
		place = &(*place)->login.next_waiting;
	if (*place == NULL) {
		census_leave(turnstile->verifying, &session->peer);
		return;
	}
	struct session *next = *place;
	remove_waiting(turnstile, place);
	next->login.is_inside = true;
	session_wake(next);
}

void
turnstile_give_up(struct session *session)
{
	struct turnstile *turnstile = session->gateway->turnstile;
	struct session **place = &turnstile->first;
	if (session->waits != WAITS_FOR_TURN)
		return;
	while (*place != session)
		place = &(*place)->login.next_waiting;
	remove_waiting(turnstile, place);
}
