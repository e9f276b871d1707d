/*
 * Random sequences of operations on a real tree and on one in memory: each must give the same error
 * and the same result in both (PATHIO, preamble). A row is a seed; a failure names the step.
 */
#include "tests/table.h"
#include "tests/unit/worker/trees.h"
#include "worker/operations.h"
#include "worker/upload.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { STEPS = 3000, FILES = 4, BYTES_MAX = 20000, TEXT_BYTES = 320 };

struct side {
	struct test_tree test;
	struct backend_file *files[FILES];
};

/* What an operation gives; compared as a whole. */
struct outcome {
	int64_t error; /* or a count */
	char text[40000];
};

struct run {
	uint64_t random;
	struct side sides[2];
	struct outcome outcomes[2];
	char what[TEXT_BYTES];
};

/* xorshift64*: the same on every machine. */
static uint32_t
draw(struct run *run, uint32_t below)
{
	run->random ^= run->random >> 12;
	run->random ^= run->random << 25;
	run->random ^= run->random >> 27;
	return (uint32_t)((run->random * UINT64_C(2685821657736338717)) >> 33) % below;
}

/* Few names, so that they meet. */
static void
draw_path(struct run *run, char *text, size_t capacity)
{
	static const char *const names[] = { "a", "b", "c", "d" };
	uint32_t depth = draw(run, 16) == 0 ? 0 : 1 + draw(run, 3);
	size_t at = (size_t)snprintf(text, capacity, "/");
	for (uint32_t i = 0; i < depth; i++)
		at += (size_t)snprintf(text + at, capacity - at, "%s%s", i == 0 ? "" : "/",
			names[draw(run, ARRAY_LENGTH(names))]);
}

static void
draw_target(struct run *run, char *text, size_t capacity)
{
	static const char *const targets[] = { "a", "b/", "..", "../a", "../../../c", "/", "/a",
		"/b/c", ".", "./d", "c/../d", "/a//b/", "../d/..", "d//", "../b/" };
	snprintf(text, capacity, "%s", targets[draw(run, ARRAY_LENGTH(targets))]);
}

static const struct backend *
backend_of(const struct side *side)
{
	return side->test.tree.backend;
}

static struct backend_tree *
state_of(const struct side *side)
{
	return side->test.tree.state;
}

static void
say_attributes(struct outcome *outcome, const struct pathio_attributes *found)
{
	bool is_folder = found->type == PATHIO_TYPE_DIRECTORY;
	snprintf(outcome->text, sizeof(outcome->text), "type %d size %llu mode %o links %llu",
		(int)found->type, is_folder ? 0 : (unsigned long long)found->size, found->mode,
		is_folder ? 0 : (unsigned long long)found->links);
}

/* ---- operations: drawn once, done on both sides ---- */

struct drawn {
	struct path path, other;
	char target[64];
	bool flag;
	unsigned flags;
	uint32_t mode;
	uint32_t file;
	uint64_t offset, length;
	const char *content;
	enum pathio_how how;
};

static void
do_stat(struct side *side, const struct drawn *drawn, struct outcome *outcome)
{
	struct pathio_attributes found;
	outcome->error = backend_of(side)->stat(state_of(side), &drawn->path, drawn->flag, &found);
	if (outcome->error == 0)
		say_attributes(outcome, &found);
}

static void
do_enter(struct side *side, const struct drawn *drawn, struct outcome *outcome)
{
	struct pathio_attributes found;
	outcome->error = backend_of(side)->enter(state_of(side), &drawn->path, &found);
}

static void
do_mkdir(struct side *side, const struct drawn *drawn, struct outcome *outcome)
{
	outcome->error = operation_mkdir(
		&side->test.tree, &drawn->path, 0777, drawn->flag, (drawn->flags & 1) != 0);
}

static void
do_rmdir(struct side *side, const struct drawn *drawn, struct outcome *outcome)
{
	outcome->error = backend_of(side)->rmdir(state_of(side), &drawn->path);
}

static void
do_unlink(struct side *side, const struct drawn *drawn, struct outcome *outcome)
{
	outcome->error = backend_of(side)->unlink(state_of(side), &drawn->path);
}

static void
do_rename(struct side *side, const struct drawn *drawn, struct outcome *outcome)
{
	outcome->error = backend_of(side)->rename(state_of(side), &drawn->path, &drawn->other);
}

static void
do_symlink(struct side *side, const struct drawn *drawn, struct outcome *outcome)
{
	outcome->error = backend_of(side)->symlink(
		state_of(side), bytes_of_text(drawn->target), &drawn->path);
}

static void
do_readlink(struct side *side, const struct drawn *drawn, struct outcome *outcome)
{
	outcome->error = backend_of(side)->readlink(
		state_of(side), &drawn->path, outcome->text, sizeof(outcome->text) - 1);
	if (outcome->error >= 0)
		outcome->text[outcome->error] = '\0';
}

