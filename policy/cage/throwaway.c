/*
 * A child that tries something and ends (see throwaway.h). Runs wherever a cage is tried, with one
 * thread, since a fork takes only the calling thread along.
 */
#include "policy/cage/throwaway.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static int
fork_and_wait(int (*task)(const void *context), const void *context, int *wait_status)
{
	pid_t child = fork();
	if (child < 0)
		return -errno;
	if (child == 0)
		_exit(task(context));
	while (waitpid(child, wait_status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return 0;
}

/* Where SIGCHLD is ignored the kernel would reap the child, and its status with it. */
int
throwaway_run(int (*task)(const void *context), const void *context, int *wait_status)
{
	struct sigaction kept, usual = { .sa_handler = SIG_DFL };
	if (sigaction(SIGCHLD, &usual, &kept) != 0)
		return -errno;
	int error = fork_and_wait(task, context, wait_status);
	if (sigaction(SIGCHLD, &kept, NULL) != 0 && error == 0)
		error = -errno;
	return error;
}
