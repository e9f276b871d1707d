/*
 * The command line of the quick start (see quick.h). Runs in the command that the operator types.
 */
#include "policy/rules/quick.h"

#include <assert.h>
#include <errno.h>
#include <stddef.h>

static const struct row {
	const char *option;
	size_t offset;
	size_t most;
	const char *value;
	const char *doc;
} rows[] = {
#define QUICK(option, field, most, value, doc) \
	{ option, offsetof(struct quick_arguments, field), most, value, doc },
#include "policy/rules/quick.def"
};

#define QUICK(option, field, most, value, doc) \
	static_assert((most) <= QUICK_VALUES_MAX, "room for every value of " option);
#include "policy/rules/quick.def"

/* The row that `argument` names. */
static const struct row *
find_row(const char *argument)
{
	size_t length = strcspn(argument, "=");
	for (size_t i = 0; i < ARRAY_LENGTH(rows); i++)
		if (bytes_equal_text(bytes_of(argument, length), rows[i].option))
			return &rows[i];
	return NULL;
}

static int
add_value(struct quick_arguments *result, const struct row *row, const char *value,
	struct rules_error *error)
{
	void *field = (char *)result + row->offset;
	struct quick_values *values = field;
	if (values->count == row->most)
		return rules_refuse(error, "%s: more than %zu of them", row->option, row->most);
	values->items[values->count++] = value;
	return 0;
}

/* "--option=value" or "--option value": how many arguments further it took. */
static int
add_option(struct quick_arguments *result, const struct row *row, int left, char *const arguments[],
	struct rules_error *error)
{
	const char *equals = strchr(arguments[0], '=');
	if (equals == NULL && left == 1)
		return rules_refuse(error, "%s: needs %s", row->option, row->value);
	int added = add_value(result, row, equals == NULL ? arguments[1] : equals + 1, error);
	return added < 0 ? added : equals == NULL;
}

static int
add_flag(struct quick_arguments *result, const struct row *row, const char *argument,
	struct rules_error *error)
{
	if (strchr(argument, '=') != NULL)
		return rules_refuse(error, "%s: takes no value", row->option);
	return add_value(result, row, "", error);
}

int
quick_parse(int count, char *const arguments[], struct quick_arguments *result,
	struct rules_error *error)
{
	struct quick_arguments sorted = { 0 };
	for (int i = 0; i < count; i++) {
		const struct row *row = find_row(arguments[i]);
		if (row == NULL)
			return rules_refuse_value(error, "argument", bytes_of_text(arguments[i]),
				"is not known to --quick");
		int added = row->value[0] == '\0'
				    ? add_flag(&sorted, row, arguments[i], error)
				    : add_option(&sorted, row, count - i, &arguments[i], error);
		if (added < 0)
			return added;
		i += added;
	}
	*result = sorted;
	return 0;
}

void
quick_print_options(FILE *out)
{
	for (size_t i = 0; i < ARRAY_LENGTH(rows); i++)
		fprintf(out, "  %s%s%s\n      %s\n", rows[i].option,
			rows[i].value[0] == '\0' ? "" : " ", rows[i].value, rows[i].doc);
}
