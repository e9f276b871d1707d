/*
 * Open certificates and keys (see credentials.h). Runs in the loader and in the supervisor, which
 * pass them on unread.
 */
#include "policy/rules/credentials.h"

#include "ipc/base/scope.h"

int
credentials_add(struct credentials *credentials, int *chain_fd)
{
	if (credentials->count == CREDENTIALS_MAX)
		return -E2BIG;
	credentials->items[credentials->count++] =
		(struct credential){ .chain_fd = fd_take(chain_fd), .key_fd = -1, .staple_fd = -1 };
	return 0;
}

static struct credential *
last(struct credentials *credentials)
{
	return credentials->count == 0 ? NULL : &credentials->items[credentials->count - 1];
}

int
credentials_add_key(struct credentials *credentials, struct bytes name, int *fd)
{
	struct credential *credential = last(credentials);
	if (credential == NULL || credential->key_fd >= 0)
		return -EINVAL;
	credential->key_name = bytes_copy_text(name);
	if (credential->key_name == NULL)
		return -ENOMEM;
	credential->key_fd = fd_take(fd);
	return 0;
}

int
credentials_add_staple(struct credentials *credentials, int *fd)
{
	struct credential *credential = last(credentials);
	if (credential == NULL || credential->staple_fd >= 0)
		return -EINVAL;
	credential->staple_fd = fd_take(fd);
	return 0;
}

int
credentials_add_authority(struct credentials *credentials, bool is_crl, int *fd)
{
	if (credentials->authority_count == AUTHORITY_FILES_MAX)
		return -E2BIG;
	credentials->authorities[credentials->authority_count++] =
		(struct authority_file){ .fd = fd_take(fd), .is_crl = is_crl };
	return 0;
}

bool
credentials_are_whole(const struct credentials *credentials)
{
	for (size_t i = 0; i < credentials->count; i++)
		if (credentials->items[i].key_fd < 0)
			return false;
	return true;
}

void
credentials_move(struct credentials *from, struct credentials *to)
{
	*to = *from;
	*from = (struct credentials){ .count = 0 };
}

void
credentials_clear(struct credentials *credentials)
{
	for (size_t i = 0; i < credentials->count; i++) {
		struct credential *cleared = &credentials->items[i];
		fd_close(&cleared->chain_fd);
		fd_close(&cleared->key_fd);
		fd_close(&cleared->staple_fd);
		free(cleared->key_name);
	}
	for (size_t i = 0; i < credentials->authority_count; i++)
		fd_close(&credentials->authorities[i].fd);
	credentials->count = credentials->authority_count = 0;
}
