/*
 * Values that are one word of a few (see value.h). A word that belongs to a later version is
 * refused with the reason of its row.
 */
#include "ipc/base/ends.h"
#include "ipc/base/scope.h"
#include "policy/rules/value_types.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static const struct choice {
	const char *option;
	unsigned number;
	const char *word;
	const char *refusal;
} choices[] = {
#define CHOICE(option, CONSTANT, number, word, refusal) { #option, number, word, refusal },
#include "policy/rules/choices.def"
};

static bool
belongs_to(const struct choice *choice, const struct value_rule *rule)
{
	return strcmp(choice->option, rule->name) == 0;
}

int
value_parse_choice(
	const struct value_rule *rule, struct bytes text, void *slot, struct rules_error *error)
{
	for (size_t i = 0; i < ARRAY_LENGTH(choices); i++) {
		if (!belongs_to(&choices[i], rule) || !bytes_equal_text(text, choices[i].word))
			continue;
		if (choices[i].refusal != NULL)
			return rules_refuse_value(
				error, rule->name, text, "is %s", choices[i].refusal);
		*(unsigned *)slot = choices[i].number;
		return 0;
	}
	SCOPE_FREE char *words = value_choice_words(rule);
	if (words == NULL)
		return -ENOMEM;
	return rules_refuse_value(error, rule->name, text, "is not one of: %s", words);
}

char *
value_format_choice(const struct value_rule *rule, const void *slot, size_t index)
{
	(void)index;
	for (size_t i = 0; i < ARRAY_LENGTH(choices); i++)
		if (belongs_to(&choices[i], rule) && choices[i].number == *(const unsigned *)slot)
			return strdup(choices[i].word);
	bug("%s holds no choice", rule->name);
}

char *
value_choice_words(const struct value_rule *rule)
{
	char *text = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);
	if (out == NULL)
		return NULL;
	const char *separator = "";
	for (size_t i = 0; i < ARRAY_LENGTH(choices); i++) {
		if (!belongs_to(&choices[i], rule) || choices[i].refusal != NULL)
			continue;
		fprintf(out, "%s%s", separator, choices[i].word);
		separator = ", ";
	}
	if (fclose(out) == 0)
		return text;
	free(text);
	return NULL;
}
