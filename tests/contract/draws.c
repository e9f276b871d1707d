/*
 * Random calls (see draws.h). Few names, so that they meet; now and then one that is hard.
 */
#include "tests/contract/draws.h"

#include "ipc/base/compiler.h"
#include "ipc/base/ends.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* xorshift64*: the same on every machine. */
static uint32_t
draw(struct draws *draws, uint32_t below)
{
	draws->state ^= draws->state >> 12;
	draws->state ^= draws->state << 25;
	draws->state ^= draws->state >> 27;
	return (uint32_t)((draws->state * UINT64_C(2685821657736338717)) >> 33) % below;
}

struct draws
draws_begin(uint64_t seed, enum draw_kind kind)
{
	return (struct draws){ .state = (seed + 1) * UINT64_C(0x9e3779b97f4a7c15), .kind = kind };
}

/* A call that is being put together. */
struct composed {
	char *text;
	size_t length;
};

static void PRINTF_LIKE(2, 3) say(struct composed *call, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	size_t room = DRAW_BYTES_MAX - call->length;
	int length = vsnprintf(call->text + call->length, room, format, arguments);
	va_end(arguments);
	ensure(length >= 0 && (size_t)length < room);
	call->length += (size_t)length;
}

static void
say_one_of(struct draws *draws, struct composed *call, const char *const choices[], uint32_t count)
{
	say(call, "%s", choices[draw(draws, count)]);
}
#define SAY_ONE_OF(draws, call, choices) \
	say_one_of((draws), (call), (choices), ARRAY_LENGTH(choices))

/* ---- words ---- */

static void
say_hard_path(struct draws *draws, struct composed *call)
{
	static const char *const paths[] = {
		"/{n*255}",
		"/a/{n*255}",
		"/{n*256}",
		"/{n*256}/../a",
		"/a{/deep*12}",
		"/b{/deep*4}/c",
		"{/x*2048}",
		"{/xyz*1023}/ab",
		"{/xyz*1024}",
		"{/..*100}/a",
		"//a///./b/",
		"/a/../b",
		"/a/b/../../c/.",
		"/..",
		"/a%20b",
		"/%ff%01%c3%a4%0a",
		"/-",
		"/.hidden",
		"/a%00b",
		"a",
		".",
	};
	SAY_ONE_OF(draws, call, paths);
}

static void
say_path(struct draws *draws, struct composed *call)
{
	static const char *const names[] = { "/a", "/b", "/c", "/d" };
	if (draw(draws, 24) == 0) {
		say_hard_path(draws, call);
		return;
	}
	uint32_t depth = draw(draws, 20) == 0 ? 0 : 1 + draw(draws, 3);
	if (depth == 0)
		say(call, "/");
	for (uint32_t i = 0; i < depth; i++)
		SAY_ONE_OF(draws, call, names);
}

static void
say_target(struct draws *draws, struct composed *call)
{
	static const char *const targets[] = { "a", "b", "a", "b/", "..", "../a", "../../../c", "/",
		"/a", "/b/c", ".", "./d", "c/../d", "/a//b/", "../d/..", "d//", "../b/", "{n*256}",
		"{x/*1000}", "nothing" };
	SAY_ONE_OF(draws, call, targets);
}

static void
say_handle(struct draws *draws, struct composed *call)
{
	say(call, "%u", 1 + draw(draws, 4));
}

static void
say_upload(struct draws *draws, struct composed *call)
{
	say(call, "%u", draw(draws, 16) == 0 ? 1 + draw(draws, 4) : 5 + draw(draws, 2));
}

static void
say_number(struct draws *draws, struct composed *call)
{
	say(call, "%u", draw(draws, draw(draws, 3) == 0 ? 20000 : 12));
}

static void
say_content(struct draws *draws, struct composed *call)
{
	static const char *const contents[] = { "{x*0}", "a", "text", "a%0ab%0d%0ac%0d", "%00%ff",
		"%0a", "0123456789", "line%0d%0a" };
	if (draw(draws, 3) == 0)
		say(call, "{%c%u*%u}", 'a' + (int)draw(draws, 26), draw(draws, 10),
			draw(draws, 4000));
	else
		SAY_ONE_OF(draws, call, contents);
}

static void
say_mode(struct draws *draws, struct composed *call)
{
	static const char *const modes[] = { "rb", "wb", "ab", "r+b", "r+b", "xb" };
	SAY_ONE_OF(draws, call, modes);
}

/* Mostly harmless, or soon nothing works any more. */
static void
say_bits(struct draws *draws, struct composed *call)
{
	static const char *const bits[] = { "777", "755", "700", "644", "600", "444", "555", "311",
		"222", "0" };
	say_one_of(draws, call, bits, draw(draws, 3) == 0 ? ARRAY_LENGTH(bits) : 3);
}

static void
say_whence(struct draws *draws, struct composed *call)
{
	static const char *const whences[] = { " set", " current", " end" };
	if (draw(draws, 4) == 0)
		say(call, "-");
	say_number(draws, call);
	SAY_ONE_OF(draws, call, whences);
}

static void
say_how(struct draws *draws, struct composed *call)
{
	static const char *const hows[] = { "replace", "replace", "append", "append 3",
		"append 3000", "at-offset 0", "at-offset 5", "at-offset 900", "unique", "range 0 3",
		"range 2 7", "range 900 1" };
	SAY_ONE_OF(draws, call, hows);
}

static void
say_form(struct draws *draws, struct composed *call)
{
	static const char *const forms[] = { "image", "ascii" };
	SAY_ONE_OF(draws, call, forms);
}

/* ---- calls ---- */

static void
say_word(struct draws *draws, struct composed *call, char stands_for)
{
	static const struct {
		char letter;
		void (*say)(struct draws *draws, struct composed *call);
	} words[] = {
		{ 'p', say_path },
		{ 'h', say_handle },
		{ 'u', say_upload },
		{ 'o', say_number },
		{ 'n', say_number },
		{ 'c', say_content },
		{ 'm', say_mode },
		{ 'b', say_bits },
		{ 'w', say_whence },
		{ 't', say_target },
		{ 'y', say_how },
		{ 'f', say_form },
	};
	size_t i = 0;
	while (i < ARRAY_LENGTH(words) && words[i].letter != stands_for)
		i++;
	ensure(i < ARRAY_LENGTH(words));
	words[i].say(draws, call);
}

static const char *
draw_call(struct draws *draws)
{
	static const struct {
		uint32_t weights[DRAW_KINDS];
		const char *call;
	} rows[] = {
#define DRAW(files, folders, links, uploads, call) { { files, folders, links, uploads }, call },
#include "tests/contract/draws.def"
	};
	uint32_t total = 0;
	for (size_t i = 0; i < ARRAY_LENGTH(rows); i++)
		total += rows[i].weights[draws->kind];
	uint32_t at = draw(draws, total);
	size_t row = 0;
	while (at >= rows[row].weights[draws->kind])
		at -= rows[row++].weights[draws->kind];
	return rows[row].call;
}

void
draws_next(struct draws *draws, char call[static DRAW_BYTES_MAX])
{
	struct composed composed = { .text = call };
	const char *end;
	for (const char *at = draw_call(draws); *at != '\0'; at = end) {
		end = at + 1;
		if (*at == '$')
			say_word(draws, &composed, *end++);
		else
			say(&composed, "%c", *at);
	}
}
