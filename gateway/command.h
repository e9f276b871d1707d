/*
 * The command table (commands.def) and the one place where a line becomes a command.
 */
#ifndef SALLYPORT_GATEWAY_COMMAND_H
#define SALLYPORT_GATEWAY_COMMAND_H

#include "ipc/base/bytes.h"

#include <stdint.h>

struct session;

enum { COMMAND_VERB_BYTES_MAX = 7 };

enum argument_rule { ARGUMENT_NONE, ARGUMENT_OPTIONAL, ARGUMENT_REQUIRED };

enum command_flag {
	COMMAND_FREE = 1 << 0,     /* also before login */
	COMMAND_FILES = 1 << 1,    /* needs the worker, once logged in */
	COMMAND_LEADS = 1 << 2,    /* may stand between REST or RANG and what uses it: keeps it */
	COMMAND_RESTARTS = 1 << 3, /* uses it up */
	COMMAND_RENAMES = 1 << 4,  /* uses RNFR's path up */
	COMMAND_FACTS = 1 << 5,    /* its feature lists the facts of MLST */
	COMMAND_HASHES = 1 << 6,   /* its feature lists the algorithms of HASH */
	COMMAND_MODE_Z = 1 << 7,   /* its feature is there for those who may have MODE Z */
	COMMAND_TLS = 1 << 8,      /* of no use without TLS, and not offered then */
	COMMAND_SITE = 1 << 9,     /* it has verbs of its own (site.h) */
};

enum command_kind { COMMAND_OFFERED, COMMAND_MISSING, COMMAND_FOREIGN };

struct command {
	const char *verb;
	enum command_kind kind;
	enum argument_rule argument;
	uint32_t flags;
	const char *feature; /* "": none */
	const char *syntax;
	const char *doc;
	/*
	 * Replies, or begins something that will (session_begin()). The argument is what follows
	 * the one blank after the verb, trailing blanks included, and lives for the call.
	 */
	void (*run)(struct session *session, struct bytes argument);
};

/* All of them; ends with a row whose verb is NULL. */
extern const struct command commands[];

/* By its verb in any case; NULL if it is unknown. */
const struct command *command_find(struct bytes verb);

/* Is it offered as the server is configured? */
bool command_is_offered(const struct session *session, const struct command *command);

/* Parts a line at its first blank. */
void command_split(struct bytes line, struct bytes *verb, struct bytes *argument);

/* Is there an argument where one is wanted, and none where none is? If not, replies. */
MUST_CHECK bool command_check_argument(
	struct session *session, const char *verb, enum argument_rule rule, struct bytes argument);

/* Runs one line, now. */
void command_run(struct session *session, struct bytes line);

/* Every function that commands.def names. */
#define COMMAND(verb, function, argument, flags, feature, syntax, doc) \
	void function(struct session *session, struct bytes argument_);
#include "gateway/commands.def"

#endif
