/*
 * The oracle's verbs on open files and contents (see plain.h).
 */
#include "tests/contract/plain_private.h"

#include <fcntl.h>
#include <zlib.h>

/* ---- handles ---- */

static struct plain_handle *
slot_of(const struct script *script, size_t word)
{
	uint64_t number = script_number(script, word);
	assert_in_range(number, 0, PLAIN_HANDLES - 1);
	return &script->plain->handles[number];
}

struct plain_handle *
plain_find_handle(const struct script *script, size_t word)
{
	struct plain_handle *handle = slot_of(script, word);
	return handle->kind == PLAIN_CLOSED ? NULL : handle;
}

struct plain_handle *
plain_free_handle(const struct script *script, size_t word)
{
	struct plain_handle *handle = slot_of(script, word);
	return handle->kind == PLAIN_CLOSED ? handle : NULL;
}

static struct plain_handle *
find_file(const struct script *script)
{
	struct plain_handle *handle = plain_find_handle(script, 0);
	return handle == NULL || handle->kind != PLAIN_FILE ? NULL : handle;
}

void
plain_close_handle(struct plain *plain, struct plain_handle *handle)
{
	if (handle->kind == PLAIN_UPLOAD)
		plain_drop_upload(plain, handle);
	else if (handle->kind == PLAIN_FILE)
		fd_close(&handle->fd);
	handle->kind = PLAIN_CLOSED;
}

int
plain_close(struct script *script)
{
	struct plain_handle *handle = plain_find_handle(script, 0);
	if (handle == NULL)
		return -EBADF;
	plain_close_handle(script->plain, handle);
	return 0;
}

/* ---- opening ---- */

int
plain_open_file(const struct plain *plain, const char *folded, uint64_t flags)
{
	struct stat found;
	mode_t mode = (flags & O_CREAT) != 0 ? 0666 : 0;
	SCOPE_FD int fd = plain_open_at(plain, folded, flags, mode);
	if (fd < 0)
		return fd;
	assert_int_equal(fstat(fd, &found), 0);
	return S_ISDIR(found.st_mode) ? -EISDIR : fd_take(&fd);
}

static const struct {
	const char *mode;
	uint64_t flags;
} modes[] = {
	{ "rb", O_RDONLY },
	{ "wb", O_WRONLY | O_CREAT | O_TRUNC },
	{ "ab", O_WRONLY | O_CREAT | O_APPEND },
	{ "r+b", O_RDWR },
	{ "xb", O_WRONLY | O_CREAT | O_EXCL },
};

static uint64_t
flags_of(struct bytes mode)
{
	for (size_t i = 0; i < ARRAY_LENGTH(modes); i++)
		if (bytes_equal_text(mode, modes[i].mode))
			return modes[i].flags;
	fail_msg("%s", "no such mode");
	return 0;
}

int
plain_open(struct script *script)
{
	char folded[PATH_MAX];
	struct stat found;
	uint64_t flags = flags_of(script->words[2]);
	int error = plain_fold(script->words[1], folded);
	if (error < 0)
		return error;
	struct plain_handle *handle = plain_free_handle(script, 0);
	if (handle == NULL)
		return -EINVAL;
	int fd = plain_open_file(script->plain, folded, flags);
	if (fd < 0)
		return fd;
	assert_int_equal(fstat(fd, &found), 0);
	*handle = (struct plain_handle){
		.kind = PLAIN_FILE, .fd = fd, .readable = (flags & O_ACCMODE) != O_WRONLY
	};
	script_say(script, "%lld", (long long)found.st_size);
	return 0;
}

/* ---- reading and writing ---- */

int
plain_seek(struct script *script)
{
	struct bytes text = script->words[1];
	bool negative = text.data[0] == '-';
	if (negative)
		script->words[1] = bytes_of(text.data + 1, text.length - 1);
	off_t offset = (off_t)script_number(script, 1);
	int whence = bytes_equal_text(script->words[2], "set")       ? SEEK_SET
		     : bytes_equal_text(script->words[2], "current") ? SEEK_CUR
								     : SEEK_END;
	const struct plain_handle *handle = find_file(script);
	if (handle == NULL)
		return -EBADF;
	off_t position = lseek(handle->fd, negative ? -offset : offset, whence);
	if (position < 0)
		return -errno;
	script_say(script, "%lld", (long long)position);
	return 0;
}

