/*
 * The wire form of every message between processes, derived from field tables.
 *
 * A message is a C struct, described by an array of `struct wire_field` that the rows of a `.def`
 * file expand to. One encoder, one decoder and one printer walk these arrays: no message has code
 * of its own. What decodes encodes back to the same bytes.
 *
 * Form: fixed widths, little-endian, no padding.
 *   U8 U16 U32 U64 I64    the number
 *   ID                    u64, printed as 16 hexadecimal digits
 *   BOOL                  u8, 0 or 1
 *   CHOICE                u8, an index into a list of names
 *   FLAGS                 u32, no bit outside a mask
 *   BYTES TEXT PATH NAME SECRET (of a message, never of a record in it)
 *                         u16 length, then the bytes. TEXT holds no NUL; PATH is absolute, at most
 *                         4,095 bytes, no NUL; NAME is at most 255 bytes, no NUL, no slash
 *   ADDRESS               16 bytes IPv6 or v4-mapped, u32 scope, u16 port; all zero is none, and is
 *                         printed as an empty text
 *   RECORD                the fields of another table, in place
 *   LIST                  u16 count, then that many records, in at most 59 KiB
 *
 * Decoded BYTES and LISTs point into the buffer that was decoded and live as long as it does.
 */
#ifndef SALLYPORT_IPC_WIRE_H
#define SALLYPORT_IPC_WIRE_H

#include "ipc/base/bytes.h"

#include <stdint.h>
#include <stdio.h>

enum {
	WIRE_LIST_BYTES_MAX = 59 * 1024, /* encoded; a body that holds one has room for the rest */
	WIRE_ELEMENT_BYTES_MAX = 512,    /* decoded */
};

enum wire_kind {
	WIRE_END, /* closes a table */
	WIRE_U8,
	WIRE_U16,
	WIRE_U32,
	WIRE_U64,
	WIRE_I64,
	WIRE_ID,
	WIRE_BOOL,
	WIRE_CHOICE,
	WIRE_FLAGS,
	WIRE_BYTES,
	WIRE_TEXT,
	WIRE_PATH,
	WIRE_NAME,
	WIRE_SECRET,
	WIRE_ADDRESS,
	WIRE_RECORD,
	WIRE_LIST,
};

/* An IPv4 address is held v4-mapped (::ffff:a.b.c.d). All zero: none. */
struct wire_address {
	uint8_t ip[16];
	uint32_t scope;
	uint16_t port;
};

/*
 * A list of records inside a message, still encoded; read it with wire_list_next(). It comes from
 * wire_decode() or wire_list_built(), which have checked what is in it.
 */
struct wire_list {
	struct bytes encoded;
	uint32_t count;
};

struct wire_choices {
	const char *name;
	uint32_t count;
	const char *const *texts;
	const char *const *docs;
};

struct wire_field;

/* A table of fields and the struct it describes. */
struct wire_record {
	const char *name;
	const char *doc;
	const struct wire_field *fields; /* ends with WIRE_END */
	size_t size;                     /* of the struct */
};

struct wire_field {
	const char *name;
	const char *doc;
	enum wire_kind kind;
	uint32_t offset;  /* of the member in the struct */
	uint64_t minimum; /* value; or bytes; or elements */
	uint64_t maximum; /* value; or bytes; or elements; or mask */
	const struct wire_choices *choices;
	const struct wire_record *record;
};

/* Is every field within the limits of its row? */
bool wire_is_in_range(const struct wire_record *record, const void *message);

/*
 * Encodes `message` into `buffer`. Returns the number of bytes; -EINVAL when a field breaks its
 * own row (the sender checks the same limits as the receiver), -EMSGSIZE when the buffer is short.
 */
MUST_CHECK int
wire_encode(const struct wire_record *record, const void *message, char *buffer, size_t capacity);

/*
 * Decodes exactly `input` into `message` (record->size bytes). Returns 0 or -EBADMSG: too short,
 * left-over bytes, or a field that breaks its row; `*broken` (may be NULL) then names the field.
 */
MUST_CHECK int wire_decode(
	const struct wire_record *record, struct bytes input, void *message, const char **broken);

/* Takes the next record out of a decoded list: false at the end. The list is consumed. */
bool wire_list_next(struct wire_list *list, const struct wire_record *record, void *element);

/* Collects records for a LIST field in memory of the caller. */
struct wire_list_builder {
	char *buffer;
	size_t capacity;
	size_t length;
	uint32_t count;
};

/* Adds one record: 0, -EINVAL, or -EMSGSIZE with the builder unchanged. */
MUST_CHECK int wire_list_add(
	struct wire_list_builder *builder, const struct wire_record *record, const void *element);

/* The list as it goes into a message; valid as long as the builder's buffer. */
struct wire_list wire_list_built(const struct wire_list_builder *builder);

/* Is the member a struct bytes? For views that walk tables themselves. */
bool wire_is_bytes(enum wire_kind kind);

/* The value of a numeric member, found by its field. */
uint64_t wire_member_number(const struct wire_field *field, const void *member);

/*
 * Prints the fields as members of a JSON object: `"name":value,"name":value`, without braces.
 * Bytes that are not UTF-8 become lone surrogates U+DC80..U+DCFF (as Python's "surrogateescape"
 * reads them back); control characters are escaped. A SECRET is printed as its length only.
 */
void wire_print_json(const struct wire_record *record, const void *message, FILE *output);

/* One JSON string, quotes included, by the same rules. */
void wire_print_json_text(struct bytes text, FILE *output);

#endif
