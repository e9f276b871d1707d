/*
 * The cage's tables as data, for this folder and its tests: who enters and prints and tries a cage
 * reads them here. Everything is constant and lives as long as the process.
 */
#ifndef SALLYPORT_POLICY_CAGE_TABLES_H
#define SALLYPORT_POLICY_CAGE_TABLES_H

#include "policy/cage/cage.h"

enum cage_verdict { CAGE_ALLOW, CAGE_REFUSE, CAGE_KILL };

enum cage_compare {
	CAGE_NO_COMPARISON, /* the end of a row's list */
	CAGE_MASKED_EQUAL,  /* (argument & mask) == value */
	CAGE_NOT_EQUAL,     /* argument != value */
	CAGE_OWN_PID,       /* (argument & mask) == the process that closes its cage */
};

struct cage_comparison {
	const char *name; /* of the argument */
	const char *text; /* what must hold, in words */
	unsigned position;
	enum cage_compare compare;
	uint64_t mask;
	uint64_t value;
};

enum { CAGE_COMPARISONS_MAX = 4 };

struct cage_rule {
	const char *call;
	enum cage_verdict verdict;
	enum cage_option option; /* without which it is not there */
	int error;               /* CAGE_REFUSE: the positive errno */
	const char *error_name;
	const char *reason;
	struct cage_comparison comparisons[CAGE_COMPARISONS_MAX + 1];
};

struct cage_table {
	const char *name;
	const struct cage_rule *rules;
	size_t count;
};

enum { CAGE_TABLES_MAX = 6 };

enum cage_root { CAGE_ROOT_EMPTY, CAGE_ROOT_HOME, CAGE_ROOT_FOLDER, CAGE_ROOT_OUTER };
enum cage_others { CAGE_OTHERS_TRAP, CAGE_OTHERS_ALLOW };

struct cage_role_data {
	const char *name;
	const char *program;
	const char *doc;
	enum cage_root root;
	enum cage_others others;
	uint32_t walls; /* bit 1 << CAGE_WALL_* for each that the role has */
	struct cage_table tables[CAGE_TABLES_MAX]; /* up to the first without rules */
};

const struct cage_role_data *cage_role_data(enum cage_role role);

/* The rule at that place among all of the role's tables; NULL behind the last. */
const struct cage_rule *cage_role_rule(enum cage_role role, size_t index);

/* Likewise of sanitizers.def: NULL at once in a release build. */
const struct cage_rule *cage_sanitizer_rule(size_t index);

enum cage_gate { CAGE_GATE_ENTER, CAGE_GATE_CLOSE };
enum { CAGE_LIMIT_HARD = -1 };

struct cage_limit {
	enum cage_role role;
	enum cage_gate gate;
	int resource; /* RLIMIT_* */
	int value;    /* or CAGE_LIMIT_HARD */
	const char *name;
	const char *reason;
};
extern const struct cage_limit cage_limits[];
extern const size_t cage_limit_count;

struct cage_landlock_right {
	enum cage_role role;
	uint64_t right; /* LANDLOCK_* of landlock_abi.h */
	const char *name;
	const char *reason;
};
extern const struct cage_landlock_right cage_landlock_rights[];
extern const size_t cage_landlock_right_count;

struct cage_capability {
	enum cage_role role;
	int capability; /* CAP_* */
	const char *name;
	const char *reason;
};
extern const struct cage_capability cage_capabilities[];
extern const size_t cage_capability_count;

struct cage_addition {
	const char *call;
	const char *reason;
};
extern const struct cage_addition cage_permitted_additions[];
extern const size_t cage_permitted_addition_count;

/* Its row; NULL when no backend may ask for it. */
const struct cage_addition *cage_addition_find(const char *call);

enum cage_need { CAGE_WELCOME, CAGE_REQUIRED, CAGE_ALWAYS };

struct cage_wall_data {
	const char *name;
	enum cage_need need;
	const char *weaker;
	const char *advice;
};
extern const struct cage_wall_data cage_walls[CAGE_WALL_COUNT];

/* The number of a system call on this architecture: 0 or more; -ENOENT where there is none. */
int cage_system_call_number(const char *call);

#endif
