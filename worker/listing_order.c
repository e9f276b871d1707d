/*
 * Sorting (see listing_order.h). Runs in the worker, as the user. Names are anything; what is kept
 * is bounded by their number, since a name is.
 */
#include "worker/listing_order.h"

#include "ipc/base/scope.h"

#include <errno.h>

enum { KEPT_AT_ONCE = 256, KEPT_AT_FIRST = 64, SHELF_BYTES = 32 * 1024 };

struct kept {
	struct pathio_attributes attributes;
	size_t length;
	char name[];
};

/* What is kept lies side by side, for as long as all of it is needed. */
struct shelf {
	struct shelf *next;
	size_t used;
	char bytes[SHELF_BYTES] __attribute__((aligned(8)));
};

enum order_state {
	ORDER_COLLECTING,
	ORDER_GIVING,  /* what was kept */
	ORDER_PASSING, /* there is too much to keep */
};

struct listing_order {
	struct listing_order_options options;
	enum order_state state;
	int error; /* that ended the folder, told after what was read before it */
	bool is_whole;
	struct shelf *shelves; /* the one that is being filled, then those that are full */
	struct kept **kept;
	size_t count;
	size_t room;
	size_t given;
};

int
listing_order_new(const struct listing_order_options *options, struct listing_order **result)
{
	struct listing_order *order = calloc(1, sizeof(*order));
	if (order == NULL)
		return -ENOMEM;
	order->options = *options;
	if (options->is_reversed && options->order == PATHIO_ORDER_NONE)
		order->options.order = PATHIO_ORDER_NAME;
	listing_order_begin(order);
	*result = order;
	return 0;
}

static void
forget(struct listing_order *order)
{
	struct shelf *next;
	for (struct shelf *at = order->shelves; at != NULL; at = next) {
		next = at->next;
		free(at);
	}
	order->shelves = NULL;
	free(order->kept);
	order->kept = NULL;
	order->count = order->room = order->given = 0;
}

void
listing_order_free(struct listing_order **order)
{
	if (*order == NULL)
		return;
	forget(*order);
	free(*order);
	*order = NULL;
}

void
listing_order_begin(struct listing_order *order)
{
	forget(order);
	order->state = order->options.order == PATHIO_ORDER_NONE ? ORDER_PASSING : ORDER_COLLECTING;
	order->error = 0;
	order->is_whole = false;
}

/* ---- comparing: negative if `a` comes first; no two have one name ---- */

static int
compare_names(const struct kept *a, const struct kept *b)
{
	size_t shorter = a->length < b->length ? a->length : b->length;
	int result = memcmp(a->name, b->name, shorter);
	if (result != 0)
		return result;
	return (a->length > b->length) - (a->length < b->length);
}

static int
by_name(const void *a, const void *b)
{
	return compare_names(*(struct kept *const *)a, *(struct kept *const *)b);
}

static int
by_time(const void *a, const void *b)
{
	const struct kept *left = *(struct kept *const *)a, *right = *(struct kept *const *)b;
	int64_t left_ns = left->attributes.mtime_ns, right_ns = right->attributes.mtime_ns;
	if (left_ns != right_ns)
		return left_ns > right_ns ? -1 : 1;
	return compare_names(left, right);
}

static int
by_size(const void *a, const void *b)
{
	const struct kept *left = *(struct kept *const *)a, *right = *(struct kept *const *)b;
	uint64_t left_bytes = left->attributes.size, right_bytes = right->attributes.size;
	if (left_bytes != right_bytes)
		return left_bytes > right_bytes ? -1 : 1;
	return compare_names(left, right);
}

static void
sort(struct listing_order *order)
{
	static int (*const compare[])(const void *, const void *) = {
		[PATHIO_ORDER_NAME] = by_name,
		[PATHIO_ORDER_TIME] = by_time,
		[PATHIO_ORDER_SIZE] = by_size,
	};
	if (order->count > 1)
		qsort(order->kept, order->count, sizeof(struct kept *),
			compare[order->options.order]);
}

/* ---- keeping ---- */

static int
read_entry(const struct listing_order *order, struct listing *listing, struct backend_entry *entry)
{
	int result = listing_next(listing, order->options.dots, entry);
	if (result != LISTING_ENTRY || !order->options.is_target ||
		entry->attributes.type != PATHIO_TYPE_SYMLINK)
		return result;
	struct pathio_attributes target;
	if (listing_entry_target(listing, entry->name, &target) == 0)
		entry->attributes = target;
	return result;
}

static int
make_room(struct listing_order *order)
{
	if (order->count < order->room)
		return 0;
	size_t room = order->room == 0 ? KEPT_AT_FIRST : 2 * order->room;
	struct kept **kept = realloc(order->kept, room * sizeof(struct kept *));
	if (kept == NULL)
		return -ENOMEM;
	order->kept = kept;
	order->room = room;
	return 0;
}

/* Room for one with a name of that length, aligned as it must be; NULL: there is no memory. */
static struct kept *
kept_new(struct listing_order *order, size_t name_length)
{
	size_t length = (sizeof(struct kept) + name_length + 7) / 8 * 8;
	struct shelf *shelf = order->shelves;
	if (shelf == NULL || SHELF_BYTES - shelf->used < length) {
		shelf = malloc(sizeof(*shelf));
		if (shelf == NULL)
			return NULL;
		shelf->next = order->shelves;
		shelf->used = 0;
		order->shelves = shelf;
	}
	void *place = shelf->bytes + shelf->used;
	shelf->used += length;
	return place;
}

static int
keep(struct listing_order *order, const struct backend_entry *entry)
{
	int error = make_room(order);
	if (error < 0)
		return error;
	struct kept *kept = kept_new(order, entry->name.length);
	if (kept == NULL)
		return -ENOMEM;
	order->kept[order->count++] = kept;
	kept->attributes = entry->attributes;
	kept->length = entry->name.length;
	memcpy(kept->name, entry->name.data, entry->name.length);
	return LISTING_ENTRY;
}

/* A stretch of the folder. */
static void
collect(struct listing_order *order, struct listing *listing)
{
	int result = LISTING_ENTRY;
	struct backend_entry entry; /* one for each round would be cleared each time */
	for (int i = 0; i < KEPT_AT_ONCE && order->count < PATHIO_SORTED_MAX; i++) {
		result = read_entry(order, listing, &entry);
		if (result == LISTING_ENTRY)
			result = keep(order, &entry);
		if (result != LISTING_ENTRY)
			break;
	}
	order->is_whole = result == LISTING_END || result < 0;
	order->error = result;
	if (order->is_whole)
		sort(order);
	if (order->is_whole || order->count == PATHIO_SORTED_MAX)
		order->state = ORDER_GIVING;
}

/* Copied out, for it lives until the next call. */
static int
give(struct listing_order *order, struct backend_entry *entry)
{
	size_t index = order->given++;
	if (order->options.is_reversed && order->is_whole)
		index = order->count - 1 - index;
	const struct kept *kept = order->kept[index];
	entry->attributes = kept->attributes;
	entry->name = bytes_of(kept->name, kept->length);
	return LISTING_ENTRY;
}

int
listing_order_next(
	struct listing_order *order, struct listing *listing, struct backend_entry *entry)
{
	if (order->state == ORDER_COLLECTING)
		collect(order, listing);
	if (order->state == ORDER_COLLECTING)
		return LISTING_NONE_YET;
	if (order->state == ORDER_GIVING) {
		if (order->given < order->count)
			return give(order, entry);
		forget(order);
		if (order->is_whole)
			return order->error;
		order->state = ORDER_PASSING;
	}
	return read_entry(order, listing, entry);
}
