/*
 * Folders to list in a session, and the whole text of a listing.
 */
#ifndef SALLYPORT_TESTS_UNIT_WORKER_LISTINGS_H
#define SALLYPORT_TESTS_UNIT_WORKER_LISTINGS_H

#include "tests/unit/worker/session.h"
#include "tests/unit/worker/trees.h"

/* /d: a folder, two files of 1970, a link to one, a dot file, a hidden temporary. */
void listings_plant(struct session *session);

/* /many: so many empty files, each second one with a name of 255 bytes. */
enum { LISTINGS_MANY = 1500 };
void listings_plant_many(struct session *session);

/*
 * Lists with the two requests, whose handle is 0: the error of either. *text is all that came, to
 * be freed, with LF for each CRLF; also after an error in the middle.
 */
int listings_text(struct session *session, const struct pathio_list *list_request,
	const struct pathio_send_listing *send_request, char **text);

/* The same with its lines sorted, for a listing that is in no order; "" after an error. */
int listings_sorted(struct session *session, const struct pathio_list *list_request,
	const struct pathio_send_listing *send_request, char **text);

#endif
