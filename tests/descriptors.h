/*
 * Descriptors that a test leaves open, or that something under test does. Linked into test programs
 * only.
 */
#ifndef SALLYPORT_TESTS_DESCRIPTORS_H
#define SALLYPORT_TESTS_DESCRIPTORS_H

/* How many this process has. */
int count_descriptors(void);

#endif
