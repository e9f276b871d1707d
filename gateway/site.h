/*
 * The table of SITE verbs (site.def; RFC 959 4.1.3).
 */
#ifndef SALLYPORT_GATEWAY_SITE_H
#define SALLYPORT_GATEWAY_SITE_H

#include "gateway/command.h"

enum site_flag {
	SITE_COMMON = 1 << 0, /* every server has it: not in FEAT */
	SITE_COPIES = 1 << 1, /* uses CPFR's path up */
};

struct site_verb {
	const char *verb;
	enum argument_rule argument;
	uint32_t flags;
	const char *syntax;
	const char *doc;
	/* As that of a command (command.h). */
	void (*run)(struct session *session, struct bytes argument);
};

/* All of them; ends with a row whose verb is NULL. */
extern const struct site_verb site_verbs[];

/* By its verb in any case; NULL if it is unknown. */
const struct site_verb *site_find(struct bytes verb);

/* Lines of FEAT. */
void site_add_features(struct session *session);

/* Every function that site.def names. */
#define SITE(verb, function, argument, flags, syntax, doc) \
	void function(struct session *session, struct bytes argument_);
#include "gateway/site.def"

#endif
