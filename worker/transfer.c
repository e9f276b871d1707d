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
	TURN_BYTES_AWAY = 512 * 1024, /* on a thread: even a slow file system is in time with it */
	TURN_US_AWAY = 5000,      /* so long it may go on there: a hop costs more than a piece */
	BRIEF_BYTES = 128 * 1024, /* of a turn between two rounds of the loop (executor.h) */
	TICK_MS_MAX = 1000,
	TICKS_PER_STALL = 4,
	REPORT_MS = 1000,
};

struct transfers {
	struct executor *executor;
	TAILQ_HEAD(waiting_transfers, transfer) waiting;
	struct transfer *next_to_tick; /* a tick may end any of them */
	uint32_t waiting_count;
	uint32_t tick_ms;
	struct event tick;
};

static void on_tick(evutil_socket_t fd, short what, void *argument);

int
transfers_new(struct event_base *base, struct executor *executor, struct transfers **result)
{
	struct transfers *transfers = calloc(1, sizeof(*transfers));
	if (transfers == NULL)
		return -ENOMEM;
	transfers->executor = executor;
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

/* Out of epoll before the close: the gateway keeps the socket open. */
static void
stop_watching(struct transfer *transfer)
{
	if (transfer->is_watched)
		event_del(&transfer->ready);
	transfer->is_watched = false;
}

static void
stop_waiting(struct transfer *transfer)
{
	struct transfers *transfers = transfer->options.transfers;
	stop_watching(transfer);
	if (!transfer->waits)
		return;
	if (transfers->next_to_tick == transfer)
		transfers->next_to_tick = TAILQ_NEXT(transfer, entry);
	TAILQ_REMOVE(&transfers->waiting, transfer, entry);
	transfers->waiting_count--;
	transfer->waits = false;
}

static void
release(struct transfer *transfer)
{
	fd_close(&transfer->fd);
	deflater_free(&transfer->deflater);
	inflater_free(&transfer->inflater);
	free(transfer->left.bytes);
	free(transfer);
}

void
transfer_end(struct transfer *transfer, int error)
{
	struct transfer_options options = transfer->options;
	uint64_t bytes = transfer->bytes_known;
	stop_waiting(transfer);
	*options.running = NULL;
	transfer->has_ended = true;
	bool is_at_work = transfer->is_at_work &&
			  !executor_withdraw(options.transfers->executor, &transfer->job);
	if (!is_at_work)
		release(transfer);
	options.ended(options.owner, error, bytes);
	if (!is_at_work && options.gone != NULL)
		options.gone(options.owner);
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
report(struct transfer *transfer)
{
	const struct transfer_options *options = &transfer->options;
	if (transfer->unreported_ms < REPORT_MS ||
		transfer->bytes_known == transfer->bytes_reported)
		return;
	transfer->unreported_ms = 0;
	transfer->bytes_reported = transfer->bytes_known;
	if (options->progress != NULL)
		options->progress(options->owner, transfer->bytes_known);
}

static void
tick_transfer(struct transfer *transfer, uint32_t passed_ms)
{
	bool moved = transfer->is_at_work || transfer->bytes_known != transfer->bytes_at_tick;
	transfer->bytes_at_tick = transfer->bytes_known;
	transfer->idle_ms = moved ? 0 : transfer->idle_ms + passed_ms;
	transfer->unreported_ms += passed_ms;
	/* The first tick may have come early. */
	uint32_t stall_timeout_ms = transfer->options.stall_timeout_ms;
	uint64_t limit_ms = (uint64_t)stall_timeout_ms + passed_ms;
	if (stall_timeout_ms != 0 && transfer->idle_ms >= limit_ms)
		transfer_end(transfer, -ETIMEDOUT);
	else
		report(transfer);
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

static struct transfer *
transfer_of(struct job *job)
{
	return (struct transfer *)(void *)job;
}

static void
start_waiting(struct transfer *transfer)
{
	struct transfers *transfers = transfer->options.transfers;
	event_assign(&transfer->ready, event_get_base(&transfers->tick), transfer->fd,
		(short)(transfer->kind->ready | EV_PERSIST), on_ready, transfer);
	transfer->waits = true;
	TAILQ_INSERT_TAIL(&transfers->waiting, transfer, entry);
	transfers->waiting_count++;
	refine_tick(transfers, transfer->options.stall_timeout_ms);
	if (!event_pending(&transfers->tick, EV_TIMEOUT, NULL))
		arm_tick(transfers);
}

static int
watch(struct transfer *transfer)
{
	if (!transfer->is_watched && event_add(&transfer->ready, NULL) < 0)
		return -ENOMEM;
	transfer->is_watched = true;
	return 0;
}

/* Those that go on beside it. */
static uint32_t
count_others(const struct transfer *transfer)
{
	return transfer->options.transfers->waiting_count - transfer->waits;
}

bool
transfer_is_alone(const struct transfer *transfer)
{
	return count_others(transfer) == 0;
}

/* Large enough that what a turn costs by itself does not count, small enough to share the loop. */
static uint64_t
turn_bytes(const struct transfer *transfer)
{
	uint32_t others = count_others(transfer);
	if (transfer->options.coding != PATHIO_CODING_NONE)
		return TRANSFER_CODED_BYTES;
	if (others == 0)
		return TURN_BYTES_ALONE;
	uint64_t share = TURN_BYTES_TOGETHER / (others + 1);
	return share > TURN_BYTES_MIN ? share : TURN_BYTES_MIN;
}

uint64_t
transfer_now_us(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

uint64_t
transfer_piece(const struct transfer *transfer)
{
	if (transfer->bytes < transfer->stop_at)
		return transfer->stop_at - transfer->bytes;
	bool goes_on = transfer->stop_us != 0 && transfer_now_us() < transfer->stop_us;
	return goes_on ? TRANSFER_BUFFER_BYTES : 0;
}

static void
carry_out(struct job *job, char *scratch)
{
	struct transfer *transfer = transfer_of(job);
	transfer->stop_at = transfer->bytes + transfer->budget;
	transfer->stop_us = transfer->is_away ? transfer_now_us() + TURN_US_AWAY : 0;
	identity_set(transfer->options.identity);
	transfer->result = transfer->kind->turn(transfer, (struct transfer_room *)(void *)scratch);
	identity_set(NULL);
}

static void
limit_budget_away(struct transfer *transfer)
{
	if (transfer->budget > TURN_BYTES_AWAY)
		transfer->budget = TURN_BYTES_AWAY;
}

static bool
try_quickly(struct job *job, char *scratch)
{
	struct transfer *transfer = transfer_of(job);
	const struct transfer_kind *kind = transfer->kind;
	if (kind->has_nothing != NULL && kind->has_nothing(transfer)) {
		transfer->result = TRANSFER_BLOCKED;
		return true;
	}
	if (kind->is_quick != NULL && kind->is_quick(transfer)) {
		carry_out(job, scratch);
		return true;
	}
	limit_budget_away(transfer);
	transfer->is_away = true;
	stop_watching(transfer);
	return false;
}

static void
on_late(struct job *job)
{
	const struct transfer_options *options = &transfer_of(job)->options;
	options->late(options->owner);
}

/* What it has come to, when nobody waits for it any more. */
static void
leave(struct transfer *transfer)
{
	struct transfer_options options = transfer->options;
	release(transfer);
	if (options.gone != NULL)
		options.gone(options.owner);
}

static void take_turn(struct transfer *transfer);

/* A thread that was not done goes on at once, if it is its turn; nobody looks at the descriptor. */
static int
go_on(struct transfer *transfer, int result)
{
	transfer->is_drained = result == TRANSFER_BLOCKED;
	report(transfer);
	if (!transfer->waits)
		start_waiting(transfer);
	if (result == TRANSFER_MORE && transfer->is_away)
		take_turn(transfer);
	else if (watch(transfer) < 0)
		return -ENOMEM;
	return result;
}

static void
on_turn_ended(struct job *job, int error)
{
	struct transfer *transfer = transfer_of(job);
	int result = error < 0 ? error : transfer->result;
	transfer->is_at_work = false;
	if (transfer->has_ended) {
		leave(transfer);
		return;
	}
	transfer->bytes_known = transfer->bytes;
	if (result == TRANSFER_MORE)
		transfer->idle_ms = 0; /* at work, if only at skipping names */
	if (result > TRANSFER_ENDED)
		result = go_on(transfer, result);
	if (result < 0 || result == TRANSFER_ENDED)
		transfer_end(transfer, result);
}

static const struct job_kind turn_kind = { try_quickly, carry_out, on_late, on_turn_ended };

/* What comes in little by little needs no thread to be stored. */
static bool
is_brief(const struct transfer *transfer)
{
	return transfer->kind->is_brief &&
	       (transfer->bytes < BRIEF_BYTES ||
		       (transfer->kind->ready == EV_READ && transfer->is_drained));
}

static void
take_turn(struct transfer *transfer)
{
	const struct transfer_options *options = &transfer->options;
	struct executor *executor = options->transfers->executor;
	bool goes_on = transfer->is_away && !transfer->is_drained;
	transfer->is_at_work = true;
	transfer->job.is_brief = !goes_on && is_brief(transfer);
	transfer->budget = transfer->job.is_brief ? BRIEF_BYTES : turn_bytes(transfer);
	if (goes_on)
		limit_budget_away(transfer);
	if (options->before != NULL)
		options->before(options->owner);
	if (goes_on) {
		executor_submit_next(executor, &transfer->job);
	} else {
		transfer->is_away = false;
		executor_submit(executor, &transfer->job);
	}
}

/* While a turn is under way elsewhere, the loop need not be told again. */
static void
on_ready(evutil_socket_t fd, short what, void *argument)
{
	struct transfer *transfer = argument;
	(void)fd;
	(void)what;
	if (transfer->is_at_work)
		stop_watching(transfer);
	else
		take_turn(transfer);
}

static int
own_descriptor(const struct transfer_options *options)
{
	if (options->takes_descriptor)
		return options->descriptor;
	int fd = fcntl(options->descriptor, F_DUPFD_CLOEXEC, 0);
	return fd < 0 ? -errno : fd;
}

static int
make_coder(struct transfer *transfer)
{
	const struct transfer_options *options = &transfer->options;
	if (options->coding == PATHIO_CODING_NONE)
		return 0;
	if (transfer->kind->ready == EV_READ)
		return inflater_new(&transfer->inflater);
	return deflater_new(options->level, &transfer->deflater);
}

int
transfer_start(const struct transfer *prepared)
{
	const struct transfer_options *options = &prepared->options;
	SCOPE_FD int fd = own_descriptor(options);
	if (fd < 0)
		return fd;
	struct transfer *transfer = malloc(sizeof(*transfer));
	if (transfer == NULL)
		return -ENOMEM;
	*transfer = *prepared;
	transfer->job = (struct job){
		.kind = &turn_kind, .deadline_ms = options->deadline_ms, .is_bound = true
	};
	transfer->fd = fd_take(&fd);
	int error = make_coder(transfer);
	if (error < 0) {
		release(transfer);
		return error;
	}
	*options->running = transfer;
	take_turn(transfer);
	return 0;
}
