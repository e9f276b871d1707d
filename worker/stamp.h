/*
 * Times as listings print them. Neighbours in a folder are often of the same minute, so the text
 * of the last minute is kept. English names of months, whatever the locale.
 */
#ifndef SALLYPORT_WORKER_STAMP_H
#define SALLYPORT_WORKER_STAMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { STAMP_BYTES_MAX = 24 };

/* The last text. One for each style: two styles do not share one. */
struct stamp {
	bool local;    /* in the server's time zone, else UTC */
	int64_t now_s; /* of LIST: what is recent */
	int64_t minute;
	size_t length; /* 0: nothing kept yet */
	char text[STAMP_BYTES_MAX];
};

/* As ls -l prints it: "Nov 23 22:35", or "Nov 23  2019" if older than half a year or to come. */
char *stamp_put_list(struct stamp *stamp, char *at, int64_t time_ns);

/* RFC 3659 2.3: "20191123223501", with ".123" if the milliseconds are not zero. Always UTC. */
char *stamp_put_fact(struct stamp *stamp, char *at, int64_t time_ns);

#endif
