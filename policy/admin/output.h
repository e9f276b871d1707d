/*
 * The file that an archive goes to: it takes its name when it is whole, and never before; with it
 * the disk has it. Standard output is written as it comes.
 */
#ifndef SALLYPORT_POLICY_ADMIN_OUTPUT_H
#define SALLYPORT_POLICY_ADMIN_OUTPUT_H

#include "ipc/base/bytes.h"

#include <stdbool.h>

struct output;

/*
 * `name` is borrowed; "-": standard output. Without `replaces` the file must not be there; with it
 * what is there must be a regular file. 0 or negative errno: -EEXIST; -EINVAL: it is no
 * regular file.
 */
MUST_CHECK int output_open(const char *name, bool replaces, struct output **result);

/* All of it: 0 or negative errno. */
MUST_CHECK int output_write(struct output *output, struct bytes bytes);

/* It is whole: 0, or negative errno and it is not there. Sets *output to NULL. */
MUST_CHECK int output_keep(struct output **output);

/* It is not: nothing stays. Sets *output to NULL. NULL is fine. */
void output_drop(struct output **output);

#endif
