/*
 * Commands that list folders, and what STAT shares with them.
 */
#ifndef SALLYPORT_GATEWAY_LISTING_H
#define SALLYPORT_GATEWAY_LISTING_H

#include "gateway/listing_words.h"

struct session;

/* May the words be carried out? On failure replies and answers false. */
MUST_CHECK bool listing_check_words(struct session *session, const struct listing_words *words);

#endif
