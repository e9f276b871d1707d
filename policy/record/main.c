/*
 * sallyport-record: writes what every process reports. Runs as its own user, its root the log
 * folder; reaches no tenant's file and no network. Trusts the supervisor's channel (descriptor 3)
 * for who a writer is, and no writer for anything. When the supervisor is gone it writes what the
 * channels still hold and leaves once the last writer has ended.
 */
#include "ipc/base/ends.h"
#include "ipc/base/scope.h"
#include "ipc/ledger.h"
#include "policy/cage/cage.h"
#include "policy/record/output.h"
#include "policy/record/writers.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct record {
	struct event_base *base;
	struct channel *supervisor; /* NULL: it is gone */
	struct output *output;
	struct writers *writers;
	unsigned writer_count;
	bool cage_required;
};

static void
leave_if_done(struct record *record)
{
	if (record->supervisor == NULL && record->writer_count == 0)
		event_base_loopbreak(record->base);
}

/* ---- writers ---- */

static void
on_writer_ended(void *owner, uint32_t number, const char *malformed)
{
	struct record *record = owner;
	struct ledger_writer_ended ended = {
		.number = number,
		.malformed = bytes_of_text(malformed == NULL ? "" : malformed),
	};
	record->writer_count--;
	if (record->supervisor != NULL)
		channel_lost(ledger_post_writer_ended(record->supervisor, 0, &ended));
	leave_if_done(record);
}

static void
on_stuck(void *owner, int error)
{
	(void)owner;
	if (error == -EPIPE)
		die("nobody reads the lines any more");
	if (error < 0)
		fprintf(stderr, "sallyport-record: cannot write: %s; trying again every second\n",
			strerror(-error));
	else
		fputs("sallyport-record: writing again\n", stderr);
}

/* ---- start ---- */

NORETURN static void
fail_to_start(struct record *record, const char *text)
{
	channel_lost(ledger_post_failed(
		record->supervisor, 0, &(struct ledger_failed){ .reason = bytes_of_text(text) }));
	exit(EXIT_FAILURE);
}

static void
enter_cage(struct record *record, struct cage_report *report)
{
	struct cage_options options = { .required = record->cage_required };
	if (cage_enter(CAGE_RECORD, &options, report) == 0)
		return;
	SCOPE_FREE char *text = cage_report_text(report);
	fail_to_start(record, text == NULL ? "out of memory" : text);
}

static void
begin_writing(struct record *record, struct cage_report *report)
{
	struct writers_options options = {
		.base = record->base,
		.output = record->output,
		.owner = record,
		.ended = on_writer_ended,
		.stuck = on_stuck,
	};
	if (writers_new(&options, &record->writers) < 0)
		fail_to_start(record, "out of memory");
	int error = cage_close(CAGE_RECORD, NULL, report);
	SCOPE_FREE char *text = cage_report_text(report);
	if (error < 0 || text == NULL)
		fail_to_start(record, text == NULL ? "out of memory" : text);
	channel_set_phase(record->supervisor, PHASE_SERVING);
	channel_lost(ledger_post_ready(
		record->supervisor, 0, &(struct ledger_ready){ .cage = bytes_of_text(text) }));
}

/* ---- the supervisor ---- */

static void
on_configure(void *owner, struct message *message, const struct ledger_configure *body)
{
	struct record *record = owner;
	struct cage_report report = { 0 };
	(void)message;
	record->cage_required = body->cage_required;
	if (body->directory.length == 0)
		return; /* an output follows */
	enter_cage(record, &report);
	int error = output_open_files(&record->output);
	if (error < 0) {
		char text[256];
		snprintf(text, sizeof(text),
			"cannot open the log files: %s; let this process's user write in "
			"log_directory",
			strerror(-error));
		fail_to_start(record, text);
	}
	begin_writing(record, &report);
}

static void
on_output(void *owner, struct message *message, const struct ledger_output *body)
{
	struct record *record = owner;
	struct cage_report report = { 0 };
	(void)body;
	if (record->output != NULL) {
		channel_reject(record->supervisor, "a second output");
		return;
	}
	if (output_open_descriptor(&message->descriptor, &record->output) < 0)
		fail_to_start(record, "out of memory");
	enter_cage(record, &report);
	begin_writing(record, &report);
}

static void
on_writer(void *owner, struct message *message, const struct ledger_writer *body)
{
	struct record *record = owner;
	if (record->writers == NULL) {
		channel_reject(record->supervisor, "a writer before the output");
		return;
	}
	record->writer_count++;
	if (writers_add(record->writers, body, &message->descriptor) < 0)
		die("out of memory");
}

static void
on_reopen(void *owner, struct message *message, const struct ledger_reopen *body)
{
	struct record *record = owner;
	(void)message;
	(void)body;
	int error = output_reopen(record->output);
	if (error < 0)
		fprintf(stderr,
			"sallyport-record: cannot open the log files anew: %s; writing to the old "
			"ones\n",
			strerror(-error));
}

static void
on_ping(void *owner, struct message *message, const struct ledger_ping *body)
{
	struct record *record = owner;
	(void)body;
	channel_lost(ledger_post_pong(
		record->supervisor, message->tag, &(struct ledger_pong){ .nothing = 0 }));
}

static const struct ledger_handlers handlers = {
	.configure = on_configure,
	.output = on_output,
	.writer = on_writer,
	.reopen = on_reopen,
	.ping = on_ping,
};

static void
on_supervisor_closed(void *owner, const char *malformed)
{
	struct record *record = owner;
	if (malformed != NULL)
		die("the supervisor sent %s", malformed);
	channel_free(&record->supervisor);
	leave_if_done(record);
}

int
main(void)
{
	struct record record = { 0 };
	int fd = CAGE_CHANNEL_FD;
	ends_set_program("sallyport-record");
	signal(SIGPIPE, SIG_IGN);
	/* strftime() would open the zone's file late, inside the cage (DECISIONS 6); ours is UTC.
	 */
	if (setenv("TZ", "UTC0", 1) < 0)
		die("cannot set the time zone");
	tzset();
	record.base = event_base_new();
	if (record.base == NULL)
		die("cannot make an event loop");
	struct channel_options options = {
		.base = record.base,
		.messages = &ledger_messages,
		.our_role = ROLE_RECORD,
		.peer_role = ROLE_SUPERVISOR,
		.phase = PHASE_STARTING,
		.handlers = &handlers,
		.owner = &record,
		.closed = on_supervisor_closed,
	};
	if (channel_new(&options, &fd, &record.supervisor) < 0)
		die("descriptor 3 is no channel: this program is started by sallyportd");
	while (event_base_loop(record.base, EVLOOP_ONCE) == 0 &&
		event_base_got_break(record.base) == 0)
		if (record.writers != NULL)
			writers_gather(record.writers);
	writers_free(&record.writers);
	output_free(&record.output);
	channel_free(&record.supervisor);
	event_base_free(record.base);
	return EXIT_SUCCESS;
}
