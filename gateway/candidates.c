/*
 * Data connections by a proxy (see candidates.h). Runs in the gateway. Whoever uses the same proxy
 * can reach a session's port; the header tells that client from the session's own.
 */
#include "gateway/candidates.h"

#include "gateway/session.h"
#include "ipc/address.h"
#include "ipc/base/scope.h"

enum { CANDIDATES_MAX = 16 }; /* a proxy says at once whose a connection is */

static void
on_known(void *owner, struct arrival *arrival, int error, const struct proxy_claim *claim)
{
	struct session *session = owner;
	const struct wire_address *source = claim->is_claimed ? &claim->source : &arrival->peer;
	session->data.candidate_count--;
	if (error == 0 && address_is_same_host(source, &session->peer))
		data_proved(session, &arrival->fd);
}

void
candidate_begin(struct session *session, int *fd, const struct wire_address *proxy)
{
	const struct arrival_options options = {
		.base = session->gateway->base,
		.peer = *proxy,
		.limit_s = session->gateway->settings.data_timeout_s,
		.known = on_known,
		.owner = session,
	};
	if (session->data.candidate_count >= CANDIDATES_MAX) {
		fd_close(fd);
		return;
	}
	session->data.candidate_count++;
	if (arrival_begin(&session->data.candidates, &options, fd) < 0)
		session->data.candidate_count--;
}

void
candidates_forget(struct session *session)
{
	arrivals_forget(&session->data.candidates);
	session->data.candidate_count = 0;
}
