/*
 * Long operations in pieces: what all kinds share (see operations.h). Runs in the worker, as the
 * user.
 */
#include "worker/operation.h"

#include <stdlib.h>

int
operation_step(struct operation *operation)
{
	return operation->kind->step(operation);
}

uint64_t
operation_bytes(const struct operation *operation)
{
	return operation->bytes;
}

uint32_t
operation_left(const struct operation *operation)
{
	return operation->left;
}

struct bytes
operation_digest_value(const struct operation *operation)
{
	return operation->digest;
}

void
operation_free(struct operation **operation)
{
	if (*operation == NULL)
		return;
	(*operation)->kind->release(*operation);
	free(*operation);
	*operation = NULL;
}
