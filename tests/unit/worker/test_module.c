/*
 * Custom backends: the way to their file is judged, what they say of themselves is held to, and
 * whatever is refused is told with the path and a reason. The argument of this program is the
 * folder of the modules that variant.c was compiled to.
 */
#include "ipc/base/scope.h"
#include "tests/table.h"
#include "worker/backends.h"
#include "worker/module_path.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/wait.h>

static const char *modules;
static char top[] = "/tmp/sallyport-module-XXXXXX";

PRINTF_LIKE(1, 2)
static char *
text_of(const char *format, ...)
{
	char *text = NULL;
	va_list arguments;
	va_start(arguments, format);
	assert_true(vasprintf(&text, format, arguments) >= 0);
	va_end(arguments);
	return text;
}

static int
remove_entry(const char *path, const struct stat *status, int kind, struct FTW *place)
{
	(void)status, (void)kind, (void)place;
	return remove(path);
}

/* A fresh folder top/a/b, with this module in it under the name "variant". */
static void
furnish(const char *module)
{
	SCOPE_FREE char *outer = text_of("%s/a", top);
	SCOPE_FREE char *inner = text_of("%s/a/b", top);
	SCOPE_FREE char *from = text_of("%s/%s.so", modules, module);
	SCOPE_FREE char *to = text_of("%s/a/b/sallyport-backend-variant.so", top);
	nftw(outer, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
	assert_int_equal(mkdir(outer, 0755), 0);
	assert_int_equal(mkdir(inner, 0755), 0);
	struct stat status;
	SCOPE_FD int in = open(from, O_RDONLY | O_CLOEXEC);
	SCOPE_FD int out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (in < 0)
		fail_msg("%s: cannot be read", from);
	assert_int_equal(fstat(in, &status), 0);
	assert_int_equal(sendfile(out, in, NULL, (size_t)status.st_size), status.st_size);
}

static int
choose(const char *settings, struct backend_choice *choice, char **reason)
{
	SCOPE_FREE char *directory = text_of("%s/a/b", top);
	const struct backends_options options = {
		.name = bytes_of_text("variant"),
		.directory = bytes_of_text(directory),
		.settings = bytes_of_text(settings),
		.owner = geteuid(),
	};
	return backends_choose(&options, choice, reason);
}

/* In a process of its own, because the linker gives the same name the same object again. */
NORETURN static void
load_apart(const char *settings, int reason_fd)
{
	struct backend_choice choice;
	char *reason = NULL;
	SCOPE_FREE char *before = getcwd(NULL, 0);
	int error = choose(settings, &choice, &reason);
	SCOPE_FREE char *after = getcwd(NULL, 0);
	if (before == NULL || after == NULL || strcmp(before, after) != 0)
		dprintf(reason_fd, "it stayed in %s", after == NULL ? "?" : after);
	else if (error != 0 && (error != -ELIBBAD || reason == NULL))
		dprintf(reason_fd, "error %d without a reason", error);
	else
		dprintf(reason_fd, "%s", error == 0 ? "" : reason);
	_exit(0);
}

/* What is said of "variant" in top/a/b; "": it was taken. The caller frees it. */
static char *
load(const char *settings)
{
	char text[4096] = "";
	size_t length = 0;
	ssize_t got;
	int ends[2];
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0)
		load_apart(settings, ends[1]);
	fd_close(&ends[1]);
	while ((got = read(ends[0], text + length, sizeof(text) - 1 - length)) > 0)
		length += (size_t)got;
	fd_close(&ends[0]);
	assert_int_equal(waitpid(child, NULL, 0), child);
	return text_of("%s", text);
}

static void
expect(const char *reason, const char *want)
{
	if (reason[0] == '\0')
		fail_msg("it was taken, instead of: %s", want);
	else if (strstr(reason, top) == NULL || strstr(reason, want) == NULL)
		fail_msg("'%s' is not in '%s', or no path", want, reason);
}

/* ---- what a module says of itself ---- */

static const struct variant_row {
	const char *name;
	const char *module;
	const char *settings;
	const char *want;
} variant_rows[] = {
	{ "another ABI", "other-abi", "", "was built for ABI 2 " },
	{ "another table", "other-size", "", "with 8 bytes" },
	{ "another name", "other-name", "", "calls itself 'somebody'" },
	{ "no name", "no-name", "", "calls itself ''" },
	{ "no symbol", "no-symbol", "", "exports no sallyport_backend" },
	{ "a forbidden call", "socket", "", "asks for the system call socket, which is none" },
	{ "an unknown call", "unknown-call", "", "asks for the system call frobnicate, which" },
	{ "an empty table", "empty", "", "has no function tree_open" },
	{ "a function taken out", "right", "no rename", "has no function rename" },
	{ "of unknown descent", "orphan", "", "derives from 'nothing', which is not built in" },
	{ "with threads where none are borne", "restless", "", "wants threads, which 'memory'" },
	{ "unwilling", "unwilling", "", "refuses to start: No such device" },
};

static void
check_variant(void **state)
{
	const struct variant_row *row = *state;
	furnish(row->module);
	SCOPE_FREE char *reason = load(row->settings);
	expect(reason, row->want);
	expect(reason, "/a/b/sallyport-backend-variant.so: ");
}

static void
check_right(void **state)
{
	(void)state;
	struct backend_choice choice;
	furnish("linking");
	SCOPE_FREE char *reason = NULL;
	int error = choose("", &choice, &reason);
	if (error != 0)
		fail_msg("%s", reason);
	assert_string_equal(choice.backend->name, "variant");
	assert_ptr_equal(choice.backend->rename, backend_kernel.rename);
	assert_ptr_not_equal(choice.backend->stat, backend_kernel.stat);
	assert_int_equal(choice.executor, BACKEND_INLINE);
	assert_false(choice.in_memory);
	assert_int_equal(choice.additions.count, 1);
	assert_string_equal(choice.additions.calls[0], "linkat");
}

