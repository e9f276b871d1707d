/*
 * Commands that give a digest of a file: HASH (draft-bryan-ftpext-hash), and those that are older
 * and known from no standard: XCRC XMD5 XSHA XSHA1 XSHA256 XSHA512 MD5. Run in the gateway; the
 * worker reads and computes, for minutes perhaps, and ABOR ends it.
 *
 * Clients write the path with quotes or without, and a range may follow it. An argument that can be
 * read in two ways is tried in both: the second one when the first finds nothing.
 */
#include "gateway/digest.h"

#include "gateway/command.h"
#include "gateway/hash.h"
#include "gateway/quote.h"
#include "gateway/session.h"
#include "gateway/words.h"
#include "ipc/base/ends.h"
#include "ipc/base/number.h"

#include <errno.h>
#include <stdlib.h>

enum { READINGS_MAX = 2, DIGEST_BYTES_MAX = 64, HEX_BYTES = 2 * DIGEST_BYTES_MAX + 1 };

/* One way to understand an argument. */
struct reading {
	struct bytes path; /* as the client wrote it */
	struct byte_range range;
};

struct digesting;

/* What a verb asks for. */
struct digest_verb {
	enum pathio_algorithm algorithm;
	void (*reply)(const struct digesting *digesting, const struct pathio_digested *digested);
};

/* A digest that is being computed: of the first reading that finds a file. */
struct digesting {
	struct session *session;
	struct digest_verb verb;
	int first_error; /* of a reading that found nothing; 0: none */
	size_t tried;    /* readings, with the one under way */
	size_t count;
	struct reading readings[READINGS_MAX];
	char text[]; /* what their paths point into */
};

/* ---- replies ---- */

static const char *
print_hex(struct bytes digest, const char *digits, char text[HEX_BYTES])
{
	ensure(digest.length <= DIGEST_BYTES_MAX);
	for (size_t i = 0; i < digest.length; i++) {
		unsigned char byte = (unsigned char)digest.data[i];
		text[2 * i] = digits[byte >> 4];
		text[2 * i + 1] = digits[byte & 0xf];
	}
	text[2 * digest.length] = '\0';
	return text;
}

/* The older verbs give capitals, as the servers that had them first. */
static const char *
print_capitals(struct bytes digest, char text[HEX_BYTES])
{
	return print_hex(digest, "0123456789ABCDEF", text);
}

static const struct reading *
current_reading(const struct digesting *digesting)
{
	return &digesting->readings[digesting->tried - 1];
}

static void
reply_hash(const struct digesting *digesting, const struct pathio_digested *digested)
{
	const struct reading *reading = current_reading(digesting);
	uint64_t start = reading->range.start;
	char hex[HEX_BYTES];
	struct quoted path;
	/* An empty file has no last byte; the draft wants one that is not before the first. */
	uint64_t last = digested->count == 0 ? start : start + digested->count - 1;
	session_reply(digesting->session, reply_hash_is, hash_name(digesting->verb.algorithm),
		start, last, print_hex(digested->digest, "0123456789abcdef", hex),
		quote_plain(reading->path, &path));
}

static void
reply_checksum(const struct digesting *digesting, const struct pathio_digested *digested)
{
	char hex[HEX_BYTES];
	session_reply(digesting->session, reply_checksum_is, print_capitals(digested->digest, hex));
}

static void
reply_with_path(const struct digesting *digesting, const struct pathio_digested *digested)
{
	char hex[HEX_BYTES];
	struct quoted path;
	session_reply(digesting->session, reply_checksum_of,
		quote_plain(current_reading(digesting)->path, &path),
		print_capitals(digested->digest, hex));
}

static void
reply_failure(struct session *session, int error)
{
	if (error == -EISDIR)
		session_reply(session, reply_hash_folder);
	else if (error == -EINVAL)
		session_reply(session, reply_range_beyond);
	else
		session_reply_failure(session, FAILURE_GENERAL, error);
}

/* ---- computing ---- */

static void
finish(struct digesting *digesting, int error)
{
	struct session *session = digesting->session;
	if (error < 0)
		reply_failure(session, error);
	free(digesting);
	session_finish(session);
}

static void on_digested(void *argument, const struct pathio_answer *answer);

/* Asks about the next reading that is a path at all. */
static void
try_next(struct digesting *digesting)
{
	struct session *session = digesting->session;
	while (digesting->tried < digesting->count && session->aborts == 0) {
		const struct reading *reading = &digesting->readings[digesting->tried++];
		struct path path;
		int error = session_fold(session, reading->path, &path);
		if (error < 0) {
			if (digesting->first_error == 0)
				digesting->first_error = error;
			continue;
		}
		struct pathio_digest request = {
			.path = path_bytes(&path),
			.algorithm = digesting->verb.algorithm,
			.offset = reading->range.start,
			.count = reading->range.count,
		};
		session->long_tag = pathio_digest(session->files, &request, on_digested, digesting);
		return;
	}
	finish(digesting, session->aborts > 0 ? -ECANCELED : digesting->first_error);
}

/* Of a HASH the reply says how far it went; of the others nobody could tell. */
static bool
is_beyond_end(const struct digesting *digesting, uint64_t count)
{
	uint64_t wanted = current_reading(digesting)->range.count;
	if (wanted == UINT64_MAX)
		return false;
	return count == 0 || (count < wanted && digesting->verb.reply != reply_hash);
}

static void
reply_digest(struct digesting *digesting, const struct pathio_digested *digested)
{
	if (is_beyond_end(digesting, digested->count)) {
		finish(digesting, -EINVAL);
		return;
	}
	digesting->verb.reply(digesting, digested);
	finish(digesting, 0);
}

