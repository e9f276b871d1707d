/*
 * The users file: who may log in, with which password hash, as whom, where, and with which rights.
 *
 *	name:hash:uid:gid:comment:home:words
 *
 * One user a line; '#' begins a comment line; the last field holds words with blanks between:
 * /folder=right+right and key=value (user_options.def). Parsed from bytes in memory by auth, and by
 * `sallyportd --load` to refuse a wrong file at start. Every mistake refuses the whole file.
 * Process lifetime, never changed: a reload makes a new object.
 */
#ifndef SALLYPORT_POLICY_RULES_USERS_H
#define SALLYPORT_POLICY_RULES_USERS_H

#include "policy/rules/config.h"
#include "policy/rules/rights.h"

enum {
	USER_NAME_BYTES_MAX = 255,
	USERS_LINE_BYTES_MAX = 16384,
};

/* What a user may have otherwise than the configuration says. Holds no memory of its own. */
struct user_settings {
#define USER_OVERRIDE(name) __typeof__(((struct config *)0)->name) name;
#include "policy/rules/user_options.def"
};

/* All pointers belong to the struct users. */
struct user {
	const char *name;
	const char *hash; /* crypt(5), or beginning with '!' or '*': no password fits */
	uint32_t uid, gid;
	const char *comment;
	const char *home; /* absolute, as path_fold() leaves it */
	struct rights *rights;
	unsigned line;

#define USER_OPTION(name, TYPE, least, most, doc) VALUE_STORAGE(TYPE) name;
#include "policy/rules/user_options.def"

	/* Only what the line gives; use user_resolve(). */
	struct user_settings settings;
	struct {
#define USER_OPTION(name, TYPE, least, most, doc) bool name;
#define USER_OVERRIDE(name)                       bool name;
#include "policy/rules/user_options.def"
	} given;
};

struct users;

/*
 * Parses a whole file. `file_name` is for the reasons only. 0, -EINVAL with file, line and reason,
 * or -ENOMEM; *result is untouched on failure. The text may be freed afterwards.
 */
MUST_CHECK int users_parse(
	struct bytes text, const char *file_name, struct users **result, struct rules_error *error);

/* Wipes the hashes. */
void users_free(struct users **users);

/* The user of exactly this untrusted name, or NULL. */
const struct user *users_find(const struct users *users, struct bytes name);

/* In the order of their names. */
size_t users_count(const struct users *users);
const struct user *users_at(const struct users *users, size_t index);

/* Has a hash that a password could fit. */
bool user_has_password(const struct user *user);

/* Not disabled, and with such a hash or a certificate. */
bool user_may_log_in(const struct user *user);

/* The user's settings: what the line gives, else what the configuration says. */
struct user_settings user_resolve(const struct user *user, const struct config *config);

/* May a user be called so? 1 to 255 bytes of UTF-8, no control character, '/', ':', outer blank. */
bool user_name_is_good(struct bytes name);

#endif
