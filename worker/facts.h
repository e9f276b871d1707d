/*
 * Facts of MLST and MLSD (RFC 3659 7): "type=file;size=1024;modify=20191123223501;perm=adfrw;".
 */
#ifndef SALLYPORT_WORKER_FACTS_H
#define SALLYPORT_WORKER_FACTS_H

#include "worker/access.h"
#include "worker/stamp.h"

enum { FACTS_BYTES_MAX = 512 };

/* What the value of `type` says of a directory: itself, its parent, or one inside. */
enum facts_role { FACTS_INSIDE, FACTS_CURRENT, FACTS_PARENT };

struct facts_subject {
	const struct pathio_attributes *attributes;
	enum facts_role role;
	uint32_t rights;        /* of the session, there */
	unsigned entry_access;  /* access_to() the entry */
	unsigned folder_access; /* access_to() the folder that holds it */
};

/* Writes those of `wanted` (enum pathio_fact), each with its ";": where the next byte goes. */
char *
facts_put(char *at, uint32_t wanted, const struct facts_subject *subject, struct stamp *stamp);

#endif
