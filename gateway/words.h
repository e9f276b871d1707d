/*
 * Words of an argument: paths in double quotes, as clients write them where more than a path
 * follows the verb (XCRC, COMB, SITE SYMLINK).
 */
#ifndef SALLYPORT_GATEWAY_WORDS_H
#define SALLYPORT_GATEWAY_WORDS_H

#include "gateway/line.h"

/* Begin with words_begin(). What words_next() gives points into this or into the argument. */
struct words {
	struct bytes rest; /* of the argument, blanks before it skipped */
	size_t used;       /* of room */
	char room[LINE_BYTES_MAX + 1];
};

void words_begin(struct words *words, struct bytes argument);

/*
 * The next word: up to a blank, or what is in double quotes, where two of them are one. 1; 0 at the
 * end; -EINVAL when a quote is not closed, or is and no blank follows.
 */
MUST_CHECK int words_next(struct words *words, struct bytes *word);

/* In any case of letters. */
bool words_are_equal(struct bytes word, const char *text);

/* Takes the last word, and the blanks before it, from *text; nothing if there is no other word. */
MUST_CHECK bool words_take_last(struct bytes *text, struct bytes *word);

#endif
