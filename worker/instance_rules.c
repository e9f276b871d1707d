/*
 * The table of operations.def, by the codes of pathio.def. Constants only.
 */
#include "worker/instance_private.h"

enum {
#define REQUEST(name, CODE, number, answer, doc)  REQUEST_##name = (CODE),
#define TRANSFER(name, CODE, number, answer, doc) REQUEST_##name = (CODE),
#define ANSWER(name, CODE, number, doc)           ANSWER_##name = (CODE),
#include "ipc/pathio.def"
};

enum {
#define REQUEST(name, CODE, number, answer, doc)  ANSWER_TO_##name = ANSWER_##answer,
#define TRANSFER(name, CODE, number, answer, doc) ANSWER_TO_##name = ANSWER_##answer,
#define ANSWER(name, CODE, number, doc)
#include "ipc/pathio.def"
};

#define PATH_OPERATION(operation, rights, of_scope, doc)            \
	[REQUEST_##operation] = {                                   \
		.name = #operation,                                 \
		.answer = ANSWER_TO_##operation,                    \
		.subject = SUBJECT_PATH,                            \
		.first = offsetof(struct pathio_##operation, path), \
		.wanted = (rights),                                 \
		.scope = SCOPE_##of_scope,                          \
		.record = RECORD_OPERATION,                         \
		.run = instance_run_##operation,                    \
	},
#define MOVE_OPERATION(operation, rights, rights_there, of_scope, doc)      \
	[REQUEST_##operation] = {                                           \
		.name = #operation,                                         \
		.answer = ANSWER_TO_##operation,                            \
		.subject = SUBJECT_MOVE,                                    \
		.first = offsetof(struct pathio_##operation, source),       \
		.second = offsetof(struct pathio_##operation, destination), \
		.wanted = (rights),                                         \
		.wanted_there = (rights_there),                             \
		.scope = SCOPE_##of_scope,                                  \
		.record = RECORD_OPERATION,                                 \
		.run = instance_run_##operation,                            \
	},
#define FILE_OPERATION(operation, frees_number, of_record, doc)     \
	[REQUEST_##operation] = {                                   \
		.name = #operation,                                 \
		.answer = ANSWER_TO_##operation,                    \
		.subject = SUBJECT_FILE,                            \
		.first = offsetof(struct pathio_##operation, file), \
		.releases = (frees_number),                         \
		.record = RECORD_##of_record,                       \
		.run = instance_run_##operation,                    \
	},
const struct operation_rule instance_rules[INSTANCE_RULE_COUNT] = {
#include "worker/operations.def"
};
