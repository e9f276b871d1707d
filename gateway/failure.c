/*
 * From errno to reply (see failure.h). Constants only.
 */
#include "gateway/failure.h"

#include "ipc/base/compiler.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

static const struct failure failures[] = {
#define FAILURE(number, general, naming, moving, words) \
	{                                               \
		.error = (number),                      \
		.codes = { general, naming, moving },   \
		.text = (words),                        \
	},
#include "gateway/failures.def"
};

bool
failure_means_nothing(int error)
{
	return error == -ENOENT || error == -ENOTDIR || error == -EACCES || error == -ELOOP ||
	       error == -ENAMETOOLONG;
}

const struct failure *
failure_find(int error)
{
	size_t last = ARRAY_LENGTH(failures) - 1;
	for (size_t i = 0; i < last; i++)
		if (failures[i].error == abs(error))
			return &failures[i];
	return &failures[last];
}
