/*
 * Messages between a gateway and a worker (pathio.def).
 */
#ifndef SALLYPORT_IPC_PATHIO_MESSAGES_H
#define SALLYPORT_IPC_PATHIO_MESSAGES_H

#include "ipc/base/path.h"
#include "ipc/channel.h"
#include "ipc/choices.h"

enum {
	PATHIO_BLOCK_BYTES = 32768, /* read and write move at most this a call */
	PATHIO_BATCH_ENTRIES = 256, /* of a listing; and at most: */
	PATHIO_BATCH_BYTES = 48 * 1024,
	PATHIO_PARTS_MAX = 64,            /* of a combine */
	PATHIO_SESSIONS_MAX = 256,        /* told of an account */
	PATHIO_ASCII_SIZE_MAX = 16777216, /* size_as reads at most this to count line ends */
	PATHIO_LEVEL_MAX = 9,             /* of deflate: 0 stores, 9 takes longest */
};

/* Facts of MLST and MLSD (RFC 3659 7.5; UNIX.* by convention). */
enum pathio_fact {
	PATHIO_FACT_TYPE = 1 << 0,
	PATHIO_FACT_SIZE = 1 << 1,
	PATHIO_FACT_MODIFY = 1 << 2,
	PATHIO_FACT_CREATE = 1 << 3,
	PATHIO_FACT_PERM = 1 << 4,
	PATHIO_FACT_UNIQUE = 1 << 5,
	PATHIO_FACT_UNIX_MODE = 1 << 6,
	PATHIO_FACT_UNIX_OWNER = 1 << 7,
	PATHIO_FACT_UNIX_GROUP = 1 << 8,
	PATHIO_FACTS_ALL = (1 << 9) - 1,
};

/* What a listing shows, and how (options of LIST and NLST). */
enum pathio_show {
	PATHIO_SHOW_DOTS = 1 << 0,    /* names that begin with a dot */
	PATHIO_SHOW_FOLDERS = 1 << 1, /* "." and ".."; facts have them always (RFC 3659 7.5.1) */
	PATHIO_SHOW_TARGETS = 1 << 2, /* of symbolic links, in their place */
	PATHIO_SHOW_BELOW = 1 << 3,   /* what is in folders, and in theirs */
	PATHIO_SHOW_MARKS = 1 << 4, /* "/" behind folders, "*" behind programs, "@" behind links */
	PATHIO_SHOW_REVERSED = 1 << 5, /* the other way round */
	PATHIO_SHOW_ALL = (1 << 6) - 1,
};

/*
 * Where listings end. A folder with more entries is not sorted but shown as it lies: until all are
 * known, they are kept in memory. What shows folders below each other ends with E2BIG beyond so
 * many entries, folders among them, or levels.
 */
enum {
	PATHIO_SORTED_MAX = 10000,
	PATHIO_BELOW_ENTRIES_MAX = 100000,
	PATHIO_BELOW_LEVELS_MAX = 64,
	PATHIO_PATTERN_LEVELS_MAX = 8, /* of send_listing's `below` */
};

#define CHANNEL(name) pathio_##name
#define CHANNEL_ROWS  "ipc/pathio.def"
#include "ipc/declare_messages.h"
#undef CHANNEL
#undef CHANNEL_ROWS

#endif
