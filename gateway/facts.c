/*
 * Names of facts (see facts.h). Runs in the gateway, on words from clients.
 */
#include "gateway/facts.h"

#include "ipc/base/ends.h"
#include "ipc/pathio_messages.h"

#include <stdio.h>
#include <strings.h>

static const struct fact {
	const char *name;
	uint32_t bit;
} facts[] = {
#define FACT(text, fact_bit) { (text), (fact_bit) },
#include "gateway/facts.def"
};

static uint32_t
find(struct bytes name)
{
	for (size_t i = 0; i < ARRAY_LENGTH(facts); i++)
		if (strlen(facts[i].name) == name.length &&
			strncasecmp(facts[i].name, name.data, name.length) == 0)
			return facts[i].bit;
	return 0;
}

uint32_t
facts_parse(struct bytes names)
{
	uint32_t chosen = 0;
	while (names.length > 0) {
		const char *end = memchr(names.data, ';', names.length);
		size_t length = end == NULL ? names.length : (size_t)(end - names.data);
		size_t skipped = end == NULL ? length : length + 1;
		chosen |= find(bytes_of(names.data, length));
		names = bytes_after(names, skipped);
	}
	return chosen;
}

/* Those of `shown`, with the mark behind those of `marked`. */
static const char *
print(uint32_t shown, uint32_t marked, char text[FACTS_TEXT_BYTES])
{
	size_t length = 0;
	text[0] = '\0';
	for (size_t i = 0; i < ARRAY_LENGTH(facts); i++) {
		if ((facts[i].bit & shown) == 0)
			continue;
		const char *mark = (facts[i].bit & marked) != 0 ? "*" : "";
		int added = snprintf(
			text + length, FACTS_TEXT_BYTES - length, "%s%s;", facts[i].name, mark);
		length += (size_t)added;
		ensure(length < FACTS_TEXT_BYTES);
	}
	return text;
}

const char *
facts_text(uint32_t chosen, char text[FACTS_TEXT_BYTES])
{
	return print(chosen, 0, text);
}

const char *
facts_feature(uint32_t chosen, char text[FACTS_TEXT_BYTES])
{
	return print(PATHIO_FACTS_ALL, chosen, text);
}
