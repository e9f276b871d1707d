/*
 * The pool of passive listeners (see passive.h). Runs in the gateway. Strangers may connect to any
 * of them at any time: what they left there is thrown away before a port is lent and when it comes
 * back, and data.c asks everyone who comes in between for the right address.
 */
#include "gateway/passive.h"

#include "gateway/session.h"
#include "gateway/supervisor.h"
#include "ipc/base/ends.h"
#include "ipc/base/scope.h"

#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/socket.h>

enum {
	DRAINED_AT_ONCE = 64, /* strangers; a port with more is left alone this time */
	ASK_AGAIN_MS = 1000,  /* after a refusal */
	SHRINK_S = 2,         /* how long ports must lie idle before the surplus is closed */
};

struct passive_pool {
	struct gateway *gateway;
	struct passive_port **free_ports;
	uint32_t free_count;
	uint32_t capacity; /* of free_ports: as many as there are ports */
	uint32_t count;    /* of all ports, lent ones included */
	uint32_t asked;    /* requests that are not answered */
	bool is_closed;
	uint64_t refused_ms; /* when the supervisor last had none */
	uint32_t least_free; /* since the timer was armed */
	struct event shrink;
	bool is_shrinking;
	struct session *waiting;
	struct session **waiting_tail;
};

/* ---- random numbers ---- */

/* Below `bound`; the bias of at most bound / 2^32 tells nobody the next port. */
static uint32_t
random_below(uint32_t bound)
{
	static uint32_t numbers[64];
	static size_t left;
	if (left == 0) {
		if (getrandom(numbers, sizeof(numbers), 0) != sizeof(numbers))
			die("no random numbers");
		left = ARRAY_LENGTH(numbers);
	}
	return numbers[--left] % bound;
}

/* ---- ports ---- */

