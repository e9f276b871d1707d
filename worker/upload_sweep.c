/*
 * Left-overs of uploads whose worker died (see upload.h, DECISIONS 27). Runs in the worker, as the
 * user. A file is a left-over if its name is hidden, nobody has written to it for an hour and
 * nobody holds its lock; what cannot be told or removed stays, silently, for the next time.
 */
#include "policy/rules/rights.h"
#include "worker/upload.h"

#include <pthread.h>

enum {
	LEFT_OVER_AGE_S = 3600,
	SWEEP_AGAIN_S = 3600,
	SWEEP_ENTRIES_MAX = 100000, /* a larger folder is left to whoever lists it */
};

void
upload_sweep_entry(struct tree *tree, const struct path *folder, const struct backend_entry *entry)
{
	int64_t now_s = time(NULL);
	int64_t written_s = entry->attributes.mtime_ns / 1000000000;
	struct path path = *folder;
	if (!rights_name_is_hidden(entry->name) || entry->attributes.type != PATHIO_TYPE_FILE ||
		now_s - written_s < LEFT_OVER_AGE_S || path_append(&path, entry->name) < 0)
		return;
	struct backend_file *file;
	unsigned flags = BACKEND_READ | BACKEND_NOFOLLOW | BACKEND_HELD;
	if (tree->backend->open(tree->state, &path, flags, 0, &file, NULL) < 0)
		return;
	(void)tree->backend->unlink(tree->state, &path);
	tree->backend->close(&file);
}

static void
sweep_name(struct tree *tree, const struct path *folder, struct backend_entry *entry)
{
	struct path path = *folder;
	if (rights_name_is_hidden(entry->name) && path_append(&path, entry->name) == 0 &&
		tree->backend->stat(tree->state, &path, false, &entry->attributes) == 0)
		upload_sweep_entry(tree, folder, entry);
}

/* FNV-1a: two folders with one hash only wait for each other's hour. */
static uint64_t
hash_folder(const struct path *folder)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);
	for (size_t i = 0; i < folder->length; i++)
		hash = (hash ^ (unsigned char)folder->text[i]) * UINT64_C(0x100000001b3);
	return hash;
}

/* Uploads open on several threads, and two of them need not sweep one folder. */
static bool
is_due(struct tree *tree, const struct path *folder)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	uint64_t hash = hash_folder(folder);
	struct tree_swept *slot = &tree->swept[hash % TREE_SWEPT_SLOTS];
	time_t now = time(NULL);
	pthread_mutex_lock(&lock);
	bool is_due = slot->folder_hash != hash || now - slot->at >= SWEEP_AGAIN_S;
	if (is_due)
		*slot = (struct tree_swept){ .folder_hash = hash, .at = now };
	pthread_mutex_unlock(&lock);
	return is_due;
}

void
upload_sweep_folder(struct tree *tree, const struct path *folder)
{
	struct backend_directory *directory;
	if (!is_due(tree, folder) ||
		tree->backend->directory_open(tree->state, folder, BACKEND_NAMES, &directory) < 0)
		return;
	struct backend_entry entry;
	for (int i = 0; i < SWEEP_ENTRIES_MAX; i++) {
		if (tree->backend->directory_next(directory, &entry) <= 0)
			break;
		sweep_name(tree, folder, &entry);
	}
	tree->backend->directory_close(&directory);
}
