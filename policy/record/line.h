/*
 * One event as one JSON line: what record stamps from the channel, then the event's own fields.
 */
#ifndef SALLYPORT_POLICY_RECORD_LINE_H
#define SALLYPORT_POLICY_RECORD_LINE_H

#include "ipc/event.h"
#include "policy/record/output.h"

/* Whose events a channel carries; from the supervisor (ledger.def, writer). */
struct line_origin {
	uint32_t number;
	enum role role;
	uint32_t pid;
	uint32_t incarnation;
	const char *user;
};

/*
 * Checks an untrusted event (its encoded message, header included) as `origin` may send it, with
 * `sequence` the number it must bear (0: any, as after a restart). Returns NULL, with *rule and the
 * decoded body (MESSAGE_STRUCT_BYTES_MAX bytes, pointing into `message`) and *sequence set; or a
 * constant text that says which rule it broke.
 */
MUST_CHECK const char *line_check(const struct line_origin *origin, struct bytes message,
	uint32_t *sequence, const struct message_rule **rule, void *body);

/* Which log an event belongs to. */
enum output_log line_log(const struct message_rule *rule);

/* Prints the line, end of line included. */
void line_print(const struct line_origin *origin, uint32_t sequence,
	const struct message_rule *rule, const void *body, FILE *stream);

#endif
