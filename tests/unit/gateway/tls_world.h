/*
 * A TLS server as the gateway has it, with real keys of sallyport-keys in the same process, and a
 * client of OpenSSL's at the other end of a socketpair. For tests of tls*.c.
 */
#ifndef SALLYPORT_TESTS_UNIT_GATEWAY_TLS_WORLD_H
#define SALLYPORT_TESTS_UNIT_GATEWAY_TLS_WORLD_H

#include "gateway/tls.h"
#include "gateway/tls_context.h"
#include "gateway/tls_tickets.h"
#include "tests/table.h"

#include <openssl/ssl.h>

enum { TLS_WORLD_CERTIFICATES = 3 };

struct tls_world {
	struct event_base *base;
	struct vault *vault;
	struct channel *supervisor, *to_supervisor; /* the vault's */
	struct tls_signer *signer;
	struct tls_tickets *tickets;
	struct tls_context *context;
	struct tls_peer_rules peer; /* what clients are held to */
	uint32_t keys;              /* used so far */
	bool is_silent;             /* keys reads nothing: tls_world_run() leaves it alone */
	unsigned lost;              /* channels to keys */
};

/* A connection from both ends. */
struct tls_line {
	struct tls *server;
	int server_fd;
	SSL_CTX *client_context;
	SSL *client;
	int client_fd;
	unsigned woken;
	int server_result; /* of the handshake */
	int client_result; /* SSL_get_error() of it */
};

/* For tls_world_add(): "EC" with a group, "RSA" with bits as text, or "ED25519". */
struct tls_world_key {
	const char *algorithm, *parameter;
	const char *host; /* subject of the certificate */
};

/* A server with these certificates; of *world only `peer` may be set, all else zero. */
void tls_world_open(struct tls_world *world, const struct tls_world_key *keys, size_t count);
void tls_world_close(struct tls_world *world);

/* A certificate that signs itself; the caller frees it. */
X509 *tls_world_sign_itself(EVP_PKEY *key, const char *host);

/* Keys dies. */
void tls_world_kill_keys(struct tls_world *world);

/* Another life of keys, which holds nothing; and one that never answers. */
void tls_world_connect_keys(struct tls_world *world);
void tls_world_connect_silence(struct tls_world *world, int *other_end);

/* A new connection; set up `line->client` further before tls_line_shake(). */
void tls_line_open(struct tls_world *world, struct tls_line *line, uint64_t session,
	struct tls *control, bool is_data);

/* The same of a control connection that is at a host. */
void tls_line_open_at(struct tls_world *world, struct tls_line *line, uint64_t session,
	const char *host, bool is_host_asked);
void tls_line_close(struct tls_line *line);

/* Drives both handshakes as far as they go. */
void tls_line_shake(struct tls_world *world, struct tls_line *line);

/* What the client has received as application data and what else libssl wants to read. */
int tls_line_client_read(struct tls_line *line, char *buffer, int capacity);

uint64_t tls_world_now_s(void);
void tls_world_set_now_s(uint64_t now_s);

#endif
