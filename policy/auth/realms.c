/*
 * Users by host (see realms.h). Runs in auth. Hosts are the supervisor's; which of them is asked
 * for a gateway says, and gains nothing by a lie: every host has its own passwords.
 */
#include "policy/auth/realms.h"

#include <errno.h>
#include <stdlib.h>

struct realm {
	struct realm *next;
	struct accounts *own; /* NULL: the server's */
	size_t name_length;
	char name[];
};

struct realms {
	struct accounts *server;
	struct realm *first;
};

int
realms_new(int fd, const struct verdict_configure *configure, struct realms **result, char **reason)
{
	const struct accounts_source source = {
		.fd = fd,
		.host = bytes_of_text(""),
		.file_name = configure->file_name,
	};
	struct realms *realms = calloc(1, sizeof(*realms));
	if (realms == NULL)
		return -ENOMEM;
	int error = accounts_load(&source, configure, &realms->server, reason);
	if (error < 0)
		realms_free(&realms);
	else
		*result = realms;
	return error;
}

void
realms_free(struct realms **realms)
{
	struct realms *freed = *realms;
	*realms = NULL;
	if (freed == NULL)
		return;
	while (freed->first != NULL) {
		struct realm *realm = freed->first;
		freed->first = realm->next;
		accounts_free(&realm->own);
		free(realm);
	}
	accounts_free(&freed->server);
	free(freed);
}

static struct realm *
find(const struct realms *realms, struct bytes host)
{
	struct realm *realm = realms->first;
	while (realm != NULL && !bytes_equal(bytes_of(realm->name, realm->name_length), host))
		realm = realm->next;
	return realm;
}

int
realms_add(struct realms *realms, const struct accounts_source *source,
	const struct verdict_configure *configure, char **reason)
{
	if (source->host.length == 0 || find(realms, source->host) != NULL)
		return -EEXIST;
	struct realm *realm = calloc(1, sizeof(*realm) + source->host.length);
	if (realm == NULL)
		return -ENOMEM;
	realm->name_length = source->host.length;
	memcpy(realm->name, source->host.data, source->host.length);
	int error = source->fd < 0 ? 0 : accounts_load(source, configure, &realm->own, reason);
	if (error < 0) {
		free(realm);
		return error;
	}
	realm->next = realms->first;
	realms->first = realm;
	return 0;
}

struct accounts *
realms_find(const struct realms *realms, struct bytes host)
{
	const struct realm *realm = host.length == 0 ? NULL : find(realms, host);
	if (host.length > 0 && realm == NULL)
		return NULL;
	return realm == NULL || realm->own == NULL ? realms->server : realm->own;
}

struct bytes
realms_hash(const struct realms *realms, struct bytes host, struct bytes name)
{
	const struct accounts *accounts = realms_find(realms, host);
	/* No name is empty: a stand-in. */
	return accounts == NULL ? accounts_hash(realms->server, bytes_of("", 0))
				: accounts_hash(accounts, name);
}
