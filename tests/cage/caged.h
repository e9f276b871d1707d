/*
 * A process in its real cage, for the programs of this folder. Each case is a scenario: the test
 * program executes itself as the supervisor would execute a program of that role, enters the cage,
 * closes it, attempts something, and tells what came of it.
 *
 *	static const struct scenario scenarios[] = { { .name = "...", .role = ..., ... }, ... };
 *	int main(int argc, char **argv)
 *	{
 *		caged_main(argc, argv, scenarios, ARRAY_LENGTH(scenarios));	// children end here
 *		...
 *		struct outcome outcome;
 *		caged_run(&scenarios[i], mode, &outcome);
 *	}
 */
#ifndef SALLYPORT_TESTS_CAGE_CAGED_H
#define SALLYPORT_TESTS_CAGE_CAGED_H

#include "policy/cage/cage.h"

#include <sys/types.h>

/* Who starts the process, and so which walls can stand. */
enum caged_mode {
	CAGED_BY_ROOT,     /* own uid, chroot */
	CAGED_BY_USER,     /* a user namespace */
	CAGED_BY_LANDLOCK, /* as a user where namespaces are refused */
	CAGED_MODE_COUNT
};

const char *caged_mode_name(enum caged_mode mode);

/* What this machine or user lacks for that mode; NULL when it can run. */
const char *caged_mode_lacks(enum caged_mode mode);

/* The mode that this user's supervisor would give. */
enum caged_mode caged_mode_here(void);

struct scenario {
	const char *name;
	/* In the closed cage: -1 and errno, or a result. NULL does nothing. */
	long (*attempt)(const struct scenario *scenario, pid_t parent);
	const void *data;     /* for the attempt */
	int (*prepare)(void); /* before the filter closes, may be NULL; a negative errno fails */
	const char *home;     /* instead of the place's home; "" for none */
	const char *refused_call; /* answered EPERM from the start, as a container engine would */
	const struct cage_additions *additions;
	enum cage_role role;
	bool in_pool_thread;   /* attempt from a thread that was made before the filter closed */
	bool required;         /* as under "cage = required" */
	bool in_a_folder;      /* is started in a folder that is still there */
	bool ignores_children; /* is started with SIGCHLD ignored */
};

enum outcome_kind {
	OUTCOME_RETURNED, /* value: the attempt's result or its negative errno */
	OUTCOME_TRAPPED,  /* the violation named `call`, and the process ended as it must */
	OUTCOME_KILLED,   /* SIGSYS, and nothing was said */
	OUTCOME_NO_ENTRY, /* value: what cage_enter() returned; text: its report */
	OUTCOME_NO_CLOSE, /* the same of cage_close() */
	OUTCOME_BROKEN,   /* anything else: text */
};

struct outcome {
	enum outcome_kind kind;
	long value;
	int signal; /* that ended it; 0 for none */
	char call[32];
	char text[1024];
	struct cage_report report; /* of a process that closed its cage; its texts are not valid */
};

/*
 * The folders that scenarios play in, below /tmp: made at first use, removed when the program ends.
 * `home` and `log` belong to whom caged processes run as; `outside` holds the file "secret".
 *	home/inside, home/folder/	theirs
 *	home/out -> outside/secret, home/up -> ../outside/secret, home/away -> outside
 */
struct place {
	char base[64];
	char home[80];
	char log[80];
	char outside[80];
};
const struct place *caged_place(void);

/* Of nobody on the machine; not the number that an unmapped id shows as. */
enum { CAGED_UID = 54321, CAGED_GID = 54322, CAGED_EXTRA_GROUP = 4711 };

/* Runs children; returns at once in the test itself. The list must be the same in both. */
void caged_main(int argc, char **argv, const struct scenario *scenarios, size_t count);

/* From here on this system call is answered with EPERM, as a container engine's own filter would.
 */
void caged_refuse_call(const char *call);

/* Runs one scenario from start to end. */
void caged_run(const struct scenario *scenario, enum caged_mode mode, struct outcome *outcome);

/*
 * The same in two steps: after caged_start() the process is in its closed cage and waits, so that
 * it can be looked at; caged_finish() lets it go on. A process that did not come so far has pid 0.
 */
struct caged {
	enum cage_role role;
	pid_t pid;
	int channel_fd;
	struct outcome outcome;
};
void caged_start(const struct scenario *scenario, enum caged_mode mode, struct caged *caged);
void caged_finish(struct caged *caged);

/* For the attempt of a scenario that is looked at. */
long caged_wait_for_test(const struct scenario *scenario, pid_t parent);

#endif
