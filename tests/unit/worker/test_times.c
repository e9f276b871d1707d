/*
 * Times and link counts: what each change of a tree does to those of the files and folders
 * concerned, in every backend as in the kernel.
 */
#include "tests/table.h"
#include "tests/unit/worker/trees.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static struct test_tree test;
static const struct backend *backend;

/* ---- what a change does ---- */

static struct backend_file *
open_file(const char *name, unsigned flags)
{
	struct path path = test_path(name);
	struct backend_file *file;
	assert_int_equal(backend->open(test.tree.state, &path, flags, 0644, &file, NULL), 0);
	return file;
}

static void
open_and_close(const char *name, unsigned flags)
{
	struct backend_file *file = open_file(name, flags);
	backend->close(&file);
}

static void
write_text(const char *name, unsigned flags, const char *text)
{
	struct backend_file *file = open_file(name, flags);
	assert_int_equal(backend->write(file, 0, text, strlen(text)), strlen(text));
	backend->close(&file);
}

static int
rename_name(const char *from, const char *to)
{
	struct path source = test_path(from), destination = test_path(to);
	return backend->rename(test.tree.state, &source, &destination);
}

static int
set_times(const char *name, bool has_mtime, bool has_atime)
{
	struct path path = test_path(name);
	const struct pathio_set_times times = { .has_mtime = has_mtime, .has_atime = has_atime };
	return backend->set_times(test.tree.state, &path, &times);
}

/* Calls with one path, by what they give. */
static int
make_folder(const char *name)
{
	struct path path = test_path(name);
	return backend->mkdir(test.tree.state, &path, 0755);
}

static int
remove_folder(const char *name)
{
	struct path path = test_path(name);
	return backend->rmdir(test.tree.state, &path);
}

static int
remove_file(const char *name)
{
	struct path path = test_path(name);
	return backend->unlink(test.tree.state, &path);
}

static int
make_link(const char *name)
{
	struct path path = test_path(name);
	return backend->symlink(test.tree.state, bytes_of_text("f"), &path);
}

static int
set_mode(const char *name)
{
	struct path path = test_path(name);
	return backend->set_mode(test.tree.state, &path, 0700);
}

static int
do_nothing(UNUSED const char *name)
{
	return 0;
}

static int
create_file(const char *name)
{
	open_and_close(name, BACKEND_WRITE | BACKEND_CREATE);
	return 0;
}

static int
write_file(const char *name)
{
	write_text(name, BACKEND_WRITE, "x");
	return 0;
}

static int
write_nothing(const char *name)
{
	write_text(name, BACKEND_WRITE, "");
	return 0;
}

static int
append_file(const char *name)
{
	write_text(name, BACKEND_WRITE | BACKEND_APPEND, "x");
	return 0;
}

static int
read_file(const char *name)
{
	char byte;
	struct backend_file *file = open_file(name, BACKEND_READ);
	assert_int_equal(backend->read(file, 0, &byte, 1), 1);
	backend->close(&file);
	return 0;
}

static int
truncate_by_opening(const char *name)
{
	open_and_close(name, BACKEND_WRITE | BACKEND_TRUNCATE);
	return 0;
}

static int
truncate_to_the_same(const char *name)
{
	struct backend_file *file = open_file(name, BACKEND_WRITE);
	int error = backend->truncate(file, 5);
	backend->close(&file);
	return error;
}

static int
change_mode(const char *name)
{
	struct backend_file *file = open_file(name, BACKEND_WRITE);
	int error = backend->change_mode(file, 0600);
	backend->close(&file);
	return error;
}

static int
copy_from_f(const char *name)
{
	struct backend_file *from = open_file("/d/f", BACKEND_READ);
	struct backend_file *to = open_file(name, BACKEND_WRITE);
	ssize_t copied = backend->copy_range(from, 0, to, 0, 5);
	if (copied == -ENOTSUP)
		copied = backend->write(to, 0, "12345", 5);
	backend->close(&from);
	backend->close(&to);
	return copied == 5 ? 0 : (int)copied;
}

static int
set_mtime(const char *name)
{
	return set_times(name, true, false);
}

static int
set_atime(const char *name)
{
	return set_times(name, false, true);
}

