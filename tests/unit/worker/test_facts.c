/*
 * Facts of MLST and MLSD (facts.h), above all what `perm` promises; and what mode bits mean to this
 * process (access.h).
 */
#include "policy/rules/rights.h"
#include "tests/table.h"
#include "worker/access.h"
#include "worker/facts.h"

#include <stdio.h>
#include <string.h>

enum { WX = ACCESS_WRITE | ACCESS_EXECUTE };

struct facts_row {
	const char *name;
	uint32_t wanted;
	struct facts_subject subject;
	struct pathio_attributes attributes;
	const char *want;
};

#define FILE_OF(...)                                  \
	{                                             \
		.type = PATHIO_TYPE_FILE, __VA_ARGS__ \
	}
#define FOLDER_OF(...)                                     \
	{                                                  \
		.type = PATHIO_TYPE_DIRECTORY, __VA_ARGS__ \
	}

static const struct facts_row facts_rows[] = {
	{ "none wanted", 0, { .role = FACTS_INSIDE }, FILE_OF(.size = 1), "" },
	{ "a file", PATHIO_FACT_TYPE | PATHIO_FACT_SIZE, { .role = FACTS_INSIDE },
		FILE_OF(.size = 1024), "type=file;size=1024;" },
	{ "an empty file", PATHIO_FACT_SIZE, { .role = FACTS_INSIDE }, FILE_OF(.size = 0),
		"size=0;" },
	{ "a folder has no size", PATHIO_FACT_TYPE | PATHIO_FACT_SIZE, { .role = FACTS_INSIDE },
		FOLDER_OF(.size = 4096), "type=dir;" },
	{ "the folder itself", PATHIO_FACT_TYPE, { .role = FACTS_CURRENT }, FOLDER_OF(.size = 0),
		"type=cdir;" },
	{ "its parent", PATHIO_FACT_TYPE, { .role = FACTS_PARENT }, FOLDER_OF(.size = 0),
		"type=pdir;" },
	{ "a link", PATHIO_FACT_TYPE | PATHIO_FACT_SIZE, { .role = FACTS_INSIDE },
		{ .type = PATHIO_TYPE_SYMLINK, .size = 5 }, "type=OS.unix=slink;" },
	{ "times", PATHIO_FACT_MODIFY | PATHIO_FACT_CREATE, { .role = FACTS_INSIDE },
		FILE_OF(.mtime_ns = 1000000000, .has_btime = true, .btime_ns = 2500000000),
		"modify=19700101000001;create=19700101000002.500;" },
	{ "no birth time", PATHIO_FACT_CREATE, { .role = FACTS_INSIDE }, FILE_OF(.size = 0), "" },
	{ "unique", PATHIO_FACT_UNIQUE, { .role = FACTS_INSIDE },
		FILE_OF(.device = 0xfd01, .inode = 0x1a2b3c), "unique=fd01g1a2b3c;" },
	{ "unique of zeros", PATHIO_FACT_UNIQUE, { .role = FACTS_INSIDE }, FILE_OF(.size = 0),
		"unique=0g0;" },
	{ "unix", PATHIO_FACT_UNIX_MODE | PATHIO_FACT_UNIX_OWNER | PATHIO_FACT_UNIX_GROUP,
		{ .role = FACTS_INSIDE }, FILE_OF(.mode = 0644, .uid = 1000, .gid = UINT32_MAX),
		"UNIX.mode=0644;UNIX.owner=1000;UNIX.group=4294967295;" },
	{ "a mode with special bits", PATHIO_FACT_UNIX_MODE, { .role = FACTS_INSIDE },
		FOLDER_OF(.mode = 01777), "UNIX.mode=01777;" },
};

static void
check_facts(void **state)
{
	const struct facts_row *row = *state;
	struct facts_subject subject = row->subject;
	struct facts_kept kept = { .permissions = { .is_kept = false } };
	char text[FACTS_BYTES_MAX + 1];
	subject.attributes = &row->attributes;
	*facts_put(text, row->wanted, &subject, &kept) = '\0';
	assert_string_equal(text, row->want);
}

