/*
 * The one place where an errno becomes a reply (failures.def).
 */
#ifndef SALLYPORT_GATEWAY_FAILURE_H
#define SALLYPORT_GATEWAY_FAILURE_H

#include <stdbool.h>
#include <stdint.h>

enum failure_context {
	FAILURE_GENERAL, /* an operation on something that is there */
	FAILURE_NAMING,  /* the name of an upload or the target of a rename */
	FAILURE_MOVING,  /* a transfer that has begun */
	FAILURE_CONTEXTS,
};

struct failure {
	int error;
	uint16_t codes[FAILURE_CONTEXTS];
	const char *text; /* a whole sentence; a constant */
};

/* Nothing is there, or nothing that this session may know of: another reading may be right. */
bool failure_means_nothing(int error);

/* Never NULL. `error` is an errno, negative or not. */
const struct failure *failure_find(int error);

#endif
