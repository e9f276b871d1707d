/*
 * The words of LIST, NLST and STAT: options, a path, a pattern in its last name.
 */
#ifndef SALLYPORT_GATEWAY_LISTING_H
#define SALLYPORT_GATEWAY_LISTING_H

#include "ipc/base/bytes.h"

/* Views into the argument. */
struct listing_words {
	bool is_hidden;      /* -a, -A */
	struct bytes path;   /* as given, options aside; may be empty */
	struct bytes folder; /* what is to be listed: the path, or what stands before its pattern */
	struct bytes pattern; /* empty: none */
};

/*
 * Takes leading words that begin with a dash as options, up to "--" or the first that does not; of
 * these only -a is heeded, since the form of a listing is fixed. Then the rest is one path, blanks
 * included: "-a x y" lists "x y". A pattern is a last name with any of * ? [ in it.
 */
struct listing_words listing_parse(struct bytes argument);

#endif
