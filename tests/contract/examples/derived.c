/*
 * PATHIO 6.6: a derived backend: the counting one of packaging/examples/backend-count/, linked in
 * instead of loaded. It wraps another backend, counts operations, and prints the tree at its end.
 * The argument is the folder to work in.
 */
#include "tests/contract/examples/place.h"
#include "worker/backend_module.h"

static const struct backend_host host = {
	.derived = &backend_kernel,
	.settings = "derived",
	.identity = identity_current,
};

int
main(int count, char **arguments)
{
	struct backend table = *host.derived;
	if (sallyport_backend.make(&host, &table) < 0)
		return 1;
	const struct backend_choice choice = { .backend = &table,
		.executor = sallyport_backend.executor };
	SCOPE_PLACE struct place place = place_open_with(&choice, count > 1 ? arguments[1] : ".");
	SCOPE_INSTANCE struct pathio *io = place_instance(&place, 0);
	SCOPE_FILE struct pathio_file file = pathio_file_of(&place.wait, io, 1);

	const struct pathio_mkdir mkdir = { .path = bytes_of_text("/folder"), .mode = 0777 };
	place_must(&place, pathio_wait_mkdir(&place.wait, io, &mkdir));
	place_must(&place, pathio_file_open(&file, "/folder/file", PATHIO_MODE_WB));
	place_must(&place, pathio_file_write(&file, bytes_of_text("counted")));
	place_must(&place, pathio_file_write(&file, bytes_of_text(" twice")));
	return 0;
}
