/*
 * Random sequences of calls in every world and by the kernel itself, compared call by call, and the
 * trees they leave (PATHIO, preamble). What differs is made short and told as a row for pathio.def.
 *
 *	test_contract_differential [SEED [CALLS]]	another first seed; so many calls in all
 *
 * As released it makes 102,000 calls, with the sanitizers the first 12,000 of them (meson.build); a
 * run of all tests has both. A call counts once, though seven worlds and the oracle carry it out;
 * what only looks at the trees at the end does not count, nor what was drawn and is never made.
 */
#include "ipc/base/number.h"
#include "tests/contract/derived.h"
#include "tests/contract/differ.h"
#include "tests/contract/draws.h"
#include "tests/unit/worker/trees.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { SEQUENCE_CALLS = 500, SHORT_CALLS_MAX = 8 };

static uint64_t first_seed = 1;
static uint64_t calls_in_all = DIFFERENTIAL_CALLS;
static uint64_t calls_made; /* so far */

enum {
#define WORLD(name, title, ...) WORLD_##name,
#include "tests/contract/worlds.def"
	WORLD_derived,
	WORLD_COUNT
};

static struct differ_world worlds[WORLD_COUNT] = {
#define WORLD(name, title, ...) { title, { __VA_ARGS__ }, NULL },
#include "tests/contract/worlds.def"
	[WORLD_derived] = { "derived", { .threads = 4, .deadline_ms = 10000 }, NULL },
};

static void
draw_sequence(uint64_t seed, enum draw_kind kind, struct differ_sequence *sequence)
{
	struct draws draws = draws_begin(seed, kind);
	for (size_t i = 0; i < SEQUENCE_CALLS; i++) {
		char call[DRAW_BYTES_MAX];
		draws_next(&draws, call);
		differ_add(sequence, call);
	}
}

/* ---- no difference ---- */

struct kind_row {
	const char *name;
	enum draw_kind kind;
	enum symlink_policy symlinks;
};

static const struct kind_row kind_rows[] = {
	{ "files", DRAW_FILES, SYMLINKS_FOLLOW },
	{ "folders", DRAW_FOLDERS, SYMLINKS_FOLLOW },
	{ "links", DRAW_LINKS, SYMLINKS_FOLLOW },
	{ "uploads", DRAW_UPLOADS, SYMLINKS_FOLLOW },
	{ "links that are refused", DRAW_LINKS, SYMLINKS_REFUSE },
	{ "uploads where links are refused", DRAW_UPLOADS, SYMLINKS_REFUSE },
};

static void
tell_difference(struct differ_sequence *sequence, struct differ_finding *finding, uint64_t seed)
{
	char name[64];
	snprintf(name, sizeof(name), "differential, seed %llu", (unsigned long long)seed);
	differ_shrink(sequence, finding);
	fail_msg("%s", differ_explain(sequence, finding, name));
}

static void
check_kind(void **state)
{
	const struct kind_row *row = *state;
	int descriptors = count_descriptors();
	clock_t start = clock();
	uint64_t made = 0, looks = 0, seed = first_seed;
	for (size_t i = 0; i < WORLD_COUNT; i++)
		worlds[i].opens.symlinks = row->symlinks;
	for (; made < calls_in_all / ARRAY_LENGTH(kind_rows); seed++) {
		struct differ_sequence sequence = { .symlinks = row->symlinks };
		struct differ_finding finding;
		draw_sequence(seed, row->kind, &sequence);
		if (differ_run(&sequence, worlds, WORLD_COUNT, true, &finding))
			tell_difference(&sequence, &finding, seed);
		/* It may have been cut where what is left is anybody's guess (differ.c). */
		bool is_whole = sequence.count > SEQUENCE_CALLS;
		looks += is_whole ? sequence.count - SEQUENCE_CALLS : 0;
		made += is_whole ? SEQUENCE_CALLS : sequence.count;
		differ_clear(&sequence);
	}
	printf("# %s: seeds %llu to %llu, %llu calls and %llu looks at the end, in each of "
	       "%zu worlds, %.1f s of CPU\n",
		row->name, (unsigned long long)first_seed, (unsigned long long)seed - 1,
		(unsigned long long)made, (unsigned long long)looks, ARRAY_LENGTH(worlds),
		(double)(clock() - start) / CLOCKS_PER_SEC);
	calls_made += made;
	assert_int_equal(count_descriptors(), descriptors);
}

