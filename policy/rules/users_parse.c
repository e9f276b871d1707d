/*
 * The lines of the users file (see users.h). Runs in auth and in the loader. The file is the
 * administrator's, but its bytes are trusted no more than any others: every field has one form, and
 * the first mistake refuses the file with its line and reason.
 */
#include "ipc/base/number.h"
#include "policy/rules/users_private.h"

#include <crypt.h>
#include <errno.h>
#include <stdlib.h>

static int
parse_name(struct user *user, char *text, struct rules_error *error)
{
	user->name = text;
	return user_name_is_good(bytes_of_text(text))
		       ? 0
		       : rules_refuse_value(error, "name", bytes_of_text(text),
				 "is not 1 to 255 bytes of UTF-8 without '/' and control "
				 "characters, '#' in front or blanks around");
}

/* libxcrypt knows which methods are sound; an unknown or outdated one could never be verified. */
static int
parse_hash(struct user *user, char *text, struct rules_error *error)
{
	user->hash = text;
	if (text[0] == '!' || text[0] == '*')
		return 0;
	if (text[0] == '\0')
		return rules_refuse(error, "hash: empty; write ! for a user without a password");
	int kind = text[0] == '$' ? crypt_checksalt(text) : CRYPT_SALT_INVALID;
	if (kind == CRYPT_SALT_METHOD_LEGACY)
		return rules_refuse(error, "hash: outdated method; make a new one (mkpasswd)");
	return kind == CRYPT_SALT_OK ? 0 : rules_refuse(error, "hash: not a crypt(5) hash");
}

/*
 * The largest number means "no change" to the calls that set an id. The text is not quoted: where a
 * field is missing it may be the hash.
 */
static int
parse_id(const char *what, const char *text, uint32_t *id, struct rules_error *error)
{
	uint64_t number = 0;
	if (number_parse(bytes_of_text(text), UINT32_MAX - 1, &number) < 0)
		return rules_refuse(error, "%s: not a number below 4294967295", what);
	*id = (uint32_t)number;
	return 0;
}

static int
parse_uid(struct user *user, char *text, struct rules_error *error)
{
	int result = parse_id("uid", text, &user->uid, error);
	if (result == 0 && user->uid == 0)
		return rules_refuse(error, "uid: nobody is served as root");
	return result;
}

static int
parse_gid(struct user *user, char *text, struct rules_error *error)
{
	return parse_id("gid", text, &user->gid, error);
}

static int
parse_comment(struct user *user, char *text, struct rules_error *error)
{
	user->comment = text;
	return value_is_clean_text(bytes_of_text(text))
		       ? 0
		       : rules_refuse(error, "comment: not UTF-8 without control characters");
}

static int
parse_home(struct user *user, char *text, struct rules_error *error)
{
	user->home = text;
	if (user_unescape(text) == 0 && value_is_plain_path(bytes_of_text(text)))
		return 0;
	return rules_refuse_value(error, "home", bytes_of_text(text),
		"is not an absolute path without '.', '..', double or final slashes");
}

typedef int field_parser(struct user *user, char *text, struct rules_error *error);

static field_parser *const field_parsers[] = {
	parse_name,
	parse_hash,
	parse_uid,
	parse_gid,
	parse_comment,
	parse_home,
	user_parse_words,
};
enum { FIELD_COUNT = ARRAY_LENGTH(field_parsers) };

static size_t
count_fields(const char *line)
{
	size_t count = 1;
	for (; (line = strchr(line, ':')) != NULL; line++)
		count++;
	return count;
}

static int
parse_user(struct user *user, char *line, struct rules_error *error)
{
	if (count_fields(line) != FIELD_COUNT)
		return rules_refuse(error,
			"%zu fields, not the %d of name:hash:uid:gid:comment:home:words",
			count_fields(line), FIELD_COUNT);
	int result = 0;
	for (size_t i = 0; i < FIELD_COUNT && result == 0; i++)
		result = field_parsers[i](user, strsep(&line, ":"), error);
	return result;
}

static int
append_user(struct users *users, char *line, unsigned number, struct rules_error *error)
{
	/* Grows at every power of two. */
	if ((users->count & (users->count - 1)) == 0) {
		size_t room = users->count == 0 ? 1 : users->count * 2;
		struct user *entries = reallocarray(users->entries, room, sizeof(*entries));
		if (entries == NULL)
			return -ENOMEM;
		users->entries = entries;
	}
	struct user *user = &users->entries[users->count++];
	memset(user, 0, sizeof(*user));
	user->line = number;
	return parse_user(user, line, error);
}

static bool
is_ignored(const char *line)
{
	return line[0] == '#' || line[strspn(line, " \t")] == '\0';
}

/* One line, NUL-terminated in place. */
static int
parse_line(
	struct users *users, char *line, size_t length, unsigned number, struct rules_error *error)
{
	if (length > USERS_LINE_BYTES_MAX)
		return rules_refuse(error, "longer than %d bytes", USERS_LINE_BYTES_MAX);
	if (memchr(line, '\0', length) != NULL)
		return rules_refuse(error, "holds a NUL byte");
	return is_ignored(line) ? 0 : append_user(users, line, number, error);
}

static int
parse_lines(struct users *users, unsigned *number, struct rules_error *error)
{
	int result = 0;
	char *end = users->text + users->text_bytes;
	for (char *line = users->text; line < end && result == 0;) {
		char *newline = memchr(line, '\n', (size_t)(end - line));
		char *stop = newline == NULL ? end : newline;
		*stop = '\0';
		(*number)++;
		result = parse_line(users, line, (size_t)(stop - line), *number, error);
		line = stop + 1;
	}
	return result;
}

/* Sorts, and finds names that are there twice; reports the later line. */
static int
sort_users(struct users *users, unsigned *number, struct rules_error *error)
{
	if (users->count > 1)
		qsort(users->entries, users->count, sizeof(users->entries[0]), user_compare);
	for (size_t i = 1; i < users->count; i++) {
		const struct user *a = &users->entries[i - 1], *b = &users->entries[i];
		if (user_compare(a, b) != 0)
			continue;
		*number = a->line > b->line ? a->line : b->line;
		return rules_refuse_value(error, "name", bytes_of_text(a->name),
			"is on line %u already", a->line < b->line ? a->line : b->line);
	}
	return 0;
}

int
users_parse(
	struct bytes text, const char *file_name, struct users **result, struct rules_error *error)
{
	unsigned number = 0;
	struct users *users = calloc(1, sizeof(*users));
	if (users == NULL)
		return -ENOMEM;
	users->text = malloc(text.length + 1); /* one for the NUL after an unfinished last line */
	users->text_bytes = text.length;
	int outcome = users->text == NULL ? -ENOMEM : 0;
	if (outcome == 0 && text.length > 0)
		memcpy(users->text, text.data, text.length);
	if (outcome == 0)
		outcome = parse_lines(users, &number, error);
	if (outcome == 0)
		outcome = sort_users(users, &number, error);
	if (outcome < 0) {
		rules_error_locate(error, file_name, number);
		users_free(&users);
		return outcome;
	}
	*result = users;
	return 0;
}
