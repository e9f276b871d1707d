/*
 * What the files of the house share: house.c with auth and record, house_supervisor.c and
 * house_worker.c. For these only.
 */
#ifndef SALLYPORT_TESTS_UNIT_GATEWAY_HOUSE_PRIVATE_H
#define SALLYPORT_TESTS_UNIT_GATEWAY_HOUSE_PRIVATE_H

#include "tests/unit/gateway/house.h"

/* Puts "name path; " behind the text; a path of no bytes is left out. */
void house_note(char text[HOUSE_TEXT_BYTES], const char *name, struct bytes path);

/* A channel to the gateway with our end as `ours`; the gateway's end is the caller's. */
int house_open_channel(struct house *house, const struct message_table *messages, enum role role,
	const void *handlers, struct channel **ours);

/* A new channel of the worker, in the place of the one before; the gateway's end is the caller's.
 */
int house_open_worker(struct house *house);

/* The supervisor's channel with the settings, and what comes last of all: proxies and listener. */
void house_open_supervisor(struct house *house);
void house_open_door(struct house *house);

/* Nobody waits at the shared port any more. */
void house_close_port(struct house *house);

#endif
