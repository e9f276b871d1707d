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
 *	data open	connects to the port of the last 227 or 229
 *	data listen	for PORT (in "@PORT") and EPRT (in "@EPORT")
 *	data accept	the server connects to it
 *	data send text	and "data end" closes in good order, "data reset" by a reset
 *	data is text	reads to the end: it is exactly that
 *	data gone	the data connection is closed without a byte
 *	crowd N		so many more connections; "crowd 0" closes them all, "hangups N" so many
 *	logins N	the same, and each logs in
 *	rush N		so many connections that are closed at once
 *	flood N text	the line so many times, or as often as fits
 *	fail request ERRNO	the worker's next such request fails
 *	late request	such requests wait; "release" ends that
 *	late verdict	auth's verdicts wait; "verdicts" ends that
 *	worker text	the requests that the worker has had since the last time, to their end
 *	asked N		auth was asked about so many passwords
 *	host NAME	about the last of them at that host
 *	attached N	so many sessions were attached; "sessions N" are there
 *	worker dies	"auth dies", "auth returns"
 *	worker raves	it answers what nobody asked
 *	supervisor dies	"supervisor drains", "supervisor closes" the session that was attached last
 *	complaints N	so many the supervisor has heard
 *	no mode z	who logs in from now on may not have it
 *	events text	what was told to record holds that
 *	record sleeps	and reads nothing; "record wakes" ends that
 *	refuse reason	the supervisor gives no worker, for that reason (choices.def)
 *	refuse none	it gives one again
 *	settle		the loop turns until nothing happens any more
 *	wait MS		so long
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
