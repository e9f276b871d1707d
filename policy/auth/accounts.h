/*
 * The users file as auth needs it: which hash a name is checked against, and the record that tells
 * the supervisor who somebody is.
 */
#ifndef SALLYPORT_POLICY_AUTH_ACCOUNTS_H
#define SALLYPORT_POLICY_AUTH_ACCOUNTS_H

#include "ipc/account.h"
#include "ipc/hash.h"
#include "ipc/verdict.h"

struct accounts;

struct accounts_source {
	int fd;                 /* borrowed; -1 only where a file may be missing */
	struct bytes host;      /* whose users they are; empty: the server's */
	struct bytes file_name; /* for messages */
};

/*
 * Reads the whole users file and checks all of it. `configure` says what users get that say
 * nothing. 0, or negative errno with *reason set (file, line and reason; the caller frees it).
 */
MUST_CHECK int accounts_load(const struct accounts_source *source,
	const struct verdict_configure *configure, struct accounts **result, char **reason);

void accounts_free(struct accounts **accounts);

/*
 * The hash that a password for this untrusted name is checked against; valid as long as the
 * accounts. For a name that may not log in, or is nobody's, it is a stand-in of the usual cost that
 * no password has, so that the time of an answer does not tell which names exist.
 */
struct bytes accounts_hash(const struct accounts *accounts, struct bytes name);

/* Is the certificate one of those that the users file has for this name? */
bool accounts_own(
	const struct accounts *accounts, struct bytes name, const struct hash_proven *certificate);

/* Is that enough for this name to log in? The password is the one that accounts_hash() is of. */
bool accounts_suffice(const struct accounts *accounts, struct bytes name, bool has_password,
	bool has_certificate);

/*
 * The record of a user who may log in; it points into the accounts and is valid until the next
 * call. 0 or -ENOENT.
 */
MUST_CHECK int
accounts_identify(struct accounts *accounts, struct bytes name, struct account_user *result);

#endif
