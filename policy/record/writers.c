/*
 * Event channels (see writers.h). Runs in record. On a writer's rule break that writer alone is cut
 * off; when lines cannot be written nothing is consumed and all is tried again every second.
 */
#include "policy/record/writers.h"

#include "ipc/base/ends.h"
#include "ipc/base/scope.h"
#include "policy/record/line.h"

#include <errno.h>
#include <event2/event_struct.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

enum {
	BATCH_EVENTS = 64,       /* then the next writer has its turn */
	GATHER_NS = 1000000,     /* long beside a wake-up, short beside what a channel holds */
	EVENT_BYTES_MAX = 16384, /* the largest row of event.def fits well */
	RETRY_SECONDS = 1,
};

struct writer {
	struct writer *next;
	struct writers *writers;
	struct line_origin origin;
	char *user;
	int fd;
	uint32_t sequence; /* that the next event must bear; 0: any */
	struct event readable;
};

/* What was peeked of one writer in one turn. */
struct batch {
	unsigned events; /* good ones, at the front */
	const char *malformed;
	bool is_at_end;
};

struct writers {
	struct writers_options options;
	struct writer *first;
	struct event retry;
	struct writer *stuck; /* whose lines are not written yet; NULL: none, reading goes on */
	struct batch stuck_batch;
	bool has_read; /* in this round of the loop */
	uint64_t read_ns;
	/* One batch of peeked events. */
	char bytes[BATCH_EVENTS][EVENT_BYTES_MAX];
};

static void
free_writer(struct writer *writer)
{
	struct writer **place = &writer->writers->first;
	while (*place != writer)
		place = &(*place)->next;
	*place = writer->next;
	event_del(&writer->readable);
	fd_close(&writer->fd);
	free(writer->user);
	free(writer);
}

static void
end_writer(struct writer *writer, const char *malformed)
{
	struct writers *writers = writer->writers;
	uint32_t number = writer->origin.number;
	free_writer(writer);
	writers->options.ended(writers->options.owner, number, malformed);
}

/* ---- one batch: peek, print, flush, consume ---- */

/* Peeks at up to BATCH_EVENTS events; the offset that SO_PEEK_OFF keeps moves on with each. */
static int
peek_events(struct writer *writer, struct mmsghdr *headers)
{
	static struct iovec parts[BATCH_EVENTS];
	int start = 0;
	if (setsockopt(writer->fd, SOL_SOCKET, SO_PEEK_OFF, &start, sizeof(start)) < 0)
		return -errno;
	for (size_t i = 0; i < BATCH_EVENTS; i++) {
		parts[i].iov_base = writer->writers->bytes[i];
		parts[i].iov_len = EVENT_BYTES_MAX;
		headers[i] = (struct mmsghdr){
			.msg_hdr = { .msg_iov = &parts[i], .msg_iovlen = 1 },
		};
	}
	int count = recvmmsg(writer->fd, headers, BATCH_EVENTS, MSG_PEEK | MSG_DONTWAIT, NULL);
	return count < 0 ? -errno : count;
}

static void
print_event(struct writer *writer, struct bytes message, struct batch *batch)
{
	_Alignas(max_align_t) char body[MESSAGE_STRUCT_BYTES_MAX];
	const struct message_rule *rule;
	batch->malformed = line_check(&writer->origin, message, &writer->sequence, &rule, body);
	if (batch->malformed != NULL)
		return;
	FILE *stream = output_stream(writer->writers->options.output, line_log(rule));
	line_print(&writer->origin, writer->sequence, rule, body, stream);
	batch->events++;
	if (++writer->sequence == 0)
		writer->sequence = 1;
}

