/*
 * Setting times and modes, for MDTM, MFMT, MFF and SITE.
 */
#ifndef SALLYPORT_GATEWAY_MODIFY_H
#define SALLYPORT_GATEWAY_MODIFY_H

#include "ipc/base/path.h"

#include <stdint.h>

struct session;

/* What is to be set. */
struct modification {
	bool has_mode;
	bool has_mtime;
	bool has_atime;
	uint32_t mode;
	int64_t mtime_ns;
	int64_t atime_ns;
};

/* Sets it: the session's command from now on. `reply` is the line for success. */
void modify_path(struct session *session, const struct path *path,
	const struct modification *wanted, const char *reply);

/* Octal digits: 0, -EINVAL or -ERANGE for what is no mode, -ENOTSUP beyond 0777. */
MUST_CHECK int modify_parse_mode(struct bytes text, struct modification *wanted);

#endif