static void
on_digested(void *argument, const struct pathio_answer *answer)
{
	struct digesting *digesting = argument;
	if (answer->error == 0) {
		reply_digest(digesting, &answer->body->digested);
	} else if (failure_means_nothing(answer->error)) {
		if (digesting->first_error == 0)
			digesting->first_error = answer->error;
		try_next(digesting);
	} else {
		finish(digesting, answer->error);
	}
}

/* The readings' paths point into the argument, or into words, which go after the call. */
static struct digesting *
digesting_new(struct session *session, const struct reading *readings, size_t count)
{
	size_t bytes = 0;
	for (size_t i = 0; i < count; i++)
		bytes += readings[i].path.length;
	struct digesting *digesting = malloc(sizeof(*digesting) + bytes);
	if (digesting == NULL)
		return NULL;
	*digesting = (struct digesting){ .session = session, .count = count };
	char *at = digesting->text;
	for (size_t i = 0; i < count; i++) {
		size_t length = readings[i].path.length;
		memcpy(at, readings[i].path.data, length);
		digesting->readings[i] = readings[i];
		digesting->readings[i].path = bytes_of(at, length);
		at += length;
	}
	return digesting;
}

static void
begin(struct session *session, const struct digest_verb *verb, const struct reading *readings,
	size_t count)
{
	struct digesting *digesting = digesting_new(session, readings, count);
	if (digesting == NULL) {
		session_reply_failure(session, FAILURE_GENERAL, EIO);
		return;
	}
	digesting->verb = *verb;
	session_begin_long(session);
	try_next(digesting);
}

/* ---- HASH ---- */

void
digest_hash(struct session *session, struct bytes argument)
{
	const struct digest_verb verb = { session->parameters.hash, reply_hash };
	struct byte_range range = session_take_range(session);
	if (range.count == UINT64_MAX)
		range = byte_range_all; /* REST is no range */
	struct reading readings[READINGS_MAX] = { { argument, range } };
	struct words words;
	struct bytes quoted, more;
	words_begin(&words, argument);
	/* Some clients quote a path with blanks also where no standard says so. */
	bool is_quoted = argument.data[0] == '"' && words_next(&words, &quoted) == 1 &&
			 words_next(&words, &more) == 0 && quoted.length > 0;
	if (is_quoted)
		readings[1] = (struct reading){ quoted, range };
	begin(session, &verb, readings, is_quoted ? 2 : 1);
}

void
digest_opts_hash(struct session *session, struct bytes name)
{
	enum pathio_algorithm *chosen = &session->parameters.hash;
	if (name.length == 0 || hash_find(name, chosen))
		session_reply(session, reply_hash_chosen, hash_name(*chosen));
	else
		session_reply(session, reply_hash_unknown, hash_name(*chosen));
}

/* ---- the others ---- */

/* "start" and "end", which is the byte behind the last one; a false range is -EINVAL. */
static int
parse_range(struct bytes start, struct bytes end, struct byte_range *range)
{
	uint64_t from, to;
	if (number_parse(start, INT64_MAX, &from) < 0 || number_parse(end, INT64_MAX, &to) < 0 ||
		to <= from)
		return -EINVAL;
	*range = (struct byte_range){ from, to - from };
	return 0;
}

/* "path" [start [end]]. 1; 0 if it does not begin with a quoted path; -EINVAL for a false range. */
static int
read_quoted(struct words *words, struct bytes argument, struct reading *reading)
{
	struct bytes start, end, more;
	words_begin(words, argument);
	if (argument.data[0] != '"' || words_next(words, &reading->path) != 1 ||
		reading->path.length == 0)
		return 0;
	int has_start = words_next(words, &start);
	if (has_start <= 0)
		return has_start < 0 ? has_start : 1;
	int has_end = words_next(words, &end);
	if (has_end == 0) {
		reading->range.count = UINT64_MAX;
		return number_parse(start, INT64_MAX, &reading->range.start) < 0 ? -EINVAL : 1;
	}
	if (has_end < 0 || words_next(words, &more) != 0)
		return -EINVAL;
	return parse_range(start, end, &reading->range) < 0 ? -EINVAL : 1;
}

/* path start end, where the path may hold blanks. One number would say too little. */
static bool
read_plain(struct bytes argument, struct reading *reading)
{
	struct bytes start, end;
	if (!words_take_last(&argument, &end) || !words_take_last(&argument, &start) ||
		parse_range(start, end, &reading->range) < 0)
		return false;
	reading->path = argument;
	return true;
}

static void
checksum(struct session *session, struct bytes argument, const struct digest_verb *verb)
{
	struct reading whole = { argument, byte_range_all };
	struct reading parts = { argument, byte_range_all };
	struct words words;
	int is_quoted = read_quoted(&words, argument, &parts);
	if (is_quoted < 0)
		session_reply(session, reply_argument_bad, "\"path\" [start [end]]");
	else if (is_quoted > 0)
		begin(session, verb, (struct reading[]){ parts, whole }, 2);
	else if (read_plain(argument, &parts))
		begin(session, verb, (struct reading[]){ whole, parts }, 2);
	else
		begin(session, verb, &whole, 1);
}

#define CHECKSUM(function, number, how)                                                \
	void function(struct session *session, struct bytes argument)                  \
	{                                                                              \
		checksum(session, argument, &(struct digest_verb){ (number), (how) }); \
	}
#include "gateway/digests.def"
