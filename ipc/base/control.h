/*
 * Control characters in names: what may end a line or tell a terminal anything (HOSTILE 15).
 */
#ifndef SALLYPORT_IPC_BASE_CONTROL_H
#define SALLYPORT_IPC_BASE_CONTROL_H

#include "ipc/base/bytes.h"

/*
 * How many bytes from `at` on are one: 0, none; 1, of ASCII; 2, U+0080 to U+009F in UTF-8, which
 * mean to some terminals what an escape and a letter mean. Any other byte is some alphabet's.
 */
static inline size_t
control_length(struct bytes text, size_t at)
{
	unsigned char byte = (unsigned char)text.data[at];
	unsigned char next = at + 1 < text.length ? (unsigned char)text.data[at + 1] : 0;
	if (byte < 0x20 || byte == 0x7f)
		return 1;
	return byte == 0xc2 && next >= 0x80 && next < 0xa0 ? 2 : 0;
}

#endif
