/*
 * Tickets: with which a client resumes a TLS session (RFC 8446 4.6.1, RFC 5077). Each names the
 * control session that it was given in, so that a data connection can resume that session alone:
 * whoever has the port but not the keys of the control connection is found out.
 *
 * The keys are this process's own, random, and change every hour; a data connection always comes to
 * the gateway of its control connection (DECISIONS 25).
 */
#ifndef SALLYPORT_GATEWAY_TLS_TICKETS_H
#define SALLYPORT_GATEWAY_TLS_TICKETS_H

#include "ipc/base/compiler.h"

#include <openssl/types.h>
#include <stdbool.h>
#include <stdint.h>

enum { TLS_TICKET_KEY_LIFE_S = 3600 };

struct tls_tickets;

/* `now_s` is a clock that only goes forward. NULL when memory or random numbers are short. */
MUST_CHECK struct tls_tickets *tls_tickets_new(uint64_t (*now_s)(void));

/* Wipes the keys and sets *tickets to NULL. */
void tls_tickets_free(struct tls_tickets **tickets);

/* Sessions of that context are resumed by this module's rules. False if OpenSSL refuses. */
MUST_CHECK bool tls_tickets_install(struct tls_tickets *tickets, SSL_CTX *context);

#endif
