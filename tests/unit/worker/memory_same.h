/*
 * Are two trees of the memory backend the same, to the byte? Hidden names of the first are not in
 * the second. What differs fails the case, and is named.
 */
#ifndef SALLYPORT_TESTS_UNIT_WORKER_MEMORY_SAME_H
#define SALLYPORT_TESTS_UNIT_WORKER_MEMORY_SAME_H

#include "tests/unit/worker/memory_tree.h"

void memory_expect_same(const struct test_tree *one, const struct test_tree *other);

#endif
