/*
 * Accounts (see account.h). Runs in the supervisor as root; pure. What auth said is well-formed;
 * whether it may be served is identity_check()'s.
 */
#include "policy/sessions/account.h"

#include "ipc/base/ends.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { WHO_BYTES_MAX = 511 }; /* a host, a slash and a name: as messages about users say */

/* Writes it and returns it. */
static struct bytes
put_who(char *at, const struct account_user *user)
{
	char *end = at;
	if (user->host.length > 0) {
		end = mempcpy(end, user->host.data, user->host.length);
		*end++ = '/';
	}
	end = mempcpy(end, user->name.data, user->name.length);
	return bytes_of(at, (size_t)(end - at));
}

int
account_copy(const struct account_user *user, struct account **result)
{
	struct account *account = malloc(sizeof(*account) + MESSAGE_BODY_BYTES_MAX + WHO_BYTES_MAX);
	if (account == NULL)
		return -ENOMEM;
	int length =
		wire_encode(&account_user_record, user, account->encoded, MESSAGE_BODY_BYTES_MAX);
	ensure(length >= 0);
	struct account *smaller =
		realloc(account, sizeof(*account) + (size_t)length + WHO_BYTES_MAX);
	*result = account = smaller != NULL ? smaller : account;
	struct bytes encoded = bytes_of(account->encoded, (size_t)length);
	ensure(wire_decode(&account_user_record, encoded, &account->user, NULL) == 0);
	user = &account->user;
	account->who = put_who(account->encoded + length, user);
	account->to_review = false;
	/* The rights are the last field of the record: their number, then themselves. */
	account->key = bytes_of(
		encoded.data, encoded.length - user->rights.encoded.length - sizeof(uint16_t));
	account->identity =
		(struct identity){ .uid = user->uid, .gid = user->gid, .groups = account->groups };
	if (!backend_is_in_memory(user->backend))
		account->identity.home = user->home;
	else if (user->memory_load.length > 0)
		account->identity.memory_load = user->memory_load;
	struct wire_list groups = user->groups;
	struct account_group group;
	while (wire_list_next(&groups, &account_group_record, &group))
		account->groups[account->identity.group_count++] = group.gid;
	return 0;
}

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
