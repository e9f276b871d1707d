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
#include <zlib.h>

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

/* A word of a transfer that may be missing. */
static struct bytes
last_word(const struct script *script, size_t word)
{
	return script->count > word ? script->words[word] : bytes_of_text("none");
}

/* What fits into a socket's buffer needs nobody to read while it is sent. */
static size_t
say_what_came(struct script *script, int fd, bool is_deflated)
{
	static char came[SCRIPT_TEXT_BYTES], plain[SCRIPT_TEXT_BYTES];
	size_t length = 0;
	ssize_t got;
	while ((got = read(fd, came + length, sizeof(came) - length)) > 0)
		length += (size_t)got;
	assert_int_equal(got, 0);
	uLongf plain_length = sizeof(plain);
	if (is_deflated)
		assert_int_equal(
			uncompress((Bytef *)plain, &plain_length, (Bytef *)came, length), Z_OK);
	script_say_bytes(
		script, is_deflated ? bytes_of(plain, plain_length) : bytes_of(came, length));
	return length;
}

/* Submits a transfer of this code out of the tree, and says what came out of it. */
static int
take_out(struct script *script, uint32_t code, const void *request, bool is_deflated)
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
	assert_int_equal(say_what_came(script, far, is_deflated), moved);
	return 0;
}

/* The text as a client puts it on the wire, perhaps badly: what is static is good until the next.
 */
static struct bytes
make_stream(struct bytes text, struct bytes coding)
{
	static char stream[SCRIPT_TEXT_BYTES];
	uLongf length = sizeof(stream) - 1;
	if (bytes_equal_text(coding, "none"))
		return text;
	assert_int_equal(
		compress((Bytef *)stream, &length, (const Bytef *)text.data, text.length), Z_OK);
	if (bytes_equal_text(coding, "cut"))
		length--;
	else if (bytes_equal_text(coding, "damaged"))
		stream[length - 1] ^= 1;
	else if (bytes_equal_text(coding, "followed"))
		stream[length++] = '\0';
	else
		assert_true(bytes_equal_text(coding, "deflate"));
	return bytes_of(stream, length);
}

int
verb_send(struct script *script)
{
	bool is_deflated = bytes_equal_text(last_word(script, 4), "deflate");
	const struct pathio_send request = {
		.file = handle_of(script),
		.offset = script_number(script, 1),
		.count = script_number(script, 2),
		.form = (enum pathio_form)script_choice(script, 3, &pathio_form_choices),
		.coding = is_deflated ? PATHIO_CODING_DEFLATE : PATHIO_CODING_NONE,
		.level = is_deflated ? PATHIO_LEVEL_MAX : 0,
	};
	return take_out(script, PATHIO_SEND, &request, is_deflated);
}

int
verb_send_listing(struct script *script)
{
	const struct pathio_send_listing request = {
		.file = handle_of(script),
		.style = (enum pathio_style)script_choice(script, 1, &pathio_style_choices),
		.show = (script_has_word(script, "dots") ? PATHIO_SHOW_DOTS : 0u) |
			(script_has_word(script, "below") ? PATHIO_SHOW_BELOW : 0u),
		.order = script_has_word(script, "sorted") ? PATHIO_ORDER_NAME : PATHIO_ORDER_NONE,
	};
	return take_out(script, PATHIO_SEND_LISTING, &request, false);
}

int
verb_receive(struct script *script)
{
	struct session *session = script->session;
	struct bytes coding = last_word(script, 3);
	bool is_plain = bytes_equal_text(coding, "none");
	struct bytes stream = make_stream(script->words[2], coding);
	const struct pathio_receive request = {
		.file = handle_of(script),
		.form = (enum pathio_form)script_choice(script, 1, &pathio_form_choices),
		.coding = is_plain ? PATHIO_CODING_NONE : PATHIO_CODING_DEFLATE,
	};
	int ends[2];
	session_pair(ends);
	SCOPE_FD int near = ends[0];
	SCOPE_FD int far = ends[1];
	assert_int_equal(write(far, stream.data, stream.length), stream.length);
	fd_close(&far);
	int error = session_finish(session,
		pathio_receive(session->io, &request, near, pathio_wait_done, &session->wait));
	if (error < 0)
		return error;
	assert_int_equal(session->wait.body.moved.bytes, stream.length);
	if (is_plain)
		script_say(script, "%zu", stream.length);
	return 0;
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
		.count = script->count > 4 ? script_number(script, 4) : 0,
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
