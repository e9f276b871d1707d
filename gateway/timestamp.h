/*
 * Moments as FTP writes them: "20010909014640", in UTC (RFC 3659 2.3).
 */
#ifndef SALLYPORT_GATEWAY_TIMESTAMP_H
#define SALLYPORT_GATEWAY_TIMESTAMP_H

#include "ipc/base/bytes.h"

#include <stdint.h>

enum { TIMESTAMP_BYTES = sizeof("YYYYMMDDhhmmss") };

/*
 * Nanoseconds since 1970 from "YYYYMMDDhhmmss", with or without a fraction of a second (beyond
 * nanoseconds it is cut). 0, -EINVAL for what is no moment, -ERANGE for one outside 1677 to 2262.
 */
MUST_CHECK int timestamp_parse(struct bytes text, int64_t *time_ns);

/* To the second, which clients compare; fractions are cut. Returns `text`. */
const char *timestamp_text(int64_t time_ns, char text[TIMESTAMP_BYTES]);

#endif
