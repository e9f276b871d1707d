/*
 * Accounts (see account.h). Runs in the supervisor as root; pure. Distrusts auth: a verdict that
 * names root, a system account, a foreign group or a folder outside `roots` gets no worker, whoever
 * made it.
 */
#include "policy/supervisor/account.h"

#include "ipc/base/ends.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

int
account_deny(struct denial *denial, enum refusal why, int error, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	denial->why = why;
	denial->error = error;
	vsnprintf(denial->detail, sizeof(denial->detail), format, arguments);
	va_end(arguments);
	return -error;
}

int
account_copy(const struct account_user *user, struct account **result)
{
	struct account *account = malloc(sizeof(*account) + MESSAGE_BODY_BYTES_MAX);
	if (account == NULL)
		return -ENOMEM;
	int length =
		wire_encode(&account_user_record, user, account->encoded, MESSAGE_BODY_BYTES_MAX);
	ensure(length >= 0);
	struct account *smaller = realloc(account, sizeof(*account) + (size_t)length);
	account = smaller != NULL ? smaller : account;
	struct bytes encoded = bytes_of(account->encoded, (size_t)length);
	ensure(wire_decode(&account_user_record, encoded, &account->user, NULL) == 0);
	/* The rights are the last field of the record: their number, then themselves. */
	account->identity = bytes_of(encoded.data,
		encoded.length - account->user.rights.encoded.length - sizeof(uint16_t));
	*result = account;
	return 0;
}

static bool
is_listed(const struct value_groups *groups, uint32_t gid)
{
	for (size_t i = 0; i < groups->count; i++)
		if (groups->items[i] == gid)
			return true;
	return false;
}

static int
check_groups(const struct account_user *user, const struct config *config, struct denial *denial)
{
	struct wire_list groups = user->groups;
	struct account_group group;
	while (wire_list_next(&groups, &account_group_record, &group))
		if (group.gid != user->gid && !is_listed(&config->groups_allowed, group.gid))
			return account_deny(denial, REFUSAL_ACCOUNT, EPERM,
				"group %u is not in groups_allowed", group.gid);
	return 0;
}

/* Only a path that folding leaves alone is where its text says. */
static int
check_home(const struct account_user *user, const struct config *config, struct denial *denial)
{
	struct path folded;
	if (path_fold(NULL, user->home, &folded) < 0 ||
		!bytes_equal(path_bytes(&folded), user->home))
		return account_deny(denial, REFUSAL_ACCOUNT, EPERM, "home is not a plain path");
	for (size_t i = 0; i < config->roots.count; i++)
		if (path_is_within(user->home, bytes_of_text(config->roots.items[i])))
			return 0;
	return account_deny(denial, REFUSAL_ACCOUNT, EPERM, "home %.*s is in no folder of roots",
		(int)user->home.length, user->home.data);
}

static int
check_ids(const struct account_user *user, const struct config *config,
	const struct cage_identity *own, struct denial *denial)
{
	if (own->uid != 0 && (user->uid != own->uid || user->gid != own->gid))
		return account_deny(denial, REFUSAL_ACCOUNT, EPERM,
			"uid %u gid %u, but without root only uid %u gid %u can be served",
			user->uid, user->gid, own->uid, own->gid);
	if (own->uid != 0)
		return 0;
	if (user->uid < config->uid_min || user->gid < config->uid_min)
		return account_deny(denial, REFUSAL_ACCOUNT, EPERM,
			"uid %u or gid %u is below uid_min %llu", user->uid, user->gid,
			(unsigned long long)config->uid_min);
	if (user->uid == UINT32_MAX || user->gid == UINT32_MAX)
		return account_deny(denial, REFUSAL_ACCOUNT, EPERM, "uid or gid -1");
	return check_groups(user, config, denial);
}

int
account_check(const struct account_user *user, const struct config *config,
	const struct cage_identity *own, struct denial *denial)
{
	int error = check_ids(user, config, own, denial);
	if (error == 0 && user->backend != BACKEND_MEMORY)
		error = check_home(user, config, denial);
	return error;
}
