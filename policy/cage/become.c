/*
 * The first gate (see cage.h): from root to a user. Runs in the supervisor's forked child, as root,
 * before execve. Trusts its caller for who the user is, except that nobody becomes root here. On
 * failure the child must end: it may be half one user and half another.
 *
 * CAP_SYS_CHROOT crosses execve as an ambient capability, which the (empty) bounding set does not
 * limit; so the executed program can take its root as that user, without a loader inside it.
 */
#include "policy/cage/cage.h"
#include "policy/cage/capabilities.h"

#include <errno.h>
#include <grp.h>
#include <sys/prctl.h>
#include <unistd.h>

static const cap_value_t carried = CAP_SYS_CHROOT;

static int
no_new_privileges(void)
{
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 ? 0 : -errno;
}

/* A capability must be inheritable to become ambient; behind the empty bounding set none can. */
static int
inheritable_add(cap_value_t capability)
{
	cap_t now = cap_get_proc();
	if (now == NULL)
		return -errno;
	int error = 0;
	if (cap_set_flag(now, CAP_INHERITABLE, 1, &capability, CAP_SET) != 0 ||
		cap_set_proc(now) != 0)
		error = -errno;
	cap_free(now);
	return error;
}

static int
ids_set(const struct cage_identity *identity)
{
	if (setgroups(identity->group_count, identity->groups) != 0 ||
		setresgid(identity->gid, identity->gid, identity->gid) != 0 ||
		prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) != 0 ||
		setresuid(identity->uid, identity->uid, identity->uid) != 0 ||
		prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0) != 0)
		return -errno;
	return 0;
}

static int
become_from_root(const struct cage_identity *identity)
{
	if (identity->uid == 0 || identity->gid == 0 || identity->uid == (uid_t)-1 ||
		identity->gid == (gid_t)-1)
		return -EINVAL;
	for (size_t i = 0; i < identity->group_count; i++)
		if (identity->groups[i] == 0)
			return -EINVAL;
	int error = inheritable_add(carried);
	if (error == 0)
		error = capabilities_bound(NULL, 0);
	if (error == 0)
		error = ids_set(identity);
	if (error == 0)
		error = capabilities_set(&carried, 1);
	if (error == 0 && cap_set_ambient(carried, CAP_SET) != 0)
		error = -errno;
	return error;
}

int
cage_become(const struct cage_identity *identity)
{
	if (geteuid() == 0) {
		int error = become_from_root(identity);
		if (error < 0)
			return error;
	} else if (identity->uid != geteuid() || identity->gid != getegid()) {
		return -EPERM;
	}
	return no_new_privileges();
}
