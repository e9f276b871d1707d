/*
 * A tree of the memory backend for tests, and what they do with its files. What does not succeed
 * fails the case.
 */
#ifndef SALLYPORT_TESTS_UNIT_WORKER_MEMORY_TREE_H
#define SALLYPORT_TESTS_UNIT_WORKER_MEMORY_TREE_H

#include "tests/unit/worker/trees.h"

#define PAGE ((size_t)4096)

/* The one that is open: test_tree_close() closes it. */
extern struct test_tree memory_test;

void memory_test_open(uint64_t limit_bytes);

/* What may still be stored. */
uint64_t memory_test_space(void);

struct backend_file *memory_test_open_file(const char *path, unsigned flags);
/* For reading and writing, empty. */
struct backend_file *memory_test_create(const char *path);
/* Writes one letter, at most 1 MiB of it. */
void memory_test_fill(struct backend_file *file, uint64_t offset, char letter, size_t length);
void memory_test_remove(const char *path);

/* What a descriptor reads there, at most 1 MiB of it. */
void memory_test_expect(int fd, off_t offset, char letter, size_t length);

#endif