/* ---- the way to it ---- */

enum act { NOTHING, CHMOD, REMOVE, LINK, FOLDER, GARBAGE };

static const struct way_row {
	const char *name;
	const char *of; /* below top */
	enum act act;
	mode_t mode;
	const char *want; /* "": taken */
} way_rows[] = {
	{ "right", "", NOTHING, 0, "" },
	{ "the file for the group to write", "a/b/sallyport-backend-variant.so", CHMOD, 0664,
		"variant.so: others than its owner may write it" },
	{ "the file for all to write", "a/b/sallyport-backend-variant.so", CHMOD, 0646,
		"variant.so: others than its owner may write it" },
	{ "the folder for all to write", "a/b", CHMOD, 0757, "/a/b: others than its owner" },
	{ "the folder for all to write, sticky", "a/b", CHMOD, 01777, "/a/b: others than" },
	{ "a folder on the way for the group to write", "a", CHMOD, 0775, "/a: others than" },
	{ "a folder on the way for all, sticky", "a", CHMOD, 01777, "" },
	{ "no file", "a/b/sallyport-backend-variant.so", REMOVE, 0,
		"variant.so: No such file or directory" },
	{ "a link to the file", "a/b/sallyport-backend-variant.so", LINK, 0,
		"variant.so: is no regular file" },
	{ "a folder for a file", "a/b/sallyport-backend-variant.so", FOLDER, 0,
		"variant.so: is no regular file" },
	{ "a link to the folder", "a/b", LINK, 0, "/a/b: is a symbolic link" },
	{ "a link on the way", "a", LINK, 0, "/a: is a symbolic link" },
	{ "no shared object", "a/b/sallyport-backend-variant.so", GARBAGE, 0, "variant.so: " },
};

static void
carry_out(const struct way_row *row)
{
	SCOPE_FREE char *path = text_of("%s/%s", top, row->of);
	SCOPE_FREE char *moved = text_of("%s/moved", top);
	nftw(moved, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
	switch (row->act) {
	case NOTHING:
		return;
	case CHMOD:
		assert_int_equal(chmod(path, row->mode), 0);
		return;
	case REMOVE:
		assert_int_equal(remove(path), 0);
		return;
	case LINK:
		assert_int_equal(rename(path, moved), 0);
		assert_int_equal(symlink(moved, path), 0);
		return;
	case FOLDER:
		assert_int_equal(remove(path), 0);
		assert_int_equal(mkdir(path, 0755), 0);
		return;
	case GARBAGE:
		assert_int_equal(truncate(path, 100), 0);
		return;
	}
}

static void
check_way(void **state)
{
	const struct way_row *row = *state;
	furnish("right");
	carry_out(row);
	SCOPE_FREE char *reason = load("");
	if (row->want[0] != '\0')
		expect(reason, row->want);
	else if (reason[0] != '\0')
		fail_msg("%s", reason);
}

/* Its file is another user's, who could put anything there. */
static void
check_owner(void **state)
{
	(void)state;
	SCOPE_FREE char *path = text_of("%s/a/b/sallyport-backend-variant.so", top);
	SCOPE_FREE char *folder = text_of("%s/a", top);
	if (geteuid() != 0)
		case_skip("root");
	furnish("right");
	assert_int_equal(chown(path, 65534, 65534), 0);
	SCOPE_FREE char *reason = load("");
	expect(reason, "variant.so: belongs neither to root nor to the server's user");
	furnish("right");
	assert_int_equal(chown(folder, 65534, 65534), 0);
	SCOPE_FREE char *other = load("");
	expect(other, "/a: belongs neither to root nor to the server's user");
}

static void
check_nowhere(void **state)
{
	(void)state;
	struct backend_choice choice;
	char *reason = NULL;
	const struct backends_options options = { .name = bytes_of_text("variant"),
		.directory = bytes_of_text(""),
		.settings = bytes_of_text("") };
	assert_int_equal(backends_choose(&options, &choice, &reason), -ELIBBAD);
	assert_non_null(strstr(reason, "backend_directory is empty"));
	free(reason);
}

/* What is built in needs no file, and cannot be replaced by one. */
static void
check_built_in(void **state)
{
	(void)state;
	char *reason = NULL;
	struct backend_choice choice;
	const struct backends_options memory = { .name = bytes_of_text("memory") };
	assert_int_equal(backends_choose(&memory, &choice, &reason), 0);
	assert_ptr_equal(choice.backend, &backend_memory);
	assert_true(choice.in_memory);
	assert_int_equal(choice.additions.count, 0);
	assert_ptr_equal(backends_find(bytes_of_text("sync"))->backend, &backend_kernel);
	assert_null(backends_find(bytes_of_text("variant")));
}

int
main(int count, char **arguments)
{
	const struct table tables[] = {
		TABLE("refused", variant_rows, check_variant),
		TABLE("the way to it", way_rows, check_way), CASE("somebody else's", check_owner),
		CASE("without a folder", check_nowhere), CASE("built in", check_built_in),
		CASE("one that is right, with an addition", check_right), /* it stays loaded */
	};
	assert_true(count > 1);
	modules = arguments[1];
	if (mkdtemp(top) == NULL)
		return 1;
	int result = table_run(tables, ARRAY_LENGTH(tables));
	nftw(top, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
	return result;
}
