/*
 * Verbs of the contract's cases on open files, transfers and uploads (verbs.def).
 */
#include "tests/contract/verbs.h"

#include "ipc/base/scope.h"
#include "ipc/pathio_wait.h"

#include <fcntl.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>

enum { OWN_HANDLE = 901 };

static uint32_t
handle_of(const struct script *script)
{
	return (uint32_t)script_number(script, 0);
}

/* ---- open files ---- */

static int
open_file(struct script *script, uint32_t file, struct bytes path, enum pathio_mode mode)
{
	struct session *session = script->session;
	const struct pathio_open request = { .file = file, .path = path, .mode = mode };
	return session_finish(
		session, pathio_open(session->io, &request, pathio_wait_done, &session->wait));
}

int
verb_close_file(struct script *script, uint32_t file)
{
	struct session *session = script->session;
	return session_finish(
		session, pathio_close(session->io, &(struct pathio_close){ .file = file },
				 pathio_wait_done, &session->wait));
}

/* Up to 32,768 bytes; they live until the next call. */
static int
read_block(struct script *script, uint32_t file, uint32_t count, struct bytes *result)
{
	struct session *session = script->session;
	const struct pathio_read request = { .file = file, .count = count };
	int error = session_finish(
		session, pathio_read(session->io, &request, pathio_wait_done, &session->wait));
	*result = session->wait.body.content.bytes;
	return error;
}

static int
write_block(struct script *script, uint32_t file, struct bytes content, uint32_t *count)
{
	struct session *session = script->session;
	const struct pathio_write request = { .file = file, .content = content };
	int error = session_finish(
		session, pathio_write(session->io, &request, pathio_wait_done, &session->wait));
	*count = session->wait.body.written.count;
	return error;
}

int
verb_open(struct script *script)
{
	enum pathio_mode mode = (enum pathio_mode)script_choice(script, 2, &pathio_mode_choices);
	int error = open_file(script, handle_of(script), script->words[1], mode);
	if (error == 0)
		script_say(script, "%llu",
			(unsigned long long)script->session->wait.body.opened.attributes.size);
	return error;
}

int
verb_close(struct script *script)
{
	return verb_close_file(script, handle_of(script));
}

int
verb_seek(struct script *script)
{
	struct session *session = script->session;
	bool negative = script->words[1].data[0] == '-';
	if (negative)
		script->words[1] = bytes_of(script->words[1].data + 1, script->words[1].length - 1);
	int64_t offset = (int64_t)script_number(script, 1);
	const struct pathio_seek request = {
		.file = handle_of(script),
		.offset = negative ? -offset : offset,
		.whence = (enum pathio_whence)script_choice(script, 2, &pathio_whence_choices),
	};
	int error = session_finish(
		session, pathio_seek(session->io, &request, pathio_wait_done, &session->wait));
	if (error == 0)
		script_say(script, "%llu", (unsigned long long)session->wait.body.position.offset);
	return error;
}

int
verb_read(struct script *script)
{
	struct bytes content;
	int error =
		read_block(script, handle_of(script), (uint32_t)script_number(script, 1), &content);
	if (error == 0)
		script_say_bytes(script, content);
	return error;
}

int
verb_write(struct script *script)
{
	uint32_t count;
	int error = write_block(script, handle_of(script), script->words[1], &count);
	if (error == 0)
		script_say(script, "%u", count);
	return error;
}

int
verb_sync(struct script *script)
{
	struct session *session = script->session;
	const struct pathio_sync request = { .file = handle_of(script) };
	return session_finish(
		session, pathio_sync(session->io, &request, pathio_wait_done, &session->wait));
}

int
verb_put(struct script *script)
{
	int error = open_file(script, OWN_HANDLE, script->words[0], PATHIO_MODE_WB);
	if (error < 0)
		return error;
	struct bytes left = script->words[1];
	while (error == 0 && left.length > 0) {
		uint32_t count = 0;
		struct bytes block = left;
		if (block.length > PATHIO_BLOCK_BYTES)
			block.length = PATHIO_BLOCK_BYTES;
		error = write_block(script, OWN_HANDLE, block, &count);
		left = bytes_of(left.data + count, left.length - count);
	}
	int closed = verb_close_file(script, OWN_HANDLE);
	return error < 0 ? error : closed;
}

/* Reads to the end, and gives each block to `say`. */
static int
read_all(struct script *script, uint32_t count,
	void (*say)(struct script *script, struct bytes block))
{
	int error = open_file(script, OWN_HANDLE, script->words[0], PATHIO_MODE_RB);
	if (error < 0)
		return error;
	struct bytes block = { .length = 1 };
	while (error == 0 && block.length > 0) {
		error = read_block(script, OWN_HANDLE, count, &block);
		if (error == 0 && block.length > 0)
			say(script, block);
	}
	int closed = verb_close_file(script, OWN_HANDLE);
	return error < 0 ? error : closed;
}

int
verb_content(struct script *script)
{
	return read_all(script, PATHIO_BLOCK_BYTES, script_say_bytes);
}

static void
say_size(struct script *script, struct bytes block)
{
	script_say(script, "%s%zu", script->result_bytes == 0 ? "" : " ", block.length);
}

int
verb_blocks(struct script *script)
{
	return read_all(script, (uint32_t)script_number(script, 1), say_size);
}

