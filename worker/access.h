/*
 * What the kernel would let this process do with a file, from its mode bits: for the `perm` fact
 * of MLSD, which tells and does not decide.
 */
#ifndef SALLYPORT_WORKER_ACCESS_H
#define SALLYPORT_WORKER_ACCESS_H

#include "ipc/pathio_messages.h"

#include <sys/types.h>

enum { ACCESS_EXECUTE = 1, ACCESS_WRITE = 2, ACCESS_READ = 4, ACCESS_ALL = 7 };

struct access {
	uid_t uid;
	gid_t gid;
	gid_t *groups;
	size_t group_count;
};

/* Who this process is. Before the cage closes. 0 or negative errno. */
MUST_CHECK int access_load(struct access *access);
void access_release(struct access *access);

/* ACCESS_* bits. */
unsigned access_to(const struct access *access, const struct pathio_attributes *attributes);

/*
 * Those of a folder towards one name in it: in a sticky one only the owner of the entry or of the
 * folder may remove or rename it.
 */
unsigned access_to_name(const struct access *access, const struct pathio_attributes *folder,
	const struct pathio_attributes *entry);

#endif
