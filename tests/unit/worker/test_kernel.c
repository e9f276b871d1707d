/*
 * What the kernel backend alone must withstand: special files, folders that others change, links
 * that lead out.
 */
#include "tests/table.h"
#include "tests/unit/worker/trees.h"

#include "ipc/base/scope.h"

#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

static struct test_tree test;

/* The name outside of the tree, as another program of the user has it. */
static const char *
outside(const char *path)
{
	static char text[PATH_BYTES_MAX];
	snprintf(text, sizeof(text), "%s%s", test.folder, path);
	return text;
}

static int
try_open(const char *text, unsigned flags)
{
	struct path path = test_path(text);
	struct backend_file *file = NULL;
	int error = backend_kernel.open(test.tree.state, &path, flags, 0666, &file, NULL);
	backend_kernel.close(&file);
	return error;
}

static void
put(const char *path)
{
	SCOPE_FD int fd = open(outside(path), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
}

/* ---- what is no file ---- */

struct special_row {
	const char *name;
	void (*make)(void);
};

static void
make_fifo(void)
{
	assert_int_equal(mkfifo(outside("/special"), 0666), 0);
}

static void
make_socket(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	SCOPE_FD int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s/special", test.folder);
	const struct sockaddr *generic = (const struct sockaddr *)&address;
	assert_int_equal(bind(fd, generic, sizeof(address)), 0);
}

static const struct special_row special_rows[] = {
	{ "a pipe", make_fifo },
	{ "a socket", make_socket },
};

/* Neither opened nor waited for. */
static void
check_special(void **state)
{
	const struct special_row *row = *state;
	test_tree_open(&test, &backend_kernel);
	row->make();
	assert_int_equal(try_open("/special", BACKEND_READ), -EACCES);
	assert_int_equal(try_open("/special", BACKEND_WRITE), -EACCES);
	assert_int_equal(try_open("/special", BACKEND_READ | BACKEND_WRITE), -EACCES);
	assert_int_equal(try_open("/special", BACKEND_WRITE | BACKEND_CREATE), -EACCES);
	struct path path = test_path("/special");
	struct pathio_attributes found;
	assert_int_equal(backend_kernel.stat(test.tree.state, &path, true, &found), 0);
	assert_int_equal(found.type, PATHIO_TYPE_OTHER);
	assert_int_equal(backend_kernel.set_mode(test.tree.state, &path, 0600), 0);
	assert_int_equal(backend_kernel.unlink(test.tree.state, &path), 0);
	test_tree_close(&test);
}

/* ---- links that others made ---- */

struct escape_row {
	const char *name;
	const char *target;
	const char *path;
};

static const struct escape_row escape_rows[] = {
	{ "absolute", "/etc/passwd", "/l" },
	{ "up and out", "../../../../../../../../etc/passwd", "/l" },
	{ "a folder outside", "/etc", "/l/passwd" },
	{ "up and out, a folder", "../../../../../../etc", "/l/passwd" },
	{ "by /proc", "/proc/self/root/etc/passwd", "/l" },
	{ "by /proc, a folder", "/proc/self/root", "/l/etc/passwd" },
};

static void
check_escape(void **state)
{
	const struct escape_row *row = *state;
	struct path path = test_path(row->path);
	struct pathio_attributes found;
	test_tree_open(&test, &backend_kernel);
	assert_int_equal(symlink(row->target, outside("/l")), 0);
	assert_int_equal(backend_kernel.stat(test.tree.state, &path, true, &found), -ENOENT);
	assert_int_equal(try_open(row->path, BACKEND_READ), -ENOENT);
	assert_int_equal(try_open(row->path, BACKEND_WRITE | BACKEND_CREATE), -ENOENT);
	test_tree_close(&test);
}

/*
 * Somebody swaps a folder and a link to a folder outside as fast as possible; what is outside stays
 * untouched, whatever is done to the name (HOSTILE 21).
 */
static void
flip_until_killed(const char *a, const char *b)
{
	for (;;)
		renameat2(AT_FDCWD, a, AT_FDCWD, b, RENAME_EXCHANGE);
}

static void
attack_once(int round)
{
	struct path path = test_path("/d/canary");
	struct path other = test_path("/d/other");
	struct backend_tree *state = test.tree.state;
	struct pathio_set_times times = { .has_mtime = true, .mtime_ns = 1 };
	switch (round % 6) {
	case 0:
		(void)backend_kernel.unlink(state, &path);
		break;
	case 1:
		(void)backend_kernel.rename(state, &path, &other);
		break;
	case 2:
		(void)try_open("/d/canary", BACKEND_WRITE | BACKEND_TRUNCATE | BACKEND_CREATE);
		break;
	case 3:
		(void)backend_kernel.set_mode(state, &path, 0);
		break;
	case 4:
		(void)backend_kernel.set_times(state, &path, &times);
		break;
	default:
		(void)backend_kernel.mkdir(state, &other, 0777);
		(void)backend_kernel.rmdir(state, &other);
		break;
	}
}

static void
check_flipping(UNUSED void **state)
{
	char folder[] = "/tmp/sallyport-canary-XXXXXX";
	char canary[64], inside[64], link[64];
	struct stat before, after;
	assert_non_null(mkdtemp(folder));
	snprintf(canary, sizeof(canary), "%s/canary", folder);
	SCOPE_FD int fd = open(canary, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	assert_int_equal(write(fd, "alive", 5), 5);
	assert_int_equal(stat(canary, &before), 0);

	test_tree_open(&test, &backend_kernel);
	snprintf(inside, sizeof(inside), "%s/d", test.folder);
	snprintf(link, sizeof(link), "%s/l", test.folder);
	assert_int_equal(mkdir(inside, 0755), 0);
	assert_int_equal(symlink(folder, link), 0);
	pid_t flipper = fork();
	if (flipper == 0)
		flip_until_killed(inside, link);
	assert_true(flipper > 0);
	for (int round = 0; round < 10000; round++)
		attack_once(round);
	kill(flipper, SIGKILL);
	assert_int_equal(waitpid(flipper, NULL, 0), flipper);
	test_tree_close(&test);

	assert_int_equal(stat(canary, &after), 0);
	assert_int_equal(after.st_size, 5);
	assert_int_equal(after.st_mode, before.st_mode);
	assert_int_equal(after.st_mtim.tv_sec, before.st_mtim.tv_sec);
	assert_int_equal(after.st_ctim.tv_nsec, before.st_ctim.tv_nsec);
	assert_int_equal(unlink(canary), 0);
	assert_int_equal(rmdir(folder), 0); /* nothing was put into it */
}

/* ---- folders ---- */

/* More than one block of the kernel's, with names as long as can be. */
static void
check_many_long_names(UNUSED void **state)
{
	enum { ENTRIES = 1000 };
	char name[NAME_BYTES_MAX + 2];
	test_tree_open(&test, &backend_kernel);
	for (int i = 0; i < ENTRIES; i++) {
		snprintf(name, sizeof(name), "/%0255d", i);
		put(name);
	}
	struct path path = test_path("/");
	struct backend_directory *directory;
	struct backend_entry entry;
	bool seen[ENTRIES] = { false };
	assert_int_equal(backend_kernel.directory_open(test.tree.state, &path, 0, &directory), 0);
	int count = 0;
	for (; backend_kernel.directory_next(directory, &entry) > 0; count++) {
		assert_int_equal(entry.name.length, NAME_BYTES_MAX);
		assert_int_equal(entry.attributes.type, PATHIO_TYPE_FILE);
		long number = strtol(entry.name.data, NULL, 10);
		assert_false(seen[number]);
		seen[number] = true;
	}
	assert_int_equal(count, ENTRIES);
	backend_kernel.directory_close(&directory);
	test_tree_close(&test);
}

/* A folder that may be read but not searched still lists, with what it tells by itself. */
static void
check_unsearchable(UNUSED void **state)
{
	test_tree_open(&test, &backend_kernel);
	assert_int_equal(mkdir(outside("/d"), 0755), 0);
	assert_int_equal(mkdir(outside("/d/folder"), 0755), 0);
	assert_int_equal(chmod(outside("/d"), 0444), 0);
	struct path path = test_path("/d");
	struct backend_directory *directory;
	struct backend_entry entry;
	assert_int_equal(backend_kernel.directory_open(test.tree.state, &path, 0, &directory), 0);
	assert_int_equal(backend_kernel.directory_next(directory, &entry), 1);
	assert_true(bytes_equal_text(entry.name, "folder"));
	assert_int_equal(entry.attributes.type, PATHIO_TYPE_DIRECTORY);
	assert_int_equal(backend_kernel.directory_next(directory, &entry), 0);
	backend_kernel.directory_close(&directory);
	test_tree_close(&test);
}

/* ---- an older kernel ---- */

enum { FCHMODAT2 = 452 };

static void
expect_mode(const char *text, mode_t want)
{
	struct stat found;
	assert_int_equal(stat(outside(text), &found), 0);
	assert_int_equal(found.st_mode & 07777, want);
}

static void
check_modes(void)
{
	struct backend_tree *state = test.tree.state;
	struct path file = test_path("/f"), folder = test_path("/d"), link = test_path("/l");
	struct path root = test_path("/"), pipe = test_path("/special");
	put("/f");
	make_fifo();
	assert_int_equal(mkdir(outside("/d"), 0755), 0);
	assert_int_equal(symlink("f", outside("/l")), 0);
	assert_int_equal(backend_kernel.set_mode(state, &file, 0640), 0);
	assert_int_equal(backend_kernel.set_mode(state, &folder, 0700), 0);
	assert_int_equal(backend_kernel.set_mode(state, &link, 0600), -ENOTSUP);
	assert_int_equal(backend_kernel.set_mode(state, &root, 0711), 0);
	assert_int_equal(backend_kernel.set_mode(state, &pipe, 0600), 0); /* and does not wait */
	expect_mode("/f", 0640);
	expect_mode("/d", 0700);
	expect_mode("/", 0711);
}

static void
check_new_kernel(UNUSED void **state)
{
	test_tree_open(&test, &backend_kernel);
	check_modes();
	test_tree_close(&test);
}

/* In a child: from now on this call is answered so. */
static void
answer_call(int call, int answer)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	if (filter == NULL ||
		seccomp_rule_add(filter, SCMP_ACT_ERRNO((uint16_t)answer), call, 0) < 0 ||
		seccomp_load(filter) < 0)
		_exit(2);
	seccomp_release(filter);
}

/* In a child, which loses fchmodat2 as Linux before 6.6 does not have it. */
static void
set_modes_without_fchmodat2(void)
{
	answer_call(FCHMODAT2, ENOSYS);
	check_modes();
	struct path file = test_path("/f");
	assert_int_equal(backend_kernel.set_mode(test.tree.state, &file, 0200), 0);
	/* What its owner may not read cannot be opened (DECISIONS 6). */
	assert_int_equal(backend_kernel.set_mode(test.tree.state, &file, 0600), -EACCES);
	expect_mode("/f", 0200);
	_exit(0);
}

static void
check_old_kernel(UNUSED void **state)
{
	int status;
	test_tree_open(&test, &backend_kernel);
	pid_t child = fork();
	if (child == 0)
		set_modes_without_fchmodat2();
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	test_tree_close(&test);
}

/* In a child, which loses openat2 as a container's filter takes it. */
static void
open_without_openat2(int answer)
{
	struct backend_options options = { .root_fd = open("/", O_PATH | O_CLOEXEC) };
	struct upload_policy uploads = { .sync = SYNC_NONE };
	struct tree tree;
	answer_call(SCMP_SYS(openat2), answer);
	int error = tree_open(&tree, &backend_kernel, &options, &uploads);
	_exit(error == -ENOSYS && strstr(tree_open_problem(error), "5.6") != NULL ? 0 : 1);
}

static void
check_no_openat2(UNUSED void **state)
{
	static const int answers[] = { ENOSYS, EPERM };
	for (size_t i = 0; i < ARRAY_LENGTH(answers); i++) {
		int status;
		pid_t child = fork();
		if (child == 0)
			open_without_openat2(answers[i]);
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_int_equal(status, 0);
	}
}

/* In a child, where renames race with ".." at every try. */
static void
look_in_a_race(void)
{
	struct path path = test_path("/d/f");
	struct pathio_attributes found;
	answer_call(SCMP_SYS(openat2), EAGAIN);
	_exit(backend_kernel.stat(test.tree.state, &path, true, &found) == -EBUSY ? 0 : 1);
}

/* DECISIONS 28: it is tried again, and not for ever. */
static void
check_racing(UNUSED void **state)
{
	int status;
	test_tree_open(&test, &backend_kernel);
	pid_t child = fork();
	if (child == 0)
		look_in_a_race();
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	test_tree_close(&test);
}

static void
rename_until_killed(const char *a, const char *b)
{
	for (;;)
		if (rename(a, b) < 0 || rename(b, a) < 0)
			_exit(1);
}

/* The kernel gives up a walk over ".." for any rename on the machine, so others' must not show. */
static void
check_neighbours(UNUSED void **state)
{
	enum { NEIGHBOURS = 2, LOOKS = 5000, UPS = 50 };
	pid_t neighbours[NEIGHBOURS];
	char target[5 * UPS + 8] = "";
	struct path path = test_path("/d/l");
	struct pathio_attributes found;
	test_tree_open(&test, &backend_kernel);
	assert_int_equal(mkdir(outside("/d"), 0755), 0);
	for (int i = 0; i < UPS; i++)
		strcat(target, "../d/");
	strcat(target, "../f");
	assert_int_equal(symlink(target, outside("/d/l")), 0);
	put("/f");
	for (int i = 0; i < NEIGHBOURS; i++) {
		char a[96], b[96];
		snprintf(a, sizeof(a), "%s/a%d", test.folder, i);
		snprintf(b, sizeof(b), "%s/b%d", test.folder, i);
		assert_int_equal(mkdir(a, 0755), 0);
		neighbours[i] = fork();
		if (neighbours[i] == 0)
			rename_until_killed(a, b);
		assert_true(neighbours[i] > 0);
	}
	int refused = 0;
	for (int i = 0; i < LOOKS; i++)
		refused += backend_kernel.stat(test.tree.state, &path, true, &found) != 0;
	for (int i = 0; i < NEIGHBOURS; i++) {
		kill(neighbours[i], SIGKILL);
		assert_int_equal(waitpid(neighbours[i], NULL, 0), neighbours[i]);
	}
	assert_int_equal(refused, 0);
	test_tree_close(&test);
}

static void
check_no_root(UNUSED void **state)
{
	struct backend_options options = { .root_fd = -1 };
	struct upload_policy uploads = { .sync = SYNC_NONE };
	struct tree tree;
	assert_int_equal(tree_open(&tree, &backend_kernel, &options, &uploads), -EBADF);
	tree_close(&tree);
}

int
main(void)
{
	tree_tests_begin();
	const struct table tables[] = {
		TABLE("never opened:", special_rows, check_special),
		TABLE("a link out of the root:", escape_rows, check_escape),
		CASE("a folder and a link out change places", check_flipping),
		CASE("1,000 names of 255 bytes", check_many_long_names),
		CASE("a folder that may not be searched", check_unsearchable),
		CASE("modes", check_new_kernel),
		CASE("modes before Linux 6.6", check_old_kernel),
		CASE("a kernel without openat2", check_no_openat2),
		CASE("renames that race with a walk for ever", check_racing),
		CASE("renames of neighbours without a pause", check_neighbours),
		CASE("a root that is none", check_no_root),
	};
	return table_run(tables, ARRAY_LENGTH(tables));
}
