/*
 * Verbs of the contract's cases: one function for each row of verbs.def.
 */
#ifndef SALLYPORT_TESTS_CONTRACT_VERBS_H
#define SALLYPORT_TESTS_CONTRACT_VERBS_H

#include "tests/contract/script.h"

#define VERB(name, fewest, most, words, gives) script_verb verb_##name;
#include "tests/contract/verbs.def"

int verb_close_file(struct script *script, uint32_t file);

#endif
