/*
 * Gathered records (see tls_output.h). Runs in the gateway. Bounded: beyond its capacity it takes
 * nothing and libssl has to ask again.
 */
#include "gateway/tls_output.h"

#include <errno.h>
#include <openssl/bio.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum {
	/* Sixteen records of full size and what surrounds each. */
	CAPACITY_BYTES = 16 * (16384 + 256),
	FIRST_BYTES = 4096, /* of a buffer: enough for replies and most handshakes */
};

struct output {
	int fd;
	BIO *kernel;       /* NULL: nobody else encrypts */
	bool is_held;      /* against libssl's flushes */
	bool is_gathering; /* keeps its memory */
	int error;         /* that ended it: negative errno, or 0 */
	char *bytes;
	size_t capacity, start, end;
};

static int
send_some(struct output *output)
{
	ssize_t sent;
	do
		sent = send(output->fd, output->bytes + output->start, output->end - output->start,
			MSG_DONTWAIT | MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	if (sent < 0)
		return -errno;
	output->start += (size_t)sent;
	return 0;
}

static void
release(struct output *output)
{
	free(output->bytes);
	output->bytes = NULL;
	output->capacity = output->start = output->end = 0;
}

/* While records are gathered the buffer stays: the next ones are on their way. */
static void
settle(struct output *output)
{
	if (output->start < output->end)
		return;
	output->start = output->end = 0;
	if (!output->is_gathering)
		release(output);
}

static int
flush(struct output *output)
{
	while (output->error == 0 && output->start < output->end) {
		int error = send_some(output);
		if (error == -EAGAIN)
			return error;
		output->error = error;
	}
	settle(output);
	return output->error;
}

int
tls_output_flush(BIO *bio)
{
	return flush(BIO_get_data(bio));
}

void
tls_output_hold(BIO *bio)
{
	struct output *output = BIO_get_data(bio);
	output->is_held = true;
}

void
tls_output_gather(BIO *bio)
{
	struct output *output = BIO_get_data(bio);
	output->is_held = output->is_gathering = true;
}

size_t
tls_output_waiting(BIO *bio)
{
	const struct output *output = BIO_get_data(bio);
	return output->end - output->start;
}

/* ---- as a BIO ---- */

static bool
reserve(struct output *output, size_t length)
{
	size_t capacity = output->capacity == 0 ? FIRST_BYTES : output->capacity;
	if (output->start > 0 && output->end + length > output->capacity) {
		memmove(output->bytes, output->bytes + output->start, output->end - output->start);
		output->end -= output->start;
		output->start = 0;
	}
	while (capacity < output->end + length)
		capacity *= 2;
	if (capacity == output->capacity)
		return true;
	char *bytes = realloc(output->bytes, capacity);
	if (bytes == NULL)
		return false;
	output->bytes = bytes;
	output->capacity = capacity;
	return true;
}

/* Behind all that was gathered: libssl flushes before it gives the kernel its keys. */
static int
pass_on(BIO *bio, BIO *kernel, const char *bytes, size_t length, size_t *written)
{
	int result = BIO_write_ex(kernel, bytes, length, written);
	if (result != 1 && BIO_should_retry(kernel))
		BIO_set_retry_write(bio);
	return result;
}

/* All or nothing: a record is never taken in part. */
static int
output_write(BIO *bio, const char *bytes, size_t length, size_t *written)
{
	struct output *output = BIO_get_data(bio);
	size_t waiting = output->end - output->start;
	BIO_clear_retry_flags(bio);
	if (output->kernel != NULL && BIO_get_ktls_send(output->kernel))
		return pass_on(bio, output->kernel, bytes, length, written);
	if (output->error < 0)
		return 0;
	if (waiting > 0 && waiting + length > CAPACITY_BYTES) {
		int error = flush(output);
		if (error == -EAGAIN)
			BIO_set_retry_write(bio);
		if (error < 0)
			return 0;
	}
	if (!reserve(output, length)) {
		output->error = -ENOMEM;
		return 0;
	}
	memcpy(output->bytes + output->end, bytes, length);
	output->end += length;
	*written = length;
	return 1;
}

static long
output_control(BIO *bio, int command, long number, void *pointer)
{
	struct output *output = BIO_get_data(bio);
	int error;
	switch (command) {
	case BIO_CTRL_FLUSH:
		BIO_clear_retry_flags(bio);
		error = output->is_held ? output->error : flush(output);
		if (error == -EAGAIN)
			BIO_set_retry_write(bio);
		return error == 0 ? 1 : -1;
	case BIO_CTRL_WPENDING:
		return (long)(output->end - output->start);
	default: /* about keys, and which kind of record comes next */
		return output->kernel == NULL ? 0
					      : BIO_ctrl(output->kernel, command, number, pointer);
	}
}

static int
output_create(BIO *bio)
{
	struct output *output = calloc(1, sizeof(*output));
	if (output == NULL)
		return 0;
	BIO_set_data(bio, output);
	BIO_set_init(bio, 1);
	return 1;
}

static int
output_destroy(BIO *bio)
{
	struct output *output = BIO_get_data(bio);
	if (output != NULL) {
		BIO_free(output->kernel);
		free(output->bytes);
	}
	free(output);
	BIO_set_data(bio, NULL);
	return 1;
}

/* Made once, and lives as long as the process. */
static const BIO_METHOD *
method(void)
{
	static BIO_METHOD *made;
	if (made != NULL)
		return made;
	made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "records, gathered");
	if (made == NULL || BIO_meth_set_write_ex(made, output_write) != 1 ||
		BIO_meth_set_ctrl(made, output_control) != 1 ||
		BIO_meth_set_create(made, output_create) != 1 ||
		BIO_meth_set_destroy(made, output_destroy) != 1) {
		BIO_meth_free(made);
		made = NULL;
	}
	return made;
}

BIO *
tls_output_new(int fd, BIO *kernel)
{
	BIO *bio = method() == NULL ? NULL : BIO_new(method());
	if (bio == NULL) {
		BIO_free(kernel);
		return NULL;
	}
	struct output *output = BIO_get_data(bio);
	output->fd = fd;
	output->kernel = kernel;
	return bio;
}
