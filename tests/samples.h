/*
 * Valid messages of any row, made by walking its table: for tests that ask something of every
 * message of every channel, and for the corpus of the fuzz target. Linked into test programs only.
 *
 *	struct sample *sample = sample_new();
 *	sample_fill(sample, rule->record, SAMPLE_RANDOM, seed);
 *	wire_encode(rule->record, sample->body, ...);
 *	sample_free(&sample);
 */
#ifndef SALLYPORT_TESTS_SAMPLES_H
#define SALLYPORT_TESTS_SAMPLES_H

#include "ipc/message.h"

enum sample_style {
	SAMPLE_SMALLEST, /* every field at its lower limit */
	SAMPLE_LARGEST, /* every field at its upper limit; lists only as far as a body holds them */
	SAMPLE_RANDOM,
	SAMPLE_STYLES
};

struct sample {
	_Alignas(max_align_t) char body[MESSAGE_STRUCT_BYTES_MAX];
	uint64_t state; /* of the random numbers */
	char *memory;   /* what body points into */
	size_t used;
};

/* Dies when memory is short. */
struct sample *sample_new(void);
void sample_free(struct sample **sample);

/* Overwrites what was there. The same seed makes the same message. */
void sample_fill(struct sample *sample, const struct wire_record *record, enum sample_style style,
	uint64_t seed);

/* The next number of a well mixed sequence, the same everywhere. */
uint64_t sample_random(uint64_t *state);

#endif
