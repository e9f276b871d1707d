/*
 * TLS of the process (see security.h). Runs in the gateway, which holds no key. Certificates come
 * from the supervisor, checked by the loader: one that cannot be used ends this process.
 */
#include "gateway/security.h"

#include "gateway/gateway.h"
#include "gateway/supervisor.h"
#include "gateway/tls_context.h"
#include "gateway/tls_kernel.h"
#include "gateway/tls_provider.h"
#include "gateway/tls_tickets.h"
#include "ipc/base/content.h"
#include "ipc/base/scope.h"

#include <openssl/rand.h>
#include <stdlib.h>

enum { CERTIFICATES_MAX = 64, FILE_BYTES_MAX = 1024 * 1024 };

struct security {
	struct gateway *gateway;
	struct tls_signer *signer;
	struct tls_tickets *tickets;
	struct tls_context *context; /* NULL: none yet */
	struct pump_room *pumps;
	const struct tls_kernel *kernel; /* NULL: none */
	const char *news;                /* about it, for the log; NULL: nothing to say */
	struct tls_certificate next[CERTIFICATES_MAX];
	char *chains[CERTIFICATES_MAX], *staples[CERTIFICATES_MAX]; /* their bytes */
	size_t count;
	struct tls_peer_rules peer; /* of the next set */
	char *authorities, *crls;   /* their bytes */
};

static uint64_t
now_s(void)
{
	return gateway_now_ms() / 1000;
}

static void
on_keys_closed(void *owner, const char *malformed)
{
	struct security *security = owner;
	if (malformed != NULL)
		record_malformed(security->gateway, PROCESS_KEYS, 0, malformed);
	supervisor_want_keys(security->gateway);
}

/* ---- the next set ---- */

static void
drop_next(struct security *security)
{
	for (size_t i = 0; i < security->count; i++) {
		free(security->chains[i]);
		free(security->staples[i]);
		security->chains[i] = security->staples[i] = NULL;
	}
	security->count = 0;
	free(security->authorities);
	free(security->crls);
	security->authorities = security->crls = NULL;
	security->peer = (struct tls_peer_rules){ .wanted = CLIENT_CERTIFICATE_OFF };
}

int
security_add_certificate(struct security *security, uint32_t key, int fd)
{
	if (security->count == CERTIFICATES_MAX)
		return -E2BIG;
	struct tls_certificate added = { .key = key };
	int error =
		content_read(fd, FILE_BYTES_MAX, &security->chains[security->count], &added.chain);
	if (error == 0)
		security->next[security->count++] = added;
	return error;
}

int
security_add_staple(struct security *security, int fd)
{
	if (security->count == 0 || security->next[security->count - 1].staple.length > 0)
		return -EINVAL;
	size_t last = security->count - 1;
	return content_read(
		fd, FILE_BYTES_MAX, &security->staples[last], &security->next[last].staple);
}

int
security_add_authority(struct security *security, bool is_crl, int fd)
{
	struct bytes *next = is_crl ? &security->peer.crls : &security->peer.authorities;
	if (next->length > 0)
		return -EINVAL;
	return content_read(
		fd, FILE_BYTES_MAX, is_crl ? &security->crls : &security->authorities, next);
}

int
security_use_certificates(struct security *security)
{
	security->peer.wanted = security->gateway->settings.client_certificate;
	const struct tls_context_options options = {
		.peer = security->peer,
		.signer = security->signer,
		.tickets = security->tickets,
		.certificates = security->next,
		.count = security->count,
	};
	struct tls_context *context = NULL;
	size_t failed;
	int error = security->count == 0 ? -EINVAL : tls_context_new(&options, &context, &failed);
	drop_next(security);
	if (error < 0)
		return error;
	tls_context_release(&security->context);
	security->context = context;
	return 0;
}

/* ---- the kernel ---- */

bool
security_try_kernel(struct security *security)
{
	bool is_there = tls_kernel_try(&security->news);
	security->kernel = is_there ? &tls_kernel_linux : NULL;
	return is_there;
}

void
security_report(struct security *security)
{
	if (security->news != NULL)
		record_notice(security->gateway, SEVERITY_INFO, security->news);
	security->news = NULL;
}

const struct tls_kernel *
security_kernel(const struct security *security)
{
	return security->kernel;
}

/* ---- life ---- */

int
security_connect_keys(struct security *security, int *fd)
{
	return tls_signer_connect(security->signer, fd);
}

struct tls_context *
security_context(const struct security *security)
{
	return security->context;
}

struct pump_room *
security_pumps(const struct security *security)
{
	return security->pumps;
}

struct security *
security_new(struct gateway *gateway)
{
	unsigned char byte;
	struct security *security = calloc(1, sizeof(*security));
	if (security == NULL)
		return NULL;
	const struct tls_signer_options options = {
		.base = gateway->base,
		.closed = on_keys_closed,
		.owner = security,
	};
	security->gateway = gateway;
	/* Random numbers once, so that their generators are there before the cage is closed. */
	if (tls_provider_load() < 0 || RAND_bytes(&byte, 1) != 1 || RAND_priv_bytes(&byte, 1) != 1)
		security_free(&security);
	if (security == NULL)
		return NULL;
	security->signer = tls_signer_new(&options);
	security->tickets = tls_tickets_new(now_s);
	security->pumps = pump_room_new(gateway->base);
	if (security->signer == NULL || security->tickets == NULL || security->pumps == NULL)
		security_free(&security);
	return security;
}

void
security_free(struct security **security)
{
	struct security *freed = *security;
	*security = NULL;
	if (freed == NULL)
		return;
	drop_next(freed);
	pump_room_free(&freed->pumps);
	tls_context_release(&freed->context);
	tls_tickets_free(&freed->tickets);
	tls_signer_free(&freed->signer);
	tls_provider_unload();
	free(freed);
}
