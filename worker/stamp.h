/*
 * Times as listings print them. Neighbours in a folder are often of the same day, so the text of
 * the last day is kept. English names of months, whatever the locale.
 */
#ifndef SALLYPORT_WORKER_STAMP_H
#define SALLYPORT_WORKER_STAMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { STAMP_BYTES_MAX = 24 };

/* What is kept. One for each style and column: two of them do not share one. */
struct stamp {
	bool local;    /* in the server's time zone, else UTC */
	int64_t now_s; /* of LIST: what is recent */
	bool is_kept;
	int64_t period; /* the day; of local time, whose days have no fixed length, the minute */
	char day[8];
	char year[8];        /* of LIST */
	unsigned local_hour; /* of that minute */
	unsigned local_minute;
};

/* As ls -l prints it: "Nov 23 22:35", or "Nov 23  2019" if older than half a year or to come. */
char *stamp_put_list(struct stamp *stamp, char *at, int64_t time_ns);

/* RFC 3659 2.3: "20191123223501", with ".123" if the milliseconds are not zero. Always UTC. */
char *stamp_put_fact(struct stamp *stamp, char *at, int64_t time_ns);

#endif
