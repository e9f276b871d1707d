/*
 * Headers of a tar archive (see memory_save_private.h): ustar's, and before it pax's where that
 * holds too little. Runs in the worker, as the user. Names and targets are bytes that clients
 * chose; they stand in fields that have room for them, and after a length.
 */
#include "worker/memory_save_private.h"

#include "ipc/base/ends.h"

#include <inttypes.h>

/* POSIX pax, "ustar Interchange Format". */
struct ustar {
	char name[100];
	char mode[8];
	char uid[8];
	char gid[8];
	char size[12];
	char mtime[12];
	char checksum[8];
	char type;
	char target[100];
	char magic[6];
	char version[2];
	char owner[32];
	char group[32];
	char device_major[8];
	char device_minor[8];
	char prefix[155];
	char padding[12];
};
_Static_assert(sizeof(struct ustar) == TAR_BLOCK_BYTES, "a header is a block");

/* ---- numbers and texts ---- */

/* Octal digits and a NUL: false if they do not fit, and then the field is zero. */
static bool
put_number(char *field, size_t width, uint64_t number)
{
	uint64_t largest = (UINT64_C(1) << (3 * (width - 1))) - 1;
	field[width - 1] = '\0';
	uint64_t left = number <= largest ? number : 0;
	for (size_t i = width - 1; i-- > 0; left >>= 3)
		field[i] = (char)('0' + (left & 7));
	return number <= largest;
}

/* False if it does not fit, and then its beginning stands there. */
static bool
put_text(char *field, size_t width, struct bytes text)
{
	size_t length = text.length < width ? text.length : width;
	memcpy(field, text.data, length);
	return length == text.length;
}

static void
put_checksum(struct ustar *header)
{
	const unsigned char *bytes = (const unsigned char *)header;
	uint64_t sum = 0;
	memset(header->checksum, ' ', sizeof(header->checksum));
	for (size_t i = 0; i < sizeof(*header); i++)
		sum += bytes[i];
	ensure(put_number(header->checksum, sizeof(header->checksum) - 1, sum));
}

static struct ustar
begin_header(char type)
{
	struct ustar header = { .type = type, .magic = "ustar", .version = { '0', '0' } };
	(void)put_number(header.device_major, sizeof(header.device_major), 0);
	(void)put_number(header.device_minor, sizeof(header.device_minor), 0);
	return header;
}

/* ---- pax records ---- */

struct records {
	char *bytes;
	size_t length;
};

static size_t
count_digits(size_t number)
{
	size_t digits = 1;
	for (; number >= 10; number /= 10)
		digits++;
	return digits;
}

/* "length key=value\n"; the length counts its own digits. */
static void
add_record(struct records *records, const char *key, struct bytes value)
{
	size_t rest = 1 + strlen(key) + 1 + value.length + 1;
	size_t length = rest + count_digits(rest);
	length = rest + count_digits(length);
	char start[64];
	int start_length = snprintf(start, sizeof(start), "%zu %s=", length, key);
	char *at = mempcpy(records->bytes + records->length, start, (size_t)start_length);
	at = mempcpy(at, value.data, value.length);
	*at = '\n';
	records->length += length;
}

static void
add_number(struct records *records, const char *key, uint64_t number)
{
	char text[24];
	snprintf(text, sizeof(text), "%" PRIu64, number);
	add_record(records, key, bytes_of_text(text));
}

/* The fraction counts upwards before 1970 as well, which is how libarchive reads it. */
static void
add_time(struct records *records, const char *key, int64_t time_ns)
{
	const int64_t second_ns = 1000000000;
	int64_t fraction = (time_ns % second_ns + second_ns) % second_ns;
	char text[40];
	snprintf(text, sizeof(text), "%" PRId64 ".%09" PRId64, (time_ns - fraction) / second_ns,
		fraction);
	add_record(records, key, bytes_of_text(text));
}

/* ---- an entry ---- */

/* What is told of an entry. */
struct subject {
	const struct memory_save *save;
	const struct memory_save_entry *entry;
	char type;
	bool is_sparse;
	uint64_t size; /* of what follows the header */
	struct bytes path;
	struct bytes target; /* of a symbolic link, or the path of another name */
	struct records records;
	bool has_odd_names; /* a record holds bytes that may be no UTF-8 */
};

/* From its end to its beginning, as the entries lead. */
static struct bytes
make_path(const struct memory_save *save, size_t index, char path[PATH_BYTES_MAX + 1])
{
	const struct memory_save_entry *entry = &save->entries[index];
	size_t length = entry->path_bytes, at = length;
	if (index == 0)
		return bytes_of("./", 2);
	for (; index != 0; index = entry->parent) {
		entry = &save->entries[index];
		at -= entry->name_bytes;
		memcpy(path + at, save->names + entry->name_at, entry->name_bytes);
		if (at > 0)
			path[--at] = '/';
	}
	ensure(at == 0);
	return bytes_of(path, length);
}

/* With a slash at the end, as is usual, where that leaves a path that is short enough. */
static struct bytes
make_folder_path(const struct memory_save *save, size_t index, char path[PATH_BYTES_MAX + 1])
{
	struct bytes made = make_path(save, index, path);
	if (index == 0 || made.length == MEMORY_SAVE_PATH_BYTES_MAX)
		return made;
	path[made.length] = '/';
	return bytes_of(path, made.length + 1);
}

