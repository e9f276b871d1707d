/*
 * How a program gets to the first gate of its cage: found, forked, given its descriptors, become
 * its user, executed. For the supervisor.
 *
 * Programs are opened once and executed from their descriptors, so that the supervisor's loop
 * touches no file system, a child's user needs no way to the file, and an upgrade on disk never
 * mixes versions.
 */
#ifndef SALLYPORT_POLICY_CAGE_LAUNCH_H
#define SALLYPORT_POLICY_CAGE_LAUNCH_H

#include "policy/cage/cage.h"

struct launch_program {
	const char *file;   /* its name beside the others; NULL: nothing is to be found */
	const char *folder; /* of the build tree that it is built in; NULL: the running program */
	int fd;             /* found: to be executed; else -1 */
};

/*
 * Finds all programs in one place, reckoned from the running program's own file: in
 * ../libexec/sallyport of the installation, in the folders of a build, or beside it. 0, or negative
 * errno with the name in *missing.
 */
MUST_CHECK int launch_find(struct launch_program *programs, size_t count, const char **missing);

/* What every child is given besides its channel. */
struct launch_ground {
	int null_fd;         /* /dev/null: standard input and output; standard error is ours */
	int empty_folder_fd; /* where it begins */
};

/*
 * Closes what this process inherited beyond the standard descriptors, and makes the ground. Nothing
 * else here ever has the numbers that a child finds its channel and its program under. 0 or
 * negative errno. The ground lives as long as the process.
 */
MUST_CHECK int launch_prepare(struct launch_ground *ground);

struct launch_plan {
	int program_fd;
	const char *name;
	char *const *arguments; /* NULL: the name alone */
	const struct launch_ground *ground;
	int channel_fd;                       /* becomes CAGE_CHANNEL_FD */
	const struct cage_identity *identity; /* NULL: stays who it is, where it is */
	const char *folder; /* to go to as that user, instead of the empty one; may be NULL */
};

/*
 * Forks and executes. The child's process id, or negative errno. A child that does not get as far
 * as its program says why on standard error and ends with EXIT_DIED.
 */
MUST_CHECK pid_t launch_start(const struct launch_plan *plan);

#endif
