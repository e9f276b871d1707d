/*
 * Where the example programs work (see place.h).
 */
#include "tests/contract/examples/place.h"

#include "ipc/base/ends.h"
#include "ipc/base/scope.h"

#include <fcntl.h>

enum { THREADS = 4 };

struct place
place_open_with(const struct backend_choice *choice, const char *folder)
{
	struct place place = { .base = event_base_new(), .folder_fd = -1 };
	if (folder != NULL)
		place.folder_fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (place.base == NULL || (folder != NULL && place.folder_fd < 0))
		die("%s: %s", folder == NULL ? "event loop" : folder, strerror(errno));
	const struct nursery_options options = {
		.base = place.base,
		.backend = choice->backend,
		.threads = choice->executor == BACKEND_POOL ? THREADS : 0,
		.tree = {
			.root_fd = place.folder_fd,
			.memory_limit_bytes = 64 << 20,
			.umask = 022,
			.uid = geteuid(),
			.gid = getegid(),
		},
	};
	int error = nursery_new(&options, &place.nursery);
	if (error < 0)
		die("%s: %s", choice->backend->name, tree_open_problem(error));
	place.wait.base = place.base;
	return place;
}

struct place
place_open(const char *backend, const char *folder)
{
	const struct backend_choice *choice = backends_find(bytes_of_text(backend));
	if (choice == NULL)
		die("no backend %s", backend);
	return place_open_with(choice, folder);
}

void
place_close(struct place *place)
{
	pathio_wait_free(&place->wait);
	nursery_free(&place->nursery);
	fd_close(&place->folder_fd);
	event_base_free(place->base);
}

struct pathio *
place_instance(struct place *place, uint32_t deadline_ms)
{
	const struct rights_rule everything = { bytes_of_text("/"), RIGHTS_ALL };
	const struct instance_options options = {
		.identity = { .session = ++place->sessions, .user = bytes_of_text("example") },
		.deadline_ms = deadline_ms,
		.slow_deadline_ms = deadline_ms,
	};
	struct rights *rights = NULL;
	struct pathio *io = NULL;
	int error = rights_create(&everything, 1, &rights);
	if (error == 0)
		error = nursery_make(place->nursery, &options, &rights, &io);
	if (error < 0)
		die("no instance: %s", strerror(-error));
	return io;
}

int64_t
place_must(const struct place *place, int64_t result)
{
	if (result >= 0)
		return result;
	SCOPE_FREE char *text = pathio_error_text(&place->wait.failure);
	die("%s", text == NULL ? "memory is short" : text);
}
