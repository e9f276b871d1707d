/*
 * Folders and listings of tests (see listings.h).
 */
#include "tests/unit/worker/listings.h"

#include "tests/unit/worker/wire_end.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
listings_plant(struct session *session)
{
	const struct tree *tree = session_tree(session);
	const struct path link = test_path("/d/link");
	session_plant_folder(session, "/d");
	session_plant_folder(session, "/d/sub");
	session_plant(session, "/d/file.txt", "12345", 5);
	session_plant(session, "/d/other.c", "1", 1);
	session_plant(session, "/d/.dot", "", 0);
	session_plant(session, "/d/.sallyport-0123456789abcdef.part", "12", 2);
	assert_int_equal(tree->backend->symlink(tree->state, bytes_of_text("file.txt"), &link), 0);
	const char *const stamped[] = { "/d", "/d/sub", "/d/file.txt", "/d/other.c", "/d/.dot" };
	for (size_t i = 0; i < ARRAY_LENGTH(stamped); i++) {
		const struct path path = test_path(stamped[i]);
		const struct pathio_set_times times = { .has_mtime = true, .mtime_ns = 0 };
		assert_int_equal(tree->backend->set_times(tree->state, &path, &times), 0);
	}
}

void
listings_plant_many(struct session *session)
{
	char path[300];
	session_plant_folder(session, "/many");
	for (int i = 0; i < LISTINGS_MANY; i++) {
		snprintf(path, sizeof(path), "/many/%0*d", i % 2 == 0 ? 255 : 4, i);
		session_plant(session, path, "", 0);
	}
}

/* Each line ends in CRLF, and no CR or LF stands elsewhere. */
static char *
without_returns(const char *text)
{
	char *result = calloc(1, strlen(text) + 1), *out = result;
	for (const char *at = text; *at != '\0'; at++) {
		bool is_end = at[0] == '\r' && at[1] == '\n';
		if (*at == '\r')
			assert_true(is_end);
		else
			assert_true(*at != '\n' || (at > text && at[-1] == '\r'));
		if (*at != '\r')
			*out++ = *at;
	}
	return result;
}

int
listings_text(struct session *session, const struct pathio_list *list_request,
	const struct pathio_send_listing *send_request, char **text)
{
	struct wire_end *end = wire_end_new(session->base);
	int error = call_list(session->io, &session->wait, list_request);
	if (error == 0) {
		error = call_send_listing(
			session->io, &session->wait, send_request, end->worker_fd);
		wire_end_finish(end);
		if (error == 0)
			assert_int_equal(session->wait.body.moved.bytes, end->length);
		assert_int_equal(call_close(session->io, &session->wait,
					 &(struct pathio_close){ .file = 0 }),
			0);
	}
	*text = end->bytes == NULL ? strdup("") : without_returns(end->bytes);
	wire_end_free(&end);
	return error;
}

static int
compare_lines(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static char *
sorted(const char *text)
{
	char *lines[64] = { NULL }, *copy = strdup(text), *result = calloc(1, strlen(text) + 1);
	size_t count = 0;
	for (char *at = strtok(copy, "\n"); at != NULL; at = strtok(NULL, "\n")) {
		assert_true(count < ARRAY_LENGTH(lines));
		lines[count++] = at;
	}
	qsort(lines, count, sizeof(lines[0]), compare_lines);
	char *out = result;
	for (size_t i = 0; i < count; i++) {
		out = mempcpy(out, lines[i], strlen(lines[i]));
		*out++ = '\n';
	}
	free(copy);
	return result;
}

int
listings_sorted(struct session *session, const struct pathio_list *list_request,
	const struct pathio_send_listing *send_request, char **text)
{
	char *whole;
	int error = listings_text(session, list_request, send_request, &whole);
	*text = error < 0 ? strdup("") : sorted(whole);
	free(whole);
	return error;
}
