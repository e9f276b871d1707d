/*
 * Sessions over a real channel (serve.h): what a gateway asks for is done, answered and recorded;
 * what breaks one session breaks no other.
 */
#include "ipc/base/scope.h"
#include "tests/unit/worker/session.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

static struct session *
across(void)
{
	struct session *session = session_new_across(&backend_memory);
	session_open_record(session);
	return session;
}

static void
check_stat(void **state)
{
	(void)state;
	struct session *session = across();
	session_plant(session, "/hello", "hello", 5);
	assert_int_equal(session_finish(session,
				 pathio_stat(session->io,
					 &(struct pathio_stat){ .path = bytes_of_text("/hello") },
					 pathio_wait_done, &session->wait)),
		0);
	assert_int_equal(session->wait.body.attributes_of.attributes.size, 5);
	assert_int_equal(session->recorded_count, 1);
	assert_string_equal(session->recorded[0].name, "stat");
	session_free(session);
}

static void
check_send(void **state)
{
	(void)state;
	struct session *session = across();
	struct pathio_wait opened = { .base = session->base }, closed = { .base = session->base };
	char arrived[16];
	int ends[2];
	session_pair(ends);
	session_plant(session, "/hello", "hello", 5);
	/* In one breath, as the gateway does. */
	pathio_open(session->io,
		&(struct pathio_open){ .file = 1, .path = bytes_of_text("/hello") },
		pathio_wait_done, &opened);
	pathio_send(session->io, &(struct pathio_send){ .file = 1, .count = UINT64_MAX }, ends[0],
		pathio_wait_done, &session->wait);
	pathio_close(session->io, &(struct pathio_close){ .file = 1 }, pathio_wait_done, &closed);
	assert_int_equal(pathio_wait_finish(&opened), 0);
	assert_int_equal(pathio_wait_finish(&session->wait), 0);
	assert_int_equal(pathio_wait_finish(&closed), 0);
	assert_int_equal(session->wait.body.moved.bytes, 5);
	assert_int_equal(recv(ends[1], arrived, sizeof(arrived), 0), 5);
	assert_memory_equal(arrived, "hello", 5);
	fd_close(&ends[0]);
	fd_close(&ends[1]);
	pathio_wait_free(&opened);
	pathio_wait_free(&closed);
	session_free(session);
}

int
main(void)
{
	const struct table tables[] = {
		CASE("stat is answered and recorded", check_stat),
		CASE("open, send and close in one breath", check_send),
	};
	return table_run(tables, ARRAY_LENGTH(tables));
}
