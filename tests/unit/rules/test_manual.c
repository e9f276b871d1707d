/*
 * The manual pages and examples say what the tables say: options with their types, defaults and
 * bounds, rights, the options of users. The argument of this program is the folder packaging/.
 */
#include "ipc/base/ends.h"
#include "ipc/base/scope.h"
#include "policy/rules/users.h"
#include "tests/page.h"
#include "tests/table.h"

#include <stdio.h>
#include <string.h>

static const char *packaging;

/* A whole file of packaging/ as text. */
static char *
file_text(const char *name)
{
	SCOPE_FREE char *path = NULL;
	assert_true(asprintf(&path, "%s/%s", packaging, name) > 0);
	char *text = page_read(path);
	assert_non_null(text);
	return text;
}

/* The part of a page between two of its lines. */
static char *
part_of(const char *page, const char *from, const char *to)
{
	const char *begin = strstr(page, from);
	assert_non_null(begin);
	const char *end = strstr(begin, to);
	assert_non_null(end);
	char *part = strndup(begin, (size_t)(end - begin));
	ensure(part != NULL);
	return part;
}

static size_t
count_of(const char *text, const char *what)
{
	size_t count = 0;
	for (; (text = strstr(text, what)) != NULL; text++)
		count++;
	return count;
}

static const char *const option_standards[] = {
#define OPTION(name, TYPE, standard, least, most, readers, doc) standard,
#include "policy/rules/options.def"
};
static const char *const option_docs[] = {
#define OPTION(name, TYPE, standard, least, most, readers, doc) doc,
#include "policy/rules/options.def"
};

/* What sallyport.conf(5) has to say of an option, before any prose. */
static char *
option_entry(unsigned option)
{
	const struct value_rule *rule = config_rule(option);
	const char *standard = option_standards[option];
	SCOPE_FREE char *range = value_range_text(rule);
	char *entry = NULL;
	assert_non_null(range);
	int length = asprintf(&entry, ".It Ic %s = Ar %s\n%s\nDefault: %s.\n%s%s%s", rule->name,
		value_word(rule->type), option_docs[option],
		standard[0] == '\0' ? "empty" : standard,
		range[0] == '\0'             ? ""
		: rule->type == VALUE_CHOICE ? "One of: "
					     : "Permitted: ",
		range, range[0] == '\0' ? "" : ".\n");
	ensure(length > 0 && entry != NULL);
	return entry;
}

static void
check_options(void **state)
{
	(void)state;
	SCOPE_FREE char *page = file_text("man/sallyport.conf.5");
	SCOPE_FREE char *part = part_of(page, ".Sh OPTIONS\n", ".Sh HOSTS\n");
	const char *at = part;
	for (unsigned i = 0; i < OPTION_COUNT; i++) {
		SCOPE_FREE char *entry = option_entry(i);
		const char *found = strstr(at, entry);
		if (found == NULL) {
			fail_msg("missing, or out of order:\n%s", entry);
			return;
		}
		at = found + strlen(entry);
	}
	assert_int_equal(count_of(part, ".It Ic "), OPTION_COUNT);
}

static void
check_host_options(void **state)
{
	(void)state;
	static const char *const entries[] = {
#define HOST_OPTION(option) ".It Ic " #option "\n",
#include "policy/rules/host_options.def"
	};
	SCOPE_FREE char *page = file_text("man/sallyport.conf.5");
	SCOPE_FREE char *part = part_of(page, ".Sh HOSTS\n", ".Sh FILES\n");
	for (size_t i = 0; i < ARRAY_LENGTH(entries); i++)
		if (strstr(part, entries[i]) == NULL)
			fail_msg("missing: %s", entries[i]);
	assert_int_equal(count_of(part, ".It Ic "), ARRAY_LENGTH(entries));
}

