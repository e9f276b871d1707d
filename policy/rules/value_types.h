/*
 * The codecs behind value.h, one set for each kind in values.def. For value*.c only.
 *
 * parse	reads text into a zeroed slot, or appends it to a list: 0, -EINVAL with a reason,
 * -ENOMEM format	a fresh text of the value, or of one element of a list; NULL when memory is
 * short clear	frees what the slot points to
 */
#ifndef SALLYPORT_POLICY_RULES_VALUE_TYPES_H
#define SALLYPORT_POLICY_RULES_VALUE_TYPES_H

#include "policy/rules/value.h"

typedef int value_parse_function(
	const struct value_rule *rule, struct bytes text, void *slot, struct rules_error *error);
typedef char *value_format_function(const struct value_rule *rule, const void *slot, size_t index);
typedef void value_clear_function(void *slot);

#define VALUE(TYPE, storage, SHAPE, parse, format, clear, word, wanted) \
	value_parse_function value_parse_##parse;                       \
	value_format_function value_format_##format;                    \
	value_clear_function value_clear_##clear;
#include "policy/rules/values.def"

/* An address of that family without brackets, as inet_pton(3) gives it. 0 or -EINVAL. */
MUST_CHECK int value_parse_host(int family, struct bytes text, void *result);

/* "NAME: 'text' is no WANTED": what a parser returns for text of the wrong form. */
int value_refuse_form(const struct value_rule *rule, struct bytes text, struct rules_error *error);

/* Is a number (beyond 64 bits, if `overflow`) within bounds? 0, or -EINVAL with the one it breaks.
 */
MUST_CHECK int value_check_range(
	const struct value_rule *rule, uint64_t number, bool overflow, struct rules_error *error);

/* A number with the largest unit that divides it: "10min". NULL when memory is short. */
MUST_CHECK char *value_quantity_text(enum value_type type, uint64_t number);

/* "follow, refuse": the words that the rule's option accepts. NULL when memory is short. */
MUST_CHECK char *value_choice_words(const struct value_rule *rule);

#endif
