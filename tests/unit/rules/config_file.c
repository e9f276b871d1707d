/*
 * Configurations from text (see config_file.h).
 */
#include "tests/unit/rules/config_file.h"

#include "ipc/base/scope.h"
#include "tests/table.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

void
config_file_unload(struct loaded *loaded)
{
	config_free(&loaded->config);
	rules_error_free(&loaded->error);
}

struct loaded
config_file_load(struct bytes text)
{
	SCOPE_FD int fd = memfd_create("configuration", MFD_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text.data, text.length), text.length);
	char path[32];
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	struct loaded loaded = { 0 };
	loaded.result = config_load(path, &loaded.config, &loaded.error);
	return loaded;
}

struct loaded
config_file_load_good(const char *text)
{
	struct loaded loaded = config_file_load(bytes_of_text(text));
	if (loaded.result < 0)
		fail_msg("line %u: %s", loaded.error.line, loaded.error.reason);
	return loaded;
}
