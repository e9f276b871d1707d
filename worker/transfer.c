/*
 * The engine of transfers (see transfer.h). Runs in the worker, as the user. The peer of a data
 * descriptor is a stranger who reads and writes as it likes, or not at all. A transfer that fails
 * ends alone.
 *
 * Small files decide how many files a second are served, so a transfer that is done in its first
 * turn costs neither a timer nor an entry in epoll. One clock ticks for all that wait.
 */
#include "worker/transfer.h"

#include "ipc/base/ends.h"
#include "ipc/base/scope.h"
#include "worker/transfer_private.h"

#include <errno.h>
#include <fcntl.h>

enum {
	TURN_BYTES_ALONE = 2 * 1024 * 1024,
	TURN_BYTES_TOGETHER = 1024 * 1024, /* of all transfers, once round the loop */
	TURN_BYTES_MIN = 128 * 1024,
	TICK_MS_MAX = 1000,
	TICKS_PER_STALL = 4,
	REPORT_MS = 1000,
};

char transfer_buffer[TRANSFER_BUFFER_BYTES];
char transfer_converted[TRANSFER_BUFFER_BYTES + 1];

struct transfers {
	TAILQ_HEAD(waiting_transfers, transfer) waiting;
	struct transfer *next_to_tick; /* a tick may end any of them */
	uint32_t waiting_count;
	uint32_t tick_ms;
	struct event tick;
};

static void on_tick(evutil_socket_t fd, short what, void *argument);

int
transfers_new(struct event_base *base, struct transfers **result)
{
	struct transfers *transfers = calloc(1, sizeof(*transfers));
	if (transfers == NULL)
		return -ENOMEM;
	TAILQ_INIT(&transfers->waiting);
	transfers->tick_ms = TICK_MS_MAX;
	event_assign(&transfers->tick, base, -1, 0, on_tick, transfers);
	*result = transfers;
	return 0;
}

void
transfers_free(struct transfers **transfers)
{
	struct transfers *freed = *transfers;
	*transfers = NULL;
	if (freed == NULL)
		return;
	ensure(freed->waiting_count == 0);
	event_del(&freed->tick);
	free(freed);
}

/* ---- the end ---- */

void
transfer_end(struct transfer *transfer, int error)
{
	struct transfer_options options = transfer->options;
	uint64_t bytes = transfer->bytes;
	if (transfer->waits) {
		/* Out of epoll before the close: the gateway keeps the socket open. */
		event_del(&transfer->ready);
		if (options.transfers->next_to_tick == transfer)
			options.transfers->next_to_tick = TAILQ_NEXT(transfer, entry);
		TAILQ_REMOVE(&options.transfers->waiting, transfer, entry);
		options.transfers->waiting_count--;
	}
	fd_close(&transfer->fd);
	free(transfer->left.bytes);
	free(transfer);
	*options.running = NULL;
	options.ended(options.owner, error, bytes);
}

/* ---- the clock ---- */

static void
arm_tick(struct transfers *transfers)
{
	struct timeval interval = {
		.tv_sec = transfers->tick_ms / 1000,
		.tv_usec = (suseconds_t)(transfers->tick_ms % 1000) * 1000,
	};
	event_add(&transfers->tick, &interval);
}

/* Short limits need a finer clock; it stays so. */
static void
refine_tick(struct transfers *transfers, uint32_t stall_timeout_ms)
{
	uint32_t wanted_ms = stall_timeout_ms / TICKS_PER_STALL;
	if (stall_timeout_ms != 0 && wanted_ms < transfers->tick_ms)
		transfers->tick_ms = wanted_ms == 0 ? 1 : wanted_ms;
}

