/*
 * tombs.h - tombstones that others ask for: orders on their way from the listener's
 * thread to the syncing one, and back with what was done.  Kept in memory only: whoever
 * must know waits for the answer, or asks again.
 */
#pragma once

#include <pthread.h>

#include "base/buf.h"

#define TOMB_NUMBERS_MAX 10000          /* of one order */
#define TOMB_QUEUE_MAX 50000            /* numbers that wait at once */
#define TOMB_BODY_MAX ((size_t)4 << 20) /* bytes of an order */
#define TOMB_DESTINATION_MAX 224        /* "owner/repo/number" and a NUL */

enum tomb_result {
	TOMB_OPEN,       /* nothing was done yet */
	TOMB_TOMBSTONED, /* it was live, and is no longer */
	TOMB_ALREADY,    /* it was tombstoned before */
	TOMB_UNKNOWN,    /* it was never seen, so that there is nothing to do */
};

struct tomb_item {
	uint32_t number;
	enum tomb_result result;
	char *moved_to; /* "owner/repo/9"; NULL when it is gone for good */
};

/* Two parties hold an order: the queue (or who took it off), and who waits for it. */
struct tomb_order {
	struct tomb_item *items;
	size_t count;
	int rc;              /* of the whole, when it is done: 0 or why not all was done */
	struct err_info why; /* when rc is not 0 */
	void *waiter;        /* the listener's; only its thread reads it */
	void *owner;         /* the same */
	unsigned refs;       /* under the queue's lock */
	struct tomb_order *next;
};

struct tomb_queue {
	pthread_mutex_t lock;
	struct tomb_order *first, **last;
	size_t numbers; /* in all orders that wait */
	bool closed;
	/* Told that an order is done; on the syncing thread.  Takes over a reference. */
	void (*on_done)(struct tomb_order *o);
};

/*
 * Read {"numbers":[7,{"number":8,"reason":"gone"},{"number":9,"reason":"transferred",
 * "transferredTo":"o/r/1"}]}.  Numbers are 1..2^31-1.  ERR_PROTO with the element in the
 * text, ERR_LIMIT (TOMB_BODY_MAX, TOMB_NUMBERS_MAX), ERR_NOMEM.  One reference is the
 * caller's.
 */
int tomb_order_parse(struct slice body, struct tomb_order **ret, struct err_info *ei);
/* {"taken":n}, with `whole` also what was done with each number. */
void tomb_order_show(const struct tomb_order *o, bool whole, struct buf *out);
/* One that was never in a queue. */
void tomb_order_free(struct tomb_order *o); /* NULL is fine */

void tomb_queue_init(struct tomb_queue *q, void (*on_done)(struct tomb_order *o));
/* No more orders; those that wait are done with ERR_CANCELED. */
void tomb_queue_close(struct tomb_queue *q);

/* Put an order in; the queue takes a reference of its own.  ERR_FULL, ERR_CLOSED. */
int tomb_queue_put(struct tomb_queue *q, struct tomb_order *o);
/* Take the oldest out, with the queue's reference; NULL when there is none. */
struct tomb_order *tomb_queue_take(struct tomb_queue *q);
/* Say that it is done, and give that reference up. */
void tomb_queue_done(struct tomb_queue *q, struct tomb_order *o);
void tomb_order_release(struct tomb_queue *q, struct tomb_order *o);
