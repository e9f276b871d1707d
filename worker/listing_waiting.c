/*
 * Waiting folders (see listing_waiting.h). Runs in the worker, as the user. Names are anything.
 */
#include "worker/listing_waiting.h"

#include "ipc/base/scope.h"

#include <errno.h>

enum { WAITING_MAX = 10000 };

struct listing_waiting_folder {
	struct listing_waiting_folder *next;
	size_t kept;
	size_t length;
	char rest[]; /* of its path, without the slash before it */
};

void
listing_waiting_free(struct listing_waiting *waiting)
{
	struct listing_waiting_folder *next;
	for (struct listing_waiting_folder *at = waiting->first; at != NULL; at = next) {
		next = at->next;
		free(at);
	}
	*waiting = (struct listing_waiting){ .first = NULL };
}

static struct listing_waiting_folder *
folder_new(const struct path *folder, size_t kept, struct bytes name)
{
	struct bytes above = bytes_of(folder->text + kept, folder->length - kept);
	size_t length = above.length + (above.length > 0) + name.length;
	struct listing_waiting_folder *made = malloc(sizeof(*made) + length);
	if (made == NULL)
		return NULL;
	*made = (struct listing_waiting_folder){ .kept = kept, .length = length };
	char *at = mempcpy(made->rest, above.data, above.length);
	if (above.length > 0)
		*at++ = '/';
	memcpy(at, name.data, name.length);
	return made;
}

int
listing_waiting_add(
	struct listing_waiting *waiting, const struct path *folder, size_t kept, struct bytes name)
{
	if (waiting->count == WAITING_MAX)
		return -E2BIG;
	struct listing_waiting_folder *made = folder_new(folder, kept, name);
	if (made == NULL)
		return -ENOMEM;
	struct listing_waiting_folder **place =
		waiting->last_added == NULL ? &waiting->first : &waiting->last_added->next;
	made->next = *place;
	*place = made;
	waiting->last_added = made;
	waiting->count++;
	return 0;
}

int
listing_waiting_take(struct listing_waiting *waiting, struct path *path)
{
	SCOPE_FREE struct listing_waiting_folder *taken = waiting->first;
	if (taken == NULL)
		return -ENOENT;
	waiting->first = taken->next;
	waiting->last_added = NULL;
	waiting->count--;
	size_t slash = taken->kept > 1;
	if (taken->length > PATH_BYTES_MAX - taken->kept - slash)
		return -ENAMETOOLONG;
	path->length = taken->kept;
	if (slash > 0)
		path->text[path->length++] = '/';
	memcpy(path->text + path->length, taken->rest, taken->length);
	path->length += taken->length;
	path->text[path->length] = '\0';
	return 0;
}
