/*
 * The order of listings (listing_order.h): by name, time and size, either way round, and where
 * there are too many to sort.
 */
#include "tests/unit/worker/listings.h"
#include "worker/listing_order.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void
plant_file(struct session *session, const char *name, size_t bytes, int64_t mtime_s)
{
	const struct path path = test_path(name);
	const struct tree *tree = session_tree(session);
	const struct pathio_set_times times = { .has_mtime = true,
		.mtime_ns = mtime_s * INT64_C(1000000000) };
	session_plant(session, name, "1234567890", bytes);
	assert_int_equal(tree->backend->set_times(tree->state, &path, &times), 0);
}

struct order_row {
	const char *name;
	enum pathio_order order;
	uint32_t show;
	const char *want;
};

static const struct order_row order_rows[] = {
	{ "by name", PATHIO_ORDER_NAME, 0, "B\na\na.b\nab\nlink\nz\n" },
	{ "by name, the other way round", PATHIO_ORDER_NAME, PATHIO_SHOW_REVERSED,
		"z\nlink\nab\na.b\na\nB\n" },
	{ "no order, the other way round", PATHIO_ORDER_NONE, PATHIO_SHOW_REVERSED,
		"z\nlink\nab\na.b\na\nB\n" },
	{ "with names that begin with a dot", PATHIO_ORDER_NAME, PATHIO_SHOW_DOTS,
		".c\nB\na\na.b\nab\nlink\nz\n" },
	{ "by time; of one time by name", PATHIO_ORDER_TIME, 0, "z\na.b\nB\nab\na\n" },
	{ "by time, the other way round", PATHIO_ORDER_TIME, PATHIO_SHOW_REVERSED,
		"a\nab\nB\na.b\nz\n" },
	{ "by size; of one size by name", PATHIO_ORDER_SIZE, 0, "ab\nB\nz\na\na.b\n" },
	{ "by size, the other way round", PATHIO_ORDER_SIZE, PATHIO_SHOW_REVERSED,
		"a.b\na\nz\nB\nab\n" },
	{ "by size, of what links lead to", PATHIO_ORDER_SIZE, PATHIO_SHOW_TARGETS,
		"ab\nlink\nB\nz\na\na.b\n" },
};

static void
plant_order(struct session *session)
{
	const struct tree *tree = session_tree(session);
	const struct path link = test_path("/link");
	plant_file(session, "/z", 2, 50);
	plant_file(session, "/ab", 9, 20);
	plant_file(session, "/B", 3, 20);
	plant_file(session, "/a.b", 0, 40);
	plant_file(session, "/a", 1, -5);
	plant_file(session, "/.c", 0, 100);
	assert_int_equal(tree->backend->symlink(tree->state, bytes_of_text("ab"), &link), 0);
}

static void
check_order_of(const struct order_row *row, const struct backend *backend)
{
	struct session *session = session_new(backend, NULL, 0);
	bool has_link = strstr(row->want, "link") != NULL;
	char *text;
	plant_order(session);
	if (!has_link) { /* its time and size are its own */
		const struct path link = test_path("/link");
		const struct tree *tree = session_tree(session);
		assert_int_equal(tree->backend->unlink(tree->state, &link), 0);
	}
	assert_int_equal(listings_text(session, &(struct pathio_list){ .path = bytes_of_text("/") },
				 &(struct pathio_send_listing){ .style = PATHIO_STYLE_NAMES,
					 .order = row->order,
					 .show = row->show },
				 &text),
		0);
	assert_string_equal(text, row->want);
	free(text);
	session_free(session);
}

static void
check_order_kernel(void **state)
{
	check_order_of(*state, &backend_kernel);
}

static void
check_order_memory(void **state)
{
	check_order_of(*state, &backend_memory);
}

/* ---- more than can be sorted ---- */

/* Names count down, so that the order in which they lie is not theirs. */
static void
plant_crowd(struct session *session, int count)
{
	char path[32];
	for (int i = count; i > 0; i--) {
		snprintf(path, sizeof(path), "/%06d", i);
		session_plant(session, path, "", 0);
	}
}

/* The numbers in order of their lines: how many, and whether each is larger than the one before. */
static int
count_lines(const char *text, bool *is_sorted)
{
	long last = 0;
	int count = 0;
	*is_sorted = true;
	for (const char *at = text; *at != '\0'; at = strchr(at, '\n') + 1) {
		long number = strtol(at, NULL, 10);
		*is_sorted = *is_sorted && number > last;
		last = number;
		count++;
	}
	return count;
}

static void
check_crowd(int count, bool want_sorted)
{
	struct session *session = session_new(&backend_memory, NULL, 0);
	bool is_sorted;
	char *text;
	plant_crowd(session, count);
	assert_int_equal(listings_text(session, &(struct pathio_list){ .path = bytes_of_text("/") },
				 &(struct pathio_send_listing){
					 .style = PATHIO_STYLE_NAMES, .order = PATHIO_ORDER_NAME },
				 &text),
		0);
	assert_int_equal(count_lines(text, &is_sorted), count);
	assert_int_equal(is_sorted, want_sorted);
	free(text);
	session_free(session);
}

static void
check_many(void **state)
{
	(void)state;
	check_crowd(PATHIO_SORTED_MAX - 1, true);
}

/* All of them, and each once. */
static void
check_too_many(void **state)
{
	(void)state;
	check_crowd(PATHIO_SORTED_MAX + 1, false);
}

int
main(void)
{
	const struct table tables[] = {
		TABLE("kernel", order_rows, check_order_kernel),
		TABLE("memory", order_rows, check_order_memory),
		CASE("as many as are sorted", check_many),
		CASE("more than are sorted", check_too_many),
	};
	return table_run(tables, ARRAY_LENGTH(tables));
}
