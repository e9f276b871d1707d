/*
 * Waiting login attempts (see queue.h). Runs in auth, on addresses that gateways claim: a lie moves
 * an attempt to another line and gains no more than the gateway's part of the total allows.
 */
#include "policy/auth/queue.h"

#include "ipc/base/ends.h"

#include <errno.h>
#include <stdlib.h>

/* One client address; in the ring while something of it waits. */
struct line {
	struct line *next;
	uint8_t ip[16];
	unsigned count;
	struct attempt *first;
};

struct queue {
	unsigned per_address;
	unsigned total;
	unsigned count;
	struct line *last; /* of a ring: last->next is the next to be served */
};

void
attempt_free(struct attempt **attempt)
{
	if (*attempt == NULL)
		return;
	if ((*attempt)->secret != NULL)
		explicit_bzero((*attempt)->secret, (*attempt)->secret_length);
	free((*attempt)->secret);
	free((*attempt)->proof);
	free((*attempt)->host);
	free((*attempt)->name);
	free(*attempt);
	*attempt = NULL;
}

int
queue_new(unsigned per_address, unsigned total, struct queue **result)
{
	struct queue *queue = calloc(1, sizeof(*queue));
	if (queue == NULL)
		return -ENOMEM;
	queue->per_address = per_address;
	queue->total = total;
	*result = queue;
	return 0;
}

void
queue_free(struct queue **queue)
{
	if (*queue == NULL)
		return;
	for (struct attempt *attempt; (attempt = queue_take(*queue)) != NULL;)
		attempt_free(&attempt);
	free(*queue);
	*queue = NULL;
}

static struct line *
find_line(const struct queue *queue, const struct wire_address *peer)
{
	struct line *line = queue->last;
	if (line == NULL)
		return NULL;
	do {
		if (memcmp(line->ip, peer->ip, sizeof(line->ip)) == 0)
			return line;
		line = line->next;
	} while (line != queue->last);
	return NULL;
}

static struct line *
add_line(struct queue *queue, const struct wire_address *peer)
{
	struct line *line = calloc(1, sizeof(*line));
	if (line == NULL)
		return NULL;
	memcpy(line->ip, peer->ip, sizeof(line->ip));
	line->next = queue->last == NULL ? line : queue->last->next;
	if (queue->last != NULL)
		queue->last->next = line;
	queue->last = line;
	return line;
}

static unsigned
count_of(const struct queue *queue, const void *asker)
{
	unsigned count = 0;
	const struct line *line = queue->last;
	if (line == NULL)
		return 0;
	do {
		for (const struct attempt *a = line->first; a != NULL; a = a->next)
			count += a->asker == asker;
		line = line->next;
	} while (line != queue->last);
	return count;
}

int
queue_add(struct queue *queue, struct attempt **attempt, unsigned askers)
{
	struct line *line = find_line(queue, &(*attempt)->peer);
	unsigned part = (queue->total + askers - 1) / askers;
	if (queue->count >= queue->total || count_of(queue, (*attempt)->asker) >= part ||
		(line != NULL && line->count >= queue->per_address))
		return -EAGAIN;
	if (line == NULL)
		line = add_line(queue, &(*attempt)->peer);
	if (line == NULL)
		return -ENOMEM;
	struct attempt **end = &line->first;
	while (*end != NULL)
		end = &(*end)->next;
	*end = *attempt;
	(*attempt)->next = NULL;
	*attempt = NULL;
	line->count++;
	queue->count++;
	return 0;
}

/* Takes the line after `before` out of the ring. */
static void
remove_line(struct queue *queue, struct line *before)
{
	struct line *line = before->next;
	ensure(line->count == 0);
	if (line == before) {
		queue->last = NULL;
	} else {
		before->next = line->next;
		if (queue->last == line)
			queue->last = before;
	}
	free(line);
}

struct attempt *
queue_take(struct queue *queue)
{
	if (queue->last == NULL)
		return NULL;
	struct line *line = queue->last->next;
	struct attempt *attempt = line->first;
	line->first = attempt->next;
	attempt->next = NULL;
	line->count--;
	queue->count--;
	if (line->count == 0)
		remove_line(queue, queue->last);
	else
		queue->last = line;
	return attempt;
}

static void
withdraw_from_line(struct queue *queue, struct line *line, const void *asker, uint64_t session,
	uint32_t number)
{
	for (struct attempt **place = &line->first; *place != NULL;) {
		struct attempt *attempt = *place;
		bool is_meant = attempt->asker == asker &&
				(session == 0 ||
					(attempt->session == session && attempt->number == number));
		if (!is_meant) {
			place = &attempt->next;
			continue;
		}
		*place = attempt->next;
		line->count--;
		queue->count--;
		attempt_free(&attempt);
	}
}

void
queue_withdraw(struct queue *queue, const void *asker, uint64_t session, uint32_t number)
{
	struct line *before = queue->last;
	unsigned lines = 0;
	if (before == NULL)
		return;
	do
		lines++;
	while ((before = before->next) != queue->last);
	while (lines-- > 0) {
		withdraw_from_line(queue, before->next, asker, session, number);
		if (before->next->count == 0)
			remove_line(queue, before);
		else
			before = before->next;
	}
}
