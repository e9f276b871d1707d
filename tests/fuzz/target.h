/*
 * A fuzz target: one function, called with bytes from libFuzzer or from the corpus replayer. It
 * aborts (bug(), ensure(), a sanitizer) where a property does not hold.
 */
#ifndef SALLYPORT_TESTS_FUZZ_TARGET_H
#define SALLYPORT_TESTS_FUZZ_TARGET_H

#include <stddef.h>
#include <stdint.h>

/* libFuzzer's name. Returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

#endif
