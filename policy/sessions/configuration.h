/*
 * The configuration in force. Values come from the loader, a short-lived child that alone reads
 * files (DECISIONS 20), each through the same checks as in the file.
 */
#ifndef SALLYPORT_POLICY_SESSIONS_CONFIGURATION_H
#define SALLYPORT_POLICY_SESSIONS_CONFIGURATION_H

#include "policy/rules/credentials.h"
#include "policy/rules/users_files.h"

struct supervisor;

/* Built once by a loader, then never changed. */
struct settings {
	struct config *config;
	struct users_files users;
	struct credentials credentials; /* until keys.c takes them */
	char *banner;                   /* lines to print when the server is ready; "" if none */
};

void settings_free(struct settings **settings);

/*
 * Starts a loader. When it has finished, `done` gets the new settings (its own now), or NULL and
 * the reason in words. 0, or negative errno and nothing follows.
 */
MUST_CHECK int configuration_load(struct supervisor *supervisor,
	void (*done)(struct supervisor *supervisor, struct settings *settings, const char *reason));

#endif
