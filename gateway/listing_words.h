/*
 * The words of LIST, NLST and STAT: options, a path, patterns in it.
 */
#ifndef SALLYPORT_GATEWAY_LISTING_WORDS_H
#define SALLYPORT_GATEWAY_LISTING_WORDS_H

#include "ipc/pathio_messages.h"

/* Views into the argument. */
struct listing_words {
	uint32_t show; /* of enum pathio_show */
	enum pathio_order order;
	enum pathio_style style;
	bool is_itself;    /* -d */
	struct bytes path; /* as given, options aside; may be empty */
	struct bytes
		folder; /* what is to be listed: the path, or what stands before its patterns */
	struct bytes pattern; /* of names in the folder; empty: none */
	struct bytes below;   /* of what is below them, with slashes; empty: nothing */
};

/*
 * Takes leading words that begin with a dash as options, up to "--" or the first that does not;
 * one that begins with two dashes is a name. Then the rest is one path, blanks included: "-a x y"
 * lists "x y". The first name with any of * ? [ in it is a pattern, and what follows it as well.
 * `style` is that of the command. Names come sorted unless the options say otherwise.
 */
struct listing_words listing_parse(struct bytes argument, enum pathio_style style);

/*
 * 0; -EINVAL: "." or ".." behind a pattern, where it would lead out of what the pattern found;
 * -E2BIG: patterns for too many levels; -ENAMETOOLONG.
 */
MUST_CHECK int listing_check(const struct listing_words *words);

#endif
