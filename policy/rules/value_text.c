/*
 * Values that are texts, and the lists of paths and groups (see value.h). The slot owns copies.
 */
#include "ipc/base/number.h"
#include "ipc/base/path.h"
#include "policy/rules/value_types.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum {
	ACCOUNT_NAME_BYTES_MAX = 32, /* useradd(8) */
};
/* The last number is (uid_t)-1, "no change" to the calls that set an id. */
static const uint64_t id_most = UINT32_MAX - 1;

static int
text_copy(struct bytes text, char **copy)
{
	*copy = bytes_copy_text(text);
	return *copy == NULL ? -ENOMEM : 0;
}

void
value_clear_text(void *slot)
{
	free(*(char **)slot);
}

int
value_parse_text(
	const struct value_rule *rule, struct bytes text, void *slot, struct rules_error *error)
{
	if (text.length < rule->least)
		return rules_refuse(error, "%s: may not be empty", rule->name);
	if (text.length > rule->most)
		return rules_refuse(
			error, "%s: longer than %ju bytes", rule->name, (uintmax_t)rule->most);
	if (!value_is_clean_text(text))
		return value_refuse_form(rule, text, error);
	return text_copy(text, slot);
}

char *
value_format_text(const struct value_rule *rule, const void *slot, size_t index)
{
	(void)rule, (void)index;
	return strdup(*(char *const *)slot);
}

static int
path_check(const struct value_rule *rule, struct bytes text, struct rules_error *error)
{
	struct path folded;
	if (value_is_plain_path(text))
		return 0;
	if (text.length == 0 || text.data[0] != '/' || path_fold(NULL, text, &folded) < 0 ||
		!value_is_plain_path(path_bytes(&folded)))
		return value_refuse_form(rule, text, error);
	return rules_refuse_value(error, rule->name, text, "is to be written '%s'", folded.text);
}

int
value_parse_path(
	const struct value_rule *rule, struct bytes text, void *slot, struct rules_error *error)
{
	int checked = text.length == 0 && rule->least == 0 ? 0 : path_check(rule, text, error);
	if (checked == 0 && text.length > rule->most)
		checked = rules_refuse(
			error, "%s: longer than %ju bytes", rule->name, (uintmax_t)rule->most);
	return checked < 0 ? checked : text_copy(text, slot);
}

int
value_parse_paths(
	const struct value_rule *rule, struct bytes text, void *slot, struct rules_error *error)
{
	struct value_paths *paths = slot;
	int checked = path_check(rule, text, error);
	if (checked < 0)
		return checked;
	char **items = reallocarray(paths->items, paths->count + 1, sizeof(*items));
	if (items == NULL)
		return -ENOMEM;
	paths->items = items;
	int copied = text_copy(text, &items[paths->count]);
	paths->count += copied == 0;
	return copied;
}

char *
value_format_paths(const struct value_rule *rule, const void *slot, size_t index)
{
	(void)rule;
	const struct value_paths *paths = slot;
	return strdup(paths->items[index]);
}

void
value_clear_paths(void *slot)
{
	struct value_paths *paths = slot;
	for (size_t i = 0; i < paths->count; i++)
		free(paths->items[i]);
	free(paths->items);
}

int
value_parse_group(
	const struct value_rule *rule, struct bytes text, void *slot, struct rules_error *error)
{
	struct value_groups *groups = slot;
	uint64_t number = 0;
	if (number_parse(text, id_most, &number) < 0)
		return value_refuse_form(rule, text, error);
	uint32_t *items = reallocarray(groups->items, groups->count + 1, sizeof(*items));
	if (items == NULL)
		return -ENOMEM;
	groups->items = items;
	items[groups->count++] = (uint32_t)number;
	return 0;
}

char *
value_format_group(const struct value_rule *rule, const void *slot, size_t index)
{
	const struct value_groups *groups = slot;
	(void)rule;
	return value_quantity_text(VALUE_COUNT, groups->items[index]);
}

void
value_clear_groups(void *slot)
{
	free(((struct value_groups *)slot)->items);
}

/* "UID:GID". */
static int
account_parse_numbers(struct bytes text, const char *colon, struct value_account *account)
{
	size_t before = (size_t)(colon - text.data);
	uint64_t uid = 0, gid = 0;
	if (number_parse(bytes_of(text.data, before), id_most, &uid) < 0 ||
		number_parse(bytes_of(colon + 1, text.length - before - 1), id_most, &gid) < 0)
		return -EINVAL;
	account->uid = (uint32_t)uid;
	account->gid = (uint32_t)gid;
	account->resolved = true;
	return 0;
}

int
value_parse_account(
	const struct value_rule *rule, struct bytes text, void *slot, struct rules_error *error)
{
	struct value_account account = { 0 };
	const char *colon = text.length == 0 ? NULL : memchr(text.data, ':', text.length);
	if (text.length == 0 || text.length > ACCOUNT_NAME_BYTES_MAX || !value_is_clean_text(text))
		return value_refuse_form(rule, text, error);
	if (colon != NULL && account_parse_numbers(text, colon, &account) < 0)
		return value_refuse_form(rule, text, error);
	if (account.resolved && (account.uid == 0 || account.gid == 0))
		return rules_refuse(
			error, "%s: root's account is not one to give up rights to", rule->name);
	int copied = colon == NULL ? text_copy(text, &account.name) : 0;
	if (copied == 0)
		*(struct value_account *)slot = account;
	return copied;
}

char *
value_format_account(const struct value_rule *rule, const void *slot, size_t index)
{
	(void)rule, (void)index;
	const struct value_account *account = slot;
	char *text = NULL;
	if (!account->resolved)
		return strdup(account->name);
	return asprintf(&text, "%u:%u", account->uid, account->gid) < 0 ? NULL : text;
}

void
value_clear_account(void *slot)
{
	free(((struct value_account *)slot)->name);
}

int
value_parse_one_group(
	const struct value_rule *rule, struct bytes text, void *slot, struct rules_error *error)
{
	struct value_group *group = slot;
	uint64_t number = 0;
	if (text.length == 0)
		return 0;
	if (text.length > ACCOUNT_NAME_BYTES_MAX || !value_is_clean_text(text))
		return value_refuse_form(rule, text, error);
	if (number_parse(text, id_most, &number) < 0)
		return text_copy(text, &group->name);
	group->resolved = true;
	group->gid = (uint32_t)number;
	return 0;
}

char *
value_format_one_group(const struct value_rule *rule, const void *slot, size_t index)
{
	(void)rule, (void)index;
	const struct value_group *group = slot;
	if (group->resolved)
		return value_quantity_text(VALUE_COUNT, group->gid);
	return strdup(group->name == NULL ? "" : group->name);
}

void
value_clear_one_group(void *slot)
{
	free(((struct value_group *)slot)->name);
}
