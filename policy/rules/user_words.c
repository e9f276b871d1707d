/*
 * The last field of a users line (see users.h): rights and options. Runs in auth and in the loader.
 */
#include "ipc/base/scope.h"
#include "policy/rules/users_private.h"

#include <errno.h>
#include <stddef.h>

/* Where a key=value word goes. */
static const struct user_option {
	struct value_rule own; /* without a name: the row of options.def holds */
	unsigned option;
	size_t value_offset, given_offset;
} user_options[] = {
#define USER_OPTION(name, TYPE, least, most, doc)                               \
	{ { #name, VALUE_##TYPE, least, most }, 0, offsetof(struct user, name), \
		offsetof(struct user, given.name) },
#define USER_OVERRIDE(name)                                                                 \
	{ { NULL, VALUE_COUNT, 0, 0 }, OPTION_##name, offsetof(struct user, settings.name), \
		offsetof(struct user, given.name) },
#include "policy/rules/user_options.def"
};

static const struct value_rule *
rule_of(const struct user_option *option)
{
	return option->own.name == NULL ? config_rule(option->option) : &option->own;
}

static const struct user_option *
find_option(const char *name)
{
	for (size_t i = 0; i < ARRAY_LENGTH(user_options); i++)
		if (strcmp(rule_of(&user_options[i])->name, name) == 0)
			return &user_options[i];
	return NULL;
}

void
user_clear_options(struct user *user)
{
	for (size_t i = 0; i < ARRAY_LENGTH(user_options); i++)
		value_clear(rule_of(&user_options[i]), (char *)user + user_options[i].value_offset);
}

/* "100,101" gives the list its elements one by one. */
static int
accept_list(const struct value_rule *rule, char *text, void *slot, struct rules_error *error)
{
	int result = 0;
	for (char *next = text; result == 0 && next != NULL;) {
		char *element = strsep(&next, ",");
		if (rule->type == VALUE_CERTIFICATES && user_unescape(element) < 0)
			return rules_refuse(error, "%s: a bad \\ooo escape", rule->name);
		result = value_append(rule, bytes_of_text(element), slot, error);
	}
	return result;
}

/* "key=value"; a flag may stand alone. */
static int
parse_option(struct user *user, char *word, struct rules_error *error)
{
	char *value = word;
	const char *key = strsep(&value, "=");
	const struct user_option *option = find_option(key);
	if (option == NULL)
		return rules_refuse_value(
			error, "option", bytes_of_text(key), "is not known for a user");
	const struct value_rule *rule = rule_of(option);
	bool *given = (bool *)((char *)user + option->given_offset);
	if (*given)
		return rules_refuse(error, "%s: given twice", rule->name);
	*given = true;
	void *slot = (char *)user + option->value_offset;
	if (value == NULL && rule->type != VALUE_FLAG)
		return rules_refuse(error, "%s: has no value", rule->name);
	if (value_is_list(rule->type))
		return accept_list(rule, value, slot, error);
	if (rule->type == VALUE_PATH && value != NULL && user_unescape(value) < 0)
		return rules_refuse(error, "%s: a bad \\ooo escape", rule->name);
	return value_accept(rule, bytes_of_text(value == NULL ? "yes" : value), slot, error);
}

int
user_unescape(char *text)
{
	char *out = text;
	for (const char *in = text; *in != '\0'; out++) {
		if (*in != '\\') {
			*out = *in++;
			continue;
		}
		unsigned byte = 0;
		for (int digit = 1; digit <= 3; digit++) {
			if (in[digit] < '0' || in[digit] > '7')
				return -EINVAL;
			byte = byte * 8 + (unsigned)(in[digit] - '0');
		}
		if (byte == 0 || byte > UINT8_MAX)
			return -EINVAL;
		*out = (char)byte;
		in += 4;
	}
	*out = '\0';
	return 0;
}

struct collected_rules {
	size_t count;
	struct rights_rule rows[RIGHTS_RULES_MAX];
};

/* "/folder=right+right" */
static int
parse_rule(struct collected_rules *rules, char *word, struct rules_error *error)
{
	char *bits = word;
	const char *folder = strsep(&bits, "=");
	if (bits == NULL)
		return rules_refuse_value(
			error, "rights", bytes_of_text(folder), "is not /folder=right+right");
	if (rules->count == RIGHTS_RULES_MAX)
		return rules_refuse(error, "rights: more than %d folders", RIGHTS_RULES_MAX);
	struct rights_rule *rule = &rules->rows[rules->count++];
	if (user_unescape(word) < 0 || !value_is_plain_path(bytes_of_text(folder)))
		return rules_refuse_value(error, "rights", bytes_of_text(folder),
			"is not an absolute path without '.', '..', double or final slashes");
	rule->folder = bytes_of_text(folder);
	for (size_t i = 0; i + 1 < rules->count; i++)
		if (bytes_equal(rules->rows[i].folder, rule->folder))
			return rules_refuse_value(error, "rights", rule->folder, "is there twice");
	if (rights_parse_bits(bytes_of_text(bits), &rule->bits) == 0)
		return 0;
	return rules_refuse_value(error, "rights", bytes_of_text(bits), "is not known");
}

/*
 * A link is judged by its own name. Whoever may make one, and is held to different rights in
 * different folders, could lead around the stricter ones.
 */
static int
check_links(const struct user *user, const struct collected_rules *rules, struct rules_error *error)
{
	bool refused = user->given.symlinks && user->settings.symlinks == CONFIG_SYMLINKS_REFUSE;
	bool same_everywhere = rules->count == 1 && rules->rows[0].folder.length == 1;
	if (refused || same_everywhere)
		return 0;
	for (size_t i = 0; i < rules->count; i++)
		if ((rules->rows[i].bits & RIGHTS_SYMLINK) != 0)
			return rules_refuse(error,
				"rights: 'symlink' beside rights for other folders needs "
				"symlinks=refuse: a link would lead around them");
	return 0;
}

/* What nobody could ever fulfil is a slip. */
static int
check_certificates(const struct user *user, struct rules_error *error)
{
	if (!user->certificate_and_password)
		return 0;
	if (user->certificate.count == 0)
		return rules_refuse(error, "certificate_and_password: needs certificate=");
	return user_has_password(user) ? 0
				       : rules_refuse(error, "certificate_and_password: no "
							     "password fits the hash of this user");
}

static int
build_rights(struct user *user, struct collected_rules *rules, struct rules_error *error)
{
	if (rules->count == 0)
		rules->rows[rules->count++] =
			(struct rights_rule){ bytes_of_text("/"), RIGHTS_ALL };
	int result = check_links(user, rules, error);
	if (result == 0)
		result = check_certificates(user, error);
	return result < 0 ? result : rights_create(rules->rows, rules->count, &user->rights);
}

int
user_parse_words(struct user *user, char *field, struct rules_error *error)
{
	struct collected_rules rules = { 0 };
	int result = 0;
	for (char *next = field; result == 0 && next != NULL;) {
		char *word = strsep(&next, " \t");
		if (word[0] == '/')
			result = parse_rule(&rules, word, error);
		else if (word[0] != '\0')
			result = parse_option(user, word, error);
	}
	return result < 0 ? result : build_rights(user, &rules, error);
}
