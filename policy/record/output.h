/*
 * Where lines go: files opened for appending only, or one output for all (the quick start).
 *
 * Lines are collected and written together; until output_flush() has returned 0 they are not
 * safe, and the events that they came from must stay where they are. A line is never cut: what the
 * kernel did not take is kept and written first the next time.
 */
#ifndef SALLYPORT_POLICY_RECORD_OUTPUT_H
#define SALLYPORT_POLICY_RECORD_OUTPUT_H

#include "ipc/base/compiler.h"

#include <stdio.h>

enum output_log {
	OUTPUT_SERVER,   /* server.jsonl: processes, notices, malformed messages */
	OUTPUT_AUDIT,    /* audit.jsonl: logins, sessions, path operations */
	OUTPUT_TRANSFER, /* transfer.jsonl: transfers */
	OUTPUT_LOGS,
};

struct output;

/* Opens the files in the working directory, mode 0640: 0 or negative errno. */
MUST_CHECK int output_open_files(struct output **result);

/* All logs go to one descriptor, which is taken: 0 or -ENOMEM. */
MUST_CHECK int output_open_descriptor(int *fd, struct output **result);

void output_free(struct output **output);

/* A stream that takes lines for a log; belongs to the output. */
FILE *output_stream(struct output *output, enum output_log log);

/*
 * Writes everything collected: 0, or negative errno with the rest kept (-ENOSPC, -EDQUOT, -EIO:
 * try again later; -EPIPE: nobody reads it any more).
 */
MUST_CHECK int output_flush(struct output *output);

/* The files were rotated: opens them anew. On failure the old ones stay. */
MUST_CHECK int output_reopen(struct output *output);

#endif