static void
do_set_mode(struct side *side, const struct drawn *drawn, struct outcome *outcome)
{
	outcome->error = backend_of(side)->set_mode(state_of(side), &drawn->path, drawn->mode);
}

static void
do_set_times(struct side *side, const struct drawn *drawn, struct outcome *outcome)
{
	struct pathio_set_times times = { .has_mtime = true, .mtime_ns = (int64_t)drawn->offset };
	outcome->error = backend_of(side)->set_times(state_of(side), &drawn->path, &times);
	struct pathio_attributes found;
	if (outcome->error == 0 &&
		backend_of(side)->stat(state_of(side), &drawn->path, true, &found) == 0)
		snprintf(outcome->text, sizeof(outcome->text), "%lld", (long long)found.mtime_ns);
}

static void
do_open(struct side *side, const struct drawn *drawn, struct outcome *outcome)
{
	struct backend_file **file = &side->files[drawn->file];
	backend_of(side)->close(file);
	struct pathio_attributes found;
	outcome->error = backend_of(side)->open(
		state_of(side), &drawn->path, drawn->flags, drawn->mode, file, &found);
	if (outcome->error == 0)
		say_attributes(outcome, &found);
}

static void
do_read(struct side *side, const struct drawn *drawn, struct outcome *outcome)
{
	struct backend_file *file = side->files[drawn->file];
	if (file == NULL)
		return;
	outcome->error =
		backend_of(side)->read(file, drawn->offset, outcome->text, (size_t)drawn->length);
}

static void
do_write(struct side *side, const struct drawn *drawn, struct outcome *outcome)
{
	struct backend_file *file = side->files[drawn->file];
	if (file != NULL)
		outcome->error = backend_of(side)->write(
			file, drawn->offset, drawn->content, (size_t)drawn->length);
}

static void
do_truncate(struct side *side, const struct drawn *drawn, struct outcome *outcome)
{
	struct backend_file *file = side->files[drawn->file];
	if (file != NULL)
		outcome->error = backend_of(side)->truncate(file, drawn->offset);
}

/* All that sendfile(2) would send. */
static void
do_extents(struct side *side, const struct drawn *drawn, struct outcome *outcome)
{
	struct backend_file *file = side->files[drawn->file];
	struct backend_extent extent;
	uint64_t at = drawn->offset;
	size_t sent = 0;
	int more;
	if (file == NULL || (drawn->flags & 1) != 0)
		return;
	while ((more = backend_of(side)->extent(file, at, 30000 - sent, &extent)) > 0) {
		assert_in_range(extent.length, 1, 30000 - sent);
		if (extent.fd >= 0)
			assert_int_equal(pread(extent.fd, outcome->text + sent, extent.length,
						 extent.offset),
				extent.length);
		at += extent.length;
		sent += extent.length;
		if (sent >= 30000)
			break;
	}
	outcome->error = more < 0 ? more : (int64_t)sent;
}

static void
do_attributes(struct side *side, const struct drawn *drawn, struct outcome *outcome)
{
	struct pathio_attributes found;
	struct backend_file *file = side->files[drawn->file];
	if (file == NULL)
		return;
	outcome->error = backend_of(side)->attributes(file, &found);
	say_attributes(outcome, &found);
}

static int
compare_lines(const void *a, const void *b)
{
	return strcmp(a, b);
}

static void
do_list(struct side *side, const struct drawn *drawn, struct outcome *outcome)
{
	static char lines[64][64];
	struct backend_directory *directory;
	unsigned flags = drawn->flag ? BACKEND_NAMES : 0;
	outcome->error =
		backend_of(side)->directory_open(state_of(side), &drawn->path, flags, &directory);
	if (outcome->error < 0)
		return;
	struct backend_entry entry;
	size_t count = 0;
	while (backend_of(side)->directory_next(directory, &entry) > 0 && count < 64)
		snprintf(lines[count++], sizeof(lines[0]), "%.*s %d\n", (int)entry.name.length,
			entry.name.data, (int)entry.attributes.type);
	backend_of(side)->directory_close(&directory);
	qsort(lines, count, sizeof(lines[0]), compare_lines);
	size_t at = 0;
	for (size_t i = 0; i < count; i++)
		at += (size_t)snprintf(
			outcome->text + at, sizeof(outcome->text) - at, "%s", lines[i]);
}

static int64_t
run_to_end(struct operation *operation)
{
	int more;
	while ((more = operation_step(operation)) > 0)
		continue;
	int64_t result = more < 0 ? more : (int64_t)operation_bytes(operation);
	operation_free(&operation);
	return result;
}

