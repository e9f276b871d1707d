/*
 * Between the two sides of caged.h: what a caged process says on its channel, beside violations.
 */
#ifndef SALLYPORT_TESTS_CAGE_SAID_H
#define SALLYPORT_TESTS_CAGE_SAID_H

#include "tests/cage/caged.h"

struct said {
	enum outcome_kind kind;
	bool is_waiting; /* in its closed cage, for the test to look */
	long value;
	struct cage_report report;
	char text[1024];
};

/* The life of a caged process: enters, closes, attempts, says, ends. */
NORETURN void
caged_live(const char *number, const char *home, const struct scenario *scenarios, size_t count);

#endif
