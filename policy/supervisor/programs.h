/*
 * Where the programs are (programs.def). They are opened once, at start: children are executed from
 * these descriptors, so that the loop touches no file system, a child's user needs no way to the
 * file, and an upgrade on disk never mixes versions.
 */
#ifndef SALLYPORT_POLICY_SUPERVISOR_PROGRAMS_H
#define SALLYPORT_POLICY_SUPERVISOR_PROGRAMS_H

#include "ipc/base/compiler.h"
#include "ipc/base/role.h"

struct programs {
	int fd[ROLE_COUNT]; /* O_PATH; -1 for the supervisor */
};

/* "sallyport-gateway"; a constant. */
const char *program_name(enum role role);

/*
 * Finds all programs in one place, seen from this one's own file: beside it, where it was built, or
 * in ../libexec/sallyport of the installation. 0, or negative errno with the name in *missing.
 */
MUST_CHECK int programs_open(struct programs *programs, const char **missing);

#endif
