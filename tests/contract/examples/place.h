/*
 * What the example programs have in common: a nursery over a built-in backend, instances from it,
 * and a way to give up. Instances of other kinds (ipc/remote.h) are used in just the same way.
 */
#ifndef SALLYPORT_TESTS_CONTRACT_EXAMPLES_PLACE_H
#define SALLYPORT_TESTS_CONTRACT_EXAMPLES_PLACE_H

#include "ipc/pathio_wait.h"
#include "worker/backends.h"
#include "worker/nursery.h"

struct place {
	struct event_base *base;
	struct nursery *nursery;
	struct pathio_wait wait;
	int folder_fd;
	uint64_t sessions; /* so far */
};

#define SCOPE_PLACE    __attribute__((cleanup(place_close)))
#define SCOPE_INSTANCE __attribute__((cleanup(pathio_free)))

/* "sync", "threaded" or "memory", over that folder (NULL for memory). Ends the program if it fails.
 */
struct place place_open(const char *backend, const char *folder);

/* The same over a backend that is not built in. */
struct place place_open_with(const struct backend_choice *choice, const char *folder);

/* After its instances and files. */
void place_close(struct place *place);

/* An instance for a session that may do everything; deadline_ms 0: without a deadline. */
struct pathio *place_instance(struct place *place, uint32_t deadline_ms);

/* Gives back what is not negative; else says what failed and ends the program. */
int64_t place_must(const struct place *place, int64_t result);

#endif
