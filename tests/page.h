/*
 * A page or another text that a test reads as a whole.
 */
#ifndef SALLYPORT_TESTS_PAGE_H
#define SALLYPORT_TESTS_PAGE_H

/* The caller frees it. NULL, and a line on standard error: it cannot be read, or is empty. */
char *page_read(const char *path);

#endif