static void
do_remove_tree(struct side *side, const struct drawn *drawn, struct outcome *outcome)
{
	struct operation *operation;
	outcome->error = operation_remove_tree(&side->test.tree, &drawn->path, &operation);
	if (outcome->error == 0)
		outcome->error = run_to_end(operation);
}

static void
do_copy(struct side *side, const struct drawn *drawn, struct outcome *outcome)
{
	struct operation *operation;
	outcome->error = operation_copy(&side->test.tree, &drawn->path, &drawn->other, &operation);
	if (outcome->error == 0)
		outcome->error = run_to_end(operation);
}

static void
do_upload(struct side *side, const struct drawn *drawn, struct outcome *outcome)
{
	struct upload *upload;
	struct pathio_attributes found;
	outcome->error = upload_open(
		&side->test.tree, &drawn->path, drawn->how, drawn->offset % 64, &upload, &found);
	if (outcome->error < 0)
		return;
	struct backend_file *file;
	uint64_t offset;
	outcome->error = upload_begin(upload, &file, &offset);
	if (outcome->error == 0)
		outcome->error = backend_of(side)->write(
			file, offset, drawn->content, (size_t)drawn->length);
	if (drawn->flag) {
		upload_discard(&upload);
	} else if (outcome->error >= 0) {
		outcome->error = upload_commit(&upload, &found);
		if (outcome->error == 0)
			say_attributes(outcome, &found);
	} else {
		upload_drop(&upload);
	}
}

/* Empties a folder, whatever may be done in it. */
static void
clear_below(struct side *side, const char *folder)
{
	char names[64][16]; /* no folder has more, and no name is longer */
	struct path path = test_path(folder);
	struct backend_directory *directory;
	struct backend_entry entry;
	size_t count = 0;
	assert_int_equal(backend_of(side)->set_mode(state_of(side), &path, 0755), 0);
	assert_int_equal(
		backend_of(side)->directory_open(state_of(side), &path, BACKEND_NAMES, &directory),
		0);
	while (backend_of(side)->directory_next(directory, &entry) > 0) {
		assert_true(count < ARRAY_LENGTH(names));
		snprintf(names[count++], sizeof(names[0]), "%.*s", (int)entry.name.length,
			entry.name.data);
	}
	backend_of(side)->directory_close(&directory);
	for (size_t i = 0; i < count; i++) {
		char text[PATH_BYTES_MAX];
		snprintf(text, sizeof(text), "%s/%s", folder, names[i]);
		path = test_path(text);
		if (backend_of(side)->unlink(state_of(side), &path) == 0)
			continue;
		clear_below(side, text);
		assert_int_equal(backend_of(side)->rmdir(state_of(side), &path), 0);
	}
}

static const struct {
	const char *name;
	uint32_t weight;
	void (*act)(struct side *side, const struct drawn *drawn, struct outcome *outcome);
} acts[] = {
	{ "stat", 8, do_stat },
	{ "enter", 2, do_enter },
	{ "mkdir", 12, do_mkdir },
	{ "rmdir", 4, do_rmdir },
	{ "unlink", 4, do_unlink },
	{ "rename", 12, do_rename },
	{ "symlink", 6, do_symlink },
	{ "readlink", 2, do_readlink },
	{ "set_mode", 3, do_set_mode },
	{ "set_times", 2, do_set_times },
	{ "open", 20, do_open },
	{ "read", 8, do_read },
	{ "write", 14, do_write },
	{ "truncate", 5, do_truncate },
	{ "extents", 6, do_extents },
	{ "attributes", 3, do_attributes },
	{ "list", 6, do_list },
	{ "remove_tree", 1, do_remove_tree },
	{ "copy", 3, do_copy },
	{ "upload", 6, do_upload },
};

static size_t
draw_act(struct run *run)
{
	uint32_t total = 0;
	for (size_t i = 0; i < ARRAY_LENGTH(acts); i++)
		total += acts[i].weight;
	uint32_t at = draw(run, total);
	size_t act = 0;
	while (at >= acts[act].weight)
		at -= acts[act++].weight;
	return act;
}