static struct batch
print_batch(struct writer *writer)
{
	static struct mmsghdr headers[BATCH_EVENTS];
	struct batch batch = { 0 };
	int count = peek_events(writer, headers);
	if (count == -EAGAIN || count == -EINTR)
		return batch;
	batch.is_at_end = count < 0;
	for (int i = 0; i < count && !batch.is_at_end && batch.malformed == NULL; i++) {
		struct mmsghdr *header = &headers[i];
		if (header->msg_len == 0)
			batch.is_at_end = true;
		else if ((header->msg_hdr.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0)
			batch.malformed = "an oversized event or one with a descriptor";
		else
			print_event(writer, bytes_of(writer->writers->bytes[i], header->msg_len),
				&batch);
	}
	return batch;
}

/* Consumes events whose lines are written; no byte of them is copied. */
static void
consume(struct writer *writer, unsigned events)
{
	static struct mmsghdr headers[BATCH_EVENTS];
	memset(headers, 0, sizeof(headers));
	while (events > 0) {
		int count = recvmmsg(writer->fd, headers, events, MSG_DONTWAIT, NULL);
		ensure(count > 0 || errno == EINTR);
		events -= count > 0 ? (unsigned)count : 0;
	}
}

static void
finish_batch(struct writer *writer, struct batch batch)
{
	consume(writer, batch.events);
	if (batch.malformed != NULL || batch.is_at_end)
		end_writer(writer, batch.malformed);
}

/* ---- when lines cannot be written ---- */

static void
stop_reading(struct writers *writers)
{
	for (struct writer *writer = writers->first; writer != NULL; writer = writer->next)
		event_del(&writer->readable);
}

static void
start_reading(struct writers *writers)
{
	for (struct writer *writer = writers->first; writer != NULL; writer = writer->next)
		event_add(&writer->readable, NULL);
}

static void
retry_later(struct writers *writers)
{
	struct timeval wait = { .tv_sec = RETRY_SECONDS };
	event_add(&writers->retry, &wait);
}

static void
on_retry(evutil_socket_t fd, short what, void *argument)
{
	struct writers *writers = argument;
	(void)fd;
	(void)what;
	if (output_flush(writers->options.output) < 0) {
		retry_later(writers);
		return;
	}
	struct writer *writer = writers->stuck;
	writers->stuck = NULL;
	writers->options.stuck(writers->options.owner, 0);
	finish_batch(writer, writers->stuck_batch);
	start_reading(writers);
}

static void
on_readable(evutil_socket_t fd, short what, void *argument)
{
	struct writer *writer = argument;
	struct writers *writers = writer->writers;
	(void)fd;
	(void)what;
	struct batch batch = print_batch(writer);
	writers->has_read = true;
	int error = output_flush(writers->options.output);
	if (error == 0) {
		finish_batch(writer, batch);
		return;
	}
	writers->stuck = writer;
	writers->stuck_batch = batch;
	stop_reading(writers);
	retry_later(writers);
	writers->options.stuck(writers->options.owner, error);
}

/* ---- gathering ---- */

static uint64_t
now_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

void
writers_gather(struct writers *writers)
{
	static const struct timespec wait = { .tv_nsec = GATHER_NS };
	if (!writers->has_read)
		return;
	writers->has_read = false;
	bool is_soon = (now_ns() - writers->read_ns) / 2 < GATHER_NS;
	if (is_soon && nanosleep(&wait, NULL) < 0)
		ensure(errno == EINTR);
	writers->read_ns = now_ns();
}

/* ---- set-up ---- */

int
writers_new(const struct writers_options *options, struct writers **result)
{
	struct writers *writers = calloc(1, sizeof(*writers));
	if (writers == NULL)
		return -ENOMEM;
	writers->options = *options;
	event_assign(&writers->retry, options->base, -1, 0, on_retry, writers);
	*result = writers;
	return 0;
}

void
writers_free(struct writers **writers)
{
	if (*writers == NULL)
		return;
	while ((*writers)->first != NULL)
		free_writer((*writers)->first);
	event_del(&(*writers)->retry);
	free(*writers);
	*writers = NULL;
}

int
writers_add(struct writers *writers, const struct ledger_writer *from, int *fd)
{
	if (descriptor_check(*fd, DESCRIPTOR_CHANNEL) < 0)
		return -EBADMSG;
	struct writer *writer = calloc(1, sizeof(*writer));
	char *user = bytes_copy_text(from->user);
	if (writer == NULL || user == NULL) {
		free(user);
		free(writer);
		return -ENOMEM;
	}
	*writer = (struct writer){
		.next = writers->first,
		.writers = writers,
		.user = user,
		.fd = fd_take(fd),
		.origin = {
			.number = from->number,
			.role = (enum role)from->role,
			.pid = from->pid,
			.incarnation = from->incarnation,
			.user = user,
		},
	};
	writers->first = writer;
	event_assign(&writer->readable, writers->options.base, writer->fd, EV_READ | EV_PERSIST,
		on_readable, writer);
	if (writers->stuck == NULL)
		event_add(&writer->readable, NULL);
	return 0;
}
