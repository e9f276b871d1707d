/*
 * Misdeeds (see deed.h). Runs in the liar, which dies of a line that makes no sense: a test that
 * asks for what cannot be done fails.
 */
#include "tests/hostile/deed.h"

#include "ipc/base/ends.h"
#include "ipc/base/scope.h"
#include "tests/hostile/field.h"
#include "tests/hostile/malformed.h"
#include "tests/hostile/specimen.h"

#include <stdlib.h>

/* What an act gets: the words behind it, and where it happens. */
struct scene {
	struct deed *deed;
	struct relay *relay;
	struct wire *wire;
	struct parcel *parcel;
	char **words;
	unsigned count;
};

static const struct message_rule *
find_rule(const struct message_table *messages, const char *name)
{
	for (uint32_t code = 0; code < messages->count; code++)
		if (messages->rules[code].name != NULL &&
			strcmp(messages->rules[code].name, name) == 0)
			return &messages->rules[code];
	die("%s has no message %s", messages->name, name);
}

static const struct message_rule *
rule_of(const struct wire *wire, const struct parcel *parcel)
{
	const struct message_table *messages = wire->protocol->messages;
	uint32_t code = parcel->length < MESSAGE_HEADER_BYTES ? 0 : parcel_word(parcel, 0);
	if (code >= messages->count || messages->rules[code].name == NULL)
		return NULL;
	return &messages->rules[code];
}

/* ---- messages as structs and back ---- */

/* False: not a message of that row. */
static bool
decode(const struct message_rule *rule, const struct parcel *parcel, void *body)
{
	struct bytes encoded = bytes_of(
		parcel->data + MESSAGE_HEADER_BYTES, parcel->length - MESSAGE_HEADER_BYTES);
	return wire_decode(rule->record, encoded, body, NULL) == 0;
}

static void
encode(const struct message_rule *rule, const void *body, uint32_t tag, struct parcel *parcel)
{
	static char data[MESSAGE_BODY_BYTES_MAX];
	int length = wire_encode(rule->record, body, data, sizeof(data));
	if (length < 0)
		die("%s: a value breaks its row; that is what \"malformed\" is for", rule->name);
	memcpy(parcel->data, &rule->code, sizeof(rule->code));
	memcpy(parcel->data + sizeof(tag), &tag, sizeof(tag));
	memcpy(parcel->data + MESSAGE_HEADER_BYTES, data, (size_t)length);
	parcel->length = MESSAGE_HEADER_BYTES + (size_t)length;
}

/* "name=value" */
static const char *
split(char *word, char name[64])
{
	size_t length = strcspn(word, "=");
	if (word[length] != '=' || length >= 64)
		die("%s is no FIELD=VALUE", word);
	memcpy(name, word, length);
	name[length] = '\0';
	return word + length + 1;
}

static void
set_fields(const struct message_rule *rule, void *body, char **words, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		char name[64];
		const char *value = split(words[i], name);
		if (strcmp(name, "with") != 0)
			field_set(rule->record, body, name, value);
	}
}

/* The descriptor that the row wants, or the one that a word names. */
static void
add_descriptor(const struct message_rule *rule, char **words, unsigned count, struct parcel *parcel)
{
	unsigned specimen = 0;
	bool is_named = false;
	for (unsigned i = 0; i < count; i++)
		if (strncmp(words[i], "with=", strlen("with=")) == 0) {
			specimen = specimen_find(words[i] + strlen("with="));
			is_named = true;
		}
	if (!is_named && rule->descriptor == DESCRIPTOR_NONE)
		return;
	parcel->count = 1;
	parcel->descriptors[0] = specimen_open(is_named ? specimen : specimen_of(rule->descriptor));
}

/* Something good of that row to begin with; the latest is kept, for floods. */
static struct bytes
sample_body(const struct message_rule *rule)
{
	static char buffer[MALFORMED_BUFFER_BYTES];
	static const struct message_rule *kept;
	static struct bytes message;
	if (kept != rule)
		message = malformed_sample(rule, buffer);
	kept = rule;
	return bytes_of(message.data + MESSAGE_HEADER_BYTES, message.length - MESSAGE_HEADER_BYTES);
}

