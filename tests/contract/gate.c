/*
 * The gate (see gate.h).
 */
#include "tests/contract/gate.h"

#include "tests/table.h"

#include <time.h>

static struct {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool is_closed;
	unsigned waiting; /* before it */
	unsigned passed;
	pthread_t last;
} gate = { .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER };

static void
gate_pass(void)
{
	pthread_mutex_lock(&gate.lock);
	gate.waiting++;
	gate.last = pthread_self();
	pthread_cond_broadcast(&gate.changed);
	while (gate.is_closed)
		pthread_cond_wait(&gate.changed, &gate.lock);
	gate.waiting--;
	gate.passed++;
	pthread_mutex_unlock(&gate.lock);
}

void
gate_set(bool is_closed)
{
	pthread_mutex_lock(&gate.lock);
	gate.is_closed = is_closed;
	gate.passed = 0;
	pthread_cond_broadcast(&gate.changed);
	pthread_mutex_unlock(&gate.lock);
}

void
gate_await(unsigned count)
{
	struct timespec limit;
	int error = 0;
	clock_gettime(CLOCK_REALTIME, &limit);
	limit.tv_sec += GATE_LIMIT_S;
	pthread_mutex_lock(&gate.lock);
	while (gate.waiting < count && error == 0)
		error = pthread_cond_timedwait(&gate.changed, &gate.lock, &limit);
	unsigned waiting = gate.waiting;
	pthread_mutex_unlock(&gate.lock);
	assert_int_equal(waiting, count);
}

unsigned
gate_passed(void)
{
	pthread_mutex_lock(&gate.lock);
	unsigned passed = gate.passed;
	pthread_mutex_unlock(&gate.lock);
	return passed;
}

pthread_t
gate_last(void)
{
	pthread_mutex_lock(&gate.lock);
	pthread_t last = gate.last;
	pthread_mutex_unlock(&gate.lock);
	return last;
}

/* ---- a backend behind it ---- */

static int
gated_stat(struct backend_tree *tree, const struct path *path, bool follow,
	struct pathio_attributes *result)
{
	gate_pass();
	return backend_kernel.stat(tree, path, follow, result);
}

static int
gated_open(struct backend_tree *tree, const struct path *path, unsigned flags, uint32_t mode,
	struct backend_file **result, struct pathio_attributes *attributes)
{
	gate_pass();
	return backend_kernel.open(tree, path, flags, mode, result, attributes);
}

static ssize_t
gated_read(struct backend_file *file, uint64_t offset, void *buffer, size_t length)
{
	gate_pass();
	return backend_kernel.read(file, offset, buffer, length);
}

static int
gated_extent(
	struct backend_file *file, uint64_t offset, uint64_t length, struct backend_extent *result)
{
	gate_pass();
	return backend_kernel.extent(file, offset, length, result);
}

int
gate_mkdir(struct backend_tree *tree, const struct path *path, uint32_t mode)
{
	gate_pass();
	return backend_kernel.mkdir(tree, path, mode);
}

struct backend
gate_backend(void)
{
	struct backend gated = backend_kernel;
	gated.stat = gated_stat;
	gated.open = gated_open;
	gated.read = gated_read;
	gated.extent = gated_extent;
	gated.tree_cached = NULL;
	gated.read_cached = NULL;
	gated.is_near = NULL;
	return gated;
}
