/*
 * Values that are one number: counts, durations, sizes, modes, flags (see value.h). The
 * whole text is the value or it is refused; nothing is rounded or clipped.
 */
#include "ipc/base/number.h"
#include "policy/rules/value_types.h"

#include <errno.h>
#include <stdio.h>

/* From the largest to the smallest of each kind; a number without a unit is in the smallest. */
static const struct unit {
	enum value_type type;
	const char *word;
	uint64_t factor;
} units[] = {
	{ VALUE_SECONDS, "d", 86400 },
	{ VALUE_SECONDS, "h", 3600 },
	{ VALUE_SECONDS, "min", 60 },
	{ VALUE_SECONDS, "s", 1 },
	{ VALUE_SIZE, "TiB", UINT64_C(1) << 40 },
	{ VALUE_SIZE, "GiB", UINT64_C(1) << 30 },
	{ VALUE_SIZE, "MiB", UINT64_C(1) << 20 },
	{ VALUE_SIZE, "KiB", UINT64_C(1) << 10 },
	{ VALUE_SIZE, "B", 1 },
};

/* What the word multiplies a number by; 0 when it is no unit of this kind of value. */
static uint64_t
factor_of(enum value_type type, struct bytes word)
{
	if (word.length == 0)
		return 1;
	for (size_t i = 0; i < ARRAY_LENGTH(units); i++)
		if (units[i].type == type && bytes_equal_text(word, units[i].word))
			return units[i].factor;
	return 0;
}

int
value_parse_quantity(
	const struct value_rule *rule, struct bytes text, void *slot, struct rules_error *error)
{
	size_t digits = 0;
	while (digits < text.length && text.data[digits] >= '0' && text.data[digits] <= '9')
		digits++;
	uint64_t factor = factor_of(rule->type, bytes_after(text, digits));
	uint64_t number = 0;
	int parsed = number_parse(bytes_of(text.data, digits), UINT64_MAX, &number);
	if (factor == 0 || parsed == -EINVAL)
		return value_refuse_form(rule, text, error);
	bool overflow = parsed < 0 || __builtin_mul_overflow(number, factor, &number);
	int checked = value_check_range(rule, number, overflow, error);
	if (checked == 0)
		*(uint64_t *)slot = number;
	return checked;
}

/* The largest unit that divides the number, but the smallest for zero. */
static struct unit
unit_for(enum value_type type, uint64_t number)
{
	for (size_t i = 0; i < ARRAY_LENGTH(units); i++) {
		uint64_t factor = units[i].factor;
		bool divides = number == 0 ? factor == 1 : number % factor == 0;
		if (units[i].type == type && divides)
			return units[i];
	}
	return (struct unit){ type, "", 1 };
}

char *
value_quantity_text(enum value_type type, uint64_t number)
{
	char *text = NULL;
	struct unit unit = unit_for(type, number);
	int length = type == VALUE_MODE ? asprintf(&text, "%03jo", (uintmax_t)number)
					: asprintf(&text, "%ju%s",
						  (uintmax_t)(number / unit.factor), unit.word);
	return length < 0 ? NULL : text;
}

char *
value_format_quantity(const struct value_rule *rule, const void *slot, size_t index)
{
	(void)index;
	return value_quantity_text(rule->type, *(const uint64_t *)slot);
}

int
value_parse_mode(
	const struct value_rule *rule, struct bytes text, void *slot, struct rules_error *error)
{
	uint64_t mode = 0;
	int parsed = number_parse_octal(text, UINT64_MAX, &mode);
	if (parsed == -EINVAL)
		return value_refuse_form(rule, text, error);
	int checked = value_check_range(rule, mode, parsed < 0, error);
	if (checked == 0)
		*(uint64_t *)slot = mode;
	return checked;
}

int
value_parse_flag(
	const struct value_rule *rule, struct bytes text, void *slot, struct rules_error *error)
{
	bool yes = bytes_equal_text(text, "yes");
	if (!yes && !bytes_equal_text(text, "no"))
		return value_refuse_form(rule, text, error);
	*(bool *)slot = yes;
	return 0;
}

char *
value_format_flag(const struct value_rule *rule, const void *slot, size_t index)
{
	(void)rule, (void)index;
	return strdup(*(const bool *)slot ? "yes" : "no");
}
