/*
 * Bytes of the memory backend on their way through a socket stay what they were, whatever becomes
 * of the file meanwhile (DECISIONS 29).
 */
#include "tests/table.h"
#include "tests/unit/worker/memory_tree.h"

#include "ipc/base/scope.h"

#include <stdio.h>
#include <sys/sendfile.h>
#include <sys/socket.h>

/* ---- bytes on their way ---- */

struct change_row {
	const char *name;
	void (*change)(void);
};

static void
overwrite(void)
{
	struct backend_file *file = memory_test_open_file("/f", BACKEND_WRITE);
	memory_test_fill(file, 0, 'b', 8 * PAGE);
	backend_memory.close(&file);
}

static void
overwrite_the_middle(void)
{
	struct backend_file *file = memory_test_open_file("/f", BACKEND_WRITE);
	memory_test_fill(file, 2 * PAGE + 100, 'b', PAGE);
	memory_test_fill(file, 5 * PAGE + 1, 'b', 1);
	backend_memory.close(&file);
}

static void
truncate_and_write(void)
{
	struct backend_file *file = memory_test_open_file("/f", BACKEND_WRITE | BACKEND_TRUNCATE);
	memory_test_fill(file, 0, 'b', 3 * PAGE);
	backend_memory.close(&file);
}

static void
cut_short(void)
{
	struct backend_file *file = memory_test_open_file("/f", BACKEND_WRITE);
	assert_int_equal(backend_memory.truncate(file, 2 * PAGE + 5), 0);
	memory_test_fill(file, 3 * PAGE, 'b', PAGE);
	backend_memory.close(&file);
}

static void
delete_and_create(void)
{
	memory_test_remove("/f");
	for (int i = 0; i < 4; i++) {
		char name[16];
		snprintf(name, sizeof(name), "/f%d", i);
		struct backend_file *file = memory_test_create(name);
		memory_test_fill(file, 0, 'b', 8 * PAGE);
		backend_memory.close(&file);
	}
}

static void
replace_by_rename(void)
{
	struct path from = test_path("/g");
	struct path to = test_path("/f");
	struct backend_file *file = memory_test_create("/g");
	memory_test_fill(file, 0, 'b', 8 * PAGE);
	backend_memory.close(&file);
	assert_int_equal(backend_memory.rename(memory_test.tree.state, &from, &to), 0);
}

static const struct change_row change_rows[] = {
	{ "overwritten", overwrite },
	{ "overwritten in the middle", overwrite_the_middle },
	{ "truncated and written", truncate_and_write },
	{ "cut short and grown", cut_short },
	{ "deleted and created", delete_and_create },
	{ "replaced by a rename", replace_by_rename },
};

static void
make_eight_pages(void)
{
	struct backend_file *file = memory_test_create("/f");
	memory_test_fill(file, 0, 'a', 8 * PAGE);
	backend_memory.close(&file);
}

/* Between two calls of sendfile(2): what was handed out stays until the reader closes. */
static void
check_handed_out(void **state)
{
	const struct change_row *row = *state;
	memory_test_open(1 << 20);
	make_eight_pages();
	struct backend_file *reader = memory_test_open_file("/f", BACKEND_READ);
	struct backend_extent extent;
	assert_int_equal(backend_memory.extent(reader, 0, 8 * PAGE, &extent), 1);
	assert_int_equal(extent.length, 8 * PAGE);
	row->change();
	memory_test_expect(extent.fd, extent.offset, 'a', 8 * PAGE);
	backend_memory.close(&reader);
	test_tree_close(&memory_test);
}

/* In the queue of a socket, long after the reader has closed. */
static void
check_in_socket(void **state)
{
	const struct change_row *row = *state;
	static char got[8 * PAGE];
	int ends[2];
	memory_test_open(1 << 20);
	make_eight_pages();
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	struct backend_file *reader = memory_test_open_file("/f", BACKEND_READ);
	struct backend_extent extent;
	assert_int_equal(backend_memory.extent(reader, 0, 8 * PAGE, &extent), 1);
	assert_int_equal(sendfile(ends[0], extent.fd, &extent.offset, 8 * PAGE), 8 * PAGE);
	backend_memory.close(&reader);
	row->change();
	assert_int_equal(recv(ends[1], got, sizeof(got), MSG_WAITALL), sizeof(got));
	for (size_t i = 0; i < sizeof(got); i++)
		assert_int_equal(got[i], 'a');
	fd_close(&ends[0]);
	fd_close(&ends[1]);
	test_tree_close(&memory_test);
}

