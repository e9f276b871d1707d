/*
 * The list of pending requests (see pending.h). Runs in the gateway. Answers mostly come in order,
 * so what is looked for mostly stands in front.
 */
#include "ipc/pending.h"

void
pending_list_init(struct pending_list *list)
{
	list->first = NULL;
	list->end = &list->first;
}

/* By their rows: whoever works on a file names its handle first. */
static bool
names_file(uint32_t code, const void *request, uint32_t *file)
{
	const struct wire_field *field = pathio_messages.rules[code].record->fields;
	if (field->kind != WIRE_U32 || strcmp(field->name, "file") != 0)
		return false;
	*file = (uint32_t)wire_member_number(field, (const char *)request + field->offset);
	return true;
}

/* The handle is free for another file once one of these was submitted (pathio.h). */
static bool
gives_up_file(uint32_t code)
{
	return code == PATHIO_CLOSE || code == PATHIO_COMMIT || code == PATHIO_DISCARD;
}

static void
follow_on_file(struct pending_list *list, struct pending *pending)
{
	for (struct pending *before = list->first; before != NULL; before = before->next) {
		if (!before->has_file || before->file != pending->file || before->failure != 0)
			continue;
		pending->is_waiting = pending->is_waiting || !before->is_expired;
		before->is_closed = before->is_closed || gives_up_file(pending->code);
	}
}

void
pending_append(struct pending_list *list, struct pending *pending, const void *request)
{
	pending->has_file = names_file(pending->code, request, &pending->file);
	if (pending->has_file && pending->failure == 0)
		follow_on_file(list, pending);
	pending->next = NULL;
	*list->end = pending;
	list->end = &pending->next;
}

struct pending **
pending_find(struct pending_list *list, uint32_t tag)
{
	struct pending **place = &list->first;
	while (*place != NULL && ((*place)->tag != tag || (*place)->failure != 0))
		place = &(*place)->next;
	return place;
}

struct pending **
pending_find_due(struct pending_list *list, uint64_t now_ms, uint64_t *next_due_ms)
{
	*next_due_ms = 0;
	for (struct pending **place = &list->first; *place != NULL; place = &(*place)->next) {
		uint64_t due_ms = (*place)->due_ms;
		if (due_ms != 0 && due_ms <= now_ms)
			return place;
		if (due_ms != 0 && (*next_due_ms == 0 || due_ms < *next_due_ms))
			*next_due_ms = due_ms;
	}
	return NULL;
}

struct pending *
pending_next_on_file(const struct pending_list *list, uint32_t file)
{
	struct pending *pending = list->first;
	while (pending != NULL && (!pending->has_file || pending->file != file ||
					  pending->is_expired || pending->failure != 0))
		pending = pending->next;
	return pending != NULL && pending->is_waiting ? pending : NULL;
}

struct pending *
pending_unlink(struct pending_list *list, struct pending **place)
{
	struct pending *pending = *place;
	*place = pending->next;
	if (pending->next == NULL)
		list->end = place;
	return pending;
}
