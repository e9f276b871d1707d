/*
 * Calls (see call.h): what each has from its beginning to its end. Runs in the worker, as the user,
 * on the loop. The request is the gateway's words, well-formed and nothing more; it is copied,
 * because it is the caller's and the effect may come later.
 */
#include "worker/call.h"

#include "ipc/base/scope.h"
#include "worker/instance_private.h"

#include <fcntl.h>

/* ---- the copy of the request ---- */

/* Where the struct bytes of a field is in the request. False if it points to nothing. */
static bool
find_bytes(const struct wire_field *field, size_t *offset)
{
	*offset = field->offset;
	if (field->kind == WIRE_LIST)
		*offset += offsetof(struct wire_list, encoded);
	return field->kind == WIRE_LIST || wire_is_bytes(field->kind);
}

static size_t
bytes_pointed_to(const struct wire_record *record, const void *request)
{
	size_t total = 0;
	size_t offset;
	for (const struct wire_field *field = record->fields; field->kind != WIRE_END; field++) {
		struct bytes member;
		if (!find_bytes(field, &offset))
			continue;
		memcpy(&member, (const char *)request + offset, sizeof(member));
		total += member.length;
	}
	return total;
}

/* `copy` is already the struct; its bytes move to `room`. */
static void
copy_bytes(const struct wire_record *record, char *copy, char *room)
{
	size_t offset;
	for (const struct wire_field *field = record->fields; field->kind != WIRE_END; field++) {
		struct bytes member;
		if (!find_bytes(field, &offset))
			continue;
		memcpy(&member, copy + offset, sizeof(member));
		if (member.length > 0)
			memcpy(room, member.data, member.length);
		member.data = room;
		memcpy(copy + offset, &member, sizeof(member));
		room += member.length;
	}
}

static size_t
aligned(size_t size)
{
	size_t step = _Alignof(max_align_t);
	return (size + step - 1) / step * step;
}

/* One piece of memory holds the call, its paths, its request, and what that points to. */
struct call *
call_new(struct instance *instance, uint32_t code, const void *request, int descriptor)
{
	static const size_t paths[] = {
		[SUBJECT_SESSION] = 0,
		[SUBJECT_FILE] = 0,
		[SUBJECT_PATH] = 1,
		[SUBJECT_MOVE] = 2,
	};
	const struct operation_rule *rule = &instance_rules[code];
	const struct wire_record *record = pathio_messages.rules[code].record;
	size_t path_bytes = aligned(sizeof(struct path));
	size_t before_paths = aligned(sizeof(struct call));
	size_t before_request = before_paths + paths[rule->subject] * path_bytes;
	size_t before_bytes = before_request + record->size;
	size_t pointed_to = bytes_pointed_to(record, request);
	char *memory = malloc(before_bytes + pointed_to);
	if (memory == NULL)
		return NULL;
	char *copy = memory + before_request;
	struct call *call = (struct call *)(void *)memory;
	*call = (struct call){
		.nursery = instance->nursery,
		.instance = instance,
		.rule = rule,
		.request = copy,
		.request_bytes = record->size + pointed_to,
		.descriptor = descriptor,
		.tree = &instance->nursery->tree,
	};
	if (paths[rule->subject] > 0)
		call->path = (struct path *)(void *)(memory + before_paths);
	if (paths[rule->subject] > 1)
		call->destination = (struct path *)(void *)(memory + before_paths + path_bytes);
	memcpy(copy, request, record->size);
	copy_bytes(record, copy, memory + before_bytes);
	return call;
}

int
call_make_room(struct call *call)
{
	if (call->rule->room_bytes == 0 || call->room != NULL)
		return 0;
	call->room = malloc(call->rule->room_bytes);
	return call->room == NULL ? -ENOMEM : 0;
}

int
call_keep_descriptor(struct call *call)
{
	if (call->descriptor < 0 || call->owns_descriptor)
		return 0;
	int kept = fcntl(call->descriptor, F_DUPFD_CLOEXEC, 0);
	if (kept < 0)
		return -EMFILE;
	call->descriptor = kept;
	call->owns_descriptor = true;
	return 0;
}

void
call_free(struct call **call)
{
	struct call *freed = *call;
	*call = NULL;
	shared_rights_drop(&freed->shared_rights);
	if (freed->owns_descriptor)
		fd_close(&freed->descriptor);
	free(freed->room);
	free(freed);
}

/* ---- rights ---- */

void
shared_rights_drop(struct shared_rights **shared)
{
	struct shared_rights *dropped = *shared;
	*shared = NULL;
	if (dropped == NULL || --dropped->holders > 0)
		return;
	rights_free(&dropped->rights);
	free(dropped);
}

void
call_take_rights(struct call *call)
{
	if (call->shared_rights == call->instance->shared_rights)
		return;
	shared_rights_drop(&call->shared_rights);
	call->shared_rights = call->instance->shared_rights;
	call->shared_rights->holders++;
	call->rights = call->shared_rights->rights;
}

/* ---- the answer ---- */

/* Each part goes into the target, and goes. */
static void
record_parts(const struct call *call, int error)
{
	const struct instance_observer *observer = call->nursery->options.observer;
	struct wire_list parts = call->parts;
	struct pathio_part part;
	while (wire_list_next(&parts, &pathio_part_record, &part))
		observer->operation(observer->context, &call->instance->options.identity,
			call->rule->name, part.path, call->recorded_path, -error);
}

static void
record(const struct call *call, int error)
{
	const struct instance *instance = call->instance;
	const struct instance_observer *observer = call->nursery->options.observer;
	const struct operation_rule *rule = call->rule;
	if (observer == NULL || call->recorded_path.length == 0 || (rule->traits & UNRECORDED) != 0)
		return;
	if (rule->record == RECORD_OPERATION)
		observer->operation(observer->context, &instance->options.identity, rule->name,
			call->recorded_path, call->recorded_destination, -error);
	else if (rule->record == RECORD_TRANSFER)
		observer->transfer(observer->context, &instance->options.identity, rule->name,
			call->recorded_path, &(struct transfer_report){ .bytes = 0 }, -error);
	if ((rule->traits & PARTS) != 0)
		record_parts(call, error);
}

void
call_answer_unrecorded(struct call *call, int error)
{
	union pathio_body failed = { .failed = { .error = (uint16_t)-error } };
	if (call->is_answered)
		return;
	call->is_answered = true;
	call->done(call->argument,
		&(struct pathio_answer){
			.error = error,
			.code = error < 0 ? (uint32_t)PATHIO_FAILED : call->rule->answer,
			.tag = call->tag,
			.body = error < 0 ? &failed : &call->body,
		});
}

void
call_answer(struct call *call, int error)
{
	if (call->is_answered)
		return;
	call->instance->options.totals->operations++;
	record(call, error);
	call_answer_unrecorded(call, error);
}
