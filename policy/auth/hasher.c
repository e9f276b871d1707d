/*
 * The child that hashes, and checks certificates (see hasher.h). Forked from auth, as its user and
 * behind its walls, then behind a narrower filter of its own; holds one secret, or one stranger's
 * certificate, at a time and forgets it. Trusts auth for well-formed requests, as only auth can
 * write to its channel. When auth is gone it leaves.
 */
#include "policy/auth/hasher.h"

#include "ipc/base/ends.h"
#include "ipc/base/scope.h"
#include "ipc/hash.h"
#include "policy/auth/proof.h"
#include "policy/cage/cage.h"

#include <crypt.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { REQUEST_BYTES_MAX = MESSAGE_HEADER_BYTES + MESSAGE_BODY_BYTES_MAX };

/* NULL: what proofs are held to is not there, or cannot be used. */
static struct proof_trust *trust;

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
answer(const char *request_header, uint32_t code, const struct wire_record *record,
	const void *body)
{
	static char reply[MESSAGE_HEADER_BYTES + MESSAGE_BODY_BYTES_MAX];
	memset(reply, 0, sizeof(uint32_t));
	reply[0] = (char)code;
	memcpy(reply + sizeof(uint32_t), request_header + sizeof(uint32_t), sizeof(uint32_t));
	int length = wire_encode(
		record, body, reply + MESSAGE_HEADER_BYTES, sizeof(reply) - MESSAGE_HEADER_BYTES);
	ensure(length > 0);
	if (send(CAGE_CHANNEL_FD, reply, MESSAGE_HEADER_BYTES + (size_t)length, MSG_NOSIGNAL) < 0)
		_exit(EXIT_SUCCESS); /* auth is gone */
}

static void
compute(const char *request, struct bytes body)
{
	struct hash_compute asked;
	if (wire_decode(&hash_compute_record, body, &asked, NULL) < 0)
		die("auth sent a malformed request");
	const struct hash_computed computed = { .matches =
							secret_matches(asked.secret, asked.hash) };
	answer(request, HASH_COMPUTED, &hash_computed_record, &computed);
}

/* ---- certificates ---- */

static struct wire_list
list_names(const struct proof_certificate *certificate, char *buffer, size_t capacity)
{
	struct wire_list_builder builder = { .buffer = buffer, .capacity = capacity };
	for (size_t i = 0; i < certificate->name_count; i++) {
		const struct hash_name name = { .text = bytes_of_text(certificate->names[i]) };
		int error = wire_list_add(&builder, &hash_name_record, &name);
		ensure(error == 0);
	}
	return wire_list_built(&builder);
}

static void
prove(const char *request, struct bytes body)
{
	static char names[PROOF_NAMES_MAX * (1024 + sizeof(uint32_t))];
	struct proof_certificate certificate = { .name_count = 0 };
	struct hash_prove asked;
	if (wire_decode(&hash_prove_record, body, &asked, NULL) < 0)
		die("auth sent a malformed request");
	bool is_valid = trust != NULL && proof_check(trust, asked.proof, &certificate) == 0;
	const struct hash_proven proven = {
		.valid = is_valid,
		.fingerprint = bytes_of_text(is_valid ? certificate.fingerprint : ""),
		.names = list_names(&certificate, names, sizeof(names)),
	};
	answer(request, HASH_PROVEN, &hash_proven_record, &proven);
	proof_certificate_free(&certificate);
}

/* ---- life ---- */

NORETURN static void
serve(void)
{
	static char request[REQUEST_BYTES_MAX];
	for (;;) {
		ssize_t length = recv(CAGE_CHANNEL_FD, request, sizeof(request), 0);
		if (length < 0 && errno == EINTR)
			continue;
		if (length <= 0)
			_exit(EXIT_SUCCESS);
		struct bytes body = bytes_of(
			request + MESSAGE_HEADER_BYTES, (size_t)length - MESSAGE_HEADER_BYTES);
		if (length >= MESSAGE_HEADER_BYTES && request[0] == HASH_COMPUTE)
			compute(request, body);
		else if (length >= MESSAGE_HEADER_BYTES && request[0] == HASH_PROVE)
			prove(request, body);
		else
			die("auth sent a malformed request");
		explicit_bzero(request + MESSAGE_HEADER_BYTES, body.length);
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

static void
read_trust(const struct trust_files *files)
{
	int error = files->count == 0 ? 0 : proof_trust_new(files, &trust);
	if (error < 0)
		fprintf(stderr, "%s: what certificates of clients are held to: %s\n",
			"sallyport-auth (hasher)", strerror(-error));
}

int
hasher_start(const struct trust_files *files, void (*forget)(void *context), void *context, int *fd)
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
		read_trust(files);
		keep_only(theirs);
		if (cage_close(CAGE_HASHER, NULL, &report) < 0)
			die("the hasher's cage: %s", report.problem);
		serve();
	}
	*fd = fd_take(&ours);
	return 0;
}
