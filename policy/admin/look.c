/*
 * `sallyport status` and `sallyport sessions`. Runs as whoever typed the command. Names were chosen
 * by administrators, and are shown as the record shows them if a terminal could mind them.
 */
#include "ipc/address.h"
#include "policy/admin/arguments.h"
#include "policy/admin/connection.h"
#include "policy/rules/value.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* A list as it is printed: its rows one by one, as text or as JSON. */
struct printer {
	bool json;
	const struct wire_record *record;
	void (*print_row)(const void *row);
	uint64_t (*key)(const void *row);
	unsigned rows;
	uint64_t last; /* key of the last row */
	bool is_last;
};

static void
print_list(struct printer *printer, struct wire_list list)
{
	_Alignas(max_align_t) char row[WIRE_ELEMENT_BYTES_MAX];
	while (wire_list_next(&list, printer->record, row)) {
		if (printer->json) {
			fputs(printer->rows == 0 ? "{" : ",{", stdout);
			wire_print_json(printer->record, row, stdout);
			putchar('}');
		} else {
			printer->print_row(row);
		}
		printer->rows++;
		printer->last = printer->key(row);
	}
}

static void
print_name(struct bytes name)
{
	if (value_is_clean_text(name))
		printf("%.*s", (int)name.length, name.data);
	else
		wire_print_json_text(name, stdout);
}

static int
finish(int status)
{
	if (fflush(stdout) == 0)
		return status;
	fprintf(stderr, "sallyport: standard output: %s\n", strerror(errno));
	return EXIT_FAILURE;
}

/* ---- processes ---- */

static void
print_process(const void *row)
{
	const struct admin_process *process = row;
	printf("%10u  %-8s %-9s ", process->process_pid,
		process_role_choices.texts[process->process],
		process_stage_choices.texts[process->stage]);
	print_name(process->for_user);
	putchar('\n');
}

static uint64_t
process_key(const void *row)
{
	return ((const struct admin_process *)row)->process_pid;
}

static void
on_processes(void *owner, UNUSED uint32_t code, UNUSED struct message *message, const void *body)
{
	const struct admin_processes *part = body;
	struct printer *printer = owner;
	print_list(printer, part->list);
	printer->is_last = part->is_last;
}

static int
print_processes(struct connection *connection, bool json)
{
	struct printer printer = { .json = json,
		.record = &admin_process_record,
		.print_row = print_process,
		.key = process_key };
	while (!printer.is_last) {
		const struct admin_ask_processes body = { .after_pid = (uint32_t)printer.last };
		int status = connection_ask(
			connection, ADMIN_ASK_PROCESSES, &body, on_processes, &printer);
		if (status != 0)
			return status;
	}
	return 0;
}

/* ---- status ---- */

static void
print_duration(uint64_t seconds)
{
	uint64_t minutes = seconds / 60, hours = minutes / 60;
	if (hours >= 48)
		printf("%" PRIu64 " d %" PRIu64 " h", hours / 24, hours % 24);
	else if (hours > 0)
		printf("%" PRIu64 " h %" PRIu64 " min", hours, minutes % 60);
	else if (minutes > 0)
		printf("%" PRIu64 " min %" PRIu64 " s", minutes, seconds % 60);
	else
		printf("%" PRIu64 " s", seconds);
}

static void
print_status(const struct connection *connection, const struct admin_status *status)
{
	printf("Sallyport %.*s, process %d, up ", (int)status->version.length, status->version.data,
		connection_server(connection));
	print_duration(status->uptime_s);
	printf(status->is_ending ? ", ending\n" : "\nawaits clients on %.*s\n",
		(int)status->addresses.length, status->addresses.data);
	printf("cage: %.*s\n", (int)status->cage.length, status->cage.data);
	printf("%" PRIu64 " of %" PRIu64 " sessions; %u gateways, %u workers", status->sessions,
		status->sessions_max, status->gateways, status->workers);
	if (status->stuck > 0)
		printf(", %u processes that hang in the kernel", status->stuck);
	puts("\n\n       PID  ROLE     STATE     USER");
}

struct status_answer {
	const struct connection *connection;
	bool json;
};

static void
on_status(void *owner, UNUSED uint32_t code, UNUSED struct message *message, const void *body)
{
	const struct status_answer *answer = owner;
	if (!answer->json) {
		print_status(answer->connection, body);
		return;
	}
	printf("{\"server_pid\":%d,", connection_server(answer->connection));
	wire_print_json(&admin_status_record, body, stdout);
	fputs(",\"processes\":[", stdout);
}

int
command_status(const struct arguments *arguments)
{
	static const struct admin_ask_status body;
	SCOPE_CONNECTION struct connection *connection = connection_open(arguments->socket);
	bool json = (arguments->options & OPTION_JSON) != 0;
	struct status_answer answer = { connection, json };
	int status = connection_ask(connection, ADMIN_ASK_STATUS, &body, on_status, &answer);
	if (status == 0)
		status = print_processes(connection, json);
	if (status == 0 && json)
		puts("]}");
	return finish(status);
}

/* ---- sessions ---- */

static void
print_session(const void *row)
{
	const struct admin_session *session = row;
	char address[ADDRESS_TEXT_BYTES], since[32];
	time_t login = time(NULL) - (time_t)session->age_s;
	struct tm local;
	strftime(since, sizeof(since), "%Y-%m-%d %H:%M:%S", localtime_r(&login, &local));
	printf("%016" PRIx64 "  %s  %10u  %-8s  %-25s  ", session->session, since,
		session->worker_pid, session_stage_choices.texts[session->stage],
		address_text(&session->peer, address));
	print_name(session->account);
	putchar('\n');
}

static uint64_t
session_key(const void *row)
{
	return ((const struct admin_session *)row)->session;
}

static void
on_sessions(void *owner, UNUSED uint32_t code, UNUSED struct message *message, const void *body)
{
	const struct admin_sessions *part = body;
	struct printer *printer = owner;
	print_list(printer, part->list);
	printer->is_last = part->is_last;
}

int
command_sessions(const struct arguments *arguments)
{
	SCOPE_CONNECTION struct connection *connection = connection_open(arguments->socket);
	struct printer printer = { .json = (arguments->options & OPTION_JSON) != 0,
		.record = &admin_session_record,
		.print_row = print_session,
		.key = session_key };
	int status = 0;
	if (printer.json)
		fputs("{\"sessions\":[", stdout);
	else
		puts("SESSION           SINCE                    WORKER  STATE     CLIENT          "
		     " "
		     "          USER");
	while (!printer.is_last && status == 0) {
		const struct admin_ask_sessions body = { .after = printer.last };
		status = connection_ask(
			connection, ADMIN_ASK_SESSIONS, &body, on_sessions, &printer);
	}
	if (status == 0 && printer.json)
		puts("]}");
	return finish(status);
}
