/*
 * The link to record (see record.h). Runs in the supervisor as root. Trusts record no more than any
 * child: when it breaks a rule it is killed, and the next one gets the same channels with all that
 * is queued in them. What ends record goes to standard error, for nobody else could tell; so does
 * an event that cannot even be queued.
 */
#include "policy/sessions/record.h"

#include "ipc/base/ends.h"
#include "ipc/base/scope.h"
#include "ipc/ledger.h"
#include "policy/sessions/service.h"
#include "policy/supervisor/pairs.h"
#include "policy/supervisor/supervisor.h"

#include <stdarg.h>
#include <stdio.h>

struct writer {
	LIST_ENTRY(writer) link;
	uint32_t number;
	enum role role;
	pid_t pid;
	uint32_t incarnation;
	int fd; /* record's end */
	char user[];
};

struct record {
	struct service service;
	struct supervisor *supervisor;
	LIST_HEAD(writer_list, writer) writers;
	uint32_t last_number;
	struct channel *events; /* our own */
	uint32_t last_sequence;
	unsigned lost; /* events since the last tick */
};

/* ---- writers ---- */

static void
hand_over(struct process *process, const struct writer *writer)
{
	const struct ledger_writer body = {
		.number = writer->number,
		.role = (enum process_role)writer->role,
		.pid = (uint32_t)writer->pid,
		.incarnation = writer->incarnation,
		.user = bytes_of_text(writer->user),
	};
	if (process != NULL)
		process_posted(
			process, ledger_post_writer_with(process->channel, 0, &body, writer->fd));
}

static void
forget(struct writer **writer)
{
	LIST_REMOVE(*writer, link);
	fd_close(&(*writer)->fd);
	free(*writer);
	*writer = NULL;
}

static int
add_writer(struct record *record, const struct writer *model, const char *user, int *writer_fd)
{
	SCOPE_PAIR struct pair pair = { -1, -1 };
	int error = pair_make(model->role, ROLE_RECORD, &pair);
	if (error < 0)
		return error;
	size_t user_bytes = strlen(user) + 1;
	struct writer *writer = malloc(sizeof(*writer) + user_bytes);
	if (writer == NULL)
		return -ENOMEM;
	*writer = *model;
	memcpy(writer->user, user, user_bytes);
	writer->number = ++record->last_number;
	writer->fd = fd_take(&pair.other);
	LIST_INSERT_HEAD(&record->writers, writer, link);
	hand_over(record->service.process, writer);
	*writer_fd = fd_take(&pair.one);
	return 0;
}

int
record_add_writer(
	struct record *record, const struct process *process, uint32_t incarnation, int *writer_fd)
{
	const struct writer model = {
		.role = process->role, .pid = process->pid, .incarnation = incarnation
	};
	return add_writer(record, &model, process->user, writer_fd);
}

/* ---- the process ---- */

#define CHANNEL(name) ledger_##name
#include "policy/sessions/process_handlers.h"

static void
on_failed(void *owner, UNUSED struct message *message, const struct ledger_failed *body)
{
	process_failed(owner, EIO, body->reason);
}

/* Record found it, and both are named: who broke the rule, and of which channel. */
static void
note_malformed(struct record *record, const struct writer *writer, struct bytes rule)
{
	char text[256];
	snprintf(text, sizeof(text), "in its events to record: %.*s", (int)rule.length, rule.data);
	const struct event_malformed event = {
		.severity = SEVERITY_ERROR,
		.peer = (enum process_role)writer->role,
		.peer_pid = (uint32_t)writer->pid,
		.rule = bytes_of_text(text),
	};
	record_event(record, EVENT_MALFORMED, &event);
	processes_kill_pid(record->supervisor, writer->pid, text);
}

static void
on_writer_ended(void *owner, UNUSED struct message *message, const struct ledger_writer_ended *body)
{
	struct process *process = owner;
	struct record *record = process->owner;
	struct writer *writer;
	LIST_FOREACH(writer, &record->writers, link)
	if (writer->number == body->number)
		break;
	if (writer == NULL || writer->role == ROLE_SUPERVISOR) {
		channel_reject(process->channel, "the end of a writer that has not ended");
		return;
	}
	if (body->malformed.length > 0)
		note_malformed(record, writer, body->malformed);
	forget(&writer);
}

static void
on_process_ready(struct process *process)
{
	struct record *record = process->owner;
	service_ready(&record->service);
}

static void
on_process_ended(struct process *process)
{
	struct record *record = process->owner;
	if (!process->expected)
		fprintf(stderr, "sallyportd: sallyport-record: %s\n", process_how(process));
	service_ended(&record->service);
	record_tick(record);
}

