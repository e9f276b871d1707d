/*
 * Messages that break a channel's rules (see malformed.h). Runs in test programs, which end when
 * memory is short.
 */
#include "tests/hostile/malformed_private.h"

#include "ipc/base/ends.h"
#include "ipc/base/scope.h"
#include "tests/hostile/specimen.h"
#include "tests/samples.h"

#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	DESCRIPTORS_MANY = 100,
	SEEDS = 64,          /* samples that are looked at for one with short, filled lists */
	SAMPLE_BYTES = 2048, /* what is cut short at each byte should not be much longer */
};

static const struct {
	const char *name;
	const char *rule;
} kinds[] = {
	[MALFORMED_HEADER] = { "header", "a message without a header" },
	[MALFORMED_SIZE] = { "size", "an oversized message" },
	[MALFORMED_MANY] = { "many", "more descriptors than any message has" },
	[MALFORMED_CODE] = { "code", "unknown message" },
	[MALFORMED_SENDER] = { "sender", "a message that this peer may not send" },
	[MALFORMED_PHASE] = { "phase", "a message out of phase" },
	[MALFORMED_UNWANTED] = { "unwanted", "a descriptor where none belongs" },
	[MALFORMED_COUNT] = { "count", "not exactly one descriptor" },
	[MALFORMED_DESCRIPTOR] = { "descriptor", "a descriptor of another kind" },
	[MALFORMED_FIELD] = { "field", "a field out of range" },
	[MALFORMED_EMPTY] = { "empty", "a message without a header" },
};

const char *
malformed_rule(const struct malformed_list *list, enum malformed_kind kind)
{
	bool carries = false;
	for (uint32_t i = 0; i < list->messages->count; i++) {
		const struct message_rule *rule = &list->messages->rules[i];
		carries = carries || ((rule->senders & SENT_BY(list->sender)) != 0 &&
					     rule->descriptor != DESCRIPTOR_NONE);
	}
	return kinds[kind == MALFORMED_MANY && !carries ? MALFORMED_UNWANTED : kind].rule;
}

size_t
malformed_find(const struct malformed_list *list, const char *kind)
{
	for (size_t i = 0; i < list->count; i++)
		if (strcmp(kinds[list->items[i].kind].name, kind) == 0)
			return i;
	die("nothing is malformed that way: %s", kind);
}

/* ---- the list ---- */

static void
put_word(char *place, uint32_t word)
{
	for (int i = 0; i < 4; i++, word >>= 8)
		place[i] = (char)(unsigned char)word;
}

static void
put_code(char *header, uint32_t code)
{
	put_word(header, code);
	put_word(header + sizeof(uint32_t), MALFORMED_TAG);
}

struct malformed *
malformed_add(struct malformed_list *list, const struct message_rule *rule,
	enum malformed_kind kind, struct bytes bytes, const char *format, ...)
{
	if (list->count == list->capacity) {
		list->capacity = list->capacity == 0 ? 256 : 2 * list->capacity;
		list->items = realloc(list->items, list->capacity * sizeof(list->items[0]));
	}
	char *copy = malloc(bytes.length + 1);
	if (list->items == NULL || copy == NULL)
		die("no memory for lies");
	memcpy(copy, bytes.data, bytes.length);
	struct malformed *added = &list->items[list->count++];
	*added = (struct malformed){
		.message = rule == NULL ? "-" : rule->name,
		.kind = kind,
		.bytes = bytes_of(copy, bytes.length),
	};
	if (rule != NULL && rule->descriptor != DESCRIPTOR_NONE) {
		added->descriptors = 1;
		added->specimen = specimen_of(rule->descriptor);
	}
	int length = snprintf(added->name, sizeof(added->name), "%s: ", added->message);
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(added->name + length, sizeof(added->name) - (size_t)length, format, arguments);
	va_end(arguments);
	return added;
}

