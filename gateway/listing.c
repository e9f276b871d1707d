/*
 * Commands that list folders over a data connection: LIST NLST MLSD (RFC 959 4.1.3, RFC 3659 7).
 * Run in the gateway, which reads the words; the worker finds, matches, sorts and prints.
 */
#include "gateway/listing.h"

#include "gateway/command.h"
#include "gateway/session.h"
#include "gateway/transfer.h"

#include <errno.h>

static void
start(struct session *session, struct bytes folder, struct transfer_order order)
{
	struct path path;
	if (!session_resolve(session, FAILURE_GENERAL, folder, &path))
		return;
	order.kind = TRANSFER_LISTING;
	order.path = path_bytes(&path);
	order.form = PATHIO_FORM_ASCII;
	transfer_start(session, &order);
}

bool
listing_check_words(struct session *session, const struct listing_words *words)
{
	int error = listing_check(words);
	if (error == -EINVAL)
		session_reply(session, reply_argument_bad, "no . and no .. behind a wildcard");
	else if (error < 0)
		session_reply_failure(session, FAILURE_GENERAL, error);
	return error == 0;
}

/* What -R calls the folder in its heads. */
static struct bytes
head_of(const struct listing_words *words)
{
	bool is_here = words->folder.length == 0 && words->pattern.length == 0;
	return is_here ? bytes_of_text(".") : words->folder;
}

/*
 * The names of another folder are useless without it: they come with the words that the client used
 * for it. Of a path without a pattern only the worker knows whether it is a folder.
 */
static void
set_prefix(struct transfer_listing *listing, const struct listing_words *words,
	char room[LINE_BYTES_MAX + 1])
{
	struct bytes path = words->path;
	const char *slash = path.length == 0 ? NULL : memrchr(path.data, '/', path.length);
	size_t above = slash == NULL ? 0 : (size_t)(slash - path.data) + 1;
	bool is_path = words->pattern.length == 0;
	size_t length = is_path && words->is_itself ? above : words->folder.length;
	if (length > 0)
		memcpy(room, path.data, length);
	if (length > 0 && room[length - 1] != '/')
		room[length++] = '/';
	listing->prefix = bytes_of(room, length);
	listing->is_by_type = length > 0 && is_path && !words->is_itself;
	listing->file_prefix_bytes = above;
}

/* `style` is what the verb stands for; options may want another one. */
static void
list(struct session *session, struct bytes argument, enum pathio_style style)
{
	struct listing_words words = listing_parse(argument, style);
	char room[LINE_BYTES_MAX + 1];
	struct transfer_order order = {
		.listing = {
			.style = words.style,
			.show = words.show,
			.order = words.order,
			.prefix = bytes_of("", 0),
			.below = words.below,
		},
		.pattern = words.pattern,
		.is_of_files_also = words.pattern.length == 0,
		.is_itself = words.is_itself,
	};
	if (!listing_check_words(session, &words))
		return;
	bool has_heads = words.style == PATHIO_STYLE_LIST && (words.show & PATHIO_SHOW_BELOW) != 0;
	if (has_heads)
		order.listing.prefix = head_of(&words);
	else if (words.style == PATHIO_STYLE_NAMES && style == PATHIO_STYLE_NAMES)
		set_prefix(&order.listing, &words, room);
	start(session, words.folder, order);
}

void
listing_list(struct session *session, struct bytes argument)
{
	list(session, argument, PATHIO_STYLE_LIST);
}

void
listing_nlst(struct session *session, struct bytes argument)
{
	list(session, argument, PATHIO_STYLE_NAMES);
}

void
listing_mlsd(struct session *session, struct bytes argument)
{
	struct transfer_order order = {
		.listing = { .style = PATHIO_STYLE_FACTS, .show = PATHIO_SHOW_DOTS },
	};
	start(session, argument, order);
}
