/*
 * Facts of a file (see facts.h). Runs in the worker. They tell and decide nothing.
 */
#include "worker/facts.h"

#include "policy/rules/rights.h"
#include "worker/text.h"

struct permission {
	char letter;
	enum pathio_type type;
	uint32_t right;
	unsigned entry;
	unsigned folder;
};

enum { CHANGE = ACCESS_WRITE | ACCESS_EXECUTE };

static const struct permission permissions[] = {
#define PERMISSION(shown, TYPE, RIGHT, of_entry, of_folder, doc) \
	{                                                        \
		.letter = (shown),                               \
		.type = PATHIO_TYPE_##TYPE,                      \
		.right = RIGHTS_##RIGHT,                         \
		.entry = (of_entry),                             \
		.folder = (of_folder),                           \
	},
#include "worker/permission.def"
};

static char *
put_type(char *at, const struct facts_subject *subject)
{
	static const char *const names[] = {
		[PATHIO_TYPE_FILE] = "type=file;",
		[PATHIO_TYPE_DIRECTORY] = "type=dir;",
		[PATHIO_TYPE_SYMLINK] = "type=OS.unix=slink;",
		[PATHIO_TYPE_OTHER] = "type=OS.unix=special;",
	};
	switch (subject->role) {
	case FACTS_CURRENT:
		return text_put_text(at, "type=cdir;");
	case FACTS_PARENT:
		return text_put_text(at, "type=pdir;");
	case FACTS_INSIDE:
		break;
	}
	return text_put_text(at, names[subject->attributes->type]);
}

static char *
put_permissions(char *at, const struct facts_subject *subject)
{
	at = text_put_text(at, "perm=");
	for (size_t i = 0; i < ARRAY_LENGTH(permissions); i++) {
		const struct permission *row = &permissions[i];
		if (row->type == subject->attributes->type && (subject->rights & row->right) != 0 &&
			(subject->entry_access & row->entry) == row->entry &&
			(subject->folder_access & row->folder) == row->folder)
			*at++ = row->letter;
	}
	*at++ = ';';
	return at;
}

static char *
put_time(char *at, const char *name, int64_t time_ns, struct stamp *stamp)
{
	at = stamp_put_fact(stamp, text_put_text(at, name), time_ns);
	*at++ = ';';
	return at;
}

static char *
put_number(char *at, const char *name, uint64_t value)
{
	at = text_put_number(text_put_text(at, name), value);
	*at++ = ';';
	return at;
}

char *
facts_put(char *at, uint32_t wanted, const struct facts_subject *subject, struct stamp *stamp)
{
	const struct pathio_attributes *attributes = subject->attributes;
	if ((wanted & PATHIO_FACT_TYPE) != 0)
		at = put_type(at, subject);
	if ((wanted & PATHIO_FACT_SIZE) != 0 && attributes->type == PATHIO_TYPE_FILE)
		at = put_number(at, "size=", attributes->size);
	if ((wanted & PATHIO_FACT_MODIFY) != 0)
		at = put_time(at, "modify=", attributes->mtime_ns, stamp);
	if ((wanted & PATHIO_FACT_CREATE) != 0 && attributes->has_btime)
		at = put_time(at, "create=", attributes->btime_ns, stamp);
	if ((wanted & PATHIO_FACT_PERM) != 0)
		at = put_permissions(at, subject);
	if ((wanted & PATHIO_FACT_UNIQUE) != 0) {
		at = text_put_hex(text_put_text(at, "unique="), attributes->device);
		at = text_put_hex(text_put_text(at, "g"), attributes->inode);
		*at++ = ';';
	}
	if ((wanted & PATHIO_FACT_UNIX_MODE) != 0) {
		at = text_put_text(at, "UNIX.mode=0");
		for (int shift = 9; shift >= 0; shift -= 3)
			if (shift < 9 || attributes->mode >> 9 != 0)
				*at++ = (char)('0' + (attributes->mode >> shift & 7));
		*at++ = ';';
	}
	if ((wanted & PATHIO_FACT_UNIX_OWNER) != 0)
		at = put_number(at, "UNIX.owner=", attributes->uid);
	if ((wanted & PATHIO_FACT_UNIX_GROUP) != 0)
		at = put_number(at, "UNIX.group=", attributes->gid);
	return at;
}
