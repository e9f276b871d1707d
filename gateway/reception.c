/*
 * The door (see reception.h). Runs in the gateway. Strangers decide how many come and how fast;
 * they are taken in bounded bursts, so that those inside have their turn.
 */
#include "gateway/reception.h"

#include "gateway/arrival.h"
#include "gateway/census.h"
#include "gateway/session.h"
#include "ipc/address.h"
#include "ipc/base/scope.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>

enum {
	ACCEPTS_PER_TURN = 32,
	REPORT_INTERVAL_S = 1,
};

struct listener {
	struct listener *next;
	struct reception *reception;
	int fd;
	bool is_tls;
	struct event readable;
	bool is_watched;
	bool is_for_proxies;
};

/* Who was turned away since the last report. */
struct turned_away {
	uint32_t count;
	const char *limit; /* the last one; a constant */
	struct wire_address peer;
	struct event report;
	bool is_armed;
};

struct reception {
	struct gateway *gateway;
	struct listener *listeners;
	struct census *census;
	uint32_t without_login;
	struct arrival_list arrivals; /* of proxies, counted among those */
	uint32_t arrival_count;
	int reserve_fd; /* given up to accept one connection when there is no other descriptor */
	struct turned_away turned_away;
};

/* ---- turning away ---- */

/* The first is reported at once, those that follow are counted and reported together. */
static void
report(struct reception *reception)
{
	struct turned_away *away = &reception->turned_away;
	struct timeval interval = { .tv_sec = REPORT_INTERVAL_S };
	if (away->is_armed || away->count == 0)
		return;
	record_turned_away(reception->gateway, &away->peer, away->limit, away->count);
	away->count = 0;
	away->is_armed = event_add(&away->report, &interval) == 0;
}

static void
on_report(evutil_socket_t fd, short what, void *argument)
{
	struct reception *reception = argument;
	(void)fd;
	(void)what;
	reception->turned_away.is_armed = false;
	report(reception);
}

static void
note_turned_away(struct reception *reception, const struct wire_address *peer, const char *limit)
{
	struct turned_away *away = &reception->turned_away;
	away->count++;
	away->limit = limit;
	away->peer = *peer;
	report(reception);
}

static void
turn_away(struct reception *reception, int *fd, const struct wire_address *peer, const char *limit)
{
	struct stream stream = { .fd = fd_take(fd) };
	char line[sizeof(reply_too_many_connections) + sizeof("\r\n")];
	int length = snprintf(line, sizeof(line), "%s\r\n", reply_too_many_connections);
	/* A new connection takes a line at once; if not, the close says it too. */
	int written = stream_write(&stream, line, (size_t)length);
	(void)written;
	stream_close(&stream);
	note_turned_away(reception, peer, limit);
}

/* The limit that is reached whoever comes, or NULL. */
static const char *
find_full(const struct reception *reception)
{
	const struct gateway *gateway = reception->gateway;
	uint32_t count = gateway->sessions.count + reception->arrival_count;
	if (count >= gateway->settings.connections_max)
		return "connections";
	if (reception->without_login >= gateway->settings.before_login_max)
		return "connections-before-login";
	return NULL;
}

/* The limit that a new connection breaks, or NULL. It is counted then. */
static const char *
count_in(struct reception *reception, const struct wire_address *peer)
{
	const struct gateway *gateway = reception->gateway;
	const char *full = find_full(reception);
	if (full != NULL)
		return full;
	switch (census_enter(
		reception->census, peer, gateway->settings.before_login_per_address_max)) {
	case 0:
		reception->without_login++;
		return NULL;
	case -EUSERS:
		return "connections-before-login-per-address";
	default:
		return "memory";
	}
}

static void
count_out(struct reception *reception, const struct wire_address *peer)
{
	reception->without_login--;
	census_leave(reception->census, peer);
}

void
reception_uncount(struct session *session)
{
	if (session->is_counted)
		count_out(session->gateway->reception, &session->peer);
	session->is_counted = false;
}

/* It is inside already: no limit applies. */
void
reception_count(struct session *session)
{
	struct reception *reception = session->gateway->reception;
	if (session->is_counted || census_enter(reception->census, &session->peer, UINT32_MAX) < 0)
		return;
	reception->without_login++;
	session->is_counted = true;
}

/* ---- letting in ---- */

/*
 * A connection would inherit them from its listener, but not one that was in the queue before the
 * listener came here.
 */
static void
set_options(int fd)
{
	int yes = 1;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
	setsockopt(fd, SOL_SOCKET, SO_OOBINLINE, &yes, sizeof(yes));
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &yes, sizeof(yes));
}

static void
let_in(struct reception *reception, int *fd, const struct origin *origin)
{
	const char *limit = count_in(reception, &origin->peer);
	if (limit != NULL) {
		turn_away(reception, fd, &origin->peer, limit);
		return;
	}
	set_options(*fd);
	int error = session_new(reception->gateway, fd, origin);
	if (error < 0)
		count_out(reception, &origin->peer);
	if (error == -ENOMEM)
		turn_away(reception, fd, &origin->peer, "memory");
}

static void
let_in_directly(const struct listener *listener, int *fd, const struct wire_address *peer)
{
	struct origin origin = {
		.peer = *peer, .since_ms = gateway_now_ms(), .is_tls = listener->is_tls
	};
	if (address_of_local(*fd, &origin.local) < 0)
		return;
	origin.reached = origin.local;
	let_in(listener->reception, fd, &origin);
}

