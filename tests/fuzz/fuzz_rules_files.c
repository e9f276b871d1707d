/*
 * The files of the administrator, a users file and a configuration: they are accepted whole or
 * refused with file and reason, and what is accepted keeps its promises. The input is read as both.
 */
#include "ipc/base/ends.h"
#include "policy/rules/users.h"
#include "tests/fuzz/target.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static void
check_rights(const struct rights *rights)
{
	struct rights_rule rules[RIGHTS_RULES_MAX];
	size_t count = rights_count(rights);
	ensure(count > 0 && count <= RIGHTS_RULES_MAX);
	for (size_t i = 0; i < count; i++)
		rules[i] = rights_rule_at(rights, i);
	struct rights *again = NULL;
	ensure(rights_create(rules, count, &again) == 0);
	for (size_t i = 0; i < count; i++)
		ensure(rights_at(again, rules[i].folder) == rights_at(rights, rules[i].folder));
	rights_free(&again);
}

static void
check_user(const struct users *users, const struct user *user)
{
	ensure(user_name_is_good(bytes_of_text(user->name)));
	ensure(users_find(users, bytes_of_text(user->name)) == user);
	ensure(value_is_plain_path(bytes_of_text(user->home)));
	ensure(user->uid != 0 && user->uid != UINT32_MAX && user->gid != UINT32_MAX);
	ensure(user->hash[0] == '!' || user->hash[0] == '*' || user->hash[0] == '$');
	check_rights(user->rights);
}

static void
check_refusal(int result, struct rules_error *error)
{
	ensure(result == -EINVAL && error->file != NULL && error->reason != NULL);
	char *text = rules_error_text(error);
	for (const char *at = text; *at != '\0'; at++)
		ensure((unsigned char)*at >= 0x20 && *at != 0x7f);
	free(text);
	rules_error_free(error);
}

static void
check_users(struct bytes text)
{
	struct users *users = NULL;
	struct rules_error error = { 0 };
	int result = users_parse(text, "users", &users, &error);
	if (result < 0) {
		check_refusal(result, &error);
		return;
	}
	for (size_t i = 0; i < users_count(users); i++)
		check_user(users, users_at(users, i));
	users_free(&users);
}

static void
check_config(struct bytes text)
{
	int fd = memfd_create("config", MFD_CLOEXEC);
	ensure(fd >= 0 && write(fd, text.data, text.length) == (ssize_t)text.length);
	char path[32];
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	struct config *config = NULL;
	struct rules_error error = { 0 };
	int result = config_load(path, &config, &error);
	if (result < 0)
		check_refusal(result, &error);
	else
		ensure(config_check(config, &error) == 0);
	config_free(&config);
	close(fd);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
	check_users(bytes_of(data, length));
	check_config(bytes_of(data, length));
	return 0;
}