static int
set_no_time(const char *name)
{
	return set_times(name, false, false);
}

static int
rename_to_n(const char *name)
{
	return rename_name(name, "/d/n");
}

static int
rename_to_e(const char *name)
{
	return rename_name(name, "/e/n");
}

static int
rename_over_g(const char *name)
{
	return rename_name(name, "/d/g");
}

static int
rename_over_empty(const char *name)
{
	return rename_name(name, "/e/empty");
}

static int
rename_onto_itself(const char *name)
{
	return rename_name(name, name);
}

struct change_row {
	const char *name;
	int (*change)(const char *path);
	const char *path;
	int error;
	const char *moved; /* where the path's object is afterwards; NULL: where it was */
	const char *want;  /* "path=mc+1": its mtime, its ctime, and one link more */
};

static const struct change_row change_rows[] = {
	{ "nothing", do_nothing, "/d/f", 0, NULL, "" },
	{ "a new file", create_file, "/d/n", 0, NULL, "/d=mc" },
	{ "a file that is there is opened to be created", create_file, "/d/f", 0, NULL, "" },
	{ "a new folder", make_folder, "/d/n", 0, NULL, "/d=mc+1" },
	{ "a new link", make_link, "/d/n", 0, NULL, "/d=mc" },
	{ "a file goes", remove_file, "/d/f", 0, NULL, "/d=mc" },
	{ "an open file goes", remove_file, "/d/g", 0, NULL, "/d=mc open=c-1" },
	{ "a folder goes", remove_folder, "/d/s", 0, NULL, "/d=mc-1" },
	{ "written", write_file, "/d/f", 0, NULL, "/d/f=mc" },
	{ "written through a link", write_file, "/d/l", 0, NULL, "/d/f=mc" },
	{ "nothing written", write_nothing, "/d/f", 0, NULL, "" },
	{ "appended to", append_file, "/d/f", 0, NULL, "/d/f=mc" },
	{ "read", read_file, "/d/f", 0, NULL, "" },
	{ "truncated", truncate_by_opening, "/d/f", 0, NULL, "/d/f=mc" },
	{ "truncated to its size", truncate_to_the_same, "/d/f", 0, NULL, "/d/f=mc" },
	{ "copied to", copy_from_f, "/d/g", 0, NULL, "/d/g=mc open=mc" },
	{ "another mode", set_mode, "/d/f", 0, NULL, "/d/f=c" },
	{ "another mode of a folder", set_mode, "/d", 0, NULL, "/d=c" },
	{ "another mode by handle", change_mode, "/d/f", 0, NULL, "/d/f=c" },
	{ "another mtime", set_mtime, "/d/f", 0, NULL, "/d/f=mc" },
	{ "another mtime through a link", set_mtime, "/d/l", 0, NULL, "/d/f=mc" },
	{ "another atime", set_atime, "/d/f", 0, NULL, "/d/f=c" },
	{ "no other time", set_no_time, "/d/f", 0, NULL, "" },
	{ "renamed", rename_to_n, "/d/f", 0, "/d/n", "/d=mc /d/f=c" },
	{ "moved", rename_to_e, "/d/f", 0, "/e/n", "/d=mc /d/f=c /e=mc" },
	{ "a link is moved", rename_to_e, "/d/l", 0, "/e/n", "/d=mc /d/l=c /e=mc" },
	{ "a folder is renamed", rename_to_n, "/d/s", 0, "/d/n", "/d=mc /d/s=c" },
	{ "a folder is moved", rename_to_e, "/d/s", 0, "/e/n", "/d=mc-1 /d/s=c /e=mc+1" },
	{ "a file over an open one", rename_over_g, "/d/f", 0, "/d/g", "/d=mc /d/f=c open=c-1" },
	{ "a folder over an empty one", rename_over_empty, "/d/s", 0, "/e/empty",
		"/d=mc-1 /d/s=c /e=mc" },
	{ "onto itself", rename_onto_itself, "/d/f", 0, NULL, "" },
	{ "a folder that is there", make_folder, "/d/s", -EEXIST, NULL, "" },
	{ "a folder is no file", remove_file, "/d/s", -EISDIR, NULL, "" },
	{ "a folder that is not empty", remove_folder, "/d", -ENOTEMPTY, NULL, "" },
	{ "a folder into itself", rename_to_e, "/e", -EINVAL, NULL, "" },
};