static void
draw_arguments(struct run *run, const char *content, struct drawn *drawn)
{
	static const uint32_t modes[] = { 0777, 0755, 0644, 0600, 0444, 0555, 0311, 0 };
	static const unsigned open_flags[] = { BACKEND_READ, BACKEND_WRITE,
		BACKEND_READ | BACKEND_WRITE, BACKEND_READ | BACKEND_WRITE | BACKEND_CREATE,
		BACKEND_WRITE | BACKEND_CREATE | BACKEND_TRUNCATE,
		BACKEND_WRITE | BACKEND_CREATE | BACKEND_APPEND,
		BACKEND_READ | BACKEND_WRITE | BACKEND_CREATE | BACKEND_EXCLUSIVE,
		BACKEND_READ | BACKEND_NOFOLLOW };
	char text[64], other[64];
	draw_path(run, text, sizeof(text));
	draw_path(run, other, sizeof(other));
	drawn->path = test_path(text);
	drawn->other = test_path(other);
	draw_target(run, drawn->target, sizeof(drawn->target));
	drawn->flag = draw(run, 2) != 0;
	drawn->flags = open_flags[draw(run, ARRAY_LENGTH(open_flags))];
	/* Mostly harmless, or soon nothing works any more. */
	drawn->mode = modes[draw(run, draw(run, 4) == 0 ? ARRAY_LENGTH(modes) : 2)];
	drawn->file = draw(run, FILES);
	drawn->offset = draw(run, BYTES_MAX);
	drawn->length = draw(run, 4) == 0 ? draw(run, BYTES_MAX) : draw(run, 100);
	drawn->content = content + draw(run, BYTES_MAX);
	drawn->how = (enum pathio_how)draw(run, PATHIO_HOW_UNIQUE + 1u);
	snprintf(run->what, sizeof(run->what),
		"%s %s flag %d flags %u mode %o file %u offset %llu length %llu how %d target %s",
		text, other, drawn->flag, drawn->flags, drawn->mode, drawn->file,
		(unsigned long long)drawn->offset, (unsigned long long)drawn->length,
		(int)drawn->how, drawn->target);
}

static void
step(struct run *run, int number, const char *content, uint64_t seed)
{
	size_t act = draw_act(run);
	struct drawn drawn;
	draw_arguments(run, content, &drawn);
	for (int i = 0; i < 2; i++) {
		memset(&run->outcomes[i], 0, sizeof(run->outcomes[i]));
		acts[act].act(&run->sides[i], &drawn, &run->outcomes[i]);
	}
	const struct outcome *real = &run->outcomes[0];
	const struct outcome *memory = &run->outcomes[1];
	if (real->error != memory->error ||
		memcmp(real->text, memory->text, sizeof(real->text)) != 0)
		fail_msg("seed %llu step %d: %s %s: real %lld \"%.60s\", memory %lld \"%.60s\"",
			(unsigned long long)seed, number, acts[act].name, run->what,
			(long long)real->error, real->text, (long long)memory->error, memory->text);
	/* It stops at the first error, and what is gone by then depends on the order of entries. */
	if (acts[act].act == do_remove_tree && real->error == -EACCES)
		for (size_t i = 0; i < ARRAY_LENGTH(run->sides); i++)
			clear_below(&run->sides[i], "/");
}

struct seed_row {
	const char *name;
	uint64_t seed;
	enum symlink_policy symlinks;
};

static const struct seed_row seed_rows[] = {
	{ "1", 1, SYMLINKS_FOLLOW },
	{ "2", 2, SYMLINKS_FOLLOW },
	{ "3", 3, SYMLINKS_FOLLOW },
	{ "4", 4, SYMLINKS_FOLLOW },
	{ "5", 5, SYMLINKS_FOLLOW },
	{ "6", 6, SYMLINKS_FOLLOW },
	{ "7, no links", 7, SYMLINKS_REFUSE },
	{ "8, no links", 8, SYMLINKS_REFUSE },
	{ "9, no links", 9, SYMLINKS_REFUSE },
};

static void
check_seed(void **state)
{
	const struct seed_row *row = *state;
	static char content[2 * BYTES_MAX];
	static struct run run;
	int descriptors = count_descriptors();
	memset(&run, 0, sizeof(run));
	run.random = row->seed * UINT64_C(0x9e3779b97f4a7c15);
	for (size_t i = 0; i < sizeof(content); i++)
		content[i] = (char)('a' + draw(&run, 26));
	struct backend_options options = {
		.memory_limit_bytes = TEST_MEMORY_LIMIT, .umask = 022, .symlinks = row->symlinks
	};
	struct upload_policy uploads = { .sync = SYNC_NONE };
	test_tree_open_with(&run.sides[0].test, &backend_kernel, &options, &uploads);
	test_tree_open_with(&run.sides[1].test, &backend_memory, &options, &uploads);
	for (int i = 0; i < STEPS; i++)
		step(&run, i, content, row->seed);
	for (size_t side = 0; side < ARRAY_LENGTH(run.sides); side++) {
		for (size_t file = 0; file < FILES; file++)
			backend_of(&run.sides[side])->close(&run.sides[side].files[file]);
		test_tree_close(&run.sides[side].test);
	}
	assert_int_equal(count_descriptors(), descriptors);
}

int
main(void)
{
	tree_tests_begin();
	const struct table tables[] = {
		TABLE("random operations, seed", seed_rows, check_seed),
	};
	return table_run(tables, ARRAY_LENGTH(tables));
}
