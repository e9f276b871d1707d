/*
 * What is wrong with a configuration, a users file or a command line: where, and why, in words for
 * the operator. A function that refuses fills one in and returns a negative errno; the first
 * refusal stays. Start with `struct rules_error error = { 0 }` and end with rules_error_free().
 */
#ifndef SALLYPORT_POLICY_RULES_ERROR_H
#define SALLYPORT_POLICY_RULES_ERROR_H

#include "ipc/base/bytes.h"

struct rules_error {
	char *file;    /* NULL: not from a file */
	unsigned line; /* from 1; 0: the file as a whole */
	char *reason;  /* NULL: nothing was refused, or memory ran short */
};

/*
 * Notes the reason, unless there is one already. Returns -EINVAL, so that a check can end with
 * `return rules_refuse(error, ...)`; -ENOMEM when the reason could not be kept.
 */
int rules_refuse(struct rules_error *error, const char *format, ...) PRINTF_LIKE(2, 3);

/* The same for "subject: 'value' ...", which shows at most the first 64 bytes of the value. */
int rules_refuse_value(struct rules_error *error, const char *subject, struct bytes value,
	const char *format, ...) PRINTF_LIKE(4, 5);

/*
 * A file that cannot be read, and why; where that is because root reads it without its privileges,
 * what to do. Returns the negative of errno_value, or -ENOMEM.
 */
int rules_refuse_file(struct rules_error *error, const char *path, int errno_value);

/* Adds where it happened, unless that is known already. */
void rules_error_locate(struct rules_error *error, const char *file, unsigned line);

/*
 * "file:line: reason", without what is not known, control bytes written as \xNN. The caller frees
 * it; NULL when memory is short.
 */
MUST_CHECK char *rules_error_text(const struct rules_error *error);

void rules_error_free(struct rules_error *error);

#endif