/* ---- planted defects are found ---- */

/* Any of these in place of a backend's own function. */

static const struct backend *spoiled; /* the backend below */

static int
rename_over_anything(
	struct backend_tree *tree, const struct path *source, const struct path *destination)
{
	int error = spoiled->rename(tree, source, destination);
	return error == -ENOTEMPTY ? 0 : error;
}

static ssize_t
read_short_of_the_end(struct backend_file *file, uint64_t offset, void *buffer, size_t length)
{
	ssize_t got = spoiled->read(file, offset, buffer, length);
	return got > 0 && (size_t)got < length ? got - 1 : got;
}

static int
mkdir_with_another_error(struct backend_tree *tree, const struct path *path, uint32_t mode)
{
	int error = spoiled->mkdir(tree, path, mode);
	return error == -ENOTDIR ? -ENOENT : error;
}

static int
unlink_that_does_nothing(struct backend_tree *tree, const struct path *path)
{
	struct pathio_attributes found;
	int error = spoiled->stat(tree, path, false, &found);
	return error < 0 || found.type != PATHIO_TYPE_SYMLINK ? spoiled->unlink(tree, path) : 0;
}

static ssize_t
write_that_forgets_holes(
	struct backend_file *file, uint64_t offset, const void *data, size_t length)
{
	struct pathio_attributes found;
	if (spoiled->attributes(file, &found) == 0 && offset > found.size)
		offset = found.size;
	return spoiled->write(file, offset, data, length);
}

/* In front of an instance: an answer on its way back gets another errno. */
struct liar {
	struct pathio io;
	struct pathio *instance;
};

struct lie {
	pathio_completion *done;
	void *argument;
};

static void
on_answer(void *argument, const struct pathio_answer *answer)
{
	struct lie lie = *(struct lie *)argument;
	struct pathio_answer told = *answer;
	free(argument);
	if (told.error == -ENOTEMPTY)
		told.error = -EEXIST;
	lie.done(lie.argument, &told);
}

static uint32_t
lie_submit(struct pathio *io, uint32_t code, const void *request, int descriptor,
	pathio_completion *done, void *argument)
{
	struct pathio *instance = ((struct liar *)io)->instance;
	struct lie *lie = malloc(sizeof(*lie));
	assert_non_null(lie);
	*lie = (struct lie){ .done = done, .argument = argument };
	return instance->operations->submit(instance, code, request, descriptor, on_answer, lie);
}

static void
lie_free(struct pathio *io)
{
	struct liar *liar = (struct liar *)io;
	pathio_free(&liar->instance);
	free(liar);
}

static void
lie_about_folders(struct session *session)
{
	static const struct pathio_operations operations = { .submit = lie_submit,
		.free = lie_free };
	struct liar *liar = malloc(sizeof(*liar));
	assert_non_null(liar);
	*liar = (struct liar){ .io.operations = &operations, .instance = session->io };
	session->io = &liar->io;
}

struct planted_row {
	const char *name;
	const struct differ_world *world;
	enum draw_kind kind;
	struct backend spoils; /* the functions that it has are replaced */
	void (*change)(struct session *session);
	enum symlink_policy symlinks; /* as the oracle has them; the world follows them */
};

#define IN(name) &worlds[WORLD_##name]

