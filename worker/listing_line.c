/*
 * Lines of listings (see listing_line.h). Runs in the worker, as the user, for 100,000 names in a
 * row. Names and targets of links are anything.
 */
#include "worker/listing_line.h"

#include "worker/text.h"

/* ---- what is stored ---- */

/* Control characters become '?' before and not after: no character of a charset holds one. */
static NO_INLINE char *
put_written(char *at, struct charset *charset, struct bytes stored)
{
	char clean[PATH_BYTES_MAX];
	const char *end = text_put_name(clean, stored);
	return charset_write(charset, bytes_of(clean, (size_t)(end - clean)), at);
}

static char *
put_stored(char *at, const struct listing_lines *lines, struct bytes stored)
{
	return lines->charset == NULL ? text_put_name(at, stored)
				      : put_written(at, lines->charset, stored);
}

/* ---- as ls prints it ---- */

static char *
put_mode(char *at, const struct pathio_attributes *attributes)
{
	static const char types[] = {
		[PATHIO_TYPE_FILE] = '-',
		[PATHIO_TYPE_DIRECTORY] = 'd',
		[PATHIO_TYPE_SYMLINK] = 'l',
		[PATHIO_TYPE_OTHER] = 'p',
	};
	static const char letters[] = "rwxrwxrwx";
	static const struct {
		size_t place; /* of the execute bit */
		uint32_t bit;
		char with, without;
	} specials[] = { { 2, 04000, 's', 'S' }, { 5, 02000, 's', 'S' }, { 8, 01000, 't', 'T' } };

	*at++ = types[attributes->type];
	memset(at, '-', sizeof(letters) - 1);
	for (size_t i = 0; i < sizeof(letters) - 1; i++)
		if ((attributes->mode & 0400u >> i) != 0)
			at[i] = letters[i];
	for (size_t i = 0; i < ARRAY_LENGTH(specials); i++) {
		char *execute = at + specials[i].place;
		if ((attributes->mode & specials[i].bit) == 0)
			continue;
		if (*execute == '-')
			*execute = specials[i].without;
		else
			*execute = specials[i].with;
	}
	return at + sizeof(letters) - 1;
}

static char *
put_owner(char *at, const struct listing_owner *owner, uint32_t owner_id, uint32_t id)
{
	char number[TEXT_NUMBER_DIGITS_MAX];
	struct bytes shown = owner->name;
	if (id != owner_id || shown.length == 0)
		shown = bytes_of(number, (size_t)(text_put_number(number, id) - number));
	at = text_put_column(at, shown, 8);
	*at++ = ' ';
	return at;
}

static char *
put_columns(char *at, struct listing_lines *lines, const struct pathio_attributes *attributes)
{
	at = put_mode(at, attributes);
	*at++ = ' ';
	at = text_put_padded(at, attributes->links, 4);
	*at++ = ' ';
	at = put_owner(at, lines->owner, lines->owner->uid, attributes->uid);
	at = put_owner(at, lines->owner, lines->owner->gid, attributes->gid);
	at = text_put_padded(at, attributes->size, 12);
	*at++ = ' ';
	at = stamp_put_list(&lines->stamp, at, attributes->mtime_ns);
	*at++ = ' ';
	return at;
}

static NO_INLINE char *
put_target(char *at, const struct listing_lines *lines, struct bytes name)
{
	const struct listing *listing = lines->listing;
	char target[PATH_BYTES_MAX];
	struct path path;
	const struct tree *tree = listing_tree(listing);
	if (listing_entry_path(listing, name, &path) < 0)
		return at;
	int length = tree->backend->readlink(tree->state, &path, target, sizeof(target));
	if (length <= 0)
		return at;
	return put_stored(text_put_text(at, " -> "), lines, bytes_of(target, (size_t)length));
}

/* ---- facts ---- */

/* What the session may do with a link, it does with what the link leads to. */
static void
judge_target(struct listing_lines *lines, const struct backend_entry *entry,
	struct facts_subject *subject)
{
	if (listing_entry_target(lines->listing, entry->name, &lines->target) < 0)
		return;
	subject->target = &lines->target;
	subject->entry_access = access_to(lines->access, &lines->target);
}

