/*
 * Typed values: how the text of an option becomes a C value and text again. One validator for the
 * configuration, the users file, the command line and the channel; it makes no system call.
 *
 * A *slot* is a variable of the type that values.def gives for the rule's type. It starts as zero
 * bytes, owns what it points to, and ends with value_clear().
 */
#ifndef SALLYPORT_POLICY_RULES_VALUE_H
#define SALLYPORT_POLICY_RULES_VALUE_H

#include "ipc/base/bytes.h"
#include "policy/rules/backends.h"
#include "policy/rules/error.h"

#include <netinet/in.h>
#include <stdint.h>

enum value_type {
#define VALUE(TYPE, storage, SHAPE, parse, format, clear, word, wanted) VALUE_##TYPE,
#include "policy/rules/values.def"
};

/* CONFIG_CAGE_REQUIRED and so on: what a slot of VALUE_CHOICE holds. */
enum value_choice {
#define CHOICE(option, CONSTANT, number, word, refusal) CONFIG_##CONSTANT = (number),
#include "policy/rules/choices.def"
};

struct value_ports {
	uint16_t first, last;
};

/* Of the built-in ones or custom; what loads it is the worker's to know. */
struct value_backend {
	char name[BACKEND_NAME_BYTES_MAX + 1];
};

/* A system account: by name until config_resolve_accounts() has looked it up, then by number. */
struct value_account {
	char *name; /* NULL when it was given by number */
	bool resolved;
	uint32_t uid, gid; /* valid when resolved */
};

/* A group: likewise; one that is neither named nor resolved is none. */
struct value_group {
	char *name;
	bool resolved;
	uint32_t gid;
};

/* A network; of IPv4 it is v4-mapped, with a prefix of 96 bits and more. */
struct value_network {
	uint8_t ip[16];
	uint8_t prefix;
};

enum { VALUE_HOST_BYTES_MAX = 253 };

/* What PASV announces to the clients of a network: an address, or whatever a name stands for. */
struct value_announcement {
	struct value_network clients;
	char host[VALUE_HOST_BYTES_MAX + 1]; /* empty: the address holds */
	struct in_addr address;
};

/* Ready for bind(2). */
struct value_address {
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	};
	socklen_t length;
};

/* Lists begin with their count (see values.def). */
struct value_addresses {
	size_t count;
	struct value_address *items;
};

struct value_networks {
	size_t count;
	struct value_network *items;
};

struct value_announcements {
	size_t count;
	struct value_announcement *items;
};

struct value_paths {
	size_t count;
	char **items;
};

struct value_groups {
	size_t count;
	uint32_t *items;
};

/* One slot of each kind; VALUE_STORAGE() names the type of one for fields that rows declare. */
union value_slots {
#define VALUE(TYPE, storage, SHAPE, parse, format, clear, word, wanted) storage TYPE;
#include "policy/rules/values.def"
};
#define VALUE_STORAGE(TYPE) __typeof__(((union value_slots *)0)->TYPE)

/* What may stand for one option. */
struct value_rule {
	const char *name; /* for VALUE_CHOICE also whose words of choices.def */
	enum value_type type;
	/* Of the number or the ports, of a text's bytes, of a list's elements. */
	uint64_t least, most;
};

/*
 * Reads untrusted text and replaces the slot's value by it; a list gets it as its one element, or
 * none if the text is empty. 0, -EINVAL with a reason that begins with the rule's name, or -ENOMEM;
 * the slot is untouched on failure.
 */
MUST_CHECK int value_accept(
	const struct value_rule *rule, struct bytes text, void *slot, struct rules_error *error);

/* The same, but adds an element to a list. */
MUST_CHECK int value_append(
	const struct value_rule *rule, struct bytes text, void *slot, struct rules_error *error);

/* How many texts value_text() has: the elements of a list, 1 for everything else. */
size_t value_count(const struct value_rule *rule, const void *slot);

/* The value as text that value_accept() reads back. The caller frees it; NULL: short of memory. */
MUST_CHECK char *value_text(const struct value_rule *rule, const void *slot, size_t index);

/* What the rule permits, for the manual: "1s to 10min", "follow, refuse", or "". Freed by caller.
 */
MUST_CHECK char *value_range_text(const struct value_rule *rule);

/* Gives back what the slot owns and zeroes it. */
void value_clear(const struct value_rule *rule, void *slot);

/* Takes elements one by one instead of one value. */
bool value_is_list(enum value_type type);

/* The same address and port? The unspecified address, which stands for all of its family? */
bool value_address_equal(const struct value_address *a, const struct value_address *b);
bool value_address_is_any(const struct value_address *address);

/* How the manual calls the type: "duration". */
const char *value_word(enum value_type type);

bool value_network_is_v4(const struct value_network *network);

/* Is it an address that a client could connect to? */
bool value_can_be_announced(struct in_addr address);

/* Is it UTF-8 (RFC 3629) without control characters, C1 included? */
bool value_is_clean_text(struct bytes text);

/* Is it an absolute path as path_fold() leaves it, without control bytes? */
bool value_is_plain_path(struct bytes text);

#endif