static void
tick_transfer(struct transfer *transfer, uint32_t passed_ms)
{
	const struct transfer_options *options = &transfer->options;
	bool moved = transfer->bytes != transfer->bytes_at_tick;
	transfer->bytes_at_tick = transfer->bytes;
	transfer->idle_ms = moved ? 0 : transfer->idle_ms + passed_ms;
	transfer->unreported_ms += passed_ms;
	/* The first tick may have come early. */
	uint64_t limit_ms = (uint64_t)options->stall_timeout_ms + passed_ms;
	if (options->stall_timeout_ms != 0 && transfer->idle_ms >= limit_ms) {
		transfer_end(transfer, -ETIMEDOUT);
		return;
	}
	if (transfer->unreported_ms < REPORT_MS || transfer->bytes == transfer->bytes_reported)
		return;
	transfer->unreported_ms = 0;
	transfer->bytes_reported = transfer->bytes;
	if (options->progress != NULL)
		options->progress(options->owner, transfer->bytes);
}

static void
on_tick(evutil_socket_t fd, short what, void *argument)
{
	struct transfers *transfers = argument;
	uint32_t passed_ms = transfers->tick_ms;
	struct transfer *at;
	(void)fd;
	(void)what;
	transfers->next_to_tick = TAILQ_FIRST(&transfers->waiting);
	while ((at = transfers->next_to_tick) != NULL) {
		transfers->next_to_tick = TAILQ_NEXT(at, entry);
		tick_transfer(at, passed_ms);
	}
	if (!TAILQ_EMPTY(&transfers->waiting))
		arm_tick(transfers);
}

/* ---- turns ---- */

static void on_ready(evutil_socket_t fd, short what, void *argument);

static int
wait_for_descriptor(struct transfer *transfer)
{
	struct transfers *transfers = transfer->options.transfers;
	event_assign(&transfer->ready, event_get_base(&transfers->tick), transfer->fd,
		(short)(transfer->kind->ready | EV_PERSIST), on_ready, transfer);
	if (event_add(&transfer->ready, NULL) < 0)
		return -ENOMEM;
	transfer->waits = true;
	TAILQ_INSERT_TAIL(&transfers->waiting, transfer, entry);
	transfers->waiting_count++;
	refine_tick(transfers, transfer->options.stall_timeout_ms);
	if (!event_pending(&transfers->tick, EV_TIMEOUT, NULL))
		arm_tick(transfers);
	return 0;
}

/* Large enough that what a turn costs by itself does not count, small enough to share the loop. */
static uint64_t
turn_bytes(const struct transfer *transfer)
{
	uint64_t others = transfer->options.transfers->waiting_count - transfer->waits;
	if (others == 0)
		return TURN_BYTES_ALONE;
	uint64_t share = TURN_BYTES_TOGETHER / (others + 1);
	return share > TURN_BYTES_MIN ? share : TURN_BYTES_MIN;
}

static void
take_turn(struct transfer *transfer)
{
	int result = transfer->kind->turn(transfer, turn_bytes(transfer));
	bool goes_on = result > TRANSFER_ENDED;
	if (result == TRANSFER_MORE)
		transfer->idle_ms = 0; /* at work, if only at skipping names */
	if (goes_on && !transfer->waits) {
		result = wait_for_descriptor(transfer);
		goes_on = result == 0;
	}
	if (!goes_on)
		transfer_end(transfer, result);
}

static void
on_ready(evutil_socket_t fd, short what, void *argument)
{
	(void)fd;
	(void)what;
	take_turn(argument);
}

void
transfer_start(const struct transfer *prepared)
{
	const struct transfer_options *options = &prepared->options;
	struct transfer *transfer = malloc(sizeof(*transfer));
	int error = -ENOMEM;
	if (transfer != NULL) {
		*transfer = *prepared;
		transfer->fd = fcntl(options->descriptor, F_DUPFD_CLOEXEC, 0);
		error = transfer->fd < 0 ? -errno : 0;
	}
	if (error < 0) {
		free(transfer);
		*options->running = NULL;
		options->ended(options->owner, error, 0);
		return;
	}
	*options->running = transfer;
	take_turn(transfer);
}
