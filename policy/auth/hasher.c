/*
 * The child that hashes (see hasher.h). Forked from auth, as its user and behind its walls, then
 * behind a narrower filter of its own; holds one secret at a time and forgets it. Trusts auth for
 * well-formed requests, as only auth can write to its channel. When auth is gone it leaves.
 */
#include "policy/auth/hasher.h"

#include "ipc/base/ends.h"
#include "ipc/base/scope.h"
#include "ipc/hash.h"
#include "policy/cage/cage.h"

#include <crypt.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

enum { REQUEST_BYTES_MAX = MESSAGE_HEADER_BYTES + 2 * (2 + 1024) };

/* Takes the same time wherever the texts differ. */
static bool
equal_in_constant_time(const char *a, const char *b)
{
	size_t length = strlen(a);
	unsigned char difference = 0;
	if (length != strlen(b))
		return false;
	for (size_t i = 0; i < length; i++)
		difference |= (unsigned char)((unsigned char)a[i] ^ (unsigned char)b[i]);
	return difference == 0;
}

/* A secret with a NUL is nobody's, but costs one computation like any other. */
static bool
secret_matches(struct bytes secret, struct bytes hash)
{
	static struct crypt_data scratch;
	char secret_text[1024 + 1] = { 0 };
	char hash_text[1024 + 1] = { 0 };
	bool has_nul = secret.length > 0 && memchr(secret.data, '\0', secret.length) != NULL;
	if (secret.length > 0)
		memcpy(secret_text, secret.data, secret.length);
	memcpy(hash_text, hash.data, hash.length);
	const char *computed = crypt_r(secret_text, hash_text, &scratch);
	bool matches = computed != NULL && computed[0] != '*' && !has_nul &&
		       equal_in_constant_time(computed, hash_text);
	explicit_bzero(secret_text, sizeof(secret_text));
	explicit_bzero(hash_text, sizeof(hash_text));
	explicit_bzero(&scratch, sizeof(scratch));
	return matches;
}

static void
answer(const char *request_header, bool matches)
{
	struct hash_computed computed = { .matches = matches };
	char reply[MESSAGE_HEADER_BYTES + 1] = { HASH_COMPUTED };
	memcpy(reply + sizeof(uint32_t), request_header + sizeof(uint32_t), sizeof(uint32_t));
	int length = wire_encode(&hash_computed_record, &computed, reply + MESSAGE_HEADER_BYTES,
		sizeof(reply) - MESSAGE_HEADER_BYTES);
	ensure(length == 1);
	if (send(CAGE_CHANNEL_FD, reply, sizeof(reply), MSG_NOSIGNAL) < 0)
		_exit(EXIT_SUCCESS); /* auth is gone */
}

NORETURN static void
serve(void)
{
	char request[REQUEST_BYTES_MAX];
	struct hash_compute compute;
	for (;;) {
		ssize_t length = recv(CAGE_CHANNEL_FD, request, sizeof(request), 0);
		if (length < 0 && errno == EINTR)
			continue;
		if (length <= 0)
			_exit(EXIT_SUCCESS);
		struct bytes body = bytes_of(
			request + MESSAGE_HEADER_BYTES, (size_t)length - MESSAGE_HEADER_BYTES);
		if (length < MESSAGE_HEADER_BYTES || request[0] != HASH_COMPUTE ||
			wire_decode(&hash_compute_record, body, &compute, NULL) < 0)
			die("auth sent a malformed request");
		bool matches = secret_matches(compute.secret, compute.hash);
		explicit_bzero(request + MESSAGE_HEADER_BYTES, body.length);
		answer(request, matches);
	}
}

/* Keeps standard error and its own end, as descriptor 3, of all that auth had open. */
static void
keep_only(int fd)
{
	if (fd != CAGE_CHANNEL_FD && dup3(fd, CAGE_CHANNEL_FD, O_CLOEXEC) < 0)
		die("dup3: %s", strerror(errno));
	if (close_range(CAGE_CHANNEL_FD + 1, ~0u, 0) < 0)
		die("close_range: %s", strerror(errno));
}

int
hasher_start(void (*forget)(void *context), void *context, int *fd)
{
	int ends[2];
	/* The hasher waits in recv(2), so its end blocks; auth's calls say MSG_DONTWAIT. */
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return -errno;
	SCOPE_FD int ours = ends[0];
	SCOPE_FD int theirs = ends[1];
	pid_t child = fork();
	if (child < 0)
		return -errno;
	if (child == 0) {
		struct cage_report report = { 0 };
		ends_set_program("sallyport-auth (hasher)");
		forget(context);
		keep_only(theirs);
		if (cage_close(CAGE_HASHER, NULL, &report) < 0)
			die("the hasher's cage: %s", report.problem);
		serve();
	}
	*fd = fd_take(&ours);
	return 0;
}
