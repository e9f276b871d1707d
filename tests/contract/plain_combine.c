/*
 * The oracle's combine (see plain.h): an upload whose data comes from its target and from the
 * parts, which go afterwards.
 */
#include "tests/contract/plain_private.h"

#include <fcntl.h>

struct ingredient {
	char path[PATH_MAX];
	struct stat found;
};

struct mixture {
	struct plain *plain;
	struct plain_handle handle; /* of the target's upload */
	bool has_target;            /* it is the first ingredient */
	size_t count;
	struct ingredient ingredients[SCRIPT_WORDS_MAX + 1];
};

/* One more file, which must be another one than those before. */
static int
add(struct mixture *mixture, const char *path)
{
	struct ingredient *ingredient = &mixture->ingredients[mixture->count];
	snprintf(ingredient->path, PATH_MAX, "%s", path);
	SCOPE_FD int fd = plain_open_at(mixture->plain, path, O_PATH, 0);
	if (fd < 0)
		return fd;
	assert_int_equal(fstat(fd, &ingredient->found), 0);
	if (S_ISDIR(ingredient->found.st_mode))
		return -EISDIR;
	if (!S_ISREG(ingredient->found.st_mode))
		return -EACCES;
	for (size_t i = 0; i < mixture->count; i++)
		if (mixture->ingredients[i].found.st_ino == ingredient->found.st_ino)
			return -EINVAL;
	mixture->count++;
	return 0;
}

static int
add_all(struct mixture *mixture, const struct script *script, char parts[][PATH_MAX])
{
	const char *target = mixture->handle.upload.target;
	SCOPE_FD int there = plain_open_at(mixture->plain, target, O_PATH, 0);
	int error = 0;
	mixture->has_target = there >= 0;
	if (mixture->handle.upload.truncates)
		return -EACCES; /* in place */
	if (mixture->has_target)
		error = add(mixture, target);
	for (size_t i = 1; i < script->count && error == 0; i++)
		error = add(mixture, parts[i]);
	return error;
}

static int
pour_all(struct mixture *mixture, struct script *script)
{
	for (size_t i = 0; i < mixture->count; i++) {
		SCOPE_FD int fd =
			plain_open_file(mixture->plain, mixture->ingredients[i].path, O_RDONLY);
		if (fd < 0)
			return fd;
		plain_say_content(script, fd, 0, SIZE_MAX);
	}
	plain_write_all(mixture->handle.fd, script->result, script->result_bytes);
	script->result_bytes = 0;
	return 0;
}

/* How many stay. */
static unsigned
remove_parts(const struct mixture *mixture)
{
	unsigned left = 0;
	for (size_t i = mixture->has_target; i < mixture->count; i++) {
		SCOPE_PLAIN_PLACE struct plain_place place = { .folder_fd = -1 };
		left += plain_place_open(mixture->plain, mixture->ingredients[i].path, &place) <
				0 ||
			unlinkat(place.folder_fd, place.name, 0) < 0;
	}
	return left;
}

static int
combine(struct mixture *mixture, struct script *script, char parts[][PATH_MAX])
{
	off_t size;
	int error = add_all(mixture, script, parts);
	if (error == 0)
		error = pour_all(mixture, script);
	if (error < 0) {
		script->result_bytes = 0;
		plain_drop_upload(mixture->plain, &mixture->handle);
		return error;
	}
	error = plain_end_upload(mixture->plain, &mixture->handle, &size);
	if (error < 0)
		return error;
	unsigned left = remove_parts(mixture);
	script_say(script, "%lld", (long long)size);
	if (left > 0)
		script_say(script, " and %u left", left);
	return 0;
}

int
plain_combine(struct script *script)
{
	static char parts[SCRIPT_WORDS_MAX][PATH_MAX];
	static struct mixture mixture;
	mixture = (struct mixture){
		.plain = script->plain,
		.handle = { .fd = -1, .upload.reserved_fd = -1 },
	};
	int error = plain_fold(script->words[0], mixture.handle.upload.target);
	for (size_t i = 1; i < script->count && error == 0; i++)
		error = plain_fold(script->words[i], parts[i]);
	if (error == 0)
		error = plain_begin_upload(
			script->plain, &mixture.handle, bytes_of_text("replace"), 0);
	return error < 0 ? error : combine(&mixture, script, parts);
}
