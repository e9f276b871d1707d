/*
 * Remarks (see remarks.h). Runs in `sallyportd --check` and in `sallyportd --load`, as whoever
 * started it. The supervisor holds users to its bounds when they log in, since it distrusts auth;
 * whoever wrote the users file would like to know before.
 */
#include "policy/loader/remarks.h"

#include "ipc/base/scope.h"
#include "policy/rules/identity.h"

#include <stdio.h>
#include <unistd.h>

/* As the supervisor makes it of what auth says (policy/sessions/account.c). */
static struct identity
identity_of(const struct user *user, const struct config *config)
{
	struct user_settings settings = user_resolve(user, config);
	struct identity identity = {
		.uid = user->uid,
		.gid = user->gid,
		.groups = user->groups.items,
		.group_count = user->groups.count,
	};
	if (!backend_is_in_memory(bytes_of_text(settings.backend.name)))
		identity.home = bytes_of_text(user->home);
	else if (user->given.memory_load)
		identity.memory_load = bytes_of_text(user->memory_load);
	return identity;
}

/* Why a certificate of the user does not log in; NULL: each of them does. */
static const char *
find_idle_certificate(const struct user *user, const struct config *config)
{
	if (user->certificate.count > 0 &&
		config->tls_client_certificate == CONFIG_TLS_CLIENT_CERTIFICATE_OFF)
		return "no client is asked for one, since tls_client_certificate is off";
	for (size_t i = 0; config->tls_client_ca[0] == '\0' && i < user->certificate.count; i++)
		if (strncmp(user->certificate.items[i], "sha256/", 7) != 0)
			return "without tls_client_ca nobody vouches for a name, and only sha256/ "
			       "counts";
	return NULL;
}

/* 1 if there is something to say, 0 if not, or -ENOMEM. */
static int
remark_on_user(FILE *out, const struct user *user, const char *users_path,
	const struct config *config, bool is_written)
{
	struct rules_error error = { 0 };
	struct identity identity = identity_of(user, config);
	const char *idle = find_idle_certificate(user, config);
	int result = identity_check(&identity, config, geteuid(), getegid(), &error);
	if (result == -EINVAL && is_written)
		fprintf(out, "%s:%u: warning: '%s' will not be let in: %s\n", users_path,
			user->line, user->name, error.reason);
	else if (result == 0 && idle != NULL && is_written)
		fprintf(out, "%s:%u: warning: '%s' has a certificate that does not count: %s\n",
			users_path, user->line, user->name, idle);
	rules_error_free(&error);
	return result == -EINVAL || (result == 0 && idle != NULL) ? 1 : result;
}

static int
remark_on_users(
	FILE *out, const struct users *users, const char *users_path, const struct config *config)
{
	size_t remarks = 0;
	for (size_t i = 0; i < users_count(users); i++) {
		const struct user *user = users_at(users, i);
		int result = user_may_log_in(user) ? remark_on_user(out, user, users_path, config,
							     remarks < REMARKS_MAX)
						   : 0;
		if (result < 0)
			return result;
		remarks += (size_t)result;
	}
	if (remarks > REMARKS_MAX)
		fprintf(out, "%s: warning: and %zu more users\n", users_path,
			remarks - REMARKS_MAX);
	return 0;
}

int
remarks_add(char **remarks, const struct users *users, const char *users_path,
	const struct config *config)
{
	char *longer = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&longer, &length);
	if (out == NULL)
		return -ENOMEM;
	if (*remarks != NULL)
		fputs(*remarks, out);
	int result = remark_on_users(out, users, users_path, config);
	if (fclose(out) != 0 || result < 0) {
		free(longer);
		return -ENOMEM;
	}
	free(*remarks);
	*remarks = longer;
	return 0;
}
