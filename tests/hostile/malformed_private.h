/*
 * Between the files of malformed.h.
 */
#ifndef SALLYPORT_TESTS_HOSTILE_MALFORMED_PRIVATE_H
#define SALLYPORT_TESTS_HOSTILE_MALFORMED_PRIVATE_H

#include "tests/hostile/malformed.h"

/* Adds one: a copy of the bytes, and the descriptor that the rule wants. `rule` may be NULL. */
struct malformed *malformed_add(struct malformed_list *list, const struct message_rule *rule,
	enum malformed_kind kind, struct bytes bytes, const char *format, ...) PRINTF_LIKE(5, 6);

/* From a valid message, header included: each of its fields out of range in each way it can be. */
void malformed_add_fields(
	struct malformed_list *list, const struct message_rule *rule, struct bytes message);

#endif