/* ---- transfers ---- */

/* What fits into a socket's buffer needs nobody to read while it is sent. */
static void
say_what_came(struct script *script, int fd)
{
	char block[4096];
	ssize_t got;
	while ((got = read(fd, block, sizeof(block))) > 0)
		script_say_bytes(script, bytes_of(block, (size_t)got));
	assert_int_equal(got, 0);
}

/* Submits a transfer of this code out of the tree, and says what came out of it. */
static int
take_out(struct script *script, uint32_t code, const void *request)
{
	struct session *session = script->session;
	int ends[2];
	session_pair(ends);
	SCOPE_FD int near = ends[0];
	SCOPE_FD int far = ends[1];
	int error = pathio_wait_for(&session->wait, session->io, code, request, near);
	fd_close(&near);
	uint64_t moved = session->wait.body.moved.bytes;
	if (error < 0)
		return error;
	say_what_came(script, far);
	assert_int_equal(script->result_bytes, moved);
	return 0;
}

int
verb_send(struct script *script)
{
	const struct pathio_send request = {
		.file = handle_of(script),
		.offset = script_number(script, 1),
		.count = script_number(script, 2),
		.form = (enum pathio_form)script_choice(script, 3, &pathio_form_choices),
	};
	return take_out(script, PATHIO_SEND, &request);
}

int
verb_send_listing(struct script *script)
{
	const struct pathio_send_listing request = {
		.file = handle_of(script),
		.style = (enum pathio_style)script_choice(script, 1, &pathio_style_choices),
		.hidden = script_has_word(script, "hidden"),
	};
	return take_out(script, PATHIO_SEND_LISTING, &request);
}

int
verb_receive(struct script *script)
{
	struct session *session = script->session;
	const struct pathio_receive request = {
		.file = handle_of(script),
		.form = (enum pathio_form)script_choice(script, 1, &pathio_form_choices),
	};
	int ends[2];
	session_pair(ends);
	SCOPE_FD int near = ends[0];
	SCOPE_FD int far = ends[1];
	assert_int_equal(write(far, script->words[2].data, script->words[2].length),
		script->words[2].length);
	fd_close(&far);
	int error = session_finish(session,
		pathio_receive(session->io, &request, near, pathio_wait_done, &session->wait));
	if (error == 0)
		script_say(script, "%llu", (unsigned long long)session->wait.body.moved.bytes);
	return error;
}

/* A descriptor that no transfer takes. */
static int
open_wrong(struct bytes kind)
{
	static const struct {
		const char *kind;
		int domain, type;
	} sockets[] = {
		{ "blocking", AF_UNIX, SOCK_STREAM },
		{ "datagram", AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK },
		{ "packets", AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK },
	};
	for (size_t i = 0; i < ARRAY_LENGTH(sockets); i++)
		if (bytes_equal_text(kind, sockets[i].kind))
			return socket(sockets[i].domain, sockets[i].type | SOCK_CLOEXEC, 0);
	if (bytes_equal_text(kind, "folder"))
		return open("/", O_RDONLY | O_DIRECTORY | O_NONBLOCK | O_CLOEXEC);
	if (bytes_equal_text(kind, "file"))
		return memfd_create("file", MFD_CLOEXEC);
	assert_true(bytes_equal_text(kind, "event"));
	return eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
}

int
verb_send_to(struct script *script)
{
	struct session *session = script->session;
	const struct pathio_send request = { .file = handle_of(script), .count = 10 };
	SCOPE_FD int wrong = open_wrong(script->words[1]);
	assert_true(wrong >= 0);
	return session_finish(session,
		pathio_send(session->io, &request, wrong, pathio_wait_done, &session->wait));
}

int
verb_receive_from(struct script *script)
{
	struct session *session = script->session;
	const struct pathio_receive request = { .file = handle_of(script) };
	SCOPE_FD int wrong = open_wrong(script->words[1]);
	assert_true(wrong >= 0);
	return session_finish(session,
		pathio_receive(session->io, &request, wrong, pathio_wait_done, &session->wait));
}

/* ---- uploads ---- */

int
verb_upload(struct script *script)
{
	struct session *session = script->session;
	const struct pathio_upload_open request = {
		.file = handle_of(script),
		.path = script->words[1],
		.how = (enum pathio_how)script_choice(script, 2, &pathio_how_choices),
		.offset = script->count > 3 ? script_number(script, 3) : 0,
	};
	int error = session_finish(session,
		pathio_upload_open(session->io, &request, pathio_wait_done, &session->wait));
	if (error == 0)
		script_say_bytes(script, session->wait.body.opened.name);
	return error;
}

int
verb_commit(struct script *script)
{
	struct session *session = script->session;
	const struct pathio_commit request = { .file = handle_of(script) };
	int error = session_finish(
		session, pathio_commit(session->io, &request, pathio_wait_done, &session->wait));
	if (error < 0)
		return error;
	const struct pathio_committed *committed = &session->wait.body.committed;
	script_say_bytes(script, committed->path);
	script_say(script, " %llu", (unsigned long long)committed->attributes.size);
	return 0;
}

int
verb_discard(struct script *script)
{
	struct session *session = script->session;
	const struct pathio_discard request = { .file = handle_of(script) };
	return session_finish(
		session, pathio_discard(session->io, &request, pathio_wait_done, &session->wait));
}
