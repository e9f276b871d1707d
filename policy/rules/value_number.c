/*
 * Values that are one number: counts, durations, sizes, modes, flags (see value.h). The
 * whole text is the value or it is refused; nothing is rounded or clipped.
 */
#include "ipc/base/number.h"
#include "policy/rules/value_types.h"

#include <errno.h>
#include <stdio.h>

struct unit {
	const char *word;
	uint64_t factor;
};

/* From the largest to the smallest; the last one is what a number without a unit means. */
static const struct unit duration_units[] = {
	{ "d", 86400 },
	{ "h", 3600 },
	{ "min", 60 },
	{ "s", 1 },
};
static const struct unit size_units[] = {
	{ "TiB", UINT64_C(1) << 40 },
	{ "GiB", UINT64_C(1) << 30 },
	{ "MiB", UINT64_C(1) << 20 },
	{ "KiB", UINT64_C(1) << 10 },
	{ "B", 1 },
};
static const struct unit no_units[] = {
	{ "", 1 },
};

struct units {
	const struct unit *rows;
	size_t count;
};

static struct units
units_of(enum value_type type)
{
	if (type == VALUE_SECONDS)
		return (struct units){ duration_units, ARRAY_LENGTH(duration_units) };
	if (type == VALUE_SIZE)
		return (struct units){ size_units, ARRAY_LENGTH(size_units) };
	return (struct units){ no_units, ARRAY_LENGTH(no_units) };
}

static const struct unit *
unit_find(struct units units, struct bytes word)
{
	if (word.length == 0)
		return &units.rows[units.count - 1];
	for (size_t i = 0; i < units.count; i++)
		if (bytes_equal_text(word, units.rows[i].word))
			return &units.rows[i];
	return NULL;
}

int
value_parse_quantity(
	const struct value_rule *rule, struct bytes text, void *slot, struct rules_error *error)
{
	size_t digits = 0;
	while (digits < text.length && text.data[digits] >= '0' && text.data[digits] <= '9')
		digits++;
	const struct unit *unit =
		unit_find(units_of(rule->type), bytes_of(text.data + digits, text.length - digits));
	uint64_t number = 0;
	int parsed = number_parse(bytes_of(text.data, digits), UINT64_MAX, &number);
	if (unit == NULL || parsed == -EINVAL)
		return value_refuse_form(rule, text, error);
	if (parsed < 0 || __builtin_mul_overflow(number, unit->factor, &number))
		number = UINT64_MAX; /* beyond every bound */
	int checked = value_check_range(rule, number, error);
	if (checked == 0)
		*(uint64_t *)slot = number;
	return checked;
}

char *
value_quantity_text(enum value_type type, uint64_t number)
{
	char *text = NULL;
	struct units units = units_of(type);
	const struct unit *unit = units.rows;
	while (unit < &units.rows[units.count - 1] && (number == 0 || number % unit->factor != 0))
		unit++;
	int length = type == VALUE_MODE ? asprintf(&text, "%03jo", (uintmax_t)number)
					: asprintf(&text, "%ju%s",
						  (uintmax_t)(number / unit->factor), unit->word);
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
	int checked = value_check_range(rule, parsed < 0 ? UINT64_MAX : mode, error);
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
