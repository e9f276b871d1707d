/*
 * Listings as text (see listing_text.h). Runs in the worker, as the user. Names and targets of
 * links are anything; a line stays one line (HOSTILE 15). An error in the middle is told after the
 * lines that were made before it.
 */
#include "worker/listing_text.h"

#include "ipc/base/scope.h"
#include "worker/charset.h"
#include "worker/facts.h"
#include "worker/text.h"

#include <errno.h>
#include <time.h>

struct listing_text {
	struct listing *listing;
	struct listing_text_options options;
	enum facts_role next_role; /* "." and ".." come first, where they come at all */
	int error;
	struct stamp stamp;
	struct pathio_attributes parent;
	unsigned folder_access;
	unsigned parent_access;
	char prefix[];
};

/* ---- one line ---- */

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

/* Control characters become '?' before and not after: no character of a charset holds one. */
static char *
put_stored(char *at, const struct listing_text *text, struct bytes stored)
{
	char clean[PATH_BYTES_MAX];
	if (text->options.charset == NULL)
		return text_put_name(at, stored);
	const char *end = text_put_name(clean, stored);
	return charset_write(text->options.charset, bytes_of(clean, (size_t)(end - clean)), at);
}

static char *
put_target(char *at, const struct listing_text *text, struct bytes name)
{
	const struct listing *listing = text->listing;
	char target[PATH_BYTES_MAX];
	struct path path;
	const struct tree *tree = listing_tree(listing);
	if (listing_entry_path(listing, name, &path) < 0)
		return at;
	int length = tree->backend->readlink(tree->state, &path, target, sizeof(target));
	if (length <= 0)
		return at;
	return put_stored(text_put_text(at, " -> "), text, bytes_of(target, (size_t)length));
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
put_list_line(char *at, struct listing_text *text, const struct backend_entry *entry)
{
	const struct pathio_attributes *attributes = &entry->attributes;
	at = put_mode(at, attributes);
	*at++ = ' ';
	at = text_put_padded(at, attributes->links, 4);
	*at++ = ' ';
	const struct listing_owner *owner = text->options.owner;
	at = put_owner(at, owner, owner->uid, attributes->uid);
	at = put_owner(at, owner, owner->gid, attributes->gid);
	at = text_put_padded(at, attributes->size, 12);
	*at++ = ' ';
	at = stamp_put_list(&text->stamp, at, attributes->mtime_ns);
	*at++ = ' ';
	at = put_stored(at, text, entry->name);
	if (attributes->type == PATHIO_TYPE_SYMLINK)
		at = put_target(at, text, entry->name);
	return at;
}

static char *
put_facts_line(char *at, struct listing_text *text, const struct backend_entry *entry,
	const struct facts_subject *subject)
{
	at = facts_put(at, text->options.facts, subject, &text->stamp);
	*at++ = ' ';
	return put_stored(at, text, entry->name);
}

static char *
put_entry(char *at, struct listing_text *text, const struct backend_entry *entry)
{
	struct facts_subject subject = { .attributes = &entry->attributes };
	switch (text->options.style) {
	case PATHIO_STYLE_LIST:
		at = put_list_line(at, text, entry);
		break;
	case PATHIO_STYLE_NAMES:
		at = text_put_name(at, text->options.prefix);
		at = put_stored(at, text, entry->name);
		break;
	case PATHIO_STYLE_FACTS:
		subject.rights = listing_entry_rights(text->listing, entry->name);
		subject.entry_access = access_to(text->options.access, &entry->attributes);
		subject.folder_access = text->folder_access;
		at = put_facts_line(at, text, entry, &subject);
		break;
	}
	return text_put_text(at, "\r\n");
}

/* ---- "." and ".." ---- */

static char *
put_folder(char *at, struct listing_text *text, enum facts_role role)
{
	const struct rights *rights = listing_rights(text->listing);
	const struct path *folder = listing_folder(text->listing);
	struct path parent;
	path_parent(folder, &parent);
	bool current = role == FACTS_CURRENT;
	struct backend_entry entry = {
		.name = bytes_of_text(current ? "." : ".."),
		.attributes = current ? *listing_folder_attributes(text->listing) : text->parent,
	};
	struct facts_subject subject = {
		.attributes = &entry.attributes,
		.role = role,
		.rights = rights_at(rights, path_bytes(current ? folder : &parent)),
		.entry_access = current ? text->folder_access : text->parent_access,
		.folder_access = current && folder->length > 1 ? text->parent_access : 0,
	};
	if ((subject.rights & RIGHTS_LIST) == 0)
		return at;
	at = text->options.style == PATHIO_STYLE_FACTS ? put_facts_line(at, text, &entry, &subject)
						       : put_list_line(at, text, &entry);
	return text_put_text(at, "\r\n");
}

/* MLSD has them always (RFC 3659 7.5.1), LIST with -a. */
static bool
has_folders(const struct listing_text *text)
{
	if (listing_is_single(text->listing))
		return false;
	return text->options.style == PATHIO_STYLE_FACTS ||
	       (text->options.style == PATHIO_STYLE_LIST && text->options.dots);
}

static int
look_at_folders(struct listing_text *text)
{
	const struct access *access = text->options.access;
	const struct tree *tree = listing_tree(text->listing);
	struct path parent;
	if (listing_is_single(text->listing)) {
		parent = *listing_folder(text->listing);
	} else {
		path_parent(listing_folder(text->listing), &parent);
		text->folder_access = access_to(access, listing_folder_attributes(text->listing));
	}
	int error = tree->backend->stat(tree->state, &parent, true, &text->parent);
	if (error < 0)
		return error;
	text->parent_access = access_to(access, &text->parent);
	if (listing_is_single(text->listing))
		text->folder_access = text->parent_access;
	return 0;
}

/* ---- the whole ---- */

int
listing_text_new(struct listing *listing, const struct listing_text_options *options,
	struct listing_text **result)
{
	if (options->prefix.length > PATH_BYTES_MAX)
		return -ENAMETOOLONG;
	SCOPE_FREE struct listing_text *text = calloc(1, sizeof(*text) + options->prefix.length);
	if (text == NULL)
		return -ENOMEM;
	text->listing = listing;
	text->options = *options;
	if (options->prefix.length > 0)
		memcpy(text->prefix, options->prefix.data, options->prefix.length);
	text->options.prefix.data = text->prefix;
	text->stamp = (struct stamp){
		.local = options->local_times && options->style == PATHIO_STYLE_LIST,
		.now_s = time(NULL),
	};
	text->next_role = has_folders(text) ? FACTS_CURRENT : FACTS_INSIDE;
	int error = options->style == PATHIO_STYLE_NAMES ? listing_names_only(listing)
							 : look_at_folders(text);
	if (error < 0)
		return error;
	*result = text;
	text = NULL;
	return 0;
}

void
listing_text_free(struct listing_text **text)
{
	free(*text);
	*text = NULL;
}

/* The next line, or several: LISTING_*, negative errno. */
static int
put_next(struct listing_text *text, char **at)
{
	if (text->next_role != FACTS_INSIDE) {
		*at = put_folder(*at, text, text->next_role);
		text->next_role = text->next_role == FACTS_CURRENT ? FACTS_PARENT : FACTS_INSIDE;
		return LISTING_ENTRY;
	}
	struct backend_entry entry;
	int result = listing_next(text->listing, text->options.dots, &entry);
	if (result == LISTING_ENTRY)
		*at = put_entry(*at, text, &entry);
	return result;
}

int
listing_text_fill(struct listing_text *text, char *buffer, size_t capacity, bool *ended)
{
	char *at = buffer;
	if (text->error < 0)
		return text->error;
	listing_judge_by(text->listing, *text->options.rights);
	int result = LISTING_ENTRY;
	while (result == LISTING_ENTRY &&
		capacity - (size_t)(at - buffer) >= LISTING_LINE_BYTES_MAX)
		result = put_next(text, &at);
	*ended = result == LISTING_END;
	if (result < 0 && at == buffer)
		return result;
	text->error = result < 0 ? result : 0;
	return (int)(at - buffer);
}