/* ---- what is seen of it ---- */

static const char *const watched[] = { "/", "/d", "/d/f", "/d/g", "/d/l", "/d/s", "/e" };

struct seen {
	bool is_there;
	struct pathio_attributes attributes;
};

static struct seen
look_at(const char *name)
{
	struct path path = test_path(name);
	struct seen seen = { .is_there = true };
	if (backend->stat(test.tree.state, &path, false, &seen.attributes) < 0)
		seen.is_there = false;
	return seen;
}

static void
say(char *text, size_t capacity, const char *name, const struct seen *before,
	const struct seen *after)
{
	if (!before->is_there || !after->is_there ||
		before->attributes.inode != after->attributes.inode)
		return;
	assert_int_equal(before->attributes.btime_ns, after->attributes.btime_ns);
	bool modified = before->attributes.mtime_ns != after->attributes.mtime_ns;
	bool changed = before->attributes.ctime_ns != after->attributes.ctime_ns;
	int links = (int)(after->attributes.links - before->attributes.links);
	size_t used = strlen(text);
	if (!modified && !changed && links == 0)
		return;
	snprintf(text + used, capacity - used, "%s%s=%s%s", used == 0 ? "" : " ", name,
		modified ? "m" : "", changed ? "c" : "");
	used = strlen(text);
	if (links != 0)
		snprintf(text + used, capacity - used, "%+d", links);
}

/* The kernel's clock of files goes by ticks: one later than all that has been. */
static void
pass_tick(void)
{
	struct timespec start, now;
	for (int i = 0; i < 2; i++) {
		clock_gettime(CLOCK_REALTIME_COARSE, &start);
		do
			clock_gettime(CLOCK_REALTIME_COARSE, &now);
		while (now.tv_sec == start.tv_sec && now.tv_nsec == start.tv_nsec);
	}
}

static void
make_tree(void)
{
	assert_int_equal(make_folder("/d"), 0);
	assert_int_equal(make_folder("/e"), 0);
	assert_int_equal(make_folder("/e/empty"), 0);
	assert_int_equal(make_folder("/d/s"), 0);
	assert_int_equal(make_link("/d/l"), 0);
	write_text("/d/f", BACKEND_WRITE | BACKEND_CREATE, "12345");
	write_text("/d/g", BACKEND_WRITE | BACKEND_CREATE, "12345");
}

static void
check_change(const struct backend *tested, const struct change_row *row)
{
	struct seen before[ARRAY_LENGTH(watched) + 1], after[ARRAY_LENGTH(watched) + 1];
	size_t last = ARRAY_LENGTH(watched);
	char text[256] = "";
	backend = tested;
	test_tree_open(&test, backend);
	make_tree();
	struct backend_file *open_g = open_file("/d/g", BACKEND_READ);
	for (size_t i = 0; i < last; i++)
		before[i] = look_at(watched[i]);
	before[last].is_there = after[last].is_there = true;
	assert_int_equal(backend->attributes(open_g, &before[last].attributes), 0);
	pass_tick();
	assert_int_equal(row->change(row->path), row->error);
	for (size_t i = 0; i < last; i++) {
		bool is_moved = row->moved != NULL && strcmp(watched[i], row->path) == 0;
		after[i] = look_at(is_moved ? row->moved : watched[i]);
		say(text, sizeof(text), watched[i], &before[i], &after[i]);
	}
	assert_int_equal(backend->attributes(open_g, &after[last].attributes), 0);
	say(text, sizeof(text), "open", &before[last], &after[last]);
	assert_string_equal(text, row->want);
	backend->close(&open_g);
	test_tree_close(&test);
}

static void
check_kernel(void **state)
{
	check_change(&backend_kernel, *state);
}

static void
check_memory(void **state)
{
	check_change(&backend_memory, *state);
}

int
main(void)
{
	tree_tests_begin();
	const struct table tables[] = {
		TABLE("real files", change_rows, check_kernel),
		TABLE("memory", change_rows, check_memory),
	};
	return table_run(tables, ARRAY_LENGTH(tables));
}