static void
check_types(void **state)
{
	(void)state;
	static const char *const words[] = {
#define VALUE(TYPE, storage, SHAPE, parse, format, clear, word, wanted) ".It Ar " word "\n",
#include "policy/rules/values.def"
	};
	SCOPE_FREE char *page = file_text("man/sallyport.conf.5");
	SCOPE_FREE char *part = part_of(page, ".Sh DESCRIPTION\n", ".Sh OPTIONS\n");
	for (size_t i = 0; i < ARRAY_LENGTH(words); i++)
		if (count_of(part, words[i]) != 1)
			fail_msg("not there once: %s", words[i]);
}

static void
check_rights(void **state)
{
	(void)state;
	static const char *const entries[] = {
#define RIGHT(name, BIT, number, doc)      ".It Ic " #name "\n" doc "\n",
#define RIGHT_GROUP(name, BITS, bits, doc) ".It Ic " #name "\n" doc "\n",
#include "policy/rules/rights.def"
	};
	SCOPE_FREE char *page = file_text("man/sallyport-users.5");
	SCOPE_FREE char *part = part_of(page, ".Sh RIGHTS\n", ".Sh OPTIONS\n");
	for (size_t i = 0; i < ARRAY_LENGTH(entries); i++)
		if (strstr(part, entries[i]) == NULL)
			fail_msg("missing:\n%s", entries[i]);
	assert_int_equal(count_of(part, ".It Ic "), ARRAY_LENGTH(entries));
}

static void
check_user_options(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		int type; /* -1: that of the option */
		unsigned option;
		const char *doc;
	} rows[] = {
#define USER_OPTION(name, TYPE, least, most, doc) { #name, VALUE_##TYPE, 0, doc "\n" },
#define USER_OVERRIDE(name)                       { #name, -1, OPTION_##name, "" },
#include "policy/rules/user_options.def"
	};
	SCOPE_FREE char *page = file_text("man/sallyport-users.5");
	SCOPE_FREE char *part = part_of(page, ".Sh OPTIONS\n", ".Sh EXAMPLES\n");
	for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
		enum value_type type = rows[i].type < 0 ? config_rule(rows[i].option)->type
							: (enum value_type)rows[i].type;
		SCOPE_FREE char *entry = NULL;
		assert_true(asprintf(&entry, ".It Ic %s = Ar %s\n%s", rows[i].name,
				    value_word(type), rows[i].doc) > 0);
		if (strstr(part, entry) == NULL)
			fail_msg("missing:\n%s", entry);
	}
	assert_int_equal(count_of(part, ".It Ic "), ARRAY_LENGTH(rows));
}

/* sallyport-backend(7): what a custom backend needs, may leave out, and may ask for. */
static void
check_backend(void **state)
{
	(void)state;
	static const char *const functions[] = {
#define FUNCTION(name, need) ".Ic " #name " ",
#include "worker/backend_functions.def"
	};
	static const char *const additions[] = {
#define ADDITION(call, reason) ".It Ic " #call "\n" reason "\n",
#include "policy/cage/additions.def"
	};
	SCOPE_FREE char *page = file_text("man/sallyport-backend.7");
	SCOPE_FREE char *of_functions = part_of(page, ".Sh FUNCTIONS\n", ".Sh ADDITIONS\n");
	SCOPE_FREE char *of_calls = part_of(page, ".Sh ADDITIONS\n", ".Sh WHERE");
	for (size_t i = 0; i < ARRAY_LENGTH(functions); i++)
		if (strstr(of_functions, functions[i]) == NULL)
			fail_msg("missing: %s", functions[i]);
	for (size_t i = 0; i < ARRAY_LENGTH(additions); i++)
		if (strstr(of_calls, additions[i]) == NULL)
			fail_msg("missing:\n%s", additions[i]);
	assert_int_equal(count_of(of_calls, ".It Ic "), ARRAY_LENGTH(additions));
}

static int
print_value(void *out, unsigned option, struct bytes value)
{
	fprintf(out, "%s = %.*s\n", config_rule(option)->name, (int)value.length, value.data);
	return 0;
}

