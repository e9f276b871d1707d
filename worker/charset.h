/*
 * Names for clients that do not speak UTF-8 (RFC 2640): how a name that is stored as bytes, in
 * UTF-8 as a rule, is written in another character set, and back.
 *
 * What that set cannot say is written as escapes, one for each stored byte: '=' and two upper-case
 * hexadecimal digits. Escapes are for bytes of 0x80 and more alone, and for the '=' that would
 * otherwise begin one; so every stored name, valid or not, is written in one way, and what is
 * written is read as the name that it came from.
 */
#ifndef SALLYPORT_WORKER_CHARSET_H
#define SALLYPORT_WORKER_CHARSET_H

#include "ipc/base/bytes.h"

struct charset;

enum {
	CHARSET_NAME_BYTES_MAX = 32,
	CHARSET_GROWTH = 3, /* bytes that a stored byte may become */
	CHARSET_GUARD_GROWTH = 2,
};

/*
 * By its name in iconv(3); one of choices.def, which all hold ASCII and keep no state between
 * characters. Opens files: before the cage closes (DECISIONS 6). 0; -EINVAL: not known here; or
 * another negative errno.
 */
MUST_CHECK int charset_open(const char *name, struct charset **result);

/* Sets *charset to NULL. NULL is fine. */
void charset_free(struct charset **charset);

/*
 * What is stored under a name or path that a client has written. Its length; -EILSEQ: there are
 * bytes that are no character; -ENAMETOOLONG. Slashes and dots stay where they are.
 */
MUST_CHECK int
charset_read(struct charset *charset, struct bytes written, char *stored, size_t capacity);

/*
 * A pattern of glob.h, as a client has written it: what it means there, without the bytes within
 * characters that would mean something else (in Shift_JIS a backslash or bracket may end one). At
 * `at`, which has room for CHARSET_GUARD_GROWTH times as much. Returns where it ends.
 */
char *charset_guard_pattern(struct charset *charset, struct bytes pattern, char *at);

/*
 * How a client writes what is stored: at `at`, which has room for CHARSET_GROWTH times as much.
 * Returns where it ends. Without a charset, as it is.
 */
char *charset_write(struct charset *charset, struct bytes stored, char *at);

#endif
