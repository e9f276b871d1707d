/*
 * Calls that wait for their answer: for REQUEST(stat, ...) of pathio.def there is
 *
 *	int call_stat(struct pathio *, struct pathio_wait *, const struct pathio_stat *);
 *
 * which returns the error, with the answer in wait->body. A TRANSFER takes a descriptor besides.
 */
#ifndef SALLYPORT_TESTS_UNIT_WORKER_CALLS_H
#define SALLYPORT_TESTS_UNIT_WORKER_CALLS_H

#include "ipc/pathio.h"

#define REQUEST(name, CODE, number, answer, doc)                                                  \
	static inline int call_##name(                                                            \
		struct pathio *io, struct pathio_wait *wait, const struct pathio_##name *request) \
	{                                                                                         \
		(void)pathio_##name(io, request, pathio_wait_done, wait);                         \
		return pathio_wait_finish(wait);                                                  \
	}
#define TRANSFER(name, CODE, number, answer, doc)                                     \
	static inline int call_##name(struct pathio *io, struct pathio_wait *wait,    \
		const struct pathio_##name *request, int descriptor)                  \
	{                                                                             \
		(void)pathio_##name(io, request, descriptor, pathio_wait_done, wait); \
		return pathio_wait_finish(wait);                                      \
	}
#define ANSWER(name, CODE, number, doc)
#include "ipc/pathio.def"

#endif
