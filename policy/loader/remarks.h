/*
 * Remarks: what is no mistake in the files, but will not do what was meant.
 */
#ifndef SALLYPORT_POLICY_LOADER_REMARKS_H
#define SALLYPORT_POLICY_LOADER_REMARKS_H

#include "policy/rules/users.h"

enum { REMARKS_MAX = 20 };

/*
 * Adds a line to *remarks (NULL or allocated) for each user of a file who may log in but whom the
 * supervisor would refuse (identity.h), or one of whose certificates does not count, with a reason;
 * after REMARKS_MAX of a file, how many more.
 * 0, or -ENOMEM.
 */
MUST_CHECK int remarks_add(char **remarks, const struct users *users, const char *users_path,
	const struct config *config);

#endif