/* True once nobody knocks any more. */
static bool
drain(const struct passive_port *port)
{
	for (int i = 0; i < DRAINED_AT_ONCE; i++) {
		int stranger = accept4(port->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (stranger < 0)
			return true;
		fd_close(&stranger);
	}
	return false;
}

static void
close_port(struct passive_pool *pool, struct passive_port **port)
{
	fd_close(&(*port)->fd);
	free(*port);
	*port = NULL;
	pool->count--;
}

static void
ask(struct passive_pool *pool)
{
	if (supervisor_want_passive(pool->gateway) == 0)
		pool->asked++;
}

/* Not for each port that is lent: most come back before the next is wanted. */
void
passive_fill(struct passive_pool *pool)
{
	uint32_t spare = pool->gateway->settings.passive_spare;
	uint32_t few = (spare + 1) / 2;
	bool was_refused =
		pool->refused_ms != 0 && gateway_now_ms() - pool->refused_ms < ASK_AGAIN_MS;
	if (pool->is_closed || was_refused || pool->free_count + pool->asked >= few)
		return;
	for (uint32_t have = pool->free_count + pool->asked; have < spare; have++)
		ask(pool);
}

/* ---- shrinking ---- */

/*
 * After a rush there are more ports than should be at hand. Those that nobody needed for a while
 * go; closing at once would mean asking anew at the next PASV.
 */
static void
watch_surplus(struct passive_pool *pool)
{
	struct timeval wait = { .tv_sec = SHRINK_S };
	if (pool->is_shrinking || pool->free_count <= pool->gateway->settings.passive_spare)
		return;
	pool->least_free = pool->free_count;
	pool->is_shrinking = event_add(&pool->shrink, &wait) == 0;
}

static void
on_shrink(evutil_socket_t fd, short what, void *argument)
{
	struct passive_pool *pool = argument;
	uint32_t spare = pool->gateway->settings.passive_spare;
	(void)fd;
	(void)what;
	pool->is_shrinking = false;
	for (; pool->least_free > spare && pool->free_count > 0; pool->least_free--)
		close_port(pool, &pool->free_ports[--pool->free_count]);
	watch_surplus(pool);
}

/* ---- taking ---- */

struct passive_port *
passive_take(struct passive_pool *pool)
{
	struct passive_port *taken = NULL;
	if (pool->free_count > 0) {
		uint32_t chosen = random_below(pool->free_count);
		taken = pool->free_ports[chosen];
		pool->free_ports[chosen] = pool->free_ports[--pool->free_count];
		if (pool->free_count < pool->least_free)
			pool->least_free = pool->free_count;
		if (!drain(taken))
			passive_give_back(pool, &taken);
	}
	passive_fill(pool);
	return taken;
}

/* ---- waiting ---- */

static struct session *
pop_waiting(struct passive_pool *pool)
{
	struct session *first = pool->waiting;
	if (first == NULL)
		return NULL;
	pool->waiting = first->data.next_waiting;
	if (pool->waiting == NULL)
		pool->waiting_tail = &pool->waiting;
	first->data.is_waiting = false;
	return first;
}

void
passive_wait(struct passive_pool *pool, struct session *session)
{
	session->data.next_waiting = NULL;
	session->data.is_waiting = true;
	*pool->waiting_tail = session;
	pool->waiting_tail = &session->data.next_waiting;
}

void
passive_stop_waiting(struct passive_pool *pool, struct session *session)
{
	struct session **place = &pool->waiting;
	while (*place != NULL && *place != session)
		place = &(*place)->data.next_waiting;
	if (*place == NULL)
		return;
	*place = session->data.next_waiting;
	if (*place == NULL)
		pool->waiting_tail = place;
	session->data.is_waiting = false;
}

bool
passive_can_wait(const struct passive_pool *pool)
{
	return pool->asked > 0 && !pool->is_closed;
}

/* ---- coming and going ---- */

void
passive_give_back(struct passive_pool *pool, struct passive_port **port)
{
	struct passive_port *given = *port;
	*port = NULL;
	if (given == NULL)
		return;
	if (pool->is_closed) {
		close_port(pool, &given);
		return;
	}
	struct session *session = drain(given) ? pop_waiting(pool) : NULL;
	if (session != NULL) {
		data_passive_ready(session, given);
		return;
	}
	pool->free_ports[pool->free_count++] = given;
	watch_surplus(pool);
}

/* There is room in free_ports for every port that exists. */
static bool
reserve(struct passive_pool *pool)
{
	if (pool->count < pool->capacity)
		return true;
	uint32_t capacity = pool->capacity == 0 ? 16 : pool->capacity * 2;
	struct passive_port **ports =
		reallocarray(pool->free_ports, capacity, sizeof(struct passive_port *));
	if (ports == NULL)
		return false;
	pool->free_ports = ports;
	pool->capacity = capacity;
	return true;
}

void
passive_arrived(struct passive_pool *pool, uint16_t number, int *fd)
{
	int yes = 1;
	if (pool->asked > 0)
		pool->asked--;
	struct passive_port *port = reserve(pool) ? malloc(sizeof(*port)) : NULL;
	if (port == NULL)
		return;
	*port = (struct passive_port){ .fd = fd_take(fd), .number = number };
	/* Inherited by the connections: the last piece of a file does not wait for an answer. */
	setsockopt(port->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
	pool->count++;
	passive_give_back(pool, &port);
}

static void
disappoint_waiting(struct passive_pool *pool)
{
	struct session *session;
	while ((session = pop_waiting(pool)) != NULL)
		data_passive_ready(session, NULL);
}

void
passive_refused(struct passive_pool *pool)
{
	if (pool->asked > 0)
		pool->asked--;
	pool->refused_ms = gateway_now_ms();
	if (pool->asked == 0)
		disappoint_waiting(pool);
}

void
passive_close(struct passive_pool *pool)
{
	pool->is_closed = true;
	disappoint_waiting(pool);
	while (pool->free_count > 0)
		close_port(pool, &pool->free_ports[--pool->free_count]);
	pool->least_free = 0;
}

struct passive_pool *
passive_new(struct gateway *gateway)
{
	struct passive_pool *pool = calloc(1, sizeof(*pool));
	if (pool == NULL)
		return NULL;
	pool->gateway = gateway;
	pool->waiting_tail = &pool->waiting;
	event_assign(&pool->shrink, gateway->base, -1, 0, on_shrink, pool);
	return pool;
}

void
passive_free(struct passive_pool **pool)
{
	if (*pool == NULL)
		return;
	passive_close(*pool);
	event_del(&(*pool)->shrink);
	free((*pool)->free_ports);
	free(*pool);
	*pool = NULL;
}