/* A whole message of that row; the words set its fields. */
static void
make(const struct message_rule *rule, uint32_t tag, char **words, unsigned count,
	struct parcel *parcel)
{
	_Alignas(max_align_t) char body[MESSAGE_STRUCT_BYTES_MAX];
	if (wire_decode(rule->record, sample_body(rule), body, NULL) < 0)
		bug("a sample of %s that is none", rule->name);
	set_fields(rule, body, words, count);
	encode(rule, body, tag, parcel);
	add_descriptor(rule, words, count, parcel);
}

/* ---- acts ---- */

static bool
act_drop(struct scene *scene)
{
	(void)scene;
	return false;
}

static bool
act_silence(struct scene *scene)
{
	scene->deed->is_done = false;
	return false;
}

static bool
act_die(struct scene *scene)
{
	(void)scene;
	_exit(3);
}

static bool
act_hang(struct scene *scene)
{
	(void)scene;
	while (pause() < 0)
		continue;
	return false;
}

static bool
act_hang_up(struct scene *scene)
{
	fd_close(&scene->wire->outer_fd);
	return false;
}

static bool
act_twice(struct scene *scene)
{
	relay_send(scene->wire->outer_fd, scene->parcel);
	return true;
}

static bool
act_set(struct scene *scene)
{
	_Alignas(max_align_t) char body[MESSAGE_STRUCT_BYTES_MAX];
	static struct parcel copy; /* texts of the body point into the message */
	copy = *scene->parcel;
	if (!decode(scene->deed->trigger, &copy, body))
		die("%s came malformed", scene->deed->trigger->name);
	set_fields(scene->deed->trigger, body, scene->words, scene->count);
	encode(scene->deed->trigger, body, parcel_word(&copy, sizeof(uint32_t)), scene->parcel);
	return true;
}

static bool
act_give(struct scene *scene)
{
	parcel_close(scene->parcel);
	scene->parcel->count = 1;
	scene->parcel->descriptors[0] = specimen_open(specimen_find(scene->words[0]));
	return true;
}

static bool
act_instead(struct scene *scene)
{
	uint32_t tag = parcel_word(scene->parcel, sizeof(uint32_t));
	parcel_close(scene->parcel);
	make(find_rule(scene->deed->protocol->messages, scene->words[0]), tag, scene->words + 1,
		scene->count - 1, scene->parcel);
	return true;
}

/* A field that counts up is set anew each time: "+session=@" is the last one, then the next ... */
static void
make_nth(const struct scene *scene, const struct message_rule *rule, uint64_t n,
	struct parcel *parcel)
{
	char counted[DEED_WORDS_MAX][96];
	char *words[DEED_WORDS_MAX];
	unsigned count = scene->count - 2;
	for (unsigned i = 0; i < count; i++) {
		char name[64];
		words[i] = scene->words[i + 2];
		if (words[i][0] != '+')
			continue;
		const char *value = split(words[i] + 1, name);
		snprintf(counted[i], sizeof(counted[i]), "%s=%llu", name,
			(unsigned long long)field_number(name, value) + n);
		words[i] = counted[i];
	}
	make(rule, parcel_word(scene->parcel, sizeof(uint32_t)), words, count, parcel);
}

static bool
act_send(struct scene *scene)
{
	static struct parcel lie;
	const struct message_rule *rule =
		find_rule(scene->deed->protocol->messages, scene->words[1]);
	uint64_t times = field_number("", scene->words[0]);
	relay_send(scene->deed->is_outward ? scene->wire->outer_fd : scene->wire->inner_fd,
		scene->parcel);
	for (uint64_t n = 0; n < times; n++) {
		make_nth(scene, rule, n, &lie);
		relay_flood(scene->relay, scene->wire, &lie);
		parcel_close(&lie);
	}
	return false;
}

