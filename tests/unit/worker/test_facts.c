/*
 * Facts of MLST and MLSD (facts.h), above all what `perm` promises; and what mode bits mean to this
 * process (access.h).
 */
#include "policy/rules/rights.h"
#include "tests/table.h"
#include "worker/access.h"
#include "worker/facts.h"

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

static const struct facts_row permission_rows[] = {
	{ "all of a file", PATHIO_FACT_PERM,
		{ .rights = RIGHTS_ALL, .entry_access = ACCESS_ALL, .folder_access = ACCESS_ALL },
		FILE_OF(.size = 0), "perm=adfrw;" },
	{ "all of a folder", PATHIO_FACT_PERM,
		{ .rights = RIGHTS_ALL, .entry_access = ACCESS_ALL, .folder_access = ACCESS_ALL },
		FOLDER_OF(.size = 0), "perm=cdeflmp;" },
	{ "all of a link", PATHIO_FACT_PERM,
		{ .rights = RIGHTS_ALL, .entry_access = ACCESS_ALL, .folder_access = ACCESS_ALL },
		{ .type = PATHIO_TYPE_SYMLINK }, "perm=df;" },
	{ "no rights", PATHIO_FACT_PERM,
		{ .rights = RIGHTS_NONE, .entry_access = ACCESS_ALL, .folder_access = ACCESS_ALL },
		FILE_OF(.size = 0), "perm=;" },
	{ "rights and no mode", PATHIO_FACT_PERM, { .rights = RIGHTS_ALL }, FILE_OF(.size = 0),
		"perm=;" },
	{ "read only rights, a file", PATHIO_FACT_PERM,
		{ .rights = RIGHTS_READ | RIGHTS_LIST,
			.entry_access = ACCESS_ALL,
			.folder_access = ACCESS_ALL },
		FILE_OF(.size = 0), "perm=r;" },
	{ "read only rights, a folder", PATHIO_FACT_PERM,
		{ .rights = RIGHTS_READ | RIGHTS_LIST,
			.entry_access = ACCESS_ALL,
			.folder_access = ACCESS_ALL },
		FOLDER_OF(.size = 0), "perm=el;" },
	{ "a file that its mode protects", PATHIO_FACT_PERM,
		{ .rights = RIGHTS_ALL, .entry_access = ACCESS_READ, .folder_access = ACCESS_ALL },
		FILE_OF(.size = 0), "perm=dfr;" },
	{ "a folder that its mode protects", PATHIO_FACT_PERM,
		{ .rights = RIGHTS_ALL,
			.entry_access = ACCESS_ALL,
			.folder_access = ACCESS_READ | ACCESS_EXECUTE },
		FILE_OF(.size = 0), "perm=arw;" },
	{ "a folder that one may only enter", PATHIO_FACT_PERM,
		{ .rights = RIGHTS_ALL, .entry_access = ACCESS_EXECUTE, .folder_access = WX },
		FOLDER_OF(.size = 0), "perm=def;" },
};

static void
check_facts(void **state)
{
	const struct facts_row *row = *state;
	struct facts_subject subject = row->subject;
	struct stamp stamp = { .local = false };
	char text[FACTS_BYTES_MAX + 1];
	subject.attributes = &row->attributes;
	*facts_put(text, row->wanted, &subject, &stamp) = '\0';
	assert_string_equal(text, row->want);
}

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
	struct stamp stamp = { .local = false };
	char text[FACTS_BYTES_MAX];
	char *end = facts_put(text, PATHIO_FACTS_ALL, &subject, &stamp);
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

int
main(void)
{
	const struct table tables[] = {
		TABLE("facts", facts_rows, check_facts),
		TABLE("perm", permission_rows, check_facts),
		CASE("the longest facts", check_longest),
		TABLE("access", access_rows, check_access),
	};
	return table_run(tables, ARRAY_LENGTH(tables));
}