void
malformed_free(struct malformed_list **list)
{
	for (size_t i = 0; i < (*list)->count; i++)
		free((void *)(uintptr_t)(*list)->items[i].bytes.data);
	free((*list)->items);
	free(*list);
	*list = NULL;
}

/* ---- one message that is good ---- */

static size_t
count_filled_lists(const struct wire_record *record, const char *body)
{
	size_t count = 0;
	for (const struct wire_field *field = record->fields; field->kind != WIRE_END; field++) {
		struct wire_list list;
		if (field->kind == WIRE_RECORD)
			count += count_filled_lists(field->record, body + field->offset);
		if (field->kind != WIRE_LIST)
			continue;
		memcpy(&list, body + field->offset, sizeof(list));
		count += list.count == 1 ? 2 : list.count > 0;
	}
	return count;
}

/* Of some random ones the shorter ones with something in each list, best with one element. */
struct bytes
malformed_sample(const struct message_rule *rule, char *buffer)
{
	struct sample *sample = sample_new();
	size_t best = 0;
	int best_length = -1;
	uint64_t best_seed = 0;
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		sample_fill(sample, rule->record, SAMPLE_RANDOM, seed);
		size_t filled = count_filled_lists(rule->record, sample->body);
		int length = wire_encode(rule->record, sample->body, buffer + MESSAGE_HEADER_BYTES,
			MESSAGE_BODY_BYTES_MAX);
		if (length < 0 || (best_length >= 0 && filled < best) ||
			(best_length >= 0 && filled == best && length >= best_length))
			continue;
		best = filled;
		best_length = length;
		best_seed = seed;
	}
	sample_fill(sample, rule->record, SAMPLE_RANDOM, best_seed);
	int length = wire_encode(
		rule->record, sample->body, buffer + MESSAGE_HEADER_BYTES, MESSAGE_BODY_BYTES_MAX);
	ensure(length == best_length && length <= SAMPLE_BYTES);
	sample_free(&sample);
	put_code(buffer, rule->code);
	return bytes_of(buffer, (size_t)length + MESSAGE_HEADER_BYTES);
}

/* ---- of no message ---- */

static void
add_nobodys_codes(struct malformed_list *list)
{
	char message[MESSAGE_HEADER_BYTES];
	for (uint32_t code = 0; code <= list->messages->count + 1; code++) {
		if (code < list->messages->count && list->messages->rules[code].name != NULL)
			continue;
		put_code(message, code);
		malformed_add(list, NULL, MALFORMED_CODE, bytes_of(message, sizeof(message)),
			"code %u", code);
	}
	put_code(message, UINT32_MAX);
	malformed_add(
		list, NULL, MALFORMED_CODE, bytes_of(message, sizeof(message)), "the largest code");
}

static void
add_shapeless(struct malformed_list *list)
{
	static char large[MESSAGE_HEADER_BYTES + MESSAGE_BODY_BYTES_MAX + 1];
	malformed_add(list, NULL, MALFORMED_EMPTY, bytes_of("", 0), "nothing at all");
	for (size_t length = 1; length < MESSAGE_HEADER_BYTES; length++)
		malformed_add(list, NULL, MALFORMED_HEADER, bytes_of(large, length),
			"%zu bytes of a header", length);
	malformed_add(list, NULL, MALFORMED_SIZE, bytes_of(large, sizeof(large)),
		"one byte more than 64 KiB");
}

/* ---- of one message ---- */

static void
add_lengths(struct malformed_list *list, const struct message_rule *rule, struct bytes message)
{
	for (size_t length = MESSAGE_HEADER_BYTES; length < message.length; length++)
		malformed_add(list, rule, MALFORMED_FIELD, bytes_of(message.data, length),
			"cut short after %zu of %zu bytes", length, message.length);
	/* The buffer is larger, and what stands there is of no matter. */
	malformed_add(list, rule, MALFORMED_FIELD, bytes_of(message.data, message.length + 1),
		"one byte more");
}

