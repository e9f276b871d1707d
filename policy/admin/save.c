/*
 * `sallyport save`: an archive from a worker's stream to a file. Runs as whoever typed the command.
 * The stream is read as it comes, and trusted to be whole only when the server has said that it is,
 * and how long.
 */
#include "ipc/base/ends.h"
#include "ipc/base/scope.h"
#include "policy/admin/arguments.h"
#include "policy/admin/connection.h"
#include "policy/admin/output.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

enum { BLOCK_BYTES = 1 << 20, SIGNALS = 3 };

struct save {
	struct event_base *base;
	struct output *output;
	int stream;
	struct event *readable;
	struct event *signals[SIGNALS];
	uint64_t bytes;
	bool has_ended; /* the stream */
	int error;      /* of reading or writing; negative */
	bool is_told;
	struct attach_tree told;
};

/* ---- the stream ---- */

static void
end_stream(struct save *save, int error)
{
	save->has_ended = true;
	save->error = error;
	event_del(save->readable);
	fd_close(&save->stream); /* a worker that is still at it hears of an error */
	event_base_loopbreak(save->base);
}

static void
on_readable(evutil_socket_t stream, UNUSED short what, void *argument)
{
	static char block[BLOCK_BYTES];
	struct save *save = argument;
	ssize_t got = read(stream, block, sizeof(block));
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	int error = got < 0 ? -errno : 0;
	if (got > 0)
		error = output_write(save->output, bytes_of(block, (size_t)got));
	if (got <= 0 || error < 0)
		end_stream(save, error);
	else
		save->bytes += (uint64_t)got;
}

static void
on_answer(void *owner, uint32_t code, struct message *message, const void *body)
{
	struct save *save = owner;
	if (code == ADMIN_SAVED) {
		save->told = ((const struct admin_saved *)body)->tree;
		save->is_told = true;
		return;
	}
	if (code != ADMIN_SAVING || save->readable != NULL)
		return; /* and then there is nothing that is whole */
	save->stream = fd_take(&message->descriptor);
	save->readable =
		event_new(save->base, save->stream, EV_READ | EV_PERSIST, on_readable, save);
	if (save->readable == NULL || event_add(save->readable, NULL) < 0)
		die("memory is short");
}

/* ---- the end ---- */

static struct output *interrupted; /* for on_signal() alone */

static void
on_signal(evutil_socket_t number, UNUSED short what, UNUSED void *argument)
{
	output_drop(&interrupted);
	_exit(128 + (int)number);
}

static void
watch_signals(struct save *save)
{
	static const int numbers[SIGNALS] = { SIGINT, SIGTERM, SIGHUP };
	for (size_t i = 0; i < SIGNALS; i++) {
		save->signals[i] = evsignal_new(save->base, numbers[i], on_signal, NULL);
		if (save->signals[i] == NULL || event_add(save->signals[i], NULL) < 0)
			die("memory is short");
	}
}

static void
stop_watching(struct save *save)
{
	for (size_t i = 0; i < SIGNALS; i++)
		event_free(save->signals[i]);
	if (save->readable != NULL)
		event_free(save->readable);
	fd_close(&save->stream);
}

static int
say(const char *name, const char *why)
{
	fprintf(stderr, "sallyport: %s: %s\n", name, why);
	return EXIT_FAILURE;
}

static void
print_totals(const char *name, const char *user, const struct attach_tree *tree)
{
	fprintf(stderr,
		"%s: %" PRIu64 " files, %" PRIu64 " folders, %" PRIu64
		" symbolic links of %s, in %" PRIu64 " bytes\n",
		name, tree->files, tree->folders, tree->links, user, tree->bytes);
	if (tree->left_out > 0)
		fprintf(stderr,
			"%s: %" PRIu64 " entries are left out: their paths are longer than 4,094 "
			"bytes, and no client can name them\n",
			name, tree->left_out);
}

/* What the server says was sent has all been written. */
static int
conclude(struct save *save, const struct arguments *arguments)
{
	const char *name = arguments->words[1];
	interrupted = NULL;
	if (save->error < 0)
		return say(name, strerror(-save->error));
	if (!save->is_told || save->bytes != save->told.bytes)
		return say(name, "the archive is not whole: the server sent another number of "
				 "bytes than it says");
	int error = output_keep(&save->output);
	if (error < 0)
		return say(name, strerror(-error));
	print_totals(name, arguments->words[0], &save->told);
	return 0;
}

static int
open_output(struct save *save, const struct arguments *arguments)
{
	const char *name = arguments->words[1];
	bool replaces = (arguments->options & OPTION_FORCE) != 0;
	int error = output_open(name, replaces, &save->output);
	if (error == -EEXIST)
		return say(name, "is there already (--force replaces it)");
	if (error == -EINVAL)
		return say(name, "is no file, and is not replaced by one");
	return error < 0 ? say(name, strerror(-error)) : 0;
}

int
command_save(const struct arguments *arguments)
{
	struct bytes user = bytes_of_text(arguments->words[0]);
	const struct admin_save body = { .account = user, .worker_pid = arguments->worker_pid };
	if (user.length == 0 || user.length > 511)
		return say(arguments->words[0], "is no name of a user");
	SCOPE_CONNECTION struct connection *connection = connection_open(arguments->socket);
	struct save save = { .base = connection_base(connection), .stream = -1 };
	int status = open_output(&save, arguments);
	if (status != 0)
		return status;
	interrupted = save.output;
	signal(SIGPIPE, SIG_IGN);
	watch_signals(&save);
	status = connection_ask(connection, ADMIN_SAVE, &body, on_answer, &save);
	while (status == 0 && save.readable != NULL && !save.has_ended)
		event_base_dispatch(save.base);
	if (status == 0 || save.error < 0)
		status = conclude(&save, arguments);
	stop_watching(&save);
	interrupted = NULL;
	output_drop(&save.output);
	return status;
}