/* Pages that were replaced while they were lent count until the lender closes. */
static void
check_lent_pages(UNUSED void **state)
{
	memory_test_open(1 << 20);
	make_eight_pages();
	struct backend_file *keep = memory_test_open_file("/f", BACKEND_READ);
	uint64_t before = memory_test_space();
	struct backend_file *first = memory_test_open_file("/f", BACKEND_READ);
	struct backend_file *second = memory_test_open_file("/f", BACKEND_READ);
	struct backend_extent extent;
	assert_int_equal(backend_memory.extent(first, 0, 1, &extent), 1);
	assert_int_equal(backend_memory.extent(second, 0, 1, &extent), 1);
	overwrite();
	/* The new pages, and a line for the old ones in the account of what is lent. */
	assert_in_range(before - memory_test_space(), 8 * PAGE, 8 * PAGE + 200);
	backend_memory.close(&first);
	assert_in_range(before - memory_test_space(), 8 * PAGE, 8 * PAGE + 200);
	backend_memory.close(&second);
	assert_int_equal(memory_test_space(), before);
	backend_memory.close(&keep);
	test_tree_close(&memory_test);
}

/* ---- a model ---- */

/*
 * Random writes, cuts and loans of one file beside a plain array; what was lent is looked at again
 * before it is returned.
 */
enum { MODEL_BYTES = 20 * PAGE, LOANS = 4, MODEL_STEPS = 20000 };

struct loan {
	struct backend_file *file;
	struct backend_extent extent;
	char bytes[MODEL_BYTES];
};

struct model {
	uint64_t random;
	size_t size;
	char bytes[MODEL_BYTES];
	struct loan loans[LOANS];
};

static uint32_t
draw(struct model *model, uint32_t below)
{
	model->random ^= model->random >> 12;
	model->random ^= model->random << 25;
	model->random ^= model->random >> 27;
	return (uint32_t)((model->random * UINT64_C(2685821657736338717)) >> 33) % below;
}

static void
model_write(struct model *model, struct backend_file *file)
{
	static char block[MODEL_BYTES];
	size_t at = draw(model, MODEL_BYTES);
	size_t length = 1 + draw(model, draw(model, 2) == 0 ? 300 : MODEL_BYTES);
	if (length > MODEL_BYTES - at)
		length = MODEL_BYTES - at;
	for (size_t i = 0; i < length; i++)
		block[i] = (char)draw(model, 256);
	assert_int_equal(backend_memory.write(file, at, block, length), length);
	memcpy(model->bytes + at, block, length);
	if (at + length > model->size)
		model->size = at + length;
}

static void
model_truncate(struct model *model, struct backend_file *file)
{
	size_t size = draw(model, MODEL_BYTES);
	assert_int_equal(backend_memory.truncate(file, size), 0);
	if (size < model->size)
		memset(model->bytes + size, 0, model->size - size);
	model->size = size;
}

static void
model_return(struct loan *loan)
{
	static char now[MODEL_BYTES];
	if (loan->file == NULL)
		return;
	if (loan->extent.fd >= 0)
		assert_int_equal(
			pread(loan->extent.fd, now, loan->extent.length, loan->extent.offset),
			loan->extent.length);
	else
		memset(now, 0, loan->extent.length);
	assert_memory_equal(now, loan->bytes, loan->extent.length);
	backend_memory.close(&loan->file);
}

static void
model_lend(struct model *model)
{
	struct loan *loan = &model->loans[draw(model, LOANS)];
	model_return(loan);
	size_t at = draw(model, MODEL_BYTES);
	loan->file = memory_test_open_file("/f", BACKEND_READ);
	int more =
		backend_memory.extent(loan->file, at, 1 + draw(model, MODEL_BYTES), &loan->extent);
	assert_int_equal(more, at < model->size);
	if (more == 0)
		backend_memory.close(&loan->file);
	else
		memcpy(loan->bytes, model->bytes + at, loan->extent.length);
}

static void
model_compare(struct model *model, struct backend_file *file)
{
	static char now[MODEL_BYTES];
	assert_int_equal(backend_memory.read(file, 0, now, sizeof(now)), model->size);
	assert_memory_equal(now, model->bytes, model->size);
}

static void
check_model(UNUSED void **state)
{
	static struct model model;
	memset(&model, 0, sizeof(model));
	model.random = 88172645463325252;
	memory_test_open(1 << 20);
	struct backend_file *file = memory_test_create("/f");
	uint64_t before = memory_test_space();
	for (int i = 0; i < MODEL_STEPS; i++) {
		uint32_t what = draw(&model, 10);
		if (what < 5)
			model_write(&model, file);
		else if (what < 6)
			model_truncate(&model, file);
		else if (what < 9)
			model_lend(&model);
		else
			model_compare(&model, file);
	}
	for (size_t i = 0; i < LOANS; i++)
		model_return(&model.loans[i]);
	model_compare(&model, file);
	assert_int_equal(backend_memory.truncate(file, 0), 0);
	assert_int_equal(memory_test_space(), before);
	backend_memory.close(&file);
	test_tree_close(&memory_test);
}

int
main(void)
{
	tree_tests_begin();
	const struct table tables[] = {
		TABLE("between two calls of sendfile", change_rows, check_handed_out),
		TABLE("in a socket's queue", change_rows, check_in_socket),
		CASE("pages that are lent count", check_lent_pages),
		CASE("random writes, cuts and loans", check_model),
	};
	return table_run(tables, ARRAY_LENGTH(tables));
}
