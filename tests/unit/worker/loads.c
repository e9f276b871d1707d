/*
 * Trees in memory that begin with something, for tests (see loads.h).
 */
#include "tests/unit/worker/loads.h"

#include "ipc/base/scope.h"
#include "tests/table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char loads_folder[64];

const char loads_make_source[] =
	"mkdir -m 750 tree && cd tree && echo one > file && chmod 640 file && "
	"mkdir -p empty deep/er && chmod 700 empty && echo two > deep/er/file && "
	"echo odd > \"$(printf 'a \\303\\244 \\377')\" && ln -s ../../outside deep/link && "
	"ln -s /file absolute && truncate -s 1000000 holes && printf end >> holes && "
	"mkdir $(printf '%0100d' 1) && echo long > $(printf '%0100d/%0200d' 1 2) && "
	"touch -d @1000000000 file && touch -hd @1000000001 absolute && "
	"touch -d @1000000002 deep/er && touch -d @1000000003 deep && touch -d @1000000004 .";

void
loads_begin(void)
{
	test_new_folder(loads_folder, sizeof(loads_folder));
}

int
loads_run(const char *command)
{
	SCOPE_FREE char *line = NULL;
	assert_true(asprintf(&line, "cd %s && { %s; }", loads_folder, command) > 0);
	return system(line); /* NOLINT(bugprone-command-processor,cert-env33-c): ours */
}

int
loads_path(const char *path, struct memory_load **load)
{
	const struct backend_options options = { .memory_limit_bytes = LOADS_LIMIT_BYTES,
		.umask = 022 };
	int error = memory_load_begin(bytes_of_text(path), &options, load);
	if (error == 0)
		error = memory_load_finish(*load);
	if (error < 0)
		return error;
	const struct upload_policy uploads = { .sync = SYNC_NONE };
	struct backend_options given = options;
	given.made = memory_load_take_tree(*load);
	test_tree_open_with(&memory_test, &backend_memory, &given, &uploads);
	return 0;
}

int
loads_name(const char *name, struct memory_load **load)
{
	char path[128];
	snprintf(path, sizeof(path), "%s/%s", loads_folder, name);
	return loads_path(path, load);
}

struct pathio_attributes
loads_attributes(const char *name)
{
	struct path path = test_path(name);
	struct pathio_attributes found;
	int error = backend_memory.stat(memory_test.tree.state, &path, false, &found);
	if (error < 0)
		fail_msg("%s: %s", name, strerror(-error));
	return found;
}

void
loads_expect_text(const struct memory_load *load, const char *part)
{
	const char *text = memory_load_text(load);
	if (text == NULL || strstr(text, part) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", text, part);
}
