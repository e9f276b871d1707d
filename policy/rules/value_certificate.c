/*
 * Names of certificates (see values.def): KIND/VALUE, in the one form in which sallyport-auth says
 * what a certificate is called, so that two of them are compared byte by byte.
 */
#include "policy/rules/value_types.h"

#include <errno.h>
#include <stdlib.h>

enum { FINGERPRINT_DIGITS = 64, NAME_BYTES_MAX = 1024 };

static bool
is_kind(struct bytes text, const char *kind)
{
	size_t length = strlen(kind);
	return text.length > length && memcmp(text.data, kind, length) == 0;
}

static void
make_small(char *text)
{
	for (; *text != '\0'; text++)
		if (*text >= 'A' && *text <= 'Z')
			*text = (char)(*text - 'A' + 'a');
}

/* As openssl(1) prints them, or without the colons. */
static bool
fold_fingerprint(char *text)
{
	static const char kind[] = "sha256/";
	char *out = text + strlen(kind);
	make_small(text);
	for (const char *in = out; *in != '\0'; in++)
		if (*in != ':')
			*out++ = *in;
	*out = '\0';
	text += strlen(kind);
	return strlen(text) == FINGERPRINT_DIGITS && text[strspn(text, "0123456789abcdef")] == '\0';
}

static bool
fold(char *text)
{
	struct bytes whole = bytes_of_text(text);
	if (is_kind(whole, "sha256/"))
		return fold_fingerprint(text);
	if (is_kind(whole, "dns/"))
		make_small(text); /* RFC 4343 */
	return is_kind(whole, "dns/") || is_kind(whole, "subject/") || is_kind(whole, "email/") ||
	       is_kind(whole, "uri/");
}

int
value_parse_certificate(
	const struct value_rule *rule, struct bytes text, void *slot, struct rules_error *error)
{
	struct value_paths *names = slot;
	if (text.length > NAME_BYTES_MAX || !value_is_clean_text(text))
		return value_refuse_form(rule, text, error);
	char *copy = bytes_copy_text(text);
	if (copy == NULL)
		return -ENOMEM;
	if (!fold(copy)) {
		free(copy);
		return value_refuse_form(rule, text, error);
	}
	char **items = reallocarray(names->items, names->count + 1, sizeof(*items));
	if (items == NULL) {
		free(copy);
		return -ENOMEM;
	}
	names->items = items;
	items[names->count++] = copy;
	return 0;
}