static char *
put_facts(char *at, struct listing_lines *lines, const struct backend_entry *entry)
{
	const struct listing *listing = lines->listing;
	struct facts_subject subject = {
		.attributes = &entry->attributes,
		.rights = listing_entry_rights(listing, entry->name),
		.rights_below = listing_entry_rights_below(listing, entry->name),
		.entry_access = access_to(lines->access, &entry->attributes),
		.folder_access = access_to_name(lines->access,
			listing_is_single(listing) ? &lines->parent
						   : listing_folder_attributes(listing),
			&entry->attributes),
	};
	if (entry->attributes.type == PATHIO_TYPE_SYMLINK && (lines->facts & PATHIO_FACT_PERM) != 0)
		judge_target(lines, entry, &subject);
	at = facts_put(at, lines->facts, &subject, &lines->kept);
	*at++ = ' ';
	return at;
}

static char *
put_folder_facts(char *at, struct listing_lines *lines, enum facts_role role,
	const struct path *path, const struct backend_entry *entry)
{
	const struct rights *rights = listing_rights(lines->listing);
	bool has_parent = role == FACTS_CURRENT && path->length > 1;
	const struct facts_subject subject = {
		.attributes = &entry->attributes,
		.role = role,
		.rights = rights_at(rights, path_bytes(path)),
		.rights_below = rights_at_tree(rights, path_bytes(path)),
		.entry_access = access_to(lines->access, &entry->attributes),
		.folder_access = has_parent ? access_to_name(lines->access, &lines->parent,
						      &entry->attributes)
					    : 0,
	};
	at = facts_put(at, lines->facts, &subject, &lines->kept);
	*at++ = ' ';
	return at;
}

/* ---- lines ---- */

static char *
put_name(char *at, const struct listing_lines *lines, struct bytes name)
{
	at = text_put(at, lines->before);
	if (lines->within.length > 0) {
		at = put_stored(at, lines, lines->within);
		*at++ = '/';
	}
	return put_stored(at, lines, name);
}

/* As ls -F prints it; a long line tells a link by its arrow. */
static char *
put_mark(char *at, const struct listing_lines *lines, const struct pathio_attributes *attributes)
{
	bool is_program = attributes->type == PATHIO_TYPE_FILE && (attributes->mode & 0111) != 0;
	if (attributes->type == PATHIO_TYPE_DIRECTORY)
		*at++ = '/';
	else if (is_program)
		*at++ = '*';
	else if (attributes->type == PATHIO_TYPE_SYMLINK && lines->style == PATHIO_STYLE_NAMES)
		*at++ = '@';
	return at;
}

int
listing_lines_look(struct listing_lines *lines)
{
	const struct tree *tree = listing_tree(lines->listing);
	struct path parent;
	if (listing_is_single(lines->listing))
		parent = *listing_folder(lines->listing);
	else
		path_parent(listing_folder(lines->listing), &parent);
	return tree->backend->stat(tree->state, &parent, true, &lines->parent);
}

char *
listing_line_put(char *at, struct listing_lines *lines, const struct backend_entry *entry)
{
	switch (lines->style) {
	case PATHIO_STYLE_LIST:
		at = put_columns(at, lines, &entry->attributes);
		break;
	case PATHIO_STYLE_NAMES:
		break;
	case PATHIO_STYLE_FACTS:
		at = put_facts(at, lines, entry);
		break;
	}
	at = put_name(at, lines, entry->name);
	if (lines->has_marks)
		at = put_mark(at, lines, &entry->attributes);
	if (lines->style == PATHIO_STYLE_LIST && entry->attributes.type == PATHIO_TYPE_SYMLINK)
		at = put_target(at, lines, entry->name);
	return text_put_text(at, "\r\n");
}

char *
listing_line_put_folder(char *at, struct listing_lines *lines, enum facts_role role)
{
	const struct listing *listing = lines->listing;
	struct path path = *listing_folder(listing);
	bool is_current = role == FACTS_CURRENT;
	const struct backend_entry entry = {
		.name = bytes_of_text(is_current ? "." : ".."),
		.attributes = is_current ? *listing_folder_attributes(listing) : lines->parent,
	};
	if (!is_current)
		path_parent(&path, &path);
	if ((rights_at(listing_rights(listing), path_bytes(&path)) & RIGHTS_LIST) == 0)
		return at;
	at = lines->style == PATHIO_STYLE_FACTS ? put_folder_facts(at, lines, role, &path, &entry)
						: put_columns(at, lines, &entry.attributes);
	at = text_put_name(at, entry.name);
	if (lines->has_marks)
		*at++ = '/';
	return text_put_text(at, "\r\n");
}

char *
listing_line_put_head(
	char *at, const struct listing_lines *lines, struct bytes folder, struct bytes within)
{
	at = text_put_name(at, folder);
	if (folder.length > 0 && at[-1] != '/' && within.length > 0)
		*at++ = '/';
	at = put_stored(at, lines, within);
	return text_put_text(at, ":\r\n");
}
