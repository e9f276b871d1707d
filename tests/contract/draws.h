/*
 * Random calls for the differential test: from one seed always the same ones, on every machine.
 */
#ifndef SALLYPORT_TESTS_CONTRACT_DRAWS_H
#define SALLYPORT_TESTS_CONTRACT_DRAWS_H

#include <stddef.h>
#include <stdint.h>

/* What a sequence is mostly about: a column of draws.def. */
enum draw_kind { DRAW_FILES, DRAW_FOLDERS, DRAW_LINKS, DRAW_UPLOADS, DRAW_KINDS };

struct draws {
	uint64_t state; /* of the generator, never 0 */
	enum draw_kind kind;
};

enum { DRAW_BYTES_MAX = 512 };

struct draws draws_begin(uint64_t seed, enum draw_kind kind);

/* Writes a call in the words of script.h. */
void draws_next(struct draws *draws, char call[static DRAW_BYTES_MAX]);

#endif
