/*
 * Whose users are asked for at which virtual host (RFC 7151): those of the host's own file, or the
 * server's. The same name in two files is two people.
 */
#ifndef SALLYPORT_POLICY_AUTH_REALMS_H
#define SALLYPORT_POLICY_AUTH_REALMS_H

#include "policy/auth/accounts.h"

struct realms;

/*
 * The server's users from `fd`, checked whole. The configuration gives the file's name and what
 * users that say nothing get. 0, or negative errno with *reason set, as accounts_load().
 */
MUST_CHECK int realms_new(
	int fd, const struct verdict_configure *configure, struct realms **result, char **reason);

/*
 * A host with the server's users, or with its own, from `fd` (borrowed, as above). 0; -EEXIST if
 * there is one of that name already; as realms_new().
 */
MUST_CHECK int realms_add(struct realms *realms, const struct accounts_source *source,
	const struct verdict_configure *configure, char **reason);

void realms_free(struct realms **realms);

/* The users at that untrusted host ("": the server), NULL if there is no such host. */
struct accounts *realms_find(const struct realms *realms, struct bytes host);

/* As accounts_hash(); at a host that is none nobody may log in. */
struct bytes realms_hash(const struct realms *realms, struct bytes host, struct bytes name);

#endif
