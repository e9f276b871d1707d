/*
 * sallyport: what an administrator may look at and do while the server runs (sallyport(8)). Runs as
 * whoever typed it; what it may is decided at the other end of the socket.
 */
#include "ipc/base/ends.h"
#include "policy/admin/arguments.h"

int
main(UNUSED int count, char **words)
{
	ends_set_program("sallyport");
	struct arguments arguments = arguments_parse(words + 1);
	return arguments.command->run(&arguments);
}
