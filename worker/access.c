/*
 * Mode bits and this process (see access.h). Runs in the worker, as the user.
 */
#include "worker/access.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

int
access_load(struct access *access)
{
	int count = getgroups(0, NULL);
	if (count < 0)
		return -errno;
	*access = (struct access){ .uid = geteuid(), .gid = getegid() };
	if (count == 0)
		return 0;
	access->groups = calloc((size_t)count, sizeof(*access->groups));
	if (access->groups == NULL)
		return -ENOMEM;
	count = getgroups(count, access->groups);
	if (count < 0) {
		int error = -errno;
		access_release(access);
		return error;
	}
	access->group_count = (size_t)count;
	return 0;
}

void
access_release(struct access *access)
{
	free(access->groups);
	access->groups = NULL;
	access->group_count = 0;
}

static bool
has_group(const struct access *access, gid_t gid)
{
	if (access->gid == gid)
		return true;
	for (size_t i = 0; i < access->group_count; i++)
		if (access->groups[i] == gid)
			return true;
	return false;
}

unsigned
access_to(const struct access *access, const struct pathio_attributes *attributes)
{
	if (access->uid == 0) /* only where tests run as root: a worker never is */
		return ACCESS_ALL;
	if (attributes->uid == access->uid)
		return attributes->mode >> 6 & ACCESS_ALL;
	if (has_group(access, attributes->gid))
		return attributes->mode >> 3 & ACCESS_ALL;
	return attributes->mode & ACCESS_ALL;
}

unsigned
access_to_name(const struct access *access, const struct pathio_attributes *folder,
	const struct pathio_attributes *entry)
{
	enum { STICKY = 01000 };
	unsigned bits = access_to(access, folder);
	bool is_others = entry->uid != access->uid && folder->uid != access->uid;
	if ((folder->mode & STICKY) != 0 && is_others && access->uid != 0)
		bits &= ~(unsigned)ACCESS_WRITE;
	return bits;
}
