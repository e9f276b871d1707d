/*
 * Rights: what a session may do under which folder. Made from rows {folder, bits}, as the users
 * file gives them and as the supervisor sends them to a worker; never changed afterwards.
 *
 * The rule of the longest folder that contains a path decides, alone; a path under no rule may
 * nothing. Paths are those of ipc/base/path.h, folded by the one function, so that what is judged
 * is what is opened. A symbolic link is judged by its own name, not by what it points to: whoever
 * mixes rules says `symlinks=refuse` or grants no `symlink` (users.h refuses the mixture).
 */
#ifndef SALLYPORT_POLICY_RULES_RIGHTS_H
#define SALLYPORT_POLICY_RULES_RIGHTS_H

#include "ipc/base/bytes.h"

#include <stdint.h>

enum rights_bit {
#define RIGHT(name, BIT, number, doc)      RIGHTS_##BIT = 1 << (number),
#define RIGHT_GROUP(name, BITS, bits, doc) RIGHTS_##BITS = (bits),
#include "policy/rules/rights.def"
	RIGHTS_KNOWN = RIGHTS_ALL | RIGHTS_SYMLINK,
};

enum { RIGHTS_RULES_MAX = 64 };

struct rights;

struct rights_rule {
	struct bytes folder; /* a folded path */
	uint32_t bits;       /* of enum rights_bit */
};

/*
 * Builds a set from untrusted rows; the folders are copied. Errors, with *result untouched:
 *   -EINVAL  a folder that is not a folded path, the same folder twice, an unknown bit
 *   -E2BIG   more than 64 rows
 *   -ENOMEM
 * No rows at all is a set that permits nothing.
 */
MUST_CHECK int rights_create(const struct rights_rule *rules, size_t count, struct rights **result);

void rights_free(struct rights **rights);

/* The rows, longest folder first; rights_create() builds the same set from them. */
size_t rights_count(const struct rights *rights);
struct rights_rule rights_rule_at(const struct rights *rights, size_t index);

/* The bits that hold at a path, 0 for a hidden one. For the `perm` fact of MLSD. */
uint32_t rights_at(const struct rights *rights, struct bytes folded_path);

/* Those that hold there and at everything below it. */
uint32_t rights_at_tree(const struct rights *rights, struct bytes folded_path);

/* May the session do all of `wanted` to this path? 0 or -EACCES. */
MUST_CHECK int rights_judge(const struct rights *rights, struct bytes folded_path, uint32_t wanted);

/* The same, where one of them is enough. */
MUST_CHECK int
rights_judge_any(const struct rights *rights, struct bytes folded_path, uint32_t wanted);

/*
 * As rights_judge(), for a path and everything below it: what moves, removes or copies a whole
 * folder must be allowed by each rule inside, else a folder that is closed could be carried out
 * with its parent.
 */
MUST_CHECK int
rights_judge_tree(const struct rights *rights, struct bytes folded_path, uint32_t wanted);

/*
 * Is it the name of an upload that is still on its way (".sallyport-<16 hex>.part", in any case of
 * letters)? Such a name is in no listing, and every verb is refused for it (DECISIONS 27).
 */
bool rights_name_is_hidden(struct bytes name);

/* "read+list" -> bits. 0 or -EINVAL for a word that is no right, with *bits untouched. */
MUST_CHECK int rights_parse_bits(struct bytes words, uint32_t *bits);

#endif
