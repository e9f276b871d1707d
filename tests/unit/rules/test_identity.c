/*
 * Whom the server may serve, as root and as an ordinary user (identity.h).
 */
#include "policy/rules/identity.h"
#include "tests/table.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

struct identity_row {
	const char *name;
	uint32_t uid, gid;
	uint32_t groups[3]; /* ends with 0 */
	const char *home;   /* NULL: needs none */
	uint32_t own_uid, own_gid;
	const char *want; /* "": allowed; else what the reason holds */
};

/* uid_min 1000, groups_allowed 100 and 200, roots /home and /srv/ftp */
static const struct identity_row identity_rows[] = {
	{ "a user", 1000, 1000, { 0 }, "/home/ann", 0, 0, "" },
	{ "the least uid", 999, 1000, { 0 }, "/home/ann", 0, 0, "below uid_min" },
	{ "the least gid", 1000, 999, { 0 }, "/home/ann", 0, 0, "below uid_min" },
	{ "root", 0, 1000, { 0 }, "/home/ann", 0, 0, "below uid_min" },
	{ "root's group", 1000, 0, { 0 }, "/home/ann", 0, 0, "below uid_min" },
	{ "uid -1", UINT32_MAX, 1000, { 0 }, "/home/ann", 0, 0, "-1" },
	{ "gid -1", 1000, UINT32_MAX, { 0 }, "/home/ann", 0, 0, "-1" },
	{ "allowed groups", 1000, 1000, { 100, 200 }, "/home/ann", 0, 0, "" },
	{ "another group", 1000, 1000, { 100, 27 }, "/home/ann", 0, 0, "group 27" },
	{ "the own group once more", 1000, 1001, { 1001 }, "/home/ann", 0, 0, "" },
	{ "a root itself", 1000, 1000, { 0 }, "/srv/ftp", 0, 0, "" },
	{ "below a root", 1000, 1000, { 0 }, "/srv/ftp/a/b", 0, 0, "" },
	{ "beside a root", 1000, 1000, { 0 }, "/srv/ftpx", 0, 0, "no folder of roots" },
	{ "above a root", 1000, 1000, { 0 }, "/srv", 0, 0, "no folder of roots" },
	{ "elsewhere", 1000, 1000, { 0 }, "/etc", 0, 0, "no folder of roots" },
	{ "out of a root", 1000, 1000, { 0 }, "/home/../etc", 0, 0, "no plain path" },
	{ "a dot", 1000, 1000, { 0 }, "/home/./ann", 0, 0, "no plain path" },
	{ "two slashes", 1000, 1000, { 0 }, "/home//ann", 0, 0, "no plain path" },
	{ "a slash at the end", 1000, 1000, { 0 }, "/home/ann/", 0, 0, "no plain path" },
	{ "relative", 1000, 1000, { 0 }, "home/ann", 0, 0, "no plain path" },
	{ "no home needed", 1000, 1000, { 0 }, NULL, 0, 0, "" },
	{ "without root: myself", 33, 33, { 0 }, "/home/ann", 33, 33, "" },
	{ "without root: somebody else", 1000, 33, { 0 }, "/home/ann", 33, 33,
		"only uid 33 gid 33" },
	{ "without root: another group", 33, 34, { 0 }, "/home/ann", 33, 33, "only uid 33 gid 33" },
	{ "without root: root", 0, 0, { 0 }, "/home/ann", 33, 33, "only uid 33" },
	{ "without root: groups are not given anyway", 33, 33, { 27 }, "/home/ann", 33, 33, "" },
	{ "without root: elsewhere", 33, 33, { 0 }, "/etc", 33, 33, "no folder of roots" },
};

static struct config *
make_config(void)
{
	static const struct {
		unsigned option;
		const char *value;
	} values[] = {
		{ OPTION_groups_allowed, "100" },
		{ OPTION_groups_allowed, "200" },
		{ OPTION_roots, "/home" },
		{ OPTION_roots, "/srv/ftp" },
	};
	struct config *config = NULL;
	struct rules_error error = { 0 };
	assert_int_equal(config_create(&config), 0);
	for (size_t i = 0; i < ARRAY_LENGTH(values); i++)
		assert_int_equal(config_accept(config, values[i].option,
					 bytes_of_text(values[i].value), &error),
			0);
	return config;
}

static void
check_identity(void **state)
{
	const struct identity_row *row = *state;
	struct config *config = make_config();
	struct rules_error error = { 0 };
	struct identity identity = { .uid = row->uid, .gid = row->gid, .groups = row->groups };
	while (row->groups[identity.group_count] != 0)
		identity.group_count++;
	if (row->home != NULL)
		identity.home = bytes_of_text(row->home);
	int result = identity_check(&identity, config, row->own_uid, row->own_gid, &error);
	if (row->want[0] == '\0') {
		assert_int_equal(result, 0);
		assert_null(error.reason);
	} else {
		assert_int_equal(result, -EINVAL);
		if (strstr(error.reason, row->want) == NULL)
			fail_msg("'%s' is not in '%s'", row->want, error.reason);
	}
	rules_error_free(&error);
	config_free(&config);
}

/* What is read into memory instead of a home lies in the same folders. */
static void
check_memory_load(void **state)
{
	(void)state;
	struct config *config = make_config();
	struct rules_error error = { 0 };
	struct identity identity = { .uid = 1000, .gid = 1000 };
	identity.memory_load = bytes_of_text("/srv/ftp/start.tar");
	assert_int_equal(identity_check(&identity, config, 0, 0, &error), 0);
	identity.memory_load = bytes_of_text("/etc/passwd");
	assert_int_equal(identity_check(&identity, config, 0, 0, &error), -EINVAL);
	assert_non_null(strstr(error.reason, "memory_load: '/etc/passwd' is in no folder"));
	rules_error_free(&error);
	config_free(&config);
}

int
main(void)
{
	const struct table tables[] = {
		TABLE("identity", identity_rows, check_identity),
		CASE("what is read into memory", check_memory_load),
	};
	return table_run(tables, ARRAY_LENGTH(tables));
}
