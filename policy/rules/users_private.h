/*
 * What users.c and users_parse.c share, and nobody else.
 */
#ifndef SALLYPORT_POLICY_RULES_USERS_PRIVATE_H
#define SALLYPORT_POLICY_RULES_USERS_PRIVATE_H

#include "policy/rules/users.h"

struct users {
	char *text; /* a copy of the file, cut into strings to which the entries point */
	size_t text_bytes;
	size_t count;
	struct user *entries; /* sorted by user_compare() */
};

/* By the bytes of the names; for qsort(3). */
int user_compare(const void *left, const void *right);

/*
 * Reads the last field of a line into *user: rights and options. The field is cut into words in
 * place. 0, -EINVAL with a reason or -ENOMEM; the rights and lists of *user may be set even then.
 */
MUST_CHECK int user_parse_words(struct user *user, char *field, struct rules_error *error);

/* Writes the bytes of \ooo escapes in place. 0, or -EINVAL for a bad escape or one for NUL. */
MUST_CHECK int user_unescape(char *text);

/* Frees the lists among the options. */
void user_clear_options(struct user *user);

#endif