static char *
values_text(const struct config *config)
{
	char *text = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);
	assert_non_null(out);
	assert_int_equal(config_for_each(config, READER_ALL, print_value, out), 0);
	fclose(out);
	return text;
}

static struct config *
load(const char *path)
{
	struct config *config = NULL;
	struct rules_error error = { 0 };
	if (config_load(path, &config, &error) < 0)
		fail_msg("%s:%u: %s", error.file, error.line, error.reason);
	return config;
}

/* As it is, and with every "#name = value" made true, the example gives the defaults. */
static void
check_example_configuration(void **state)
{
	(void)state;
	SCOPE_FREE char *path = NULL;
	assert_true(asprintf(&path, "%s/sallyport.conf", packaging) > 0);
	struct config *as_it_is = load(path);

	SCOPE_FREE char *text = file_text("sallyport.conf");
	size_t made_true = 0;
	for (char *at = text; (at = strstr(at, "\n#")) != NULL; at++)
		if (at[2] >= 'a' && at[2] <= 'z') {
			at[1] = ' ';
			made_true++;
		}
	assert_true(made_true > 10);
	FILE *file = tmpfile();
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0 && fflush(file) == 0);
	char opened[32];
	snprintf(opened, sizeof(opened), "/proc/self/fd/%d", fileno(file));
	struct config *with_all = load(opened);
	fclose(file);

	struct config *defaults = NULL;
	assert_int_equal(config_create(&defaults), 0);
	SCOPE_FREE char *want = values_text(defaults);
	SCOPE_FREE char *first = values_text(as_it_is);
	SCOPE_FREE char *second = values_text(with_all);
	assert_string_equal(first, want);
	assert_string_equal(second, want);
	size_t given = 0;
	for (unsigned i = 0; i < OPTION_COUNT; i++)
		given += with_all->given[i];
	assert_int_equal(given, made_true);
	config_free(&as_it_is);
	config_free(&with_all);
	config_free(&defaults);
}

static void
check_example_users(void **state)
{
	(void)state;
	SCOPE_FREE char *text = file_text("users.example");
	struct users *users = NULL;
	struct rules_error error = { 0 };
	if (users_parse(bytes_of_text(text), "users.example", &users, &error) < 0)
		fail_msg("line %u: %s", error.line, error.reason);
	assert_true(users_count(users) >= 3);
	for (size_t i = 0; i < users_count(users); i++)
		assert_false(user_may_log_in(users_at(users, i)));
	users_free(&users);
}

/* Every option is in the table that the program prints. */
static void
check_printed_options(void **state)
{
	(void)state;
	SCOPE_FREE char *text = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);
	assert_non_null(out);
	config_print_options(out);
	fclose(out);
	for (unsigned i = 0; i < OPTION_COUNT; i++) {
		SCOPE_FREE char *want = NULL;
		assert_true(asprintf(&want, "%s = %s\n    %s\n", config_rule(i)->name,
				    value_word(config_rule(i)->type), option_docs[i]) > 0);
		assert_non_null(strstr(text, want));
	}
}

int
main(int argc, char **argv)
{
	const struct table tables[] = {
		CASE("sallyport.conf(5): options", check_options),
		CASE("sallyport.conf(5): hosts", check_host_options),
		CASE("sallyport.conf(5): types", check_types),
		CASE("sallyport-users(5): rights", check_rights),
		CASE("sallyport-users(5): options", check_user_options),
		CASE("sallyport-backend(7)", check_backend),
		CASE("sallyport.conf", check_example_configuration),
		CASE("users.example", check_example_users),
		CASE("printed options", check_printed_options),
	};
	if (argc != 2) {
		fprintf(stderr, "usage: %s PACKAGING_FOLDER\n", argv[0]);
		return 2;
	}
	packaging = argv[1];
	return table_run(tables, ARRAY_LENGTH(tables));
}
