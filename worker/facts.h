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
	const struct pathio_attributes *target; /* where a symbolic link leads; NULL: nowhere */
	enum facts_role role;
	uint32_t rights;        /* of the session, there */
	uint32_t rights_below;  /* there and at everything below */
	unsigned entry_access;  /* access_to() the entry, or where it leads */
	unsigned folder_access; /* access_to_name() in the folder that holds it; 0: in none */
};

/* What `perm` says is the same for most entries of a folder. */
struct facts_permissions {
	bool is_kept;
	enum pathio_type type;
	enum pathio_type target; /* or that of the entry itself */
	uint32_t rights;
	uint32_t rights_below;
	unsigned entry_access;
	unsigned folder_access;
	size_t length;
	char letters[16];
};

/* What one entry's facts leave for the next one's. Begins as zeros. */
struct facts_kept {
	struct stamp modify;
	struct stamp create;
	struct facts_permissions permissions;
};

/* Writes those of `wanted` (enum pathio_fact), each with its ";": where the next byte goes. */
char *
facts_put(char *at, uint32_t wanted, const struct facts_subject *subject, struct facts_kept *kept);

#endif