static const struct planted_row planted_rows[] = {
	{ "sync, rename over a folder that is not empty", IN(sync), DRAW_FOLDERS,
		{ .rename = rename_over_anything }, NULL, SYMLINKS_FOLLOW },
	{ "sync, a read short of the end", IN(sync), DRAW_FILES, { .read = read_short_of_the_end },
		NULL, SYMLINKS_FOLLOW },
	{ "threaded, a folder made with another errno", IN(threaded), DRAW_FOLDERS,
		{ .mkdir = mkdir_with_another_error }, NULL, SYMLINKS_FOLLOW },
	{ "threaded, a read short of the end", IN(threaded), DRAW_FILES,
		{ .read = read_short_of_the_end, .read_cached = read_short_of_the_end }, NULL,
		SYMLINKS_FOLLOW },
	{ "memory, a hole", IN(memory), DRAW_FILES, { .write = write_that_forgets_holes }, NULL,
		SYMLINKS_FOLLOW },
	{ "memory, a link that stays", IN(memory_remote), DRAW_LINKS,
		{ .unlink = unlink_that_does_nothing }, NULL, SYMLINKS_FOLLOW },
	{ "remote, an errno", IN(sync_remote), DRAW_FOLDERS, { .name = NULL }, lie_about_folders,
		SYMLINKS_FOLLOW },
	{ "derived, a hole", IN(derived), DRAW_FILES, { .write = write_that_forgets_holes }, NULL,
		SYMLINKS_FOLLOW },
	{ "sync, a link that is not refused", IN(sync), DRAW_LINKS, { .name = NULL }, NULL,
		SYMLINKS_REFUSE },
	{ "memory, a link that is not refused", IN(memory), DRAW_LINKS, { .name = NULL }, NULL,
		SYMLINKS_REFUSE },
};

/* The backend with the functions that `spoils` has in their place: both are tables of pointers. */
static struct backend
spoil(const struct backend *backend, const struct backend *spoils)
{
	struct backend result = *backend;
	for (size_t at = 0; at < sizeof(result); at += sizeof(void (*)(void))) {
		void (*function)(void);
		memcpy(&function, (const char *)spoils + at, sizeof(function));
		if (function != NULL)
			memcpy((char *)&result + at, &function, sizeof(function));
	}
	return result;
}

static void
check_planted(void **state)
{
	const struct planted_row *row = *state;
	struct backend backend = spoil(row->world->opens.backend, &row->spoils);
	struct differ_world world = *row->world;
	struct differ_sequence sequence = { .symlinks = row->symlinks };
	struct differ_finding finding = { .world = NULL };
	uint64_t seed = first_seed - 1;
	bool found = false;
	spoiled = row->world->opens.backend;
	world.opens.backend = &backend;
	world.opens.symlinks = SYMLINKS_FOLLOW;
	world.change = row->change;
	for (uint64_t calls = 0; !found && calls < calls_in_all; calls += SEQUENCE_CALLS) {
		differ_clear(&sequence);
		draw_sequence(++seed, row->kind, &sequence);
		found = differ_run(&sequence, &world, 1, true, &finding);
	}
	assert_true(found);
	size_t drawn = finding.at + 1;
	differ_shrink(&sequence, &finding);
	char *told = differ_explain(&sequence, &finding, row->name);
	printf("# seed %llu, %zu calls made %zu: %.400s\n", (unsigned long long)seed, drawn,
		sequence.count, told);
	free(told);
	assert_in_range(sequence.count, 1, SHORT_CALLS_MAX);
	differ_clear(&sequence);
}

int
main(int count, char **arguments)
{
	if (count > 1 && number_parse(bytes_of_text(arguments[1]), UINT32_MAX, &first_seed) < 0)
		return EXIT_FAILURE;
	if (count > 2 && number_parse(bytes_of_text(arguments[2]), UINT32_MAX, &calls_in_all) < 0)
		return EXIT_FAILURE;
	tree_tests_begin();
	derived_make();
	worlds[WORLD_derived].opens.backend = derived_backend;
	const struct table tables[] = {
		TABLE("random calls", kind_rows, check_kind),
		TABLE("finds a planted defect", planted_rows, check_planted),
	};
	int failed = table_run(tables, ARRAY_LENGTH(tables));
	printf("# %llu random calls in all\n", (unsigned long long)calls_made);
	return failed;
}
