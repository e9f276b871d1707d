/*
 * A child that tries something and ends. Private to this folder.
 */
#ifndef SALLYPORT_POLICY_CAGE_THROWAWAY_H
#define SALLYPORT_POLICY_CAGE_THROWAWAY_H

#include "ipc/base/compiler.h"

/*
 * Forks, runs `task` in the child with the default action for SIGCHLD, and waits. The child's exit
 * status is what `task` returns, 0..255. 0 with *wait_status as waitpid(2) gives it, or a negative
 * errno. The caller may ignore or catch SIGCHLD: it gets none of this child, and its setting back.
 */
MUST_CHECK int
throwaway_run(int (*task)(const void *context), const void *context, int *wait_status);

#endif
