/*
 * Archives that mean harm, for a tree in memory to begin with: names that lead elsewhere, lies, and
 * anything at all.
 */
#include "tests/table.h"
#include "tests/unit/worker/loads.h"

#include "ipc/base/scope.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TAR_BLOCK = 512 };

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
put_checksum(char *header)
{
	unsigned long sum = 0;
	memset(header + 148, ' ', 8);
	for (size_t i = 0; i < TAR_BLOCK; i++)
		sum += (unsigned char)header[i];
	put_octal(header + 148, 7, sum);
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
	put_checksum(header);
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
	snprintf(path, sizeof(path), "%s/t", loads_folder);
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
	loads_begin();
	write_archive(row);
	int error = loads_name("t", &load);
	assert_non_null(load);
	loads_expect_text(load, row->refused == NULL ? row->text : row->refused);
	assert_int_equal(error < 0, row->refused != NULL);
	memory_load_free(&load);
	if (row->there != NULL) {
		loads_attributes(row->there);
		test_tree_close(&memory_test);
	}
	test_remove_folder(loads_folder);
}

/* ---- archives that are anything ---- */

enum { MUTATIONS = 3000, ARCHIVE_BYTES_MAX = 64 * 1024 };

static uint64_t
draw(uint64_t *random)
{
	*random ^= *random >> 12;
	*random ^= *random << 25;
	*random ^= *random >> 27;
	return *random * UINT64_C(2685821657736338717) >> 33;
}

/* Some bytes of a block are others; a header gets the checksum that it needs to be read. */
static void
mutate(char *block, uint64_t *random)
{
	for (uint64_t i = draw(random) % 4; i < 4; i++)
		block[draw(random) % (draw(random) % 2 == 0 ? 160 : TAR_BLOCK)] =
			(char)(draw(random) % 3 == 0 ? draw(random) : '0' + draw(random) % 8);
	if (memcmp(block + 257, "ustar", 5) == 0)
		put_checksum(block);
}

static size_t
read_archive(char *archive, size_t capacity)
{
	char path[128];
	snprintf(path, sizeof(path), "%s/t", loads_folder);
	SCOPE_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t length = read(fd, archive, capacity);
	assert_in_range(length, TAR_BLOCK, capacity - 1);
	return (size_t)length;
}

/* Whatever is in an archive, there is a tree or a reason, and nothing is kept. */
static void
load_mutated(const char *archive, size_t length, uint64_t *random)
{
	static char mutated[ARCHIVE_BYTES_MAX];
	struct memory_load *load = NULL;
	char path[128];
	memcpy(mutated, archive, length);
	for (int i = 0; i < 3; i++)
		mutate(mutated + draw(random) % (length / TAR_BLOCK) * TAR_BLOCK, random);
	snprintf(path, sizeof(path), "%s/mutated", loads_folder);
	SCOPE_FD int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_int_equal(write(fd, mutated, length), length);
	int error = loads_path(path, &load);
	assert_non_null(memory_load_text(load));
	memory_load_free(&load);
	if (error == 0)
		test_tree_close(&memory_test);
}

static void
check_mutated(UNUSED void **state)
{
	static const char *const formats[] = { "gnu", "pax", "ustar" };
	static char archive[ARCHIVE_BYTES_MAX];
	uint64_t random = 88172645463325252;
	void *library = dlopen("libarchive.so.13", RTLD_NOW | RTLD_LOCAL); /* once, not each time */
	assert_non_null(library);
	loads_begin();
	assert_int_equal(loads_run(loads_make_source), 0);
	for (size_t i = 0; i < ARRAY_LENGTH(formats); i++) {
		char command[128];
		snprintf(command, sizeof(command),
			"rm -rf tree/holes tree/0* && tar -cf t -b 1 --format=%s -C tree .",
			formats[i]);
		assert_int_equal(loads_run(command), 0);
		size_t length = read_archive(archive, sizeof(archive));
		for (int j = 0; j < MUTATIONS / 3; j++)
			load_mutated(archive, length, &random);
	}
	assert_int_equal(dlclose(library), 0);
	test_remove_folder(loads_folder);
}

int
main(void)
{
	tree_tests_begin();
	const struct table tables[] = {
		TABLE("hostile", hostile_rows, check_hostile),
		CASE("whatever is in an archive", check_mutated),
	};
	return table_run(tables, ARRAY_LENGTH(tables));
}