static void
add_descriptors(struct malformed_list *list, const struct message_rule *rule, struct bytes message)
{
	bool wants = rule->descriptor != DESCRIPTOR_NONE;
	enum malformed_kind kind = wants ? MALFORMED_COUNT : MALFORMED_UNWANTED;
	malformed_add(list, rule, kind, message, "two descriptors")->descriptors = 2;
	malformed_add(list, rule, MALFORMED_MANY, message, "%d descriptors", DESCRIPTORS_MANY)
		->descriptors = DESCRIPTORS_MANY;
	if (!wants)
		malformed_add(list, rule, kind, message, "one descriptor")->descriptors = 1;
	else
		malformed_add(list, rule, kind, message, "no descriptor")->descriptors = 0;
	for (unsigned specimen = 0; wants && specimen < specimen_count(); specimen++)
		if (!specimen_is(specimen, rule->descriptor))
			malformed_add(list, rule, MALFORMED_DESCRIPTOR, message, "with a %s",
				specimen_name(specimen))
				->specimen = specimen;
}

static void
add_message(struct malformed_list *list, const struct message_rule *rule)
{
	static char buffer[MALFORMED_BUFFER_BYTES];
	struct bytes message = malformed_sample(rule, buffer);
	if ((rule->senders & SENT_BY(list->sender)) == 0) {
		malformed_add(list, rule, MALFORMED_SENDER, message, "the other side's");
	} else if ((rule->phases & list->phase) == 0) {
		malformed_add(list, rule, MALFORMED_PHASE, message, "not now");
	} else {
		add_lengths(list, rule, message);
		add_descriptors(list, rule, message);
		malformed_add_fields(list, rule, message);
	}
}

struct malformed_list *
malformed_new(const struct message_table *messages, enum role sender, enum message_phase phase)
{
	struct malformed_list *list = calloc(1, sizeof(*list));
	if (list == NULL)
		die("no memory for lies");
	list->messages = messages;
	list->sender = sender;
	list->phase = phase;
	add_shapeless(list);
	add_nobodys_codes(list);
	for (uint32_t code = 0; code < messages->count; code++)
		if (messages->rules[code].name != NULL)
			add_message(list, &messages->rules[code]);
	return list;
}

/* ---- sending ---- */

void
malformed_set_tag(const struct malformed_list *list, size_t index, uint32_t tag)
{
	struct bytes bytes = list->items[index].bytes;
	if (bytes.length >= MESSAGE_HEADER_BYTES)
		put_word((char *)(uintptr_t)bytes.data + sizeof(uint32_t), tag);
}

static int
send_with(int fd, struct bytes bytes, const int *descriptors, unsigned count)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(DESCRIPTORS_MANY * sizeof(int))];
	} control = { 0 };
	struct iovec part = { .iov_base = (void *)(uintptr_t)bytes.data, .iov_len = bytes.length };
	struct msghdr header = { .msg_iov = &part, .msg_iovlen = 1 };
	if (count > 0) {
		header.msg_control = &control;
		header.msg_controllen = CMSG_SPACE(count * sizeof(int));
		struct cmsghdr *cmsg = CMSG_FIRSTHDR(&header);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(count * sizeof(int));
		memcpy(CMSG_DATA(cmsg), descriptors, count * sizeof(int));
	}
	ssize_t sent = sendmsg(fd, &header, MSG_NOSIGNAL);
	return sent < 0 ? -errno : 0;
}

int
malformed_send(const struct malformed_list *list, size_t index, int fd)
{
	const struct malformed *item = &list->items[index];
	int descriptors[DESCRIPTORS_MANY];
	for (unsigned i = 0; i < item->descriptors; i++)
		descriptors[i] = specimen_open(item->specimen);
	int error = send_with(fd, item->bytes, descriptors, item->descriptors);
	for (unsigned i = 0; i < item->descriptors; i++)
		fd_close(&descriptors[i]);
	if (error < 0 && error != -EPIPE && error != -ECONNRESET)
		die("cannot send \"%s\": %s", item->name, strerror(-error));
	return error < 0 ? -EPIPE : 0;
}
