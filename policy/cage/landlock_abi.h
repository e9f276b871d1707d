/*
 * Landlock as the kernel knows it up to ABI 7. Written down here because the headers of the oldest
 * system that we build on stop at ABI 2 (Linux 6.1); the values are kernel ABI and never change.
 * Source: include/uapi/linux/landlock.h, Documentation/userspace-api/landlock.rst.
 */
#ifndef SALLYPORT_POLICY_CAGE_LANDLOCK_ABI_H
#define SALLYPORT_POLICY_CAGE_LANDLOCK_ABI_H

#include <stdint.h>

/* The same on every architecture. */
enum {
	LANDLOCK_CALL_CREATE_RULESET = 444,
	LANDLOCK_CALL_ADD_RULE = 445,
	LANDLOCK_CALL_RESTRICT_SELF = 446,
};

enum {
	LANDLOCK_ASK_VERSION = 1,  /* flag of create_ruleset */
	LANDLOCK_PATH_BENEATH = 1, /* kind of rule */
	LANDLOCK_ABI_REFER = 2,    /* before: no rename into another folder, whatever the rules */
	LANDLOCK_ABI_TRUNCATE = 3,
	LANDLOCK_ABI_TCP = 4,
	LANDLOCK_ABI_IOCTL_DEVICE = 5,
	LANDLOCK_ABI_SCOPE = 6,
};

/* Rights to files. */
enum {
	LANDLOCK_EXECUTE = 1 << 0,
	LANDLOCK_WRITE_FILE = 1 << 1,
	LANDLOCK_READ_FILE = 1 << 2,
	LANDLOCK_READ_DIR = 1 << 3,
	LANDLOCK_REMOVE_DIR = 1 << 4,
	LANDLOCK_REMOVE_FILE = 1 << 5,
	LANDLOCK_MAKE_CHAR = 1 << 6,
	LANDLOCK_MAKE_DIR = 1 << 7,
	LANDLOCK_MAKE_REG = 1 << 8,
	LANDLOCK_MAKE_SOCK = 1 << 9,
	LANDLOCK_MAKE_FIFO = 1 << 10,
	LANDLOCK_MAKE_BLOCK = 1 << 11,
	LANDLOCK_MAKE_SYM = 1 << 12,
	LANDLOCK_REFER = 1 << 13,
	LANDLOCK_TRUNCATE = 1 << 14,
	LANDLOCK_IOCTL_DEVICE = 1 << 15,
};

/* Rights to the network, and what stays inside one's own domain. */
enum {
	LANDLOCK_BIND_TCP = 1 << 0,
	LANDLOCK_CONNECT_TCP = 1 << 1,
	LANDLOCK_SCOPE_ABSTRACT_UNIX = 1 << 0,
	LANDLOCK_SCOPE_SIGNAL = 1 << 1,
};

struct landlock_ruleset {
	uint64_t handled_files;
	uint64_t handled_net;
	uint64_t scoped;
};

struct landlock_path_rule {
	uint64_t allowed;
	int32_t parent_fd;
} __attribute__((packed));

#endif
