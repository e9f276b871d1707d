/*
 * Virtual hosts (RFC 7151): which one a client is at, by the address that it came to or by the name
 * that it asked for. Process lifetime. A host is a name for auth and a greeting; who somebody is
 * there, auth says.
 */
#ifndef SALLYPORT_GATEWAY_HOSTS_H
#define SALLYPORT_GATEWAY_HOSTS_H

#include "ipc/base/bytes.h"
#include "ipc/gate.h"

struct host;

/* All of them; `server` is where a client is who is at none. */
struct hosts {
	struct host *server;
	struct host *first;
};

/* The server's own greeting; all zero before. 0 or -ENOMEM. */
MUST_CHECK int hosts_set_server(struct hosts *hosts, struct bytes greeting);

/* 0 or -ENOMEM. */
MUST_CHECK int hosts_add(struct hosts *hosts, const struct gate_host *told);

void hosts_free(struct hosts *hosts);

/* Where who came to that local address is. */
const struct host *hosts_at(const struct hosts *hosts, const struct wire_address *local);

/*
 * The host of that name, in any case; for an address (RFC 7151 3.1: 192.0.2.7 or [2001:db8::7])
 * that is `local`'s, hosts_at(). 0; -ENOENT: no such host; -EINVAL: no name at all.
 */
MUST_CHECK int hosts_find(const struct hosts *hosts, struct bytes name,
	const struct wire_address *local, const struct host **result);

/* "" of the server. */
struct bytes host_name(const struct host *host);
const char *host_greeting(const struct host *host);

#endif
