/*
 * What a TLS connection writes: records, gathered so that many leave in one send(2). A record that
 * is taken is not yet sent; who counts bytes of a transfer counts at the flush.
 */
#ifndef SALLYPORT_GATEWAY_TLS_OUTPUT_H
#define SALLYPORT_GATEWAY_TLS_OUTPUT_H

#include "ipc/base/compiler.h"

#include <openssl/types.h>
#include <stddef.h>

/*
 * As a BIO that writes to fd (borrowed). It holds memory only while something is to be sent. Takes
 * `kernel`, which may be NULL (tls_kernel.h): libssl may give it keys, and from then on whatever
 * is written goes there at once, as plain bytes.
 */
MUST_CHECK BIO *tls_output_new(int fd, BIO *kernel);

/*
 * From now on libssl's own flushes, behind each of its messages, do nothing: what is there leaves
 * with tls_output_flush() or when there is no more room.
 */
void tls_output_hold(BIO *output);

/* The same, and the memory stays between flushes: more is on its way. */
void tls_output_gather(BIO *output);

/* Sends what is there: 0, -EAGAIN, or the negative errno that ended the connection. */
MUST_CHECK int tls_output_flush(BIO *output);

/* Bytes that are taken and not sent. */
size_t tls_output_waiting(BIO *output);

#endif
