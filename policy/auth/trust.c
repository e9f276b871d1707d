/*
 * Open files of certificates (see trust.h). Runs in auth, which passes them on unread.
 */
#include "policy/auth/trust.h"

#include "ipc/base/scope.h"

#include <errno.h>

int
trust_files_add(struct trust_files *files, enum trust_kind kind, int *fd)
{
	if (files->count == TRUST_FILES_MAX)
		return -E2BIG;
	files->items[files->count++] = (struct trust_file){ .fd = fd_take(fd), .kind = kind };
	return 0;
}

void
trust_files_move(struct trust_files *from, struct trust_files *to)
{
	trust_files_clear(to);
	*to = *from;
	from->count = 0;
}

void
trust_files_clear(struct trust_files *files)
{
	for (size_t i = 0; i < files->count; i++)
		fd_close(&files->items[i].fd);
	files->count = 0;
}