static bool
act_malformed(struct scene *scene)
{
	bool is_starting = strcmp(scene->words[0], "starting") == 0;
	struct malformed_list *list = malformed_new(scene->deed->protocol->messages,
		scene->wire->inner_role, is_starting ? PHASE_STARTING : PHASE_SERVING);
	size_t index = malformed_find(list, scene->words[1]);
	malformed_set_tag(list, index, parcel_word(scene->parcel, sizeof(uint32_t)) + 1);
	relay_send(scene->deed->is_outward ? scene->wire->outer_fd : scene->wire->inner_fd,
		scene->parcel);
	int error = malformed_send(list, index, scene->wire->outer_fd);
	if (error < 0)
		die("the peer is gone");
	malformed_free(&list);
	return false;
}

static const struct act {
	const char *name;
	unsigned words;
	bool (*run)(struct scene *scene);
} acts[] = {
#define ACT(name, words, doc) { #name, words, act_##name },
#include "tests/hostile/acts.def"
};

static const struct act *
find_act(const char *name)
{
	for (size_t i = 0; i < ARRAY_LENGTH(acts); i++)
		if (strcmp(acts[i].name, name) == 0)
			return &acts[i];
	die("no act is called %s", name);
}

/* ---- lines ---- */

static void
parse_trigger(struct deed *deed, const char *word)
{
	deed->is_outward = strncmp(word, "out:", 4) == 0;
	if (!deed->is_outward && strncmp(word, "in:", 3) != 0)
		die("%s is no trigger", word);
	deed->trigger = find_rule(deed->protocol->messages, strchr(word, ':') + 1);
}

void
deed_parse(struct deed *deed, char *line)
{
	char *rest, *word = strtok_r(line, " \n", &rest);
	if (word == NULL)
		die("an empty line");
	*deed = (struct deed){ .protocol = relay_protocol(word) };
	word = strtok_r(NULL, " \n", &rest);
	if (word == NULL)
		die("a deed without a trigger");
	parse_trigger(deed, word);
	while ((word = strtok_r(NULL, " \n", &rest)) != NULL && deed->count < DEED_WORDS_MAX)
		deed->words[deed->count++] = word;
	while (deed->conditions < deed->count && strchr(deed->words[deed->conditions], '=') != NULL)
		deed->conditions++;
	if (deed->conditions == deed->count)
		die("a deed without an act");
	if (deed->count - deed->conditions - 1 < find_act(deed->words[deed->conditions])->words)
		die("%s wants more words", deed->words[deed->conditions]);
}

static bool
is_its_moment(const struct deed *deed, const struct wire *wire, bool is_outward,
	const struct parcel *parcel)
{
	_Alignas(max_align_t) char body[MESSAGE_STRUCT_BYTES_MAX];
	const struct message_rule *rule = rule_of(wire, parcel);
	if (deed->is_done || deed->protocol != wire->protocol || deed->is_outward != is_outward ||
		rule == NULL || rule != deed->trigger || !decode(rule, parcel, body))
		return false;
	for (unsigned i = 0; i < deed->conditions; i++) {
		char name[64];
		const char *value = split(deed->words[i], name);
		if (!field_equals(rule->record, body, name, value))
			return false;
	}
	return true;
}

bool
deed_do(struct deed *deed, struct relay *relay, struct wire *wire, bool is_outward,
	struct parcel *parcel)
{
	if (!is_its_moment(deed, wire, is_outward, parcel))
		return true;
	struct scene scene = {
		.deed = deed,
		.relay = relay,
		.wire = wire,
		.parcel = parcel,
		.words = deed->words + deed->conditions + 1,
		.count = deed->count - deed->conditions - 1,
	};
	deed->is_done = true;
	return find_act(deed->words[deed->conditions])->run(&scene);
}

void
deed_note(const struct wire *wire, const struct parcel *parcel)
{
	_Alignas(max_align_t) char body[MESSAGE_STRUCT_BYTES_MAX];
	const struct message_rule *rule = rule_of(wire, parcel);
	if (rule != NULL && decode(rule, parcel, body))
		field_note(rule->record, body);
}
