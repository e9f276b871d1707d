/*
 * Facts of a file (see facts.h). Runs in the worker. They tell and decide nothing.
 */
#include "worker/facts.h"

#include "policy/rules/rights.h"
#include "worker/text.h"

struct permission {
	enum pathio_type type;
	uint32_t right;
	unsigned entry;
	unsigned folder;
	char letter;
	bool is_of_tree;
};

enum { CHANGE = ACCESS_WRITE | ACCESS_EXECUTE };
enum permission_scope { ITSELF, TREE };

static const struct permission rows[] = {
#define PERMISSION(shown, TYPE, RIGHT, SCOPE, of_entry, of_folder, doc) \
	{                                                               \
		.letter = (shown),                                      \
		.type = PATHIO_TYPE_##TYPE,                             \
		.right = RIGHTS_##RIGHT,                                \
		.is_of_tree = (SCOPE) == TREE,                          \
		.entry = (of_entry),                                    \
		.folder = (of_folder),                                  \
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

/* ---- perm ---- */

/* What is done with a link's name is done to the link, all else to what it leads to. */
static bool
is_about(const struct permission *row, const struct facts_permissions *permissions)
{
	return row->type == permissions->type ||
	       (row->type == permissions->target && row->folder == 0);
}

static void
judge(struct facts_permissions *permissions)
{
	permissions->length = 0;
	for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
		const struct permission *row = &rows[i];
		uint32_t rights = row->is_of_tree ? permissions->rights_below : permissions->rights;
		if (is_about(row, permissions) && (rights & row->right) != 0 &&
			(permissions->entry_access & row->entry) == row->entry &&
			(permissions->folder_access & row->folder) == row->folder)
			permissions->letters[permissions->length++] = row->letter;
	}
}

static bool
is_kept(const struct facts_permissions *kept, const struct facts_permissions *wanted)
{
	return kept->is_kept && kept->type == wanted->type && kept->target == wanted->target &&
	       kept->rights == wanted->rights && kept->rights_below == wanted->rights_below &&
	       kept->entry_access == wanted->entry_access &&
	       kept->folder_access == wanted->folder_access;
}

static char *
put_permissions(char *at, const struct facts_subject *subject, struct facts_permissions *kept)
{
	enum pathio_type type = subject->attributes->type;
	struct facts_permissions wanted = {
		.is_kept = true,
		.type = type,
		.target = subject->target == NULL ? type : subject->target->type,
		.rights = subject->rights,
		.rights_below = subject->rights_below,
		.entry_access = subject->entry_access,
		.folder_access = subject->folder_access,
	};
	if (!is_kept(kept, &wanted)) {
		*kept = wanted;
		judge(kept);
	}
	at = text_put_text(at, "perm=");
	at = text_put(at, bytes_of(kept->letters, kept->length));
	*at++ = ';';
	return at;
}

/* ---- all of them ---- */

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
facts_put(char *at, uint32_t wanted, const struct facts_subject *subject, struct facts_kept *kept)
{
	const struct pathio_attributes *attributes = subject->attributes;
	if ((wanted & PATHIO_FACT_TYPE) != 0)
		at = put_type(at, subject);
	if ((wanted & PATHIO_FACT_SIZE) != 0 && attributes->type == PATHIO_TYPE_FILE)
		at = put_number(at, "size=", attributes->size);
	if ((wanted & PATHIO_FACT_MODIFY) != 0)
		at = put_time(at, "modify=", attributes->mtime_ns, &kept->modify);
	if ((wanted & PATHIO_FACT_CREATE) != 0 && attributes->has_btime)
		at = put_time(at, "create=", attributes->btime_ns, &kept->create);
	if ((wanted & PATHIO_FACT_PERM) != 0)
		at = put_permissions(at, subject, &kept->permissions);
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
