/*
 * The part of libConfuse's language that our files may use. Its lexer drops bytes that it does not
 * know, treats an unclosed comment as the end of the file, cuts a string at "\0", fills in the
 * environment and miscounts the lines after a comment: each of these could make a limit vanish, or
 * a reason point elsewhere. What would be taken otherwise than it reads is refused here, before
 * libConfuse sees it, and comments are blanked out.
 *
 * What remains: names, `=`, words, strings in '...' or "..." on one line, lists in braces with
 * commas, and comments from # to the end of the line.
 */
#ifndef SALLYPORT_POLICY_RULES_CONFIG_TEXT_H
#define SALLYPORT_POLICY_RULES_CONFIG_TEXT_H

#include "policy/rules/error.h"

/* Checks text[0..length) and blanks its comments. 0, or -EINVAL with a reason and *line from 1. */
MUST_CHECK int
config_text_clean(char *text, size_t length, unsigned *line, struct rules_error *error);

#endif
