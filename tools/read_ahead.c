/*
 * read_ahead.c - two batches change hands: the thread fills one while the caller empties
 * the other.
 */
#include "tools/read_ahead.h"

#include <pthread.h>

#include "base/mem.h"

#define BATCHES 2
#define BATCH_BYTES ((size_t)1 << 20) /* a batch ends with the record that passes it */
#define BATCH_RECORDS 4096

struct entry {
	struct mlog_pos at;
	size_t len;
};

struct batch {
	struct buf bytes; /* payloads, one behind the other */
	struct entry entries[BATCH_RECORDS];
	size_t count;
	int end; /* 0, or what the reader said after these records */
	struct err_info why;
	bool full; /* the caller's, else the thread's; under `lock` */
};

struct read_ahead {
	struct mlog_reader *log;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool stopping;
	struct batch batches[BATCHES];
	/* The caller's place. */
	bool has_batch;
	size_t batch, next, offset;
};

static void
fill(struct mlog_reader *log, struct batch *b)
{
	if (b->bytes.cap > 4 * BATCH_BYTES) /* a large record keeps no large buffer */
		buf_clear(&b->bytes);
	buf_reset(&b->bytes);
	b->count = 0;
	b->end = 0;
	while (b->end == 0 && b->bytes.len < BATCH_BYTES && b->count < BATCH_RECORDS) {
		struct entry *e = &b->entries[b->count];
		struct slice payload;

		b->end = mlog_reader_next(log, &payload, &e->at, &b->why);
		if (b->end != 0)
			break;
		buf_slice(&b->bytes, payload);
		b->end = buf_err(&b->bytes);
		e->len = payload.len;
		b->count += b->end == 0;
	}
}

/* Wait until the batch is on the side that `full` says; false to stop. */
static bool
wait_for(struct read_ahead *r, const struct batch *b, bool full)
{
	bool go_on;

	pthread_mutex_lock(&r->lock);
	while (b->full != full && !r->stopping)
		pthread_cond_wait(&r->changed, &r->lock);
	go_on = !r->stopping;
	pthread_mutex_unlock(&r->lock);
	return go_on;
}

static void
hand_over(struct read_ahead *r, struct batch *b, bool full)
{
	pthread_mutex_lock(&r->lock);
	b->full = full;
	pthread_cond_signal(&r->changed);
	pthread_mutex_unlock(&r->lock);
}

static void *
run(void *arg)
{
	struct read_ahead *r = arg;
	int end = 0;

	for (size_t i = 0; end == 0 && wait_for(r, &r->batches[i], false);
	     i = (i + 1) % BATCHES) {
		fill(r->log, &r->batches[i]);
		end = r->batches[i].end;
		hand_over(r, &r->batches[i], true);
	}
	return NULL;
}

static void
free_all(struct read_ahead *r)
{
	for (size_t i = 0; i < BATCHES; i++)
		buf_clear(&r->batches[i].bytes);
	pthread_cond_destroy(&r->changed);
	pthread_mutex_destroy(&r->lock);
	mem_free(r);
}

int
read_ahead_start(struct mlog_reader *log, struct read_ahead **ret, struct err_info *ei)
{
	struct read_ahead *r = mem_zalloc(sizeof(*r));
	int error;

	if (r == NULL)
		return ERR_NOMEM;
	r->log = log;
	for (size_t i = 0; i < BATCHES; i++)
		buf_init(&r->batches[i].bytes, BATCH_BYTES + MLOG_RECORD_MAX);
	pthread_mutex_init(&r->lock, NULL);
	pthread_cond_init(&r->changed, NULL);
	error = pthread_create(&r->thread, NULL, run, r);
	if (error != 0) {
		free_all(r);
		return err_set(ei, ERR_NOMEM, "no thread can be had: %s", strerror(error));
	}
	*ret = r;
	return 0;
}

void
read_ahead_stop(struct read_ahead *r)
{
	if (r == NULL)
		return;
	pthread_mutex_lock(&r->lock);
	r->stopping = true;
	pthread_cond_signal(&r->changed);
	pthread_mutex_unlock(&r->lock);
	pthread_join(r->thread, NULL);
	free_all(r);
}

static const struct batch *
batch_at_hand(struct read_ahead *r)
{
	struct batch *b = &r->batches[r->batch];

	if (r->has_batch && r->next == b->count && b->end == 0) {
		hand_over(r, b, false);
		r->has_batch = false;
		r->next = r->offset = 0;
		r->batch = (r->batch + 1) % BATCHES;
		b = &r->batches[r->batch];
	}
	if (!r->has_batch)
		r->has_batch = wait_for(r, b, true);
	return b;
}

int
read_ahead_next(struct read_ahead *r, struct slice *ret_payload, struct mlog_pos *ret_at,
    struct err_info *ei)
{
	const struct batch *b = batch_at_hand(r);
	const struct entry *e;

	if (r->next == b->count) { /* again for every further call */
		if (ei != NULL)
			*ei = b->why;
		return b->end;
	}
	e = &b->entries[r->next++];
	*ret_payload =
	    e->len > 0 ? (struct slice){ b->bytes.ptr + r->offset, e->len } : SLICE("");
	*ret_at = e->at;
	r->offset += e->len;
	return 0;
}
