/*
 * Runs one sequence of calls (script.h) in worlds and by the oracle (plain.h), compares every
 * error and result, and makes a sequence that shows a difference short.
 */
#ifndef SALLYPORT_TESTS_CONTRACT_DIFFER_H
#define SALLYPORT_TESTS_CONTRACT_DIFFER_H

#include "tests/contract/script.h"

/* Something that carries out path-I/O. */
struct differ_world {
	const char *name;
	struct session_world opens;
	void (*change)(struct session *session); /* after it was opened; NULL: nothing */
};

/* Calls in the words of script.h. */
struct differ_sequence {
	enum symlink_policy symlinks; /* as the oracle has them */
	size_t count, capacity;
	char **calls;
};

void differ_add(struct differ_sequence *sequence, const char *call);
void differ_clear(struct differ_sequence *sequence);

/* Where two disagreed. */
struct differ_finding {
	const struct differ_world *world;
	size_t at; /* the call */
};

/*
 * Runs the sequence in all worlds until one differs from the oracle: then true, with *finding.
 * `whole`: afterwards the trees are compared, by calls that are added to the sequence.
 */
bool differ_run(struct differ_sequence *sequence, const struct differ_world *worlds, size_t count,
	bool whole, struct differ_finding *finding);

/* Leaves out what the difference does not need. */
void differ_shrink(struct differ_sequence *sequence, struct differ_finding *finding);

/*
 * The sequence as a row of pathio.def, and what the world gave instead of what the row wants. The
 * caller frees it.
 */
char *differ_explain(const struct differ_sequence *sequence, const struct differ_finding *finding,
	const char *name);

#endif
