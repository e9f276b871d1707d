/*
 * Users as an object (see users.h): lookup and settings. Runs in auth, which alone holds the
 * hashes. The lookup's time depends on the name asked for and on nothing secret.
 */
#include "policy/rules/users.h"

#include "policy/rules/users_private.h"

#include <stdlib.h>

void
users_free(struct users **users)
{
	for (size_t i = 0; *users != NULL && i < (*users)->count; i++) {
		rights_free(&(*users)->entries[i].rights);
		user_clear_options(&(*users)->entries[i]);
	}
	if (*users != NULL) {
		if ((*users)->text != NULL)
			explicit_bzero((*users)->text, (*users)->text_bytes);
		free((*users)->text);
		free((*users)->entries);
	}
	free(*users);
	*users = NULL;
}

static int
compare_with_user(const void *key, const void *entry)
{
	const struct bytes *name = key;
	struct bytes other = bytes_of_text(((const struct user *)entry)->name);
	size_t shorter = name->length < other.length ? name->length : other.length;
	int order = shorter == 0 ? 0 : memcmp(name->data, other.data, shorter);
	if (order != 0)
		return order;
	return (name->length > other.length) - (name->length < other.length);
}

int
user_compare(const void *left, const void *right)
{
	struct bytes name = bytes_of_text(((const struct user *)left)->name);
	return compare_with_user(&name, right);
}

const struct user *
users_find(const struct users *users, struct bytes name)
{
	return users->count == 0 ? NULL
				 : bsearch(&name, users->entries, users->count,
					   sizeof(users->entries[0]), compare_with_user);
}

size_t
users_count(const struct users *users)
{
	return users->count;
}

const struct user *
users_at(const struct users *users, size_t index)
{
	return &users->entries[index];
}

bool
user_has_password(const struct user *user)
{
	return user->hash[0] != '!' && user->hash[0] != '*';
}

bool
user_may_log_in(const struct user *user)
{
	return !user->disabled && (user_has_password(user) || user->certificate.count > 0);
}

struct user_settings
user_resolve(const struct user *user, const struct config *config)
{
	return (struct user_settings){
#define USER_OVERRIDE(name) .name = user->given.name ? user->settings.name : config->name,
#include "policy/rules/user_options.def"
	};
}

bool
user_name_is_good(struct bytes name)
{
	if (name.length == 0 || name.length > USER_NAME_BYTES_MAX || !value_is_clean_text(name))
		return false;
	if (name.data[0] == ' ' || name.data[0] == '#' || name.data[name.length - 1] == ' ')
		return false;
	return memchr(name.data, '/', name.length) == NULL &&
	       memchr(name.data, ':', name.length) == NULL;
}
