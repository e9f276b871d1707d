/*
 * What the files of the script share: script.c, which reads the steps, script_control.c and
 * script_data.c for the client's connections, script_around.c for everything else. For these only.
 */
#ifndef SALLYPORT_TESTS_UNIT_GATEWAY_SCRIPT_PRIVATE_H
#define SALLYPORT_TESTS_UNIT_GATEWAY_SCRIPT_PRIVATE_H

#include "tests/table.h"
#include "tests/unit/gateway/script.h"

enum {
	SCRIPT_TEXT_BYTES = 64 * 1024,
	SCRIPT_TURN_MS = 20,
	SCRIPT_CROWD_MAX = 64,
};

struct client {
	struct house *house;
	const char *step; /* for messages */
	int control_fd;
	int data_fd;
	int listener_fd;
	uint16_t port;     /* of the last 227 or 229 */
	uint16_t our_port; /* of the listener */
	bool is_closed;
	int crowd[SCRIPT_CROWD_MAX];
	size_t crowd_count;
	size_t length; /* of input */
	char input[SCRIPT_TEXT_BYTES];
};

/*
 * One kind of step, done by one of the three. A word that ends in a blank goes with a rest; any
 * other is the whole step.
 */
struct script_step {
	const char *word; /* NULL behind the last of a table */
	void (*run)(struct client *client);
	void (*run_rest)(struct client *client, const char *rest);
	void (*run_house)(struct house *house);
};

extern const struct script_step script_control_steps[];
extern const struct script_step script_data_steps[];
extern const struct script_step script_around_steps[];

/* The case has failed, and says at which step. */
NORETURN PRINTF_LIKE(2, 3) void script_fail(const struct client *client, const char *format, ...);

/* Resolves \xNN, \r, \n, \0 and @PORT; the result, no longer than the text and five, is binary. */
size_t script_unescape(const struct client *client, const char *text, char *result);

/* The loop turns until everybody waits for the client. */
void script_settle(struct client *client);

/* A new control connection, in place of the one there is. */
void script_open_control(struct client *client);

/* The client's connections end. */
void script_close(struct client *client);

#endif