/* ---- perm ---- */

struct permission_row {
	const char *name;
	enum pathio_type type;
	enum pathio_type target; /* of a link; PATHIO_TYPE_SYMLINK: it leads nowhere */
	uint32_t rights;
	uint32_t rights_below;
	unsigned entry_access;
	unsigned folder_access;
	const char *want;
};

#define FILE_   PATHIO_TYPE_FILE
#define FOLDER  PATHIO_TYPE_DIRECTORY
#define LINK    PATHIO_TYPE_SYMLINK
#define SPECIAL PATHIO_TYPE_OTHER

static const struct permission_row permission_rows[] = {
	{ "all of a file", FILE_, LINK, RIGHTS_ALL, RIGHTS_ALL, ACCESS_ALL, ACCESS_ALL, "adfrw" },
	{ "all of a folder", FOLDER, LINK, RIGHTS_ALL, RIGHTS_ALL, ACCESS_ALL, ACCESS_ALL,
		"cdeflmp" },
	{ "all of a link that leads nowhere", LINK, LINK, RIGHTS_ALL, RIGHTS_ALL, ACCESS_ALL,
		ACCESS_ALL, "df" },
	{ "all of a link to a file", LINK, FILE_, RIGHTS_ALL, RIGHTS_ALL, ACCESS_ALL, ACCESS_ALL,
		"arwdf" },
	{ "all of a link to a folder", LINK, FOLDER, RIGHTS_ALL, RIGHTS_ALL, ACCESS_ALL, ACCESS_ALL,
		"celmpdf" },
	{ "all of a link to a pipe", LINK, SPECIAL, RIGHTS_ALL, RIGHTS_ALL, ACCESS_ALL, ACCESS_ALL,
		"df" },
	{ "all of a pipe", SPECIAL, LINK, RIGHTS_ALL, RIGHTS_ALL, ACCESS_ALL, ACCESS_ALL, "d" },
	{ "no rights", FILE_, LINK, RIGHTS_NONE, RIGHTS_NONE, ACCESS_ALL, ACCESS_ALL, "" },
	{ "rights and no mode", FILE_, LINK, RIGHTS_ALL, RIGHTS_ALL, 0, 0, "" },
	{ "rights to read, a file", FILE_, LINK, RIGHTS_READ | RIGHTS_LIST,
		RIGHTS_READ | RIGHTS_LIST, ACCESS_ALL, ACCESS_ALL, "r" },
	{ "rights to read, a folder", FOLDER, LINK, RIGHTS_READ | RIGHTS_LIST,
		RIGHTS_READ | RIGHTS_LIST, ACCESS_ALL, ACCESS_ALL, "el" },
	{ "a folder with something inside that may not be moved", FOLDER, LINK, RIGHTS_ALL,
		RIGHTS_READ, ACCESS_ALL, ACCESS_ALL, "cdelmp" },
	{ "a file that its mode protects", FILE_, LINK, RIGHTS_ALL, RIGHTS_ALL, ACCESS_READ,
		ACCESS_ALL, "dfr" },
	{ "a link to a file that its mode protects", LINK, FILE_, RIGHTS_ALL, RIGHTS_ALL,
		ACCESS_READ, ACCESS_ALL, "rdf" },
	{ "a folder that its mode protects", FILE_, LINK, RIGHTS_ALL, RIGHTS_ALL, ACCESS_ALL,
		ACCESS_READ | ACCESS_EXECUTE, "arw" },
	{ "a folder that one may only enter", FOLDER, LINK, RIGHTS_ALL, RIGHTS_ALL, ACCESS_EXECUTE,
		WX, "def" },
};

static void
check_permissions(const struct permission_row *row, struct facts_kept *kept)
{
	const struct pathio_attributes attributes = { .type = row->type };
	const struct pathio_attributes target = { .type = row->target };
	const struct facts_subject subject = {
		.attributes = &attributes,
		.target = row->target == LINK ? NULL : &target,
		.rights = row->rights,
		.rights_below = row->rights_below,
		.entry_access = row->entry_access,
		.folder_access = row->folder_access,
	};
	char text[FACTS_BYTES_MAX + 1], want[32];
	*facts_put(text, PATHIO_FACT_PERM, &subject, kept) = '\0';
	snprintf(want, sizeof(want), "perm=%s;", row->want);
	assert_string_equal(text, want);
}

