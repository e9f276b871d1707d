/*
 * The names of facts (facts.def), in what a client asks for and in what it is told.
 */
#ifndef SALLYPORT_GATEWAY_FACTS_H
#define SALLYPORT_GATEWAY_FACTS_H

#include "ipc/base/bytes.h"

#include <stdint.h>

enum { FACTS_TEXT_BYTES = 160 }; /* all names, marks and the NUL */

/* The facts named in "type;size;", in any case; unknown ones are left out (RFC 3659 7.9). */
uint32_t facts_parse(struct bytes names);

/* "type;size;": those chosen. Returns `text`. */
const char *facts_text(uint32_t chosen, char text[FACTS_TEXT_BYTES]);

/* "type*;size;": all of them, the chosen ones marked, as FEAT wants it. Returns `text`. */
const char *facts_feature(uint32_t chosen, char text[FACTS_TEXT_BYTES]);

#endif
