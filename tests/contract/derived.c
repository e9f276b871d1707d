/*
 * A derived backend for the contract (see derived.h).
 */
#include "tests/contract/derived.h"

#include "tests/table.h"
#include "worker/backend_module.h"
#include "worker/backends.h"

static struct backend table;
const struct backend *const derived_backend = &table;

static const struct backend_host host = {
	.derived = &backend_kernel,
	.settings = "",
	.identity = identity_current,
};

void
derived_make(void)
{
	table = *host.derived;
	assert_int_equal(sallyport_backend.make(&host, &table), 0);
	assert_ptr_not_equal(table.open, host.derived->open);
	table.tree_free = host.derived->tree_free; /* reports of hundreds of trees help nobody */
	table.tree_cached = NULL;
	table.read_cached = NULL;
	table.is_near = NULL;
}