static int
start(struct record *record)
{
	static const struct ledger_handlers handlers = {
		.violation = on_violation,
		.ready = on_ready,
		.failed = on_failed,
		.writer_ended = on_writer_ended,
		.pong = on_pong,
	};
	static const struct process_duty duty = {
		.handlers = &handlers, .ready = on_process_ready, .ended = on_process_ended
	};
	const struct config *config = record->supervisor->settings->config;
	bool to_folder = config->log_directory[0] != '\0';
	const struct process_plan plan = {
		.role = ROLE_RECORD,
		.duty = &duty,
		.owner = record,
		.folder = to_folder ? config->log_directory : NULL,
	};
	const struct ledger_configure configure = {
		.directory = bytes_of_text(config->log_directory),
		.cage_required = config->cage == CONFIG_CAGE_REQUIRED,
	};
	const struct ledger_output output = { 0 };
	int error = service_start(&record->service, record->supervisor, &plan);
	if (error < 0)
		return error;
	struct process *process = record->service.process;
	process_posted(process, ledger_post_configure(process->channel, 0, &configure));
	if (!to_folder)
		process_posted(process,
			ledger_post_output_with(process->channel, 0, &output, STDOUT_FILENO));
	const struct writer *writer;
	LIST_FOREACH(writer, &record->writers, link)
	hand_over(process, writer);
	return 0;
}

/* The first one of a second was told when it was lost. */
static void
tell_lost(struct record *record)
{
	if (record->lost > 1)
		fprintf(stderr, "sallyportd: %u more events are lost\n", record->lost - 1);
	record->lost = 0;
}

void
record_tick(struct record *record)
{
	tell_lost(record);
	if (service_is_due(&record->service, record->supervisor) && start(record) < 0)
		return; /* due again after its pause */
}

void
record_reopen(struct record *record)
{
	const struct ledger_reopen body = { 0 };
	struct process *process = record->service.process;
	if (process != NULL && process->state == PROCESS_SERVING)
		process_posted(process, ledger_post_reopen(process->channel, 0, &body));
}

/* ---- our own events ---- */

void
record_event(struct record *record, uint32_t code, const void *event)
{
	if (record == NULL || record->events == NULL)
		return; /* not there yet, or no more */
	int error = channel_post(record->events, code, record->last_sequence + 1, event, -1);
	ensure(error != -EINVAL);
	if (error == 0)
		record->last_sequence++;
	else if (record->lost++ == 0)
		fprintf(stderr, "sallyportd: event %u is lost: %s\n", code, strerror(-error));
}

void
record_notice(struct record *record, enum severity severity, const char *format, ...)
{
	char text[2048];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	const struct event_notice event = { .severity = severity, .text = bytes_of_text(text) };
	record_event(record, EVENT_NOTICE, &event);
}

static int open_events(struct record *record);

/* Record's end is kept here: a record that shut it down, or spoke on it, gets another. */
static void
on_events_closed(void *owner, UNUSED const char *malformed)
{
	struct record *record = owner;
	struct writer *next, *writer = LIST_FIRST(&record->writers);
	channel_free(&record->events);
	for (; writer != NULL; writer = next) {
		next = LIST_NEXT(writer, link);
		if (writer->role == ROLE_SUPERVISOR)
			forget(&writer);
	}
	int error = open_events(record);
	if (error < 0)
		fprintf(stderr, "sallyportd: events are lost: %s\n", strerror(-error));
}

static int
open_events(struct record *record)
{
	static const struct event_handlers nothing_comes;
	const struct channel_options options = {
		.base = record->supervisor->base,
		.messages = &event_messages,
		.our_role = ROLE_SUPERVISOR,
		.peer_role = ROLE_RECORD,
		.phase = PHASE_SERVING,
		.handlers = &nothing_comes,
		.owner = record,
		.closed = on_events_closed,
	};
	const struct writer model = { .role = ROLE_SUPERVISOR, .pid = getpid() };
	SCOPE_FD int fd = -1;
	record->last_sequence = 0;
	int error = add_writer(record, &model, "", &fd);
	return error == 0 ? channel_new(&options, &fd, &record->events) : error;
}

int
record_new(struct supervisor *supervisor, struct record **result)
{
	struct record *record = calloc(1, sizeof(*record));
	if (record == NULL)
		return -ENOMEM;
	*result = record;
	record->supervisor = supervisor;
	record->service.is_needed_to_the_end = true;
	int error = open_events(record);
	return error < 0 ? error : start(record);
}

void
record_close(struct record *record)
{
	struct writer *writer;
	if (record == NULL)
		return;
	tell_lost(record);
	channel_free(&record->events);
	while ((writer = LIST_FIRST(&record->writers)) != NULL)
		forget(&writer);
}
