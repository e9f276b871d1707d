/*
 * A strict reader of JSON (RFC 8259), written apart from the printer that it judges. Linked into
 * test programs only.
 */
#ifndef SALLYPORT_TESTS_JSON_H
#define SALLYPORT_TESTS_JSON_H

#include "ipc/base/bytes.h"

/* One value and nothing else, in well-formed UTF-8. */
bool json_is_valid(struct bytes text);

/* No byte or character in it that a terminal would act upon: none below U+0020, none from U+007F to
 * U+009F. */
bool json_is_harmless(struct bytes text);

/*
 * The bytes that a JSON string (with its quotes) stands for, lone surrogates U+DC80..U+DCFF turned
 * back into bytes. Returns their number, or -1 if it is no string. `result` has room for
 * text.length bytes.
 */
int json_unquote(struct bytes text, char *result);

#endif
