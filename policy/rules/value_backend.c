/*
 * Names of backends (see backends.h), and the value that is one (see value.h). Whether a custom one
 * can be loaded is not known here: config_check() asks for a folder to load it from, the loader
 * looks into it.
 */
#include "policy/rules/backends.h"
#include "policy/rules/value_types.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum place { PLACE_HOME, PLACE_MEMORY };

static const struct built_in {
	const char *name;
	enum place place;
} built_ins[] = {
#define BACKEND(name, table, EXECUTOR, PLACE, doc) { #name, PLACE_##PLACE },
#include "policy/rules/backends.def"
};

static const struct built_in *
find(struct bytes name)
{
	for (size_t i = 0; i < ARRAY_LENGTH(built_ins); i++)
		if (bytes_equal_text(name, built_ins[i].name))
			return &built_ins[i];
	return NULL;
}

bool
backend_name_is_good(struct bytes name)
{
	if (name.length == 0 || name.length > BACKEND_NAME_BYTES_MAX)
		return false;
	for (size_t i = 0; i < name.length; i++) {
		char byte = name.data[i];
		bool letter = byte >= 'a' && byte <= 'z';
		bool inner = (byte >= '0' && byte <= '9') || (byte == '-' && i + 1 < name.length);
		if (!letter && (i == 0 || !inner))
			return false;
	}
	return true;
}

bool
backend_is_built_in(struct bytes name)
{
	return find(name) != NULL;
}

bool
backend_is_in_memory(struct bytes name)
{
	const struct built_in *found = find(name);
	return found != NULL && found->place == PLACE_MEMORY;
}

char *
backend_words(void)
{
	char *text = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);
	if (out == NULL)
		return NULL;
	const char *separator = "";
	for (size_t i = 0; i < ARRAY_LENGTH(built_ins); i++) {
		fprintf(out, "%s%s", separator, built_ins[i].name);
		separator = ", ";
	}
	if (fclose(out) == 0)
		return text;
	free(text);
	return NULL;
}

int
value_parse_backend(
	const struct value_rule *rule, struct bytes text, void *slot, struct rules_error *error)
{
	struct value_backend *backend = slot;
	if (!backend_name_is_good(text))
		return value_refuse_form(rule, text, error);
	memcpy(backend->name, text.data, text.length);
	return 0;
}

char *
value_format_backend(const struct value_rule *rule, const void *slot, size_t index)
{
	(void)rule, (void)index;
	return strdup(((const struct value_backend *)slot)->name);
}
