/*
 * The cage: everything that limits a process of ours. Each role's cage is data in this folder's
 * .def files; this header is how a program gets into it, and how it is shown and tried.
 *
 * A caged process goes through three gates, each of which only ever takes away:
 *
 *	cage_become()	the supervisor's forked child, before execve: the user, and of all
 *			capabilities CAP_SYS_CHROOT alone
 *	cage_enter()	the executed program's first act, with one thread: its root, no capability,
 *			no_new_privs, not dumpable, Landlock, resource limits
 *	cage_close()	after the program has made its threads and opened what it needs: the
 *			system-call filter, over all threads, for good
 *
 * The gates are apart because Landlock, capabilities and no_new_privs belong to a thread and reach
 * only threads made later, while a thread can no longer be made behind the filter.
 */
#ifndef SALLYPORT_POLICY_CAGE_CAGE_H
#define SALLYPORT_POLICY_CAGE_CAGE_H

#include "ipc/base/compiler.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

enum cage_role {
#define ROLE(symbol, ...) CAGE_##symbol,
#include "policy/cage/roles.def"
	CAGE_ROLE_COUNT
};

/* "gateway", "worker", ...: the name in messages and on the command line. Static. */
const char *cage_role_name(enum cage_role role);

/* The role of that name: 0, or -ENOENT. */
MUST_CHECK int cage_role_find(const char *name, enum cage_role *role);

enum {
	CAGE_CHANNEL_FD = 3,     /* the channel to whoever started the process, in every role */
	CAGE_EXIT_VIOLATION = 77 /* exit status after a violation; sysexits(3): EX_NOPERM */
};

/*
 * What a process says on CAGE_CHANNEL_FD when it makes a system call that its table does not know,
 * before it ends with CAGE_EXIT_VIOLATION. Little-endian on the wire; it is the row `violation` of
 * each channel to the supervisor. An act that only an attacker would try (execve, ptrace, socket,
 * ...) kills at once with SIGSYS and says nothing.
 */
struct cage_violation {
	uint32_t type; /* CAGE_VIOLATION_TYPE */
	uint32_t tag;  /* 0 */
	uint32_t system_call;
	uint32_t audit_arch; /* AUDIT_ARCH_* of linux/audit.h */
};
enum { CAGE_VIOLATION_TYPE = 1 };

/*
 * The name of a system call as a violation reports it ("openat", or "system call 999"). The caller
 * frees it; NULL when memory is short.
 */
MUST_CHECK char *cage_system_call_name(uint32_t audit_arch, uint32_t number);

/* The walls of a cage; which of them may be missing, and what that means, is said in walls.def. */
enum cage_wall {
#define WALL(symbol, ...) CAGE_WALL_##symbol,
#include "policy/cage/walls.def"
	CAGE_WALL_COUNT
};

/* What stands, or why it does not. Texts are static; nothing to free. */
struct cage_report {
	uint32_t walls;      /* bit 1 << CAGE_WALL_* for each that stands */
	uint32_t expected;   /* and for each that the role has on a machine that can */
	int landlock_abi;    /* 0: the kernel has none */
	int error;           /* after a failure: the negative errno that was returned, */
	const char *problem; /* what could not be done, */
	const char *detail;  /* and to what (may be NULL): a name that the caller gave */
};

/*
 * One line without an end of line: after success the walls and what is weaker for the lack of
 * others; after a failure what went wrong and what the operator can do. The caller frees it; NULL
 * when memory is short.
 */
MUST_CHECK char *cage_report_text(const struct cage_report *report);

/* Who a child becomes. */
struct cage_identity {
	uid_t uid;
	gid_t gid;
	const gid_t *groups; /* supplementary groups: these and no other */
	size_t group_count;
};

/*
 * In the supervisor's forked child, before execve. As root: groups, gid and uid as told, the
 * bounding set empty, CAP_SYS_CHROOT as the only (ambient) capability, no_new_privs. As an ordinary
 * user: no_new_privs, provided that the identity is its own. On failure the child must end.
 *   -EINVAL  uid or gid 0, or -1
 *   -EPERM   an ordinary user asked for another uid or gid
 *   other    from the kernel
 */
MUST_CHECK int cage_become(const struct cage_identity *identity);

/*
 * An empty folder that is in no file system any more: the root of processes that need no file.
 * Nothing can be made in it. It is made in /run, /tmp or /dev/shm and removed at once; a child goes
 * there with fchdir before its execve. 0, and the caller closes *folder_fd; or a negative errno.
 */
MUST_CHECK int cage_open_empty_folder(int *folder_fd);

struct cage_options {
	const char *home; /* worker: the folder that becomes its root, without symbolic links on
			     the way; NULL for a worker without real files, which lives in the
			     empty folder, and for every other role */
	bool required;    /* refuse to run where a wall is missing that walls.def says to require */
};

/*
 * The executed program's first act, with one thread only. Its working directory is what roles.def
 * says: the empty folder, or record's log folder. After it the process has its root there, no
 * capability, and no way back; its working directory is that root, and "." reaches it on every
 * machine ("/" does not where only Landlock holds the process). A missing wall that is not required
 * is left out of report->walls; any other failure returns a negative errno, and the process must
 * end: a cage is never half there. report is filled in either way.
 */
MUST_CHECK int
cage_enter(enum cage_role role, const struct cage_options *options, struct cage_report *report);

/* What the configuration must say for a row of a table to be there. */
enum cage_option {
	CAGE_FOR_ALL, /* whatever it says */
	CAGE_FOR_KERNEL_TLS,
	CAGE_OPTION_COUNT
};

/* "kernel_tls": as the configuration calls it; "" for CAGE_FOR_ALL. Static. */
const char *cage_option_name(enum cage_option option);

/* What a process has beyond what every one of its role has. */
struct cage_additions {
	const char *const *calls; /* that a custom backend needs, by name; of a worker */
	size_t count;
	enum cage_option option; /* that is on */
};

/* Is this system call one that a backend may ask for (additions.def)? */
bool cage_addition_is_permitted(const char *call);

/*
 * The system-call filter of the role, for all threads and for good. Everything that opens files,
 * sets signal handlers or makes threads comes before. additions may be NULL. Adds to a report that
 * cage_enter() began. Errors, all fatal:
 *   -EACCES  an addition that no backend may have (report->detail names it)
 *   other    the filter could not be installed
 */
MUST_CHECK int
cage_close(enum cage_role role, const struct cage_additions *additions, struct cage_report *report);

/*
 * Tries the cage of a role in throw-away processes: each becomes `identity` (NULL: stays who it
 * is), enters, closes, and attempts one forbidden act of acts.def. For the supervisor's start: call
 * it with one thread and before there are children or signal handlers. 0 when all acts failed as
 * they must, with the walls in *report; -ENOTRECOVERABLE with the act in report->detail when one
 * did not; or the error that the cage itself met. cage_report_text() says it in words either way.
 */
MUST_CHECK int cage_probe(enum cage_role role, const struct cage_identity *identity, bool required,
	struct cage_report *report);

/*
 * Which walls this user gets on this machine: enters and closes the cage in a throw-away process
 * (as uid and gid 65534, where root asks), without the acts. Errors as cage_probe().
 */
MUST_CHECK int cage_survey(enum cage_role role, struct cage_report *report);

/*
 * The whole cage of a role as readable text, with what is weaker for this user on this machine.
 * additions may be NULL.
 */
void cage_print(FILE *out, enum cage_role role, const struct cage_additions *additions);

#endif
