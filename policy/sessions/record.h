/*
 * The link to record: its process, every channel of events, and the supervisor's own events. A copy
 * of record's end of each channel stays here, so that what is queued in it outlives record
 * (DECISIONS 22).
 */
#ifndef SALLYPORT_POLICY_SESSIONS_RECORD_H
#define SALLYPORT_POLICY_SESSIONS_RECORD_H

#include "ipc/event.h"
#include "policy/supervisor/processes.h"

struct record;
struct supervisor;

/* Starts record. 0 or negative errno. */
MUST_CHECK int record_new(struct supervisor *supervisor, struct record **result);

/* Closes our ends of all channels of events: at the end of them record can leave. */
void record_close(struct record *record);

/* Once a second, to the end of the others: until then a record that dies is replaced. */
void record_tick(struct record *record);

/* Log files were rotated. */
void record_reopen(struct record *record);

/*
 * A channel of events for a process, whose role, pid and user will stand in them; a gateway's
 * incarnation limits the sessions that it may name. 0 and its end in *writer_fd, or negative errno.
 */
MUST_CHECK int record_add_writer(
	struct record *record, const struct process *process, uint32_t incarnation, int *writer_fd);

/* An event of the supervisor: a code of event.def with its struct. Never blocks. */
void record_event(struct record *record, uint32_t code, const void *event);

/* Something that an operator should know, in words. */
void record_notice(struct record *record, enum severity severity, const char *format, ...)
	PRINTF_LIKE(3, 4);

#endif
