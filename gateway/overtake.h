/*
 * What may be said while a transfer or a long command runs (DECISIONS 32).
 */
#ifndef SALLYPORT_GATEWAY_OVERTAKE_H
#define SALLYPORT_GATEWAY_OVERTAKE_H

#include "gateway/line.h"

struct session;

/* A line that arrives meanwhile. True if it was dealt with; false if it must wait for the end. */
MUST_CHECK bool overtake_line(struct session *session, enum line_result result, struct bytes line);

#endif
