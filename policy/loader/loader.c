/*
 * The loader (see loader.h). Runs in `sallyportd --load` as whoever the server was started as, for
 * a moment at start and at each reload, so that no parser of files runs in the supervisor; and in
 * `sallyportd --check`, which may read no more than a start. It may read files and ask NSS; its
 * cage takes the rest, capabilities included. Trusts the supervisor.
 */
#include "policy/loader/loader.h"

#include "ipc/base/ends.h"
#include "ipc/base/scope.h"
#include "ipc/loader.h"
#include "policy/cage/cage.h"

#include <event2/event.h>
#include <stdio.h>

static void
on_closed(void *owner, const char *malformed)
{
	(void)malformed;
	event_base_loopbreak(owner);
}

static int
enter_cage(struct rules_error *error)
{
	const struct cage_options options = { 0 };
	struct cage_report report;
	int result = cage_enter(CAGE_LOADER, &options, &report);
	if (result == 0)
		result = cage_close(CAGE_LOADER, NULL, &report);
	if (result == 0)
		return 0;
	SCOPE_FREE char *text = cage_report_text(&report);
	rules_refuse(error, "%s", text != NULL ? text : strerror(-result));
	return result;
}

static int
send_option(void *context, unsigned option, struct bytes value)
{
	const struct loader_option body = { .number = option, .value = value };
	return loader_post_option(context, 0, &body);
}

static int
send_users_files(struct channel *channel, const struct load *load)
{
	int error = 0;
	for (size_t i = 0; i < load->users.count && error == 0; i++) {
		const struct users_file *users = &load->users.items[i];
		const struct loader_users_file body = {
			.host = bytes_of_text(users->host),
			.file_name = bytes_of_text(users->name),
		};
		error = loader_post_users_file_with(channel, 0, &body, users->fd);
	}
	return error;
}

static int
send_credentials(struct channel *channel, const struct credentials *credentials)
{
	const struct loader_certificate certificate = { 0 };
	const struct loader_staple staple = { 0 };
	int error = 0;
	for (size_t i = 0; i < credentials->count && error == 0; i++) {
		const struct credential *sent = &credentials->items[i];
		const struct loader_key key = { .file_name = bytes_of_text(sent->key_name) };
		error = loader_post_certificate_with(channel, 0, &certificate, sent->chain_fd);
		if (error == 0)
			error = loader_post_key_with(channel, 0, &key, sent->key_fd);
		if (error == 0 && sent->staple_fd >= 0)
			error = loader_post_staple_with(channel, 0, &staple, sent->staple_fd);
	}
	for (size_t i = 0; i < credentials->authority_count && error == 0; i++) {
		const struct authority_file *file = &credentials->authorities[i];
		const struct loader_authority authority = { .is_crl = file->is_crl };
		error = loader_post_authority_with(channel, 0, &authority, file->fd);
	}
	return error;
}

static int
send_banner(struct channel *channel, const struct load *load)
{
	int error = 0;
	size_t length;
	const char *banner = load->banner == NULL ? "" : load->banner;
	for (const char *line = banner; *line != '\0' && error == 0; line += length + 1) {
		length = strcspn(line, "\n");
		const struct loader_banner body = { .line = bytes_of(line, length) };
		error = loader_post_banner(channel, 0, &body);
	}
	return error;
}

static int
send_all(struct channel *channel, const struct load *load)
{
	const struct loader_finished body = { 0 };
	int error = config_for_each(load->config, READER_ALL, send_option, channel);
	if (error == 0)
		error = send_users_files(channel, load);
	if (error == 0)
		error = send_credentials(channel, &load->credentials);
	if (error == 0)
		error = send_banner(channel, load);
	return error == 0 ? loader_post_finished(channel, 0, &body) : error;
}

static int
send_refusal(struct channel *channel, int failure, const struct rules_error *error)
{
	SCOPE_FREE char *text = error->reason != NULL ? rules_error_text(error) : NULL;
	struct bytes reason = bytes_of_text(text != NULL ? text : strerror(-failure));
	const struct loader_failed body = { .reason = bytes_of(reason.data,
						    reason.length < 4096 ? reason.length : 4096) };
	return loader_post_failed(channel, 0, &body);
}

static int
load_and_send(const struct load_source *source, struct channel *channel)
{
	struct rules_error error = { 0 };
	struct load *load = NULL;
	int failure = load_read(source, enter_cage, &load, &error);
	int sent = failure == 0 ? send_all(channel, load) : send_refusal(channel, failure, &error);
	load_free(&load);
	rules_error_free(&error);
	return sent;
}

int
loader_run(const struct load_source *source)
{
	static const struct loader_handlers nothing_comes;
	int fd = CAGE_CHANNEL_FD;
	struct channel *channel;
	struct event_base *base = event_base_new();
	const struct channel_options options = {
		.base = base,
		.messages = &loader_messages,
		.our_role = ROLE_LOADER,
		.peer_role = ROLE_SUPERVISOR,
		.phase = PHASE_SERVING,
		.handlers = &nothing_comes,
		.owner = base,
		.closed = on_closed,
	};
	if (base == NULL || channel_new(&options, &fd, &channel) < 0)
		die("descriptor %d is no channel: --load is for sallyportd itself", fd);
	int error = load_and_send(source, channel);
	if (error < 0)
		die("cannot tell the supervisor: %s", strerror(-error));
	event_base_dispatch(base);
	channel_free(&channel);
	event_base_free(base);
	return EXIT_SUCCESS;
}

int
loader_check(const struct load_source *source)
{
	struct rules_error error = { 0 };
	struct load *load = NULL;
	int failure = load_read(source, enter_cage, &load, &error);
	SCOPE_FREE char *text = failure < 0 ? rules_error_text(&error) : NULL;
	if (failure == 0 && load->remarks != NULL)
		fputs(load->remarks, stderr);
	if (failure < 0)
		fprintf(stderr, "%s\n", text != NULL ? text : strerror(-failure));
	else
		puts("ok");
	load_free(&load);
	rules_error_free(&error);
	return failure < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
