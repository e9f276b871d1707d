/*
 * Cases of the contract as one line each: calls of path-I/O with what they must give.
 *
 *	"put /f text; rename /f /g; content /g = text; exists /f = no; unlink /f = ENOENT"
 *
 * Calls are separated by "; ". A call is a verb (verbs.def) and its words; after " = " stands the
 * errno that it must fail with, or else the text that it must give; without it the call must
 * succeed. In a word or a text %20 is a byte in hex, and {ab*3} is "ababab". An empty result is
 * "nothing". A choice may be a number as well: #7.
 */
#ifndef SALLYPORT_TESTS_CONTRACT_SCRIPT_H
#define SALLYPORT_TESTS_CONTRACT_SCRIPT_H

#include "tests/unit/worker/session.h"

enum { SCRIPT_WORDS_MAX = 8, SCRIPT_TEXT_BYTES = 128 * 1024 };
#define SCRIPT_OLD_NS INT64_C(1000000000000000000) /* before 2001, for the verb "when" */

struct plain;

/* A call that is being made, as its verb sees it. */
struct script {
	struct session *session;
	struct plain *plain; /* instead of a session, for the oracle of the differential test */
	size_t count;        /* of words after the verb */
	struct bytes words[SCRIPT_WORDS_MAX];
	size_t used;                  /* of text */
	char text[SCRIPT_TEXT_BYTES]; /* of the words */
	size_t result_bytes;
	char result[SCRIPT_TEXT_BYTES];
};

/* Makes the calls; the first that gives something else fails the case and is named. */
void script_run(struct session *session, const char *script);

/* ---- one call at a time ---- */

/* 0 or negative errno; the result, if any, goes to script_say(). */
typedef int script_verb(struct script *script);
/* NULL: no such verb with so many words. */
typedef script_verb *script_finder(struct bytes name, size_t words);
script_finder script_find_verb;

/* Makes one call by the verbs of `find_verb`: 0 or negative errno, with script->result. */
int script_call(struct script *script, struct bytes call, script_finder *find_verb);

/* "ENOENT"; "success" of 0. */
const char *script_error_name(int error);

/* ---- for verbs ---- */

void script_say(struct script *script, const char *format, ...) PRINTF_LIKE(2, 3);
void script_say_bytes(struct script *script, struct bytes bytes);

/* Is it among the words behind the first? */
bool script_has_word(const struct script *script, const char *word);

/* A word as a number or as one of the texts of a choice; anything else fails the case. */
uint64_t script_number(const struct script *script, size_t word);
uint32_t
script_choice(const struct script *script, size_t word, const struct wire_choices *choices);

#endif
