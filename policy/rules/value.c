/*
 * Values by their kind (see value.h): the table of codecs and what is common to all of them. Runs
 * in the loader, the supervisor, auth, gateway and worker. Texts come from files, command lines and
 * channels and are trusted by nobody; what is not understood whole is refused.
 */
#include "policy/rules/value.h"

#include "ipc/base/ends.h"
#include "ipc/base/path.h"
#include "ipc/base/scope.h"
#include "policy/rules/value_types.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum shape { SHAPE_NUMBER, SHAPE_TEXT, SHAPE_WORD, SHAPE_LIST };

static const struct kind {
	const char *word;
	const char *wanted;
	size_t bytes;
	enum shape shape;
	value_parse_function *parse;
	value_format_function *format;
	value_clear_function *clear;
} kinds[] = {
#define VALUE(TYPE, storage, SHAPE, parse, format, clear, word, wanted)                       \
	[VALUE_##TYPE] = { word, wanted, sizeof(storage), SHAPE_##SHAPE, value_parse_##parse, \
		value_format_##format, value_clear_##clear },
#include "policy/rules/values.def"
};

int
value_accept(
	const struct value_rule *rule, struct bytes text, void *slot, struct rules_error *error)
{
	const struct kind *kind = &kinds[rule->type];
	union value_slots fresh;
	memset(&fresh, 0, sizeof(fresh));
	bool empty_list = kind->shape == SHAPE_LIST && text.length == 0;
	if (empty_list && rule->least > 0)
		return rules_refuse(error, "%s: may not be empty", rule->name);
	int result = empty_list ? 0 : kind->parse(rule, text, &fresh, error);
	if (result < 0)
		return result;
	kind->clear(slot);
	memcpy(slot, &fresh, kind->bytes);
	return 0;
}

int
value_append(
	const struct value_rule *rule, struct bytes text, void *slot, struct rules_error *error)
{
	ensure(value_is_list(rule->type));
	if (value_count(rule, slot) >= rule->most)
		return rules_refuse(
			error, "%s: more than %ju entries", rule->name, (uintmax_t)rule->most);
	return kinds[rule->type].parse(rule, text, slot, error);
}

size_t
value_count(const struct value_rule *rule, const void *slot)
{
	size_t count = 1;
	if (value_is_list(rule->type))
		memcpy(&count, slot, sizeof(count));
	return count;
}

char *
value_text(const struct value_rule *rule, const void *slot, size_t index)
{
	return kinds[rule->type].format(rule, slot, index);
}

void
value_clear(const struct value_rule *rule, void *slot)
{
	kinds[rule->type].clear(slot);
	memset(slot, 0, kinds[rule->type].bytes);
}

void
value_clear_nothing(void *slot)
{
	(void)slot;
}

bool
value_is_list(enum value_type type)
{
	return kinds[type].shape == SHAPE_LIST;
}

const char *
value_word(enum value_type type)
{
	return kinds[type].word;
}

int
value_refuse_form(const struct value_rule *rule, struct bytes text, struct rules_error *error)
{
	return rules_refuse_value(error, rule->name, text, "is no %s", kinds[rule->type].wanted);
}

int
value_check_range(
	const struct value_rule *rule, uint64_t number, bool overflow, struct rules_error *error)
{
	if (number >= rule->least && number <= rule->most && !overflow)
		return 0;
	bool small = number < rule->least && !overflow;
	SCOPE_FREE char *bound = value_quantity_text(rule->type, small ? rule->least : rule->most);
	if (bound == NULL)
		return -ENOMEM;
	return rules_refuse(error, "%s: %s than %s", rule->name, small ? "less" : "more", bound);
}

static char *
range_of_numbers(const struct value_rule *rule)
{
	SCOPE_FREE char *least = value_quantity_text(rule->type, rule->least);
	SCOPE_FREE char *most = value_quantity_text(rule->type, rule->most);
	char *text = NULL;
	bool made = least != NULL && most != NULL && asprintf(&text, "%s to %s", least, most) >= 0;
	return made ? text : NULL;
}

char *
value_range_text(const struct value_rule *rule)
{
	if (rule->type == VALUE_CHOICE)
		return value_choice_words(rule);
	return kinds[rule->type].shape == SHAPE_NUMBER ? range_of_numbers(rule) : strdup("");
}

/* RFC 3629 §3: how a sequence of 1 to 4 bytes begins, and the least that may be written so. */
static const struct {
	unsigned char mask, lead;
	uint32_t least;
} utf8_forms[] = {
	{ 0x80, 0x00, 0 },
	{ 0xe0, 0xc0, 0x80 },
	{ 0xf0, 0xe0, 0x800 },
	{ 0xf8, 0xf0, 0x10000 },
};

/* The length of the sequence at `at`, and its code point; 0 when it is none. */
static size_t
utf8_decode(const unsigned char *at, size_t left, uint32_t *code)
{
	size_t form = 0;
	while (form < ARRAY_LENGTH(utf8_forms) &&
		(at[0] & utf8_forms[form].mask) != utf8_forms[form].lead)
		form++;
	if (form >= ARRAY_LENGTH(utf8_forms) || form >= left)
		return 0;
	uint32_t value = at[0] & (unsigned char)~utf8_forms[form].mask;
	for (size_t i = 1; i <= form; i++) {
		if ((at[i] & 0xc0) != 0x80)
			return 0;
		value = value << 6 | (at[i] & 0x3fU);
	}
	bool surrogate = value >= 0xd800 && value <= 0xdfff;
	if (value < utf8_forms[form].least || value > 0x10ffff || surrogate)
		return 0;
	*code = value;
	return form + 1;
}

bool
value_is_clean_text(struct bytes text)
{
	const unsigned char *at = (const unsigned char *)text.data;
	for (size_t left = text.length, step; left > 0; left -= step, at += step) {
		uint32_t code = 0;
		step = utf8_decode(at, left, &code);
		if (step == 0 || code < 0x20 || (code >= 0x7f && code < 0xa0))
			return false;
	}
	return true;
}

bool
value_is_plain_path(struct bytes text)
{
	for (size_t i = 0; i < text.length; i++)
		if ((unsigned char)text.data[i] < 0x20 || text.data[i] == 0x7f)
			return false;
	struct path folded;
	return path_fold(NULL, text, &folded) == 0 && bytes_equal(path_bytes(&folded), text);
}
