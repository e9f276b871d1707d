/*
 * Fields of a message by name: "attempt", "user.uid". Linked into test programs only.
 */
#ifndef SALLYPORT_TESTS_HOSTILE_FIELD_H
#define SALLYPORT_TESTS_HOSTILE_FIELD_H

#include "ipc/wire.h"

/* Dies if the record has none of that name. The member's offset goes to *offset. */
const struct wire_field *
field_find(const struct wire_record *record, const char *name, size_t *offset);

/*
 * Sets a member of `body` from text: a number, or the text itself; a list gets one element, whose
 * first field is that number; "-" is an empty text or list. What it points to lives as long as the
 * process. The limits of the row are not looked at.
 */
void field_set(const struct wire_record *record, void *body, const char *name, const char *value);

bool field_equals(
	const struct wire_record *record, const void *body, const char *name, const char *value);

/*
 * Numbers that messages held: field_note() remembers the ids and 32-bit numbers of one; `value` is
 * "@",
 * "@+N" or a number of its own. Dies if there was none.
 */
void field_note(const struct wire_record *record, const void *body);
uint64_t field_number(const char *name, const char *value);

#endif
