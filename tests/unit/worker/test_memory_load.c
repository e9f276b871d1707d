/*
 * What a tree in memory begins with: folders, archives as Debian's tar writes them, and archives
 * that mean harm.
 */
#include "tests/table.h"
#include "tests/unit/worker/memory_tree.h"

#include "ipc/base/scope.h"
#include "worker/memory_load.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { LIMIT = 4 << 20, TAR_BLOCK = 512 };

static char folder[64]; /* of the running case */

static void
make_folder(void)
{
	snprintf(folder, sizeof(folder), "/tmp/sallyport-test-XXXXXX");
	assert_non_null(mkdtemp(folder));
}

/* In the folder. */
static int
run(const char *command)
{
	SCOPE_FREE char *line = NULL;
	assert_true(asprintf(&line, "cd %s && { %s; }", folder, command) > 0);
	return system(line); /* NOLINT(bugprone-command-processor,cert-env33-c): ours */
}

/* The result of the whole; the tree, on success, is memory_test. */
static int
load_path(const char *path, struct memory_load **load)
{
	const struct backend_options options = { .memory_limit_bytes = LIMIT, .umask = 022 };
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

static int
load_name(const char *name, struct memory_load **load)
{
	char path[128];
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return load_path(path, load);
}

static struct pathio_attributes
attributes_of(const char *name)
{
	struct path path = test_path(name);
	struct pathio_attributes found;
	int error = backend_memory.stat(memory_test.tree.state, &path, false, &found);
	if (error < 0)
		fail_msg("%s: %s", name, strerror(-error));
	return found;
}

static void
expect_content(const char *name, const char *want)
{
	char got[64];
	struct backend_file *file = memory_test_open_file(name, BACKEND_READ);
	ssize_t length = backend_memory.read(file, 0, got, sizeof(got));
	assert_int_equal(length, strlen(want));
	assert_memory_equal(got, want, strlen(want));
	backend_memory.close(&file);
}

static void
expect_text(const struct memory_load *load, const char *part)
{
	const char *text = memory_load_text(load);
	if (text == NULL || strstr(text, part) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", text, part);
}

/* ---- what it is for ---- */

static const char make_source[] =
	"mkdir -m 750 tree && cd tree && echo one > file && chmod 640 file && "
	"mkdir -p empty deep/er && chmod 700 empty && echo two > deep/er/file && "
	"echo odd > \"$(printf 'a \\303\\244 \\377')\" && ln -s ../../outside deep/link && "
	"ln -s /file absolute && truncate -s 1000000 holes && printf end >> holes && "
	"mkdir $(printf '%0100d' 1) && echo long > $(printf '%0100d/%0200d' 1 2) && "
	"touch -d @1000000000 file && touch -hd @1000000001 absolute && "
	"touch -d @1000000002 deep/er && touch -d @1000000003 deep && touch -d @1000000004 .";

struct source_row {
	const char *name;
	const char *make; /* in the folder of the tree; empty: the tree itself */
	const char *load;
	const char *lacks; /* if the command fails */
};

static const struct source_row source_rows[] = {
	{ "the folder itself", "", "tree", NULL },
	{ "GNU tar's own format", "tar -cf t --format=gnu -C tree .", "t", NULL },
	{ "pax", "tar -cf t --format=pax -C tree .", "t", NULL },
	{ "no leading dot", "cd tree && tar -cf ../t *", "t", NULL },
	{ "sparse, gnu", "tar -cSf t --format=gnu -C tree .", "t", NULL },
	{ "sparse, pax", "tar -cSf t --format=pax -C tree .", "t", NULL },
	{ "gzip", "tar -czf t -C tree .", "t", "gzip" },
	{ "bzip2", "tar -cjf t -C tree .", "t", "bzip2" },
	{ "xz", "tar -cJf t -C tree .", "t", "xz" },
	{ "zstd", "tar -c --zstd -f t -C tree .", "t", "zstd" },
};

static void
expect_source(void)
{
	char name[400];
	expect_content("/file", "one\n");
	assert_int_equal(attributes_of("/file").mode, 0640);
	assert_int_equal(attributes_of("/file").mtime_ns, INT64_C(1000000000000000000));
	assert_int_equal(attributes_of("/empty").type, PATHIO_TYPE_DIRECTORY);
	assert_int_equal(attributes_of("/empty").mode, 0700);
	expect_content("/deep/er/file", "two\n");
	assert_int_equal(attributes_of("/deep/er").mtime_ns, INT64_C(1000000002000000000));
	assert_int_equal(attributes_of("/deep").mtime_ns, INT64_C(1000000003000000000));
	assert_int_equal(attributes_of("/deep").links, 3);
	expect_content("/a \303\244 \377", "odd\n");
	assert_int_equal(attributes_of("/deep/link").type, PATHIO_TYPE_SYMLINK);
	assert_int_equal(attributes_of("/deep/link").size, strlen("../../outside"));
	assert_int_equal(attributes_of("/absolute").mtime_ns, INT64_C(1000000001000000000));
	expect_content("/absolute", "one\n"); /* the root is the tree's */
	assert_int_equal(attributes_of("/holes").size, 1000003);
	snprintf(name, sizeof(name), "/%0100d/%0200d", 1, 2);
	expect_content(name, "long\n");
}

static void
check_source(void **state)
{
	const struct source_row *row = *state;
	struct memory_load *load = NULL;
	make_folder();
	assert_int_equal(run(make_source), 0);
	if (row->make[0] != '\0' && run(row->make) != 0) {
		test_remove_folder(folder);
		case_skip(row->lacks);
	}
	int error = load_name(row->load, &load);
	if (error < 0)
		fail_msg("%s", memory_load_text(load));
	memory_load_free(&load);
	expect_source();
	test_tree_close(&memory_test);
	test_remove_folder(folder);
}

/* What has no place in memory is left out and counted; a file of two names keeps both. */
static void
check_left_out(UNUSED void **state)
{
	struct memory_load *load = NULL;
	make_folder();
	assert_int_equal(run("mkdir tree && cd tree && mkfifo pipe && echo x > f && ln f g && "
			     "echo x > .sallyport-0123456789abcdef.part && "
			     "tar -cf ../t --exclude=t ."),
		0);
	assert_int_equal(load_name("tree", &load), 0);
	expect_text(load, "2 files, 0 folders, 0 symbolic links; 2 entries left out");
	memory_load_free(&load);
	assert_int_equal(attributes_of("/f").links, 1);
	test_tree_close(&memory_test);
	assert_int_equal(load_name("t", &load), 0);
	expect_text(load, "2 files, 0 folders, 0 symbolic links; 2 entries left out");
	memory_load_free(&load);
	assert_int_equal(attributes_of("/f").links, 2);
	assert_int_equal(attributes_of("/f").inode, attributes_of("/g").inode);
	test_tree_close(&memory_test);
	test_remove_folder(folder);
}

/* An archive that was added to: the last entry of a name counts. */
static void
check_added_to(UNUSED void **state)
{
	struct memory_load *load = NULL;
	make_folder();
	assert_int_equal(run("echo old > f && ln -s f l && mkdir d && tar -cf t f l d && "
			     "echo new > f && rm l && echo file > l && echo x > d/x && "
			     "tar -rf t f l d"),
		0);
	assert_int_equal(load_name("t", &load), 0);
	memory_load_free(&load);
	expect_content("/f", "new\n");
	expect_content("/l", "file\n");
	expect_content("/d/x", "x\n");
	test_tree_close(&memory_test);
	test_remove_folder(folder);
}

/* ---- what is refused ---- */

struct refused_row {
	const char *name;
	const char *make;
	const char *load;
	int error;
	const char *text;
};

static const struct refused_row refused_rows[] = {
	{ "nothing there", "true", "n", -ENOENT, "/n: No such file" },
	{ "a link on the way", "mkdir d && ln -s d l && touch d/t", "l/t", -ELOOP, "without it" },
	{ "a link", "mkdir d && ln -s d l", "l", -ELOOP, "without it" },
	{ "a pipe", "mkfifo p", "p", -EINVAL, "neither a folder nor a file" },
	{ "may not be read", "touch t && chmod 0 t", "t", -EACCES, "/t: Permission" },
	{ "a file that may not be read", "mkdir -p d/e && touch d/e/f && chmod 0 d/e/f", "d",
		-EACCES, "/d: e/f: Permission" },
	{ "a folder that may not be read", "mkdir -p d/e && chmod 0 d/e", "d", -EACCES,
		"/d: e/: Permission" },
	{ "a folder beyond the limit", "mkdir d && head -c 5000000 /dev/zero | tr '\\0' x > d/f",
		"d", -ENOSPC, "d: f: does not fit into memory_limit, which is 4194304 bytes" },
	{ "an archive beyond the limit",
		"head -c 5000000 /dev/zero | tr '\\0' x > f && tar -cf t f", "t", -ENOSPC,
		"/t: f: does not fit into memory_limit" },
	{ "a bomb", "truncate -s 300M f && tar -czf t f", "t", -ENOSPC,
		"/t: f: does not fit into memory_limit" },
	{ "no archive", "echo text > t", "t", -EINVAL, "/t: Unrecognized archive format" },
	{ "an empty file", "touch t", "t", -EINVAL, "/t: Unrecognized archive format" },
	{ "cut short in contents",
		"head -c 9000 /dev/zero > f && tar -cf a f && head -c 4096 a > t", "t", -EINVAL,
		"/t: f: Truncated" },
	{ "cut short in a header", "touch f g && tar -cf a f g && head -c 700 a > t", "t", -EINVAL,
		"/t: Truncated" },
	{ "cut short in gzip",
		"head -c 99999 /dev/urandom > f && tar -czf a f && "
		"head -c 5000 a > t",
		"t", -EINVAL, "/t: truncated gzip" },
	{ "a damaged header",
		"touch f && tar -cf t f && printf x | "
		"dd of=t bs=1 seek=20 conv=notrunc status=none",
		"t", -EINVAL, "/t: " },
	{ "zip", "printf 'PK\\003\\004' > t && head -c 999 /dev/zero >> t", "t", -EINVAL,
		"Unrecognized" },
};

static void
check_refused(void **state)
{
	const struct refused_row *row = *state;
	struct memory_load *load = NULL;
	int descriptors = count_descriptors();
	make_folder();
	assert_int_equal(run(row->make), 0);
	int error = load_name(row->load, &load);
	if (load != NULL)
		expect_text(load, row->text);
	assert_int_equal(error, row->error);
	memory_load_free(&load);
	assert_int_equal(count_descriptors(), descriptors);
	test_remove_folder(folder);
}

/* ---- archives that mean harm ---- */

/* The fields of a header that matter, and what follows it. */
struct entry {
	const char *path;
	char type; /* 0: no entry */
	const char *link;
	const char *size; /* in octal; NULL: of the data */
	const char *data; /* at most a block */
};

static void
put_octal(char *field, size_t width, unsigned long number)
{
	snprintf(field, width, "%0*lo", (int)width - 1, number);
}

static void
write_entry(FILE *out, const struct entry *entry)
{
	char header[TAR_BLOCK] = { 0 };
	char data[TAR_BLOCK] = { 0 };
	size_t length = entry->data == NULL ? 0 : strlen(entry->data);
	assert_true(strlen(entry->path) <= 100 && length <= sizeof(data));
	memcpy(header, entry->path, strlen(entry->path));
	put_octal(header + 100, 8, entry->type == '5' ? 0755 : 0644);
	put_octal(header + 108, 8, 0);
	put_octal(header + 116, 8, 0);
	put_octal(header + 124, 12, entry->size == NULL ? length : strtoul(entry->size, NULL, 8));
	put_octal(header + 136, 12, 1000000000);
	header[156] = entry->type;
	if (entry->link != NULL)
		memcpy(header + 157, entry->link, strlen(entry->link));
	memcpy(header + 257,
		"ustar\0"
		"00",
		8);
	memset(header + 148, ' ', 8);
	unsigned long sum = 0;
	for (size_t i = 0; i < sizeof(header); i++)
		sum += (unsigned char)header[i];
	put_octal(header + 148, 7, sum);
	assert_int_equal(fwrite(header, sizeof(header), 1, out), 1);
	if (length > 0)
		memcpy(data, entry->data, length);
	if (length > 0)
		assert_int_equal(fwrite(data, sizeof(data), 1, out), 1);
}

struct hostile_row {
	const char *name;
	struct entry entries[4];
	const char *refused; /* NULL: loaded, and */
	const char *there;   /* what is there then: one name, */
	const char *text;    /* and what is said */
};

#define NAME_256                                                           \
	"nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn" \
	"nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn" \
	"nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn" \
	"nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"

#define ENTRY(name, kind)                      \
	{                                      \
		.path = (name), .type = (kind) \
	}
#define FILE_ENTRY(name, text)                              \
	{                                                   \
		.path = (name), .type = '0', .data = (text) \
	}
#define LINK_ENTRY(name, target)                              \
	{                                                     \
		.path = (name), .type = '2', .link = (target) \
	}
#define HARD_ENTRY(name, target)                              \
	{                                                     \
		.path = (name), .type = '1', .link = (target) \
	}
#define REFUSED(words)      .refused = (words)
#define LOADED(name, words) .there = (name), .text = (words)

static const struct hostile_row hostile_rows[] = {
	{ "an absolute name", { ENTRY("/etc/f", '0') }, REFUSED(": /etc/f: an absolute name") },
	{ "above the root", { ENTRY("../f", '0') }, REFUSED(": ../f: '..' in the name") },
	{ "above, later", { ENTRY("a/../../f", '0') }, REFUSED("a/../../f: '..' in the name") },
	{ "a folder above", { ENTRY("a/..", '5') }, REFUSED("'..' in the name") },
	{ "a name over 255 bytes",
		{ { .path = "x", .type = 'L', .data = NAME_256 }, ENTRY("x", '0') },
		REFUSED("File name too long") },
	{ "through a link of its own", { LINK_ENTRY("l", "/etc"), FILE_ENTRY("l/f", "x") },
		REFUSED(": l/f: stands below what is no folder") },
	{ "below a file", { ENTRY("f", '0'), ENTRY("f/g", '0') },
		REFUSED("f/g: stands below what is no folder") },
	{ "a file over a folder", { ENTRY("d", '5'), ENTRY("d", '0') },
		REFUSED(": d: Is a directory") },
	{ "a folder over a file", { ENTRY("d", '0'), ENTRY("d", '5') },
		REFUSED(": Not a directory") },
	{ "a hard link to what is outside", { HARD_ENTRY("h", "/etc/passwd") },
		REFUSED(": h: an absolute name") },
	{ "a hard link above", { HARD_ENTRY("h", "../f") }, REFUSED(": h: '..' in the name") },
	{ "a hard link to nothing", { HARD_ENTRY("h", "f") },
		REFUSED(": h: a hard link to what is not there") },
	{ "a hard link to a folder", { ENTRY("d", '5'), HARD_ENTRY("h", "d") },
		REFUSED("h: a hard link to what is no file") },
	{ "a hard link through a link", { LINK_ENTRY("l", "."), HARD_ENTRY("h", "l/f") },
		REFUSED("h: a hard link to what is not there") },
	{ "a file for the root", { ENTRY(".", '0') }, REFUSED("in the place of the root") },
	{ "a link without a target", { ENTRY("l", '2') }, REFUSED(": l: No such file") },
	{ "no name", { ENTRY("", '0') }, REFUSED("has no name") },
	{ "a size that is a lie",
		{ { .path = "f", .type = '0', .size = "77777777777", .data = "x" } },
		REFUSED(": f: Truncated") },
	{ "a device", { ENTRY("null", '3'), ENTRY("f", '0') }, LOADED("/f", "1 entries left out") },
	{ "a block device", { ENTRY("sda", '4'), ENTRY("f", '0') },
		LOADED("/f", "1 entries left out") },
	{ "a pipe with contents", { { .path = "p", .type = '6', .data = "x" }, ENTRY("f", '0') },
		REFUSED("/t: Damaged tar archive") },
	{ "a pipe", { ENTRY("p", '6'), ENTRY("f", '0') }, LOADED("/f", "1 entries left out") },
	{ "links anywhere", { LINK_ENTRY("l", "../../../etc/passwd") },
		LOADED("/l", "1 symbolic links") },
	{ "the same hard link twice",
		{ ENTRY("f", '0'), HARD_ENTRY("h", "f"), HARD_ENTRY("h", "h") },
		LOADED("/h", "3 files") },
	{ "slashes and dots", { ENTRY(".//a/./b///", '5'), ENTRY("./a/b/.//f", '0') },
		LOADED("/a/b/f", "1 files, 2 folders") },
};

static void
write_archive(const struct hostile_row *row)
{
	static const char end[2 * TAR_BLOCK];
	char path[128];
	snprintf(path, sizeof(path), "%s/t", folder);
	FILE *out = fopen(path, "we");
	assert_non_null(out);
	for (size_t i = 0; i < ARRAY_LENGTH(row->entries) && row->entries[i].type != 0; i++)
		write_entry(out, &row->entries[i]);
	assert_int_equal(fwrite(end, sizeof(end), 1, out), 1);
	assert_int_equal(fclose(out), 0);
}

static void
check_hostile(void **state)
{
	const struct hostile_row *row = *state;
	struct memory_load *load = NULL;
	make_folder();
	write_archive(row);
	int error = load_name("t", &load);
	assert_non_null(load);
	expect_text(load, row->refused == NULL ? row->text : row->refused);
	assert_int_equal(error < 0, row->refused != NULL);
	memory_load_free(&load);
	if (row->there != NULL) {
		attributes_of(row->there);
		test_tree_close(&memory_test);
	}
	test_remove_folder(folder);
}

static void
check_not_absolute(UNUSED void **state)
{
	struct memory_load *load = NULL;
	assert_int_equal(load_path("relative", &load), -EINVAL);
	expect_text(load, "is not absolute");
	memory_load_free(&load);
}

int
main(void)
{
	tree_tests_begin();
	const struct table tables[] = {
		TABLE("begins with", source_rows, check_source),
		CASE("what is left out", check_left_out),
		CASE("an archive that was added to", check_added_to),
		TABLE("refused", refused_rows, check_refused),
		TABLE("hostile", hostile_rows, check_hostile),
		CASE("a path that is not absolute", check_not_absolute),
	};
	return table_run(tables, ARRAY_LENGTH(tables));
}
