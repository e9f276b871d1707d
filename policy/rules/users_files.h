/*
 * Users files that a loader has opened, on their way to auth: the server's, then those of virtual
 * hosts that have one. Owned by what they are part of; all zero: none.
 */
#ifndef SALLYPORT_POLICY_RULES_USERS_FILES_H
#define SALLYPORT_POLICY_RULES_USERS_FILES_H

#include "policy/rules/config.h"

struct users_files {
	size_t count;
	struct users_file {
		char *host; /* "": the server's */
		char *name; /* of the file, for messages */
		int fd;     /* open for reading; a reader must not rely on its offset */
	} items[1 + CONFIG_HOSTS_MAX];
};

/* Takes *fd. -EINVAL: one file too many, and nothing is taken; -ENOMEM. */
MUST_CHECK int
users_files_add(struct users_files *files, struct bytes host, struct bytes name, int *fd);

/* Are they those that the configuration names, in its order? */
bool users_files_match(const struct users_files *files, const struct config *config);

void users_files_clear(struct users_files *files);

#endif
