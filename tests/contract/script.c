/*
 * Cases of the contract as one line each (see script.h).
 */
#include "tests/contract/script.h"

#include "ipc/base/number.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static const struct {
	const char *name;
	int error;
} error_names[] = {
#define ERROR(name)         \
	{                   \
#name, name \
	}
	ERROR(EBADMSG),
	ERROR(ECONNRESET),
	ERROR(EACCES),
	ERROR(EAGAIN),
	ERROR(EBADF),
	ERROR(EBUSY),
	ERROR(ECANCELED),
	ERROR(EEXIST),
	ERROR(EFBIG),
	ERROR(ENODATA),
	ERROR(EINVAL),
	ERROR(EIO),
	ERROR(EISDIR),
	ERROR(ELOOP),
	ERROR(EMFILE),
	ERROR(ENAMETOOLONG),
	ERROR(ENOENT),
	ERROR(ENOSPC),
	ERROR(ENOTDIR),
	ERROR(ENOTEMPTY),
	ERROR(ENOTSUP),
	ERROR(EOVERFLOW),
	ERROR(EPERM),
	ERROR(ETIMEDOUT),
	ERROR(EXDEV),
#undef ERROR
};

const char *
script_error_name(int error)
{
	for (size_t i = 0; i < ARRAY_LENGTH(error_names); i++)
		if (error_names[i].error == -error)
			return error_names[i].name;
	return error == 0 ? "success" : "another error";
}

/* ---- words ---- */

static void
add_text(struct script *script, const char *data, size_t length)
{
	assert_true(length <= sizeof(script->text) - script->used);
	memcpy(script->text + script->used, data, length);
	script->used += length;
}

static const char *
add_hex(struct script *script, const char *at)
{
	static const char digits[] = "0123456789abcdef";
	const char *high = strchr(digits, at[0]);
	assert_true(high != NULL && *high != '\0');
	const char *low = strchr(digits, at[1]);
	assert_true(low != NULL && *low != '\0');
	char byte = (char)((high - digits) << 4 | (low - digits));
	add_text(script, &byte, 1);
	return at + 2;
}

/* Text in which %20 is a byte. */
static void
add_plain(struct script *script, struct bytes source)
{
	const char *at = source.data;
	while (at < source.data + source.length)
		if (*at == '%')
			at = add_hex(script, at + 1);
		else
			add_text(script, at++, 1);
}

/* "ab*3}" -> "ababab"; gives what comes after it. */
static const char *
add_repeated(struct script *script, const char *at)
{
	const char *star = strchr(at, '*');
	const char *end = strchr(at, '}');
	uint64_t times;
	assert_true(star != NULL && end != NULL && star < end);
	assert_int_equal(
		number_parse(bytes_of(star + 1, (size_t)(end - star - 1)), 100000, &times), 0);
	for (uint64_t i = 0; i < times; i++)
		add_plain(script, bytes_of(at, (size_t)(star - at)));
	return end + 1;
}

static struct bytes
expand(struct script *script, struct bytes source)
{
	size_t start = script->used;
	const char *at = source.data;
	const char *end = source.data + source.length;
	while (at < end) {
		const char *brace = memchr(at, '{', (size_t)(end - at));
		const char *stop = brace == NULL ? end : brace;
		add_plain(script, bytes_of(at, (size_t)(stop - at)));
		at = brace == NULL ? end : add_repeated(script, brace + 1);
	}
	return bytes_of(script->text + start, script->used - start);
}

/* Takes what stands before `separator` off the text, and the separator with it. */
static struct bytes
take(struct bytes *text, const char *separator)
{
	size_t length = strlen(separator);
	const char *found = memmem(text->data, text->length, separator, length);
	struct bytes taken = *text;
	if (found == NULL) {
		text->data += text->length;
		text->length = 0;
		return taken;
	}
	taken.length = (size_t)(found - text->data);
	text->data += taken.length + length;
	text->length -= taken.length + length;
	return taken;
}