static bool
is_ascii(struct bytes text)
{
	for (size_t i = 0; i < text.length; i++)
		if ((unsigned char)text.data[i] >= 0x80)
			return false;
	return true;
}

/* "hdrcharset" comes first: a reader that knows it takes what follows as bytes. */
static void
add_name(struct subject *subject, const char *key, struct bytes name)
{
	if (!is_ascii(name) && !subject->has_odd_names) {
		subject->has_odd_names = true;
		add_record(&subject->records, "hdrcharset", bytes_of_text("BINARY"));
	}
	add_record(&subject->records, key, name);
}

static void
fill_owner(struct subject *subject, struct ustar *header)
{
	const struct backend_options *options = &subject->save->tree->options;
	if (!put_number(header->uid, sizeof(header->uid), options->uid))
		add_number(&subject->records, "uid", options->uid);
	if (!put_number(header->gid, sizeof(header->gid), options->gid))
		add_number(&subject->records, "gid", options->gid);
}

static void
fill_time(struct subject *subject, struct ustar *header)
{
	int64_t time_ns = subject->entry->mtime_ns;
	uint64_t seconds = time_ns < 0 ? 0 : (uint64_t)time_ns / 1000000000;
	bool fits = put_number(header->mtime, sizeof(header->mtime), seconds);
	if (!fits || time_ns < 0 || time_ns % 1000000000 != 0)
		add_time(&subject->records, "mtime", time_ns);
}

static void
fill_sparse(struct subject *subject)
{
	if (!subject->is_sparse)
		return;
	add_number(&subject->records, "GNU.sparse.major", 1);
	add_number(&subject->records, "GNU.sparse.minor", 0);
	add_name(subject, "GNU.sparse.name", subject->path);
	add_number(&subject->records, "GNU.sparse.realsize", subject->entry->size);
}

/* The header itself; records tell what has no room in it. */
static struct ustar
describe(struct subject *subject)
{
	struct ustar header = begin_header(subject->type);
	if (!put_text(header.name, sizeof(header.name), subject->path))
		add_name(subject, "path", subject->path);
	if (!put_text(header.target, sizeof(header.target), subject->target))
		add_name(subject, "linkpath", subject->target);
	(void)put_number(header.mode, sizeof(header.mode), subject->entry->mode);
	fill_owner(subject, &header);
	if (!put_number(header.size, sizeof(header.size), subject->size))
		add_number(&subject->records, "size", subject->size);
	fill_time(subject, &header);
	fill_sparse(subject);
	put_checksum(&header);
	return header;
}

static void
take_contents(struct subject *subject)
{
	subject->type = '0';
	subject->is_sparse = memory_save_is_sparse(subject->save, subject->entry);
	subject->size = memory_save_data_bytes(subject->save, subject->entry);
	if (subject->is_sparse)
		subject->size += memory_save_map_bytes(subject->save, subject->entry);
}

/* The records as an entry of their own, before the one that they are about; padded. */
static size_t
finish_records(char *buffer, const struct records *records)
{
	struct ustar header = begin_header('x');
	size_t end = sizeof(header) + records->length;
	size_t padded = memory_save_whole_blocks(end);
	(void)put_text(header.name, sizeof(header.name), bytes_of_text("PaxHeaders/entry"));
	(void)put_number(header.mode, sizeof(header.mode), 0600);
	(void)put_number(header.uid, sizeof(header.uid), 0);
	(void)put_number(header.gid, sizeof(header.gid), 0);
	(void)put_number(header.size, sizeof(header.size), records->length);
	(void)put_number(header.mtime, sizeof(header.mtime), 0);
	put_checksum(&header);
	memcpy(buffer, &header, sizeof(header));
	memset(buffer + end, 0, padded - end);
	return padded;
}

size_t
memory_save_header(
	const struct memory_save *save, size_t index, char buffer[MEMORY_SAVE_HEADER_BYTES_MAX])
{
	char path[PATH_BYTES_MAX + 1], other[PATH_BYTES_MAX + 1];
	const struct memory_save_entry *entry = &save->entries[index];
	const struct memory_node *node = entry->node;
	struct subject subject = {
		.save = save,
		.entry = entry,
		.target = bytes_of_text(""),
		.records = { .bytes = buffer + TAR_BLOCK_BYTES },
	};
	bool is_folder = node->type == PATHIO_TYPE_DIRECTORY;
	subject.path =
		is_folder ? make_folder_path(save, index, path) : make_path(save, index, path);
	if (is_folder) {
		subject.type = '5';
	} else if (node->type == PATHIO_TYPE_SYMLINK) {
		subject.type = '2';
		subject.target = bytes_of_text(node->target);
	} else if (entry->same_as != MEMORY_SAVE_NONE) {
		subject.type = '1';
		subject.target = make_path(save, entry->same_as, other);
	} else {
		take_contents(&subject);
	}
	struct ustar header = describe(&subject);
	size_t length = 0;
	if (subject.records.length > 0)
		length = finish_records(buffer, &subject.records);
	memcpy(buffer + length, &header, sizeof(header));
	return length + sizeof(header);
}
