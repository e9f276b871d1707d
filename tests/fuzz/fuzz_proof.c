/*
 * Messages of a handshake, as a gateway hands them to auth: whatever they are, each piece that is
 * found lies within them, or there is none.
 */
#include "ipc/base/ends.h"
#include "policy/auth/proof_messages.h"
#include "tests/fuzz/target.h"

#include <errno.h>

static void
ensure_within(struct bytes piece, struct bytes whole)
{
	if (piece.length == 0)
		return;
	ensure(piece.data >= whole.data && piece.length <= whole.length);
	ensure((size_t)(piece.data - whole.data) <= whole.length - piece.length);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
	struct bytes whole = bytes_of((const char *)data, length);
	struct proof_messages messages;
	int error = proof_messages_read(whole, &messages);
	ensure(error == 0 || error == -EBADMSG);
	if (error < 0)
		return 0;
	ensure(messages.chain_length > 0 && messages.chain_length <= PROOF_CHAIN_MAX);
	ensure_within(messages.first_hello, whole);
	ensure_within(messages.covered, whole);
	ensure_within(messages.server, whole);
	ensure_within(messages.signature, whole);
	for (size_t i = 0; i < messages.chain_length; i++)
		ensure_within(messages.chain[i], whole);
	return 0;
}