int
plain_read(struct script *script)
{
	static char block[PATHIO_BLOCK_BYTES];
	size_t count = script_number(script, 1);
	const struct plain_handle *handle = find_file(script);
	if (handle == NULL)
		return -EBADF;
	assert_in_range(count, 0, sizeof(block));
	ssize_t got = read(handle->fd, block, count);
	if (got < 0)
		return -errno;
	script_say_bytes(script, bytes_of(block, (size_t)got));
	return 0;
}

int
plain_write(struct script *script)
{
	struct bytes content = script->words[1];
	const struct plain_handle *handle = find_file(script);
	if (handle == NULL)
		return -EBADF;
	ssize_t written = write(handle->fd, content.data, content.length);
	if (written < 0)
		return -errno;
	script_say(script, "%zd", written);
	return 0;
}

int
plain_sync(struct script *script)
{
	const struct plain_handle *handle = find_file(script);
	return handle == NULL ? -EBADF : 0; /* that it comes to a disk, nobody can see */
}

void
plain_write_all(int fd, const char *data, size_t length)
{
	while (length > 0) {
		ssize_t written = write(fd, data, length);
		assert_true(written > 0);
		data += written;
		length -= (size_t)written;
	}
}

int
plain_put(struct script *script)
{
	char folded[PATH_MAX];
	int error = plain_fold(script->words[0], folded);
	if (error < 0)
		return error;
	SCOPE_FD int fd = plain_open_file(script->plain, folded, O_WRONLY | O_CREAT | O_TRUNC);
	if (fd < 0)
		return fd;
	plain_write_all(fd, script->words[1].data, script->words[1].length);
	return 0;
}

/* ---- contents ---- */

/* Opens the file of the first word to be read. */
static int
open_to_read(const struct script *script)
{
	char folded[PATH_MAX];
	int error = plain_fold(script->words[0], folded);
	return error < 0 ? error : plain_open_file(script->plain, folded, O_RDONLY);
}

void
plain_say_content(struct script *script, int fd, off_t offset, size_t count)
{
	char block[4096];
	while (count > 0) {
		size_t wanted = count < sizeof(block) ? count : sizeof(block);
		ssize_t got = pread(fd, block, wanted, offset);
		assert_true(got >= 0);
		if (got == 0)
			return;
		script_say_bytes(script, bytes_of(block, (size_t)got));
		offset += got;
		count -= (size_t)got;
	}
}

int
plain_content(struct script *script)
{
	SCOPE_FD int fd = open_to_read(script);
	if (fd < 0)
		return fd;
	plain_say_content(script, fd, 0, SIZE_MAX);
	return 0;
}

int
plain_send(struct script *script)
{
	struct stat found;
	off_t offset = (off_t)script_number(script, 1);
	size_t count = script_number(script, 2);
	const struct plain_handle *handle = find_file(script);
	if (handle == NULL || !handle->readable)
		return -EBADF;
	assert_int_equal(fstat(handle->fd, &found), 0);
	if (offset > found.st_size && count > 0)
		return -EINVAL;
	plain_say_content(script, handle->fd, offset, count);
	return 0;
}

/* All that content would say; it is taken back from the result. */
static struct bytes
read_content(struct script *script, int fd)
{
	plain_say_content(script, fd, 0, SIZE_MAX);
	struct bytes content = bytes_of(script->result, script->result_bytes);
	script->result_bytes = 0;
	return content;
}

int
plain_size_as(struct script *script)
{
	SCOPE_FD int fd = open_to_read(script);
	if (fd < 0)
		return fd;
	struct bytes content = read_content(script, fd);
	size_t size = content.length;
	for (size_t i = 0; i < content.length; i++)
		size += bytes_equal_text(script->words[1], "ascii") && content.data[i] == '\n' &&
			(i == 0 || content.data[i - 1] != '\r');
	script_say(script, "%zu", size);
	return 0;
}

/* crc32 and no other. */
int
plain_digest(struct script *script)
{
	size_t offset = script_number(script, 2), count = script_number(script, 3);
	SCOPE_FD int fd = open_to_read(script);
	if (fd < 0)
		return fd;
	struct bytes content = read_content(script, fd);
	if (offset > content.length)
		return -EINVAL;
	if (count > content.length - offset)
		count = content.length - offset;
	const unsigned char *from = (const unsigned char *)content.data + offset;
	script_say(script, "%08lx", crc32_z(0, from, count));
	return 0;
}
