/*
 * Folding of paths: whatever a client sends, the result is absolute, folded, within its bounds, and
 * folds to itself. Input: a base, a line end, the path.
 */
#include "ipc/base/ends.h"
#include "ipc/base/path.h"
#include "tests/fuzz/target.h"

static void
check_folded(const struct path *path)
{
	ensure(path->length >= 1 && path->length <= PATH_BYTES_MAX);
	ensure(path->text[0] == '/' && strlen(path->text) == path->length);
	ensure(path->length == 1 || path->text[path->length - 1] != '/');
	ensure(strstr(path->text, "//") == NULL && strstr(path->text, "/./") == NULL);
	ensure(strstr(path->text, "/../") == NULL);
	ensure(strcmp(path_name(path), ".") != 0 && strcmp(path_name(path), "..") != 0);
	ensure(strlen(path_name(path)) <= NAME_BYTES_MAX);

	struct path other;
	ensure(path_fold(NULL, path_bytes(path), &other) == 0);
	ensure(bytes_equal(path_bytes(&other), path_bytes(path)));
	path_parent(path, &other);
	ensure(path_is_within(path_bytes(path), path_bytes(&other)));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
	const uint8_t *line_end = length == 0 ? NULL : memchr(data, '\n', length);
	size_t base_bytes = line_end == NULL ? 0 : (size_t)(line_end - data);
	size_t skipped = line_end == NULL ? 0 : base_bytes + 1;

	struct path base;
	bool has_base = path_fold(NULL, bytes_of(data, base_bytes), &base) == 0;
	struct path result;
	struct bytes input = bytes_of(data + skipped, length - skipped);
	if (path_fold(has_base ? &base : NULL, input, &result) == 0)
		check_folded(&result);
	return 0;
}
