/*
 * Rights (see rights.h). The worker judges with it, auth and the supervisor carry it. Trusts
 * nothing: rows come from a file or a channel, paths from clients. Whatever is not clearly allowed
 * is refused.
 */
#include "policy/rules/rights.h"

#include "ipc/base/path.h"
#include "ipc/base/scope.h"

#include <ctype.h>
#include <stdlib.h>
#include <strings.h>

struct rule {
	char *folder;
	size_t length;
	uint32_t bits;
};

struct rights {
	size_t count;
	struct rule rules[]; /* longest folder first */
};

static const struct {
	const char *name;
	uint32_t bits;
} rights_words[] = {
#define RIGHT(name, BIT, number, doc)      { #name, RIGHTS_##BIT },
#define RIGHT_GROUP(name, BITS, bits, doc) { #name, bits },
#include "policy/rules/rights.def"
};

static struct bytes
rule_folder(const struct rule *rule)
{
	return bytes_of(rule->folder, rule->length);
}

static int
rule_copy(const struct rights_rule *rule, struct rule *copy)
{
	struct path folded;
	int error = path_fold(NULL, rule->folder, &folded);
	if (error < 0 || !bytes_equal(path_bytes(&folded), rule->folder))
		return -EINVAL;
	if ((rule->bits & ~(uint32_t)RIGHTS_KNOWN) != 0)
		return -EINVAL;
	char *text = bytes_copy_text(rule->folder);
	if (text == NULL)
		return -ENOMEM;
	*copy = (struct rule){ text, folded.length, rule->bits };
	return 0;
}

/* Longest first; equal lengths by their bytes, so that equal folders become neighbours. */
static int
rule_compare(const void *left, const void *right)
{
	const struct rule *a = left, *b = right;
	if (a->length != b->length)
		return a->length > b->length ? -1 : 1;
	return memcmp(a->folder, b->folder, a->length);
}

static bool
has_twins(const struct rights *rights)
{
	for (size_t i = 1; i < rights->count; i++)
		if (rule_compare(&rights->rules[i - 1], &rights->rules[i]) == 0)
			return true;
	return false;
}

int
rights_create(const struct rights_rule *rules, size_t count, struct rights **result)
{
	if (count > RIGHTS_RULES_MAX)
		return -E2BIG;
	struct rights *rights = calloc(1, sizeof(*rights) + count * sizeof(rights->rules[0]));
	int error = rights == NULL ? -ENOMEM : 0;
	for (; error == 0 && rights->count < count; rights->count += error == 0)
		error = rule_copy(&rules[rights->count], &rights->rules[rights->count]);
	if (error == 0) {
		qsort(rights->rules, count, sizeof(rights->rules[0]), rule_compare);
		error = has_twins(rights) ? -EINVAL : 0;
	}
	if (error < 0) {
		rights_free(&rights);
		return error;
	}
	*result = rights;
	return 0;
}

void
rights_free(struct rights **rights)
{
	for (size_t i = 0; *rights != NULL && i < (*rights)->count; i++)
		free((*rights)->rules[i].folder);
	free(*rights);
	*rights = NULL;
}

size_t
rights_count(const struct rights *rights)
{
	return rights->count;
}

struct rights_rule
rights_rule_at(const struct rights *rights, size_t index)
{
	const struct rule *rule = &rights->rules[index];
	return (struct rights_rule){ rule_folder(rule), rule->bits };
}

bool
rights_name_is_hidden(struct bytes name)
{
	static const char head[] = ".sallyport-", tail[] = ".part";
	enum { HEAD = sizeof(head) - 1, DIGITS = 16, TAIL = sizeof(tail) - 1 };
	if (name.length != HEAD + DIGITS + TAIL || strncasecmp(name.data, head, HEAD) != 0 ||
		strncasecmp(name.data + HEAD + DIGITS, tail, TAIL) != 0)
		return false;
	for (size_t i = HEAD; i < HEAD + DIGITS; i++)
		if (!isxdigit((unsigned char)name.data[i]))
			return false;
	return true;
}

static bool
path_is_hidden(struct bytes path)
{
	const char *end = path.data + path.length;
	for (const char *name = path.data; name < end;) {
		const char *slash = memchr(name, '/', (size_t)(end - name));
		const char *stop = slash == NULL ? end : slash;
		if (rights_name_is_hidden(bytes_of(name, (size_t)(stop - name))))
			return true;
		name = stop + 1;
	}
	return false;
}

uint32_t
rights_at(const struct rights *rights, struct bytes folded_path)
{
	if (path_is_hidden(folded_path))
		return 0;
	for (size_t i = 0; i < rights->count; i++)
		if (path_is_within(folded_path, rule_folder(&rights->rules[i])))
			return rights->rules[i].bits;
	return 0;
}

uint32_t
rights_at_tree(const struct rights *rights, struct bytes folded_path)
{
	uint32_t bits = rights_at(rights, folded_path);
	for (size_t i = 0; i < rights->count; i++)
		if (path_is_within(rule_folder(&rights->rules[i]), folded_path))
			bits &= rights->rules[i].bits;
	return bits;
}

int
rights_judge(const struct rights *rights, struct bytes folded_path, uint32_t wanted)
{
	return path_is_hidden(folded_path) || (wanted & ~rights_at(rights, folded_path)) != 0
		       ? -EACCES
		       : 0;
}

int
rights_judge_any(const struct rights *rights, struct bytes folded_path, uint32_t wanted)
{
	return path_is_hidden(folded_path) || (wanted & rights_at(rights, folded_path)) == 0
		       ? -EACCES
		       : 0;
}

int
rights_judge_tree(const struct rights *rights, struct bytes folded_path, uint32_t wanted)
{
	return path_is_hidden(folded_path) || (wanted & ~rights_at_tree(rights, folded_path)) != 0
		       ? -EACCES
		       : 0;
}

static int
word_bits(struct bytes word, uint32_t *bits)
{
	for (size_t i = 0; i < ARRAY_LENGTH(rights_words); i++)
		if (bytes_equal_text(word, rights_words[i].name)) {
			*bits |= rights_words[i].bits;
			return 0;
		}
	return -EINVAL;
}

int
rights_parse_bits(struct bytes words, uint32_t *bits)
{
	uint32_t found = 0;
	if (words.length == 0)
		return -EINVAL;
	const char *end = words.data + words.length;
	for (const char *word = words.data;;) {
		const char *plus = memchr(word, '+', (size_t)(end - word));
		const char *stop = plus == NULL ? end : plus;
		if (word_bits(bytes_of(word, (size_t)(stop - word)), &found) < 0)
			return -EINVAL;
		if (plus == NULL)
			break;
		word = plus + 1;
	}
	*bits = found;
	return 0;
}
