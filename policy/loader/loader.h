/*
 * The loader: the role of `sallyportd --load` (DECISIONS 20).
 */
#ifndef SALLYPORT_POLICY_LOADER_LOADER_H
#define SALLYPORT_POLICY_LOADER_LOADER_H

#include "policy/loader/load.h"

/*
 * Reads the source inside the loader's cage and sends what it found to the supervisor on descriptor
 * 3, or why it is refused. Ends when the supervisor closes the channel. Returns the exit status.
 */
MUST_CHECK int loader_run(const struct load_source *source);

/* Reads the source and prints "ok", or on standard error why it is refused: the exit status. */
MUST_CHECK int loader_check(const struct load_source *source);

#endif
