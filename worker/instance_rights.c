/*
 * Rights at work (DESIGN 2: the process that holds the power decides). Runs in the worker, as the
 * user; paths are the gateway's words. Whatever is refused is refused before the file system is
 * asked, so that a denied path looks the same whether it exists or not.
 */
#include "worker/instance_private.h"

#include <errno.h>

/*
 * Folds `input` into *folded; *recorded is what the record will say. This is the one way from what
 * a client wrote to what is judged: first the bytes that it means, then their folding.
 */
static int
fold(struct charset *charset, struct bytes input, struct path *folded, struct bytes *recorded)
{
	char stored[PATH_BYTES_MAX];
	*recorded = input;
	if (input.length == 0 || input.data[0] != '/')
		return -EINVAL; /* as it could not have come over a channel */
	if (charset != NULL) {
		int length = charset_read(charset, input, stored, sizeof(stored));
		if (length < 0)
			return length;
		input = bytes_of(stored, (size_t)length);
	}
	int error = path_fold(NULL, input, folded);
	if (error < 0)
		return error;
	*recorded = path_bytes(folded);
	return 0;
}

static int
judge(const struct call *call, const struct path *path, uint32_t wanted)
{
	static int (*const judges[])(const struct rights *, struct bytes, uint32_t) = {
		[SCOPE_ITSELF] = rights_judge,
		[SCOPE_TREE] = rights_judge_tree,
		[SCOPE_ANY] = rights_judge_any,
	};
	return judges[call->rule->scope](call->rights, path_bytes(path), wanted);
}

static struct bytes
path_member(const struct call *call, size_t offset)
{
	struct bytes member;
	memcpy(&member, (const char *)call->request + offset, sizeof(member));
	return member;
}

/*
 * Every part, as it is used and recorded, into call->parts; where one is denied, the others are
 * there all the same. Nothing has been looked at when it is.
 */
static int
judge_parts(struct call *call)
{
	const struct pathio_combine *request = call->request;
	struct wire_list parts = request->parts;
	struct wire_list_builder folded = { .capacity = call->rule->room_bytes };
	struct pathio_part part;
	int error = call_make_room(call);
	call->parts = parts;
	if (error < 0)
		return error;
	folded.buffer = call->room;
	while (wire_list_next(&parts, &pathio_part_record, &part)) {
		struct path path;
		int denied = fold(call->charset, part.path, &path, &part.path);
		if (denied == 0)
			denied = rights_judge(
				call->rights, path_bytes(&path), RIGHTS_READ | RIGHTS_DELETE);
		if (error == 0)
			error = denied;
		if (wire_list_add(&folded, &pathio_part_record, &part) < 0)
			return -EINVAL; /* as it could not have come over a channel */
	}
	call->parts = wire_list_built(&folded);
	return error;
}

int
instance_judge(struct call *call)
{
	const struct operation_rule *rule = call->rule;
	int error = fold(
		call->charset, path_member(call, rule->first), call->path, &call->recorded_path);
	int there_error = 0;
	if (rule->subject == SUBJECT_MOVE)
		there_error = fold(call->charset, path_member(call, rule->second),
			call->destination, &call->recorded_destination);
	int parts_error = (rule->traits & PARTS) != 0 ? judge_parts(call) : 0;
	if (error == 0)
		error = judge(call, call->path, rule->wanted);
	if (error == 0)
		error = there_error;
	if (error == 0 && rule->subject == SUBJECT_MOVE)
		error = judge(call, call->destination, rule->wanted_there);
	return error == 0 ? parts_error : error;
}

int
instance_judge_target(struct call *call, const struct path *path, uint32_t present, uint32_t absent)
{
	struct bytes at = path_bytes(path);
	bool may_present = rights_judge(call->rights, at, present) == 0;
	bool may_absent = rights_judge(call->rights, at, absent) == 0;
	if (!may_present && !may_absent)
		return -EACCES;
	call->judged = present | absent;
	if (may_present && may_absent)
		return 0;
	struct pathio_attributes attributes;
	int error = call_backend(call)->stat(call_state(call), path, false, &attributes);
	if (error < 0 && error != -ENOENT && error != -ENOTDIR)
		return error;
	call->judged = error == 0 ? present : absent;
	return rights_judge(call->rights, at, call->judged);
}

int
instance_judge_parents(const struct call *call)
{
	struct path parent = *call->path;
	struct pathio_attributes attributes;
	while (parent.length > 1) {
		path_parent(&parent, &parent);
		int error = call_backend(call)->stat(call_state(call), &parent, true, &attributes);
		if (error != -ENOENT)
			return 0; /* it is there, or mkdir will say what is wrong with it */
		error = rights_judge(call->rights, path_bytes(&parent), RIGHTS_MKDIR);
		if (error < 0)
			return error;
	}
	return 0;
}