/* ---- proxies ---- */

static void
on_known(void *owner, struct arrival *arrival, int error, const struct proxy_claim *claim)
{
	struct reception *reception = owner;
	const struct origin origin = {
		.peer = claim->is_claimed ? claim->source : arrival->peer,
		.local = arrival->local,
		.proxy = arrival->peer,
		.reached = claim->is_claimed ? claim->destination : arrival->local,
		.since_ms = arrival->since_ms,
	};
	reception->without_login--;
	reception->arrival_count--;
	if (error < 0)
		note_turned_away(reception, &arrival->peer, "proxy-header");
	else
		let_in(reception, &arrival->fd, &origin);
}

/* Its limits are those of the client whom it brings; until it says who that is, those of all. */
static void
await_header(struct reception *reception, int *fd, const struct wire_address *peer)
{
	struct gateway *gateway = reception->gateway;
	struct arrival_options options = {
		.base = gateway->base,
		.peer = *peer,
		.limit_s = gateway->settings.login_timeout_s,
		.known = on_known,
		.owner = reception,
	};
	const char *limit = find_full(reception);
	if (!proxies_include(&gateway->proxies, peer)) {
		note_turned_away(reception, peer, "proxy-from");
	} else if (limit != NULL) {
		turn_away(reception, fd, peer, limit);
	} else if (address_of_local(*fd, &options.local) == 0 &&
		   arrival_begin(&reception->arrivals, &options, fd) == 0) {
		reception->without_login++;
		reception->arrival_count++;
	}
}

/* ---- accepting ---- */

/* Without a free descriptor a connection would stay in the queue and wake us for ever. */
static void
refuse_one(struct listener *listener)
{
	struct reception *reception = listener->reception;
	fd_close(&reception->reserve_fd);
	SCOPE_FD int fd = accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	struct wire_address peer = { .port = 0 };
	if (fd >= 0 && address_of_peer(fd, &peer) == 0)
		turn_away(reception, &fd, &peer, "descriptors");
	fd_close(&fd);
	reception->reserve_fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);
}

/* Takes one connection from the queue: true if there may be another. */
static bool
accept_one(struct listener *listener)
{
	struct address_socket name = { .length = sizeof(name.v6) };
	struct wire_address peer;
	SCOPE_FD int fd =
		accept4(listener->fd, &name.any, &name.length, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd < 0 && (errno == EMFILE || errno == ENFILE))
		refuse_one(listener);
	if (fd < 0)
		return errno == ECONNABORTED || errno == EINTR;
	if (address_from_socket(&name, &peer) < 0)
		return true;
	if (listener->is_for_proxies)
		await_header(listener->reception, &fd, &peer);
	else
		let_in_directly(listener, &fd, &peer);
	return true;
}

static void
on_listener(evutil_socket_t fd, short what, void *argument)
{
	struct listener *listener = argument;
	(void)fd;
	(void)what;
	for (int i = 0; i < ACCEPTS_PER_TURN; i++)
		if (!accept_one(listener))
			return;
}

/* ---- listeners ---- */

static void
update(struct listener *listener)
{
	const struct gateway *gateway = listener->reception->gateway;
	bool wanted = gateway->sessions.buckets != NULL && !record_is_full(gateway);
	if (wanted == listener->is_watched)
		return;
	if (!wanted)
		event_del(&listener->readable);
	else if (event_add(&listener->readable, NULL) < 0)
		return;
	listener->is_watched = wanted;
}

void
reception_update(struct reception *reception)
{
	for (struct listener *listener = reception->listeners; listener != NULL;
		listener = listener->next)
		update(listener);
}

int
reception_add_listener(struct reception *reception, int *fd, bool is_tls, bool is_for_proxies)
{
	struct listener *listener = calloc(1, sizeof(*listener));
	if (listener == NULL)
		return -ENOMEM;
	listener->reception = reception;
	listener->fd = fd_take(fd);
	listener->is_tls = is_tls;
	listener->is_for_proxies = is_for_proxies;
	event_assign(&listener->readable, reception->gateway->base, listener->fd,
		EV_READ | EV_PERSIST, on_listener, listener);
	listener->next = reception->listeners;
	reception->listeners = listener;
	update(listener);
	return 0;
}

void
reception_close(struct reception *reception)
{
	while (reception->listeners != NULL) {
		struct listener *first = reception->listeners;
		reception->listeners = first->next;
		event_del(&first->readable);
		fd_close(&first->fd);
		free(first);
	}
	arrivals_forget(&reception->arrivals);
	reception->without_login -= reception->arrival_count;
	reception->arrival_count = 0;
}

struct reception *
reception_new(struct gateway *gateway)
{
	struct reception *reception = calloc(1, sizeof(*reception));
	if (reception == NULL)
		return NULL;
	reception->gateway = gateway;
	reception->census = census_new();
	reception->reserve_fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);
	event_assign(&reception->turned_away.report, gateway->base, -1, 0, on_report, reception);
	if (reception->census == NULL)
		reception_free(&reception);
	return reception;
}

void
reception_free(struct reception **reception)
{
	struct reception *freed = *reception;
	if (freed == NULL)
		return;
	reception_close(freed);
	event_del(&freed->turned_away.report);
	fd_close(&freed->reserve_fd);
	census_free(&freed->census);
	free(freed);
	*reception = NULL;
}
