/*
 * The gateway process (see gateway.h). Unprivileged and caged; its clients are strangers.
 */
#include "gateway/gateway.h"

#include "gateway/attention.h"
#include "gateway/passive.h"
#include "gateway/reception.h"
#include "gateway/security.h"
#include "gateway/session.h"
#include "gateway/turn.h"
#include "gateway/turnstile.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

enum {
	BUCKETS_MAX = 65536,
	DESCRIPTORS_OF_PROCESS = 512, /* listeners, channels, what is being handed over */
	DESCRIPTORS_OF_SESSION = 5,
};

uint64_t
gateway_now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

struct gateway *
gateway_new(struct event_base *base)
{
	struct gateway *gateway = calloc(1, sizeof(*gateway));
	if (gateway == NULL)
		return NULL;
	gateway->base = base;
	turn_init(gateway);
	gateway->attention = attention_new(gateway);
	gateway->reception = reception_new(gateway);
	gateway->turnstile = turnstile_new();
	gateway->passive = passive_new(gateway);
	gateway->security = security_new(gateway);
	if (gateway->attention == NULL || gateway->reception == NULL ||
		gateway->turnstile == NULL || gateway->passive == NULL || gateway->security == NULL)
		gateway_free(&gateway);
	return gateway;
}

/* Sessions for which there are descriptors, whatever the configuration hopes (DECISIONS 19). */
static uint32_t
bound_connections(uint32_t wanted)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur == RLIM_INFINITY)
		return wanted;
	rlim_t most = limit.rlim_cur <= DESCRIPTORS_OF_PROCESS
			      ? 1
			      : (limit.rlim_cur - DESCRIPTORS_OF_PROCESS) / DESCRIPTORS_OF_SESSION;
	return most < wanted ? (uint32_t)most : wanted;
}

int
gateway_configure(struct gateway *gateway, const struct gate_configure *settings)
{
	struct session_table *table = &gateway->sessions;
	uint32_t buckets = 64;
	while (buckets < settings->connections_max && buckets < BUCKETS_MAX)
		buckets *= 2;
	table->buckets = calloc(buckets, sizeof(struct session *));
	if (table->buckets == NULL)
		return -ENOMEM;
	table->bucket_count = buckets;
	gateway->settings = *settings;
	gateway->settings.greeting = bytes_of_text("");
	gateway->settings.connections_max = bound_connections(settings->connections_max);
	return hosts_set_server(&gateway->hosts, settings->greeting);
}

void
gateway_leave(struct gateway *gateway, bool now)
{
	gateway->is_leaving = true;
	reception_close(gateway->reception);
	passive_close(gateway->passive);
	if (now)
		session_leave_all(gateway);
	gateway_leave_if_empty(gateway);
}

void
gateway_leave_if_empty(struct gateway *gateway)
{
	if (gateway->is_leaving && gateway->sessions.count == 0)
		event_base_loopbreak(gateway->base);
}

void
gateway_free(struct gateway **gateway)
{
	struct gateway *freed = *gateway;
	if (freed == NULL)
		return;
	session_free_all(freed);
	turn_stop(freed);
	channel_free(&freed->supervisor);
	channel_free(&freed->auth);
	record_free(&freed->record);
	reception_free(&freed->reception);
	turnstile_free(&freed->turnstile);
	passive_free(&freed->passive);
	announce_free(&freed->announcements);
	proxies_free(&freed->proxies);
	attention_free(&freed->attention);
	security_free(&freed->security);
	ticket_table_free(&freed->tickets);
	hosts_free(&freed->hosts);
	free(freed->sessions.buckets);
	free(freed);
	*gateway = NULL;
}
