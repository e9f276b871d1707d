/*
 * A derived backend for the contract: the counting example of packaging/, over real files. Without
 * the short cuts that it does not inherit, each of its operations goes to a thread, if there are
 * any.
 */
#ifndef SALLYPORT_TESTS_CONTRACT_DERIVED_H
#define SALLYPORT_TESTS_CONTRACT_DERIVED_H

#include "worker/backend.h"

/* Complete once derived_make() was called. */
extern const struct backend *const derived_backend;

void derived_make(void);

#endif
