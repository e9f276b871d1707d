/*
 * Whom the server may serve (see identity.h). Runs in the supervisor on what auth said; pure.
 * Distrusts auth: whoever made a verdict that names root, a system account, a foreign group or a
 * folder outside `roots`, nobody is served by it.
 */
#include "policy/rules/identity.h"

#include "ipc/base/path.h"

static bool
is_allowed_group(const struct config *config, uint32_t gid)
{
	for (size_t i = 0; i < config->groups_allowed.count; i++)
		if (config->groups_allowed.items[i] == gid)
			return true;
	return false;
}

static int
check_ids(const struct identity *identity, const struct config *config, struct rules_error *error)
{
	if (identity->uid < config->uid_min || identity->gid < config->uid_min)
		return rules_refuse(error, "uid %u gid %u: below uid_min %llu", identity->uid,
			identity->gid, (unsigned long long)config->uid_min);
	if (identity->uid == UINT32_MAX || identity->gid == UINT32_MAX)
		return rules_refuse(error, "uid or gid -1");
	for (size_t i = 0; i < identity->group_count; i++)
		if (identity->groups[i] != identity->gid &&
			!is_allowed_group(config, identity->groups[i]))
			return rules_refuse(
				error, "group %u is not in groups_allowed", identity->groups[i]);
	return 0;
}

/* Only a path that folding leaves alone is where its text says. */
static int
check_path(
	const char *what, struct bytes path, const struct config *config, struct rules_error *error)
{
	struct path folded;
	if (path.data == NULL)
		return 0;
	if (path_fold(NULL, path, &folded) < 0 || !bytes_equal(path_bytes(&folded), path))
		return rules_refuse_value(error, what, path, "is no plain path");
	for (size_t i = 0; i < config->roots.count; i++)
		if (path_is_within(path, bytes_of_text(config->roots.items[i])))
			return 0;
	return rules_refuse_value(error, what, path, "is in no folder of roots");
}

int
identity_check(const struct identity *identity, const struct config *config, uint32_t own_uid,
	uint32_t own_gid, struct rules_error *error)
{
	bool is_own = identity->uid == own_uid && identity->gid == own_gid;
	int result = 0;
	if (own_uid == 0)
		result = check_ids(identity, config, error);
	else if (!is_own)
		result = rules_refuse(error,
			"uid %u gid %u: without root only uid %u gid %u can be served",
			identity->uid, identity->gid, own_uid, own_gid);
	if (result == 0)
		result = check_path("home", identity->home, config, error);
	if (result == 0)
		result = check_path("memory_load", identity->memory_load, config, error);
	return result;
}
