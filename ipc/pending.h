/*
 * Requests that a remote instance has submitted and that are not answered yet, in the order of
 * their submission. Part of remote.c; nothing else uses it.
 */
#ifndef SALLYPORT_IPC_PENDING_H
#define SALLYPORT_IPC_PENDING_H

#include "ipc/pathio.h"

struct pending {
	struct pending *next;
	uint32_t tag;
	uint32_t code;
	uint32_t file;   /* the handle that it opens or works on */
	bool has_file;   /* it names one */
	bool is_waiting; /* behind another request on its file; its time has not begun */
	bool is_closed;  /* the handle that it opens is closed by its caller, behind it */
	bool is_expired; /* its caller has had -ETIMEDOUT; waits for the late answer */
	int failure;     /* not 0: never posted, completes with this from the loop */
	uint64_t due_ms; /* monotonic; 0: no limit */
	pathio_completion *done;
	void *argument;
};

struct pending_list {
	struct pending *first;
	struct pending **end; /* where the next one goes */
};

void pending_list_init(struct pending_list *list);

/*
 * Takes a request to the end of the list and says what follows from the file that it names: whether
 * it waits behind another, and that an opening before it needs nobody else to close it.
 */
void pending_append(struct pending_list *list, struct pending *pending, const void *request);

/* The place of a request that was posted and is not answered; it holds NULL if there is none. */
struct pending **pending_find(struct pending_list *list, uint32_t tag);

/* The place of one that is due at `now_ms`, or NULL and when the next one is (0: none). */
struct pending **
pending_find_due(struct pending_list *list, uint64_t now_ms, uint64_t *next_due_ms);

/* The request whose turn on that file it now is, if it still waits; or NULL. */
struct pending *pending_next_on_file(const struct pending_list *list, uint32_t file);

/* Takes it out of the list; the caller frees it. */
struct pending *pending_unlink(struct pending_list *list, struct pending **place);

#endif
