/*
 * Clean-up by scope: a variable declared with one of these gives back what it holds on every way
 * out of its block. A function uses these or one "out:" label, never both.
 *
 *	SCOPE_FREE char *text = strdup(...);
 *	SCOPE_FD int fd = open(...);
 *	return fd_take(&fd);		// ownership leaves the scope
 */
#ifndef SALLYPORT_IPC_BASE_SCOPE_H
#define SALLYPORT_IPC_BASE_SCOPE_H

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#define SCOPE_FREE __attribute__((cleanup(scope_free_)))
#define SCOPE_FD   __attribute__((cleanup(fd_close)))

static inline void
scope_free_(void *pointer)
{
	void **memory = pointer;
	free(*memory);
	*memory = NULL;
}

/* Closes *fd unless it is negative, and sets it to -1. errno is kept. */
static inline void
fd_close(int *fd)
{
	int kept = errno;
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
	errno = kept;
}

/* Moves ownership out: returns *fd and sets it to -1. */
static inline int
fd_take(int *fd)
{
	int taken = *fd;
	*fd = -1;
	return taken;
}

#endif