bool
script_has_word(const struct script *script, const char *word)
{
	for (size_t i = 1; i < script->count; i++)
		if (bytes_equal_text(script->words[i], word))
			return true;
	return false;
}

uint64_t
script_number(const struct script *script, size_t word)
{
	uint64_t number;
	if (number_parse(script->words[word], UINT64_MAX, &number) < 0)
		fail_msg("\"%.*s\" is no number", (int)script->words[word].length,
			script->words[word].data);
	return number;
}

uint32_t
script_choice(const struct script *script, size_t word, const struct wire_choices *choices)
{
	struct bytes text = script->words[word];
	uint64_t number;
	if (text.length > 1 && text.data[0] == '#' &&
		number_parse(bytes_of(text.data + 1, text.length - 1), UINT32_MAX, &number) == 0)
		return (uint32_t)number;
	for (uint32_t i = 0; i < choices->count; i++)
		if (bytes_equal_text(text, choices->texts[i]))
			return i;
	fail_msg("\"%.*s\" is no %s", (int)text.length, text.data, choices->name);
	return 0;
}

/* ---- results ---- */

void
script_say_bytes(struct script *script, struct bytes bytes)
{
	assert_true(bytes.length <= sizeof(script->result) - script->result_bytes);
	if (bytes.length > 0)
		memcpy(script->result + script->result_bytes, bytes.data, bytes.length);
	script->result_bytes += bytes.length;
}

void
script_say(struct script *script, const char *format, ...)
{
	char text[512];
	va_list arguments;
	va_start(arguments, format);
	int length = vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	assert_in_range(length, 0, sizeof(text) - 1);
	script_say_bytes(script, bytes_of(text, (size_t)length));
}

/* ---- calls ---- */

static void
check_outcome(const struct script *script, struct bytes call, int error, const struct bytes *want)
{
	char text[256];
	snprintf(text, sizeof(text), "%.*s", (int)call.length, call.data);
	for (size_t i = 0; want != NULL && i < ARRAY_LENGTH(error_names); i++) {
		if (!bytes_equal_text(*want, error_names[i].name))
			continue;
		if (error != -error_names[i].error)
			fail_msg("%s: gave %s (%d)", text, script_error_name(error), error);
		return;
	}
	if (error != 0)
		fail_msg("%s: gave %s (%d)", text, script_error_name(error), error);
	struct bytes result = bytes_of(script->result, script->result_bytes);
	if (result.length == 0)
		result = bytes_of_text("nothing");
	if (want != NULL && !bytes_equal(result, *want))
		fail_msg("%s: gave \"%.*s\"", text,
			(int)(result.length < 200 ? result.length : 200), result.data);
}

int
script_call(struct script *script, struct bytes call, script_finder *find_verb)
{
	struct bytes words = call;
	script->count = script->used = script->result_bytes = 0;
	struct bytes verb = take(&words, " ");
	while (words.length > 0) {
		assert_true(script->count < SCRIPT_WORDS_MAX);
		script->words[script->count++] = expand(script, take(&words, " "));
	}
	script_verb *run = find_verb(verb, script->count);
	if (run == NULL) {
		fail_msg("no such verb with so many words: %.*s", (int)call.length, call.data);
		return -EINVAL;
	}
	return run(script);
}

static void
check_call(struct script *script, struct bytes call)
{
	struct bytes rest = call;
	struct bytes made = take(&rest, " = ");
	bool expects = made.length < call.length;
	int error = script_call(script, made, script_find_verb);
	struct bytes want = expand(script, rest);
	check_outcome(script, call, error, expects ? &want : NULL);
}

void
script_run(struct session *session, const char *text)
{
	static struct script script;
	script.session = session;
	struct bytes rest = bytes_of_text(text);
	while (rest.length > 0)
		check_call(&script, take(&rest, "; "));
}