/* Twice, and after each of the others: what was kept must not show. */
static void
check_perm(void **state)
{
	struct facts_kept kept = { .permissions = { .is_kept = false } };
	for (size_t i = 0; i < ARRAY_LENGTH(permission_rows); i++) {
		check_permissions(*state, &kept);
		check_permissions(*state, &kept);
		check_permissions(&permission_rows[i], &kept);
	}
}

/* ---- all of them ---- */

/* The longest that there can be still fits. */
static void
check_longest(void **state)
{
	(void)state;
	const struct pathio_attributes attributes = {
		.type = PATHIO_TYPE_FILE,
		.size = INT64_MAX,
		.mode = 07777,
		.mtime_ns = INT64_MAX,
		.has_btime = true,
		.btime_ns = INT64_MAX,
		.uid = UINT32_MAX,
		.gid = UINT32_MAX,
		.device = UINT64_MAX,
		.inode = UINT64_MAX,
	};
	const struct facts_subject subject = { .attributes = &attributes,
		.rights = RIGHTS_KNOWN,
		.entry_access = ACCESS_ALL,
		.folder_access = ACCESS_ALL };
	struct facts_kept kept = { .permissions = { .is_kept = false } };
	char text[FACTS_BYTES_MAX];
	char *end = facts_put(text, PATHIO_FACTS_ALL, &subject, &kept);
	assert_in_range((uintmax_t)(end - text), 150, FACTS_BYTES_MAX / 2);
}

/* ---- access ---- */

struct access_row {
	const char *name;
	uint32_t mode, uid, gid;
	unsigned want;
};

static const struct access_row access_rows[] = {
	{ "the owner's bits", 0740, 1000, 1, 7 },
	{ "the owner's bits, though others have more", 0077, 1000, 1, 0 },
	{ "the group's bits", 0740, 1, 1000, 4 },
	{ "another group's bits", 0750, 1, 2002, 5 },
	{ "the group's bits, though others have more", 0707, 1, 1000, 0 },
	{ "others' bits", 0741, 1, 1, 1 },
};

static void
check_access(void **state)
{
	const struct access_row *row = *state;
	gid_t groups[] = { 2001, 2002 };
	const struct access access = {
		.uid = 1000, .gid = 1000, .groups = groups, .group_count = 2
	};
	const struct pathio_attributes attributes = {
		.mode = row->mode, .uid = row->uid, .gid = row->gid
	};
	assert_int_equal(access_to(&access, &attributes), row->want);
}

struct sticky_row {
	const char *name;
	uint32_t mode, folder_uid, entry_uid;
	unsigned want;
};

static const struct sticky_row sticky_rows[] = {
	{ "not sticky", 0777, 1, 1, 7 },
	{ "sticky, everything another's", 01777, 1, 1, 5 },
	{ "sticky, the folder one's own", 01777, 1000, 1, 7 },
	{ "sticky, the entry one's own", 01777, 1, 1000, 7 },
	{ "sticky, and not to be written", 01755, 1, 1000, 5 },
};

static void
check_sticky(void **state)
{
	const struct sticky_row *row = *state;
	const struct access access = { .uid = 1000, .gid = 1000 };
	const struct pathio_attributes folder = { .mode = row->mode, .uid = row->folder_uid };
	const struct pathio_attributes entry = { .uid = row->entry_uid };
	assert_int_equal(access_to_name(&access, &folder, &entry), row->want);
}

int
main(void)
{
	const struct table tables[] = {
		TABLE("facts", facts_rows, check_facts),
		TABLE("perm", permission_rows, check_perm),
		CASE("the longest facts", check_longest),
		TABLE("access", access_rows, check_access),
		TABLE("names in a folder", sticky_rows, check_sticky),
	};
	return table_run(tables, ARRAY_LENGTH(tables));
}
