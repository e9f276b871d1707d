/*
 * Dialogues as text: what a client says and what it must hear, with what happens around it. One
 * step a line:
 *
 *	> text		the client sends the line; "> @LOGIN" logs in; \xNN, \r, \0 may stand in it
 *	>> text		the same without CRLF
 *	< text		the next line of the server begins so
 *	<< text		the next line that begins so; those before it are skipped
 *	= closed	the connection ends
 *	= nothing	nothing arrives
 *	urgent text	sent as TCP urgent data
 *	connect		another control connection, in place of this one
 *	another		the same, and this one stays
 *	half		the client shuts its side; "hang" closes it
 *	data open	connects to the port of the last 227 or 229; "data listen" for PORT (in
 *"@PORT") data accept	the server connects to it data send text	"data end" closes in good
 *order, "data reset" by a reset data is text	reads to the end: it is exactly that data gone	the
 *data connection is closed without a byte fail request ERRNO	the worker's next such request fails
 *	late request	such requests wait; "release" ends that
 *	worker text	the requests that the worker has had since the last time, to their end
 *	asked N		auth was asked about so many passwords; "host NAME": about the last at that
 *host worker dies	"auth dies", "auth returns" worker raves	it answers what nobody asked
 *	supervisor dies	"supervisor drains", "supervisor closes" the session that was attached last
 *	no mode z	who logs in from now on may not have it
 *	events text	what was told to record holds that
 *	refuse reason	the supervisor gives no worker, for that reason (choices.def); "none" ends
 *it settle		the loop turns until nothing happens any more
 *	intruders	come to the shared port that was left; "ports left N": so often it was
 *	claimed text	the address that the supervisor was told, or "nobody"
 *	received text	what the last upload held
 *	parts left N	each combine leaves so many
 */
#ifndef SALLYPORT_TESTS_UNIT_GATEWAY_SCRIPT_H
#define SALLYPORT_TESTS_UNIT_GATEWAY_SCRIPT_H

#include "tests/unit/gateway/house.h"

/* Runs it in a house that is open; fails the running cmocka case where it does not hold. */
void script_run(struct house *house, const char *script);

#endif
