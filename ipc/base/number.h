/*
 * Numbers from text: the whole text or nothing. No sign, no blank, no exponent, ASCII digits only.
 * The result is untouched on failure.
 */
#ifndef SALLYPORT_IPC_BASE_NUMBER_H
#define SALLYPORT_IPC_BASE_NUMBER_H

#include "ipc/base/bytes.h"

#include <stdint.h>

/* 0, -EINVAL (no decimal number) or -ERANGE (more than maximum). */
MUST_CHECK int number_parse(struct bytes text, uint64_t maximum, uint64_t *result);

/* The same in base 8, for file modes. */
MUST_CHECK int number_parse_octal(struct bytes text, uint64_t maximum, uint64_t *result);

#endif
