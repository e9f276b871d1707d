/*
 * Entries of one folder after another in the order that a client asked for. A folder is kept in
 * memory until it is known as a whole, up to PATHIO_SORTED_MAX entries; a larger one comes as it
 * lies, so that memory is bounded whatever the folder.
 */
#ifndef SALLYPORT_WORKER_LISTING_ORDER_H
#define SALLYPORT_WORKER_LISTING_ORDER_H

#include "worker/listing.h"

struct listing_order;

struct listing_order_options {
	enum pathio_order order;
	bool is_reversed; /* without an order: by name */
	bool dots;        /* as in listing_next() */
	bool is_target;   /* attributes of a link are those of what it leads to, if it does */
};

/* 0 or -ENOMEM. */
MUST_CHECK int
listing_order_new(const struct listing_order_options *options, struct listing_order **result);

/* Sets *order to NULL. NULL is fine. */
void listing_order_free(struct listing_order **order);

/* Another folder begins. */
void listing_order_begin(struct listing_order *order);

/* As listing_next(); always of the same listing, until another one begins. */
MUST_CHECK int listing_order_next(
	struct listing_order *order, struct listing *listing, struct backend_entry *entry);

#endif
