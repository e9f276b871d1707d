/*
 * The oracle of the differential test: what the kernel itself does. Verbs of verbs.def by plain
 * system calls in a scratch folder, with no line of the worker's. Where PATHIO asks for more than a
 * system call gives (parents, uploads in two steps), it is built from system calls here once more.
 */
#ifndef SALLYPORT_TESTS_CONTRACT_PLAIN_H
#define SALLYPORT_TESTS_CONTRACT_PLAIN_H

#include "tests/contract/script.h"

struct plain;

/* `symlinks` as users have it (DESIGN 4). Sets the umask of the process to 022. */
struct plain *plain_new(enum symlink_policy symlinks);
void plain_free(struct plain **plain);

/* For script_call() with script->plain. */
script_finder plain_find_verb;

/* Calls `each` for the root and all below it that can be reached. */
typedef void plain_visitor(void *argument, const char *path, enum pathio_type type);
void plain_walk(struct plain *plain, plain_visitor *each, void *argument);

#endif
