/*
 * Users files on their way to auth (see users_files.h). Runs in the loader and in the supervisor,
 * which open and read none of them here.
 */
#include "policy/rules/users_files.h"

#include "ipc/base/scope.h"

int
users_files_add(struct users_files *files, struct bytes host, struct bytes name, int *fd)
{
	if (files->count == ARRAY_LENGTH(files->items))
		return -EINVAL;
	SCOPE_FREE char *of_host = bytes_copy_text(host);
	SCOPE_FREE char *of_file = bytes_copy_text(name);
	if (of_host == NULL || of_file == NULL)
		return -ENOMEM;
	files->items[files->count++] =
		(struct users_file){ .host = of_host, .name = of_file, .fd = fd_take(fd) };
	of_host = of_file = NULL;
	return 0;
}

bool
users_files_match(const struct users_files *files, const struct config *config)
{
	size_t next = 1;
	bool match = files->count > 0 && files->items[0].host[0] == '\0';
	for (size_t i = 0; i < config->host_count && match; i++)
		if (config->hosts[i].given.users_file) {
			match = next < files->count &&
				strcmp(files->items[next].host, config->hosts[i].name) == 0;
			next++;
		}
	return match && next == files->count;
}

void
users_files_clear(struct users_files *files)
{
	for (size_t i = 0; i < files->count; i++) {
		free(files->items[i].host);
		free(files->items[i].name);
		fd_close(&files->items[i].fd);
	}
	files->count = 0;
}
