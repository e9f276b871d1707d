/*
 * Directories of an instance: list, next, describe (PATHIO 2, 3). Runs in the worker, as the user.
 */
#include "worker/facts.h"
#include "worker/instance_private.h"

#include <errno.h>

enum { ENTRY_BYTES_MAX = 512 }; /* of one entry in a batch */

int
instance_begin_list(struct call *call)
{
	const struct pathio_list *request = call->request;
	return handle_new(call, request->file);
}

int
instance_run_list(struct call *call, union pathio_body *body)
{
	const struct pathio_list *request = call->request;
	call->judged = RIGHTS_LIST;
	body->opened.name = bytes_of_text(path_name(call->path));
	const struct listing_place place = {
		.pattern = request->pattern,
		.accept_file = request->accept_file,
		.is_itself = request->itself,
		.charset = call->charset,
	};
	int error = listing_open(
		call->tree, call->path, &place, &call->handle->listing, &body->opened.attributes);
	if (!request->lenient || (error != -ENOENT && error != -ENOTDIR && error != -EACCES))
		return error;
	body->opened.attributes = (struct pathio_attributes){ .type = PATHIO_TYPE_OTHER };
	return listing_open_empty(call->tree, call->path, &call->handle->listing);
}

/* As listing_next(), for as many entries as a batch holds. */
static int
fill_batch(struct listing *listing, struct wire_list_builder *batch)
{
	while (batch->count < PATHIO_BATCH_ENTRIES &&
		batch->capacity - batch->length >= ENTRY_BYTES_MAX) {
		struct backend_entry found;
		int result = listing_next(listing, true, &found);
		if (result != LISTING_ENTRY)
			return result;
		struct pathio_entry entry = { .name = found.name, .attributes = found.attributes };
		result = wire_list_add(batch, &pathio_entry_record, &entry);
		if (result < 0)
			return result;
	}
	return LISTING_NONE_YET;
}

int
instance_begin_next(struct call *call)
{
	return call->handle->kind == HANDLE_LISTING ? 0 : -EBADF;
}

int
instance_run_next(struct call *call, union pathio_body *body)
{
	struct wire_list_builder batch = { .buffer = call->room,
		.capacity = call->rule->room_bytes };
	struct listing *listing = call->handle->listing;
	listing_judge_by(listing, call->rights);
	int result = fill_batch(listing, &batch);
	if (result < 0)
		return result;
	body->entries.last = result == LISTING_END;
	body->entries.list = wire_list_built(&batch);
	return 0;
}

int
instance_run_describe(struct call *call, union pathio_body *body)
{
	const struct pathio_describe *request = call->request;
	const struct access *access = &call->nursery->access;
	struct pathio_attributes attributes, folder_attributes, target;
	struct path folder;
	int error = call_backend(call)->stat(call_state(call), call->path, false, &attributes);
	if (error < 0)
		return error;
	path_parent(call->path, &folder);
	error = call_backend(call)->stat(call_state(call), &folder, true, &folder_attributes);
	if (error < 0)
		return error;
	struct facts_subject subject = {
		.attributes = &attributes,
		.rights = rights_at(call->rights, path_bytes(call->path)),
		.rights_below = rights_at_tree(call->rights, path_bytes(call->path)),
		.entry_access = access_to(access, &attributes),
		/* Nobody renames or removes the root. */
		.folder_access = call->path->length == 1
					 ? 0
					 : access_to_name(access, &folder_attributes, &attributes),
	};
	if (attributes.type == PATHIO_TYPE_SYMLINK &&
		call_backend(call)->stat(call_state(call), call->path, true, &target) == 0) {
		subject.target = &target;
		subject.entry_access = access_to(access, &target);
	}
	struct facts_kept kept = { .permissions = { .is_kept = false } };
	char *end = facts_put(call->room, request->facts, &subject, &kept);
	body->text.bytes = bytes_of(call->room, (size_t)(end - call->room));
	return 0;
}
