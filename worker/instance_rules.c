/*
 * The table of operations.def, by the codes of pathio.def. Constants only.
 */
#include "worker/facts.h"
#include "worker/instance_private.h"

enum {
	DIGEST_BYTES_MAX = 64, /* as pathio.def says of `digested` */
	PARTS_ROOM_BYTES = PATHIO_PARTS_MAX * (sizeof(uint16_t) + PATH_BYTES_MAX), /* encoded */
};

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

#define PATH_OPERATION(operation, rights, of_scope, of_traits, room, begins, ends, doc) \
	[REQUEST_##operation] = {                                                       \
		.name = #operation,                                                     \
		.answer = ANSWER_TO_##operation,                                        \
		.subject = SUBJECT_PATH,                                                \
		.first = offsetof(struct pathio_##operation, path),                     \
		.wanted = (rights),                                                     \
		.scope = SCOPE_##of_scope,                                              \
		.traits = (of_traits),                                                  \
		.record = RECORD_OPERATION,                                             \
		.room_bytes = (room),                                                   \
		.begin = (begins),                                                      \
		.run = instance_run_##operation,                                        \
		.end = (ends),                                                          \
	},
#define MOVE_OPERATION(                                                                \
	operation, rights, rights_there, of_scope, of_traits, room, begins, ends, doc) \
	[REQUEST_##operation] = {                                                      \
		.name = #operation,                                                    \
		.answer = ANSWER_TO_##operation,                                       \
		.subject = SUBJECT_MOVE,                                               \
		.first = offsetof(struct pathio_##operation, source),                  \
		.second = offsetof(struct pathio_##operation, destination),            \
		.wanted = (rights),                                                    \
		.wanted_there = (rights_there),                                        \
		.scope = SCOPE_##of_scope,                                             \
		.traits = (of_traits),                                                 \
		.record = RECORD_OPERATION,                                            \
		.room_bytes = (room),                                                  \
		.begin = (begins),                                                     \
		.run = instance_run_##operation,                                       \
		.end = (ends),                                                         \
	},
#define SESSION_OPERATION(operation, of_traits, room, begins, ends, doc) \
	[REQUEST_##operation] = {                                        \
		.name = #operation,                                      \
		.answer = ANSWER_TO_##operation,                         \
		.subject = SUBJECT_SESSION,                              \
		.traits = (of_traits),                                   \
		.room_bytes = (room),                                    \
		.begin = (begins),                                       \
		.run = instance_run_##operation,                         \
		.end = (ends),                                           \
	},
#define FILE_OPERATION(operation, of_record, of_traits, room, begins, ends, doc) \
	[REQUEST_##operation] = {                                                \
		.name = #operation,                                              \
		.answer = ANSWER_TO_##operation,                                 \
		.subject = SUBJECT_FILE,                                         \
		.first = offsetof(struct pathio_##operation, file),              \
		.traits = (of_traits),                                           \
		.record = RECORD_##of_record,                                    \
		.room_bytes = (room),                                            \
		.begin = (begins),                                               \
		.run = instance_run_##operation,                                 \
		.end = (ends),                                                   \
	},
const struct operation_rule instance_rules[INSTANCE_RULE_COUNT] = {
#include "worker/operations.def"
};
