/*
 * Every row of every channel, in both directions and both phases: what breaks a rule never reaches
 * a handler, the receiver is told which rule, and no descriptor stays behind (ipc/channel.h,
 * DESIGN 3).
 */
#include "ipc/base/ends.h"
#include "ipc/base/scope.h"
#include "ipc/channel.h"
#include "ipc/protocol.h"
#include "tests/descriptors.h"
#include "tests/hostile/assault.h"

#include <stdlib.h>

enum { TURNS = 4, CODES_MAX = 128, ASSAULTS_MAX = 64 };

/* What is at the other end. */
struct victim {
	struct event_base *base;
	struct channel *channel;
	bool is_closed;
	const char *malformed;
};

static void
on_closed(void *owner, const char *malformed)
{
	struct victim *victim = owner;
	victim->is_closed = true;
	victim->malformed = malformed;
}

/* Stands for every handler, whatever its message. */
NORETURN static void
on_message(void *owner, struct message *message, const void *body)
{
	(void)owner;
	(void)message;
	(void)body;
	fail_msg("%s", "it reached a handler");
	abort();
}

/* A table's struct of handlers, seen as what it is: function pointers in a row. */
static const void *
handlers(void)
{
	static struct {
		void (*each[CODES_MAX])(void *owner, struct message *message, const void *body);
	} all;
	for (size_t i = 0; i < CODES_MAX; i++)
		all.each[i] = on_message;
	return &all;
}

/* The role that hears what `sender` says there. */
static enum role
receiver_of(const struct message_table *messages, enum role sender)
{
	for (size_t i = 0; i < PROTOCOL_COUNT; i++) {
		const struct protocol *protocol = &protocols[i];
		if (protocol->messages != messages)
			continue;
		uint32_t ends = protocol->ends[(protocol->ends[0] & SENT_BY(sender)) != 0];
		for (enum role role = ROLE_SUPERVISOR; role < ROLE_COUNT; role++)
			if ((ends & SENT_BY(role)) != 0)
				return role;
	}
	bug("%s is no channel", messages->name);
}

static const char *
strike(const struct malformed_list *list, size_t index)
{
	int descriptors = count_descriptors();
	struct victim victim = { .base = event_base_new() };
	const struct channel_options options = {
		.base = victim.base,
		.messages = list->messages,
		.our_role = receiver_of(list->messages, list->sender),
		.peer_role = list->sender,
		.phase = list->phase,
		.handlers = handlers(),
		.owner = &victim,
		.closed = on_closed,
	};
	int ends[2];
	assert_int_equal(channel_pair(ends), 0);
	assert_int_equal(channel_new(&options, &ends[0], &victim.channel), 0);
	assert_int_equal(malformed_send(list, index, ends[1]), 0);
	for (int i = 0; i < TURNS; i++)
		event_base_loop(victim.base, EVLOOP_NONBLOCK);
	channel_free(&victim.channel);
	event_base_free(victim.base);
	fd_close(&ends[1]);
	assert_int_equal(count_descriptors(), descriptors);
	return victim.is_closed ? victim.malformed : "";
}

static void
add(struct assault *assaults, size_t *count, const struct protocol *protocol, enum role sender,
	enum message_phase phase)
{
	static char names[ASSAULTS_MAX][64];
	ensure(*count < ASSAULTS_MAX);
	snprintf(names[*count], sizeof(names[*count]), "%s, from %s, %s", protocol->name,
		role_name(sender), phase == PHASE_STARTING ? "starting" : "serving");
	assaults[*count] = (struct assault){
		.name = names[*count],
		.messages = protocol->messages,
		.sender = sender,
		.phase = phase,
		.strike = strike,
	};
	++*count;
}

int
main(void)
{
	static struct assault assaults[ASSAULTS_MAX];
	size_t count = 0;
	for (size_t i = 0; i < PROTOCOL_COUNT; i++)
		for (enum role sender = ROLE_SUPERVISOR; sender < ROLE_COUNT; sender++) {
			if (((protocols[i].ends[0] | protocols[i].ends[1]) & SENT_BY(sender)) == 0)
				continue;
			add(assaults, &count, &protocols[i], sender, PHASE_STARTING);
			add(assaults, &count, &protocols[i], sender, PHASE_SERVING);
		}
	return assault_run(assaults, count);
}
