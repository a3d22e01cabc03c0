/*
 * test_mlog_rivals.c - several writers on one log at once, at random interleavings of
 * their operations on the store, with failures and lost answers among them.
 *
 * Each writer is a thread, but only one runs at a time: before every operation a
 * seeded choice says whose turn it is, so that every run can be had again by its seed.
 * What must hold: a record whose flush was reported as done stays in the log at its
 * place for good, the log reads whole at any time, and it only ever grows.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <pthread.h>

#include "base/mem.h"
#include "base/store/store_impl.h"
#include "mutation-log/mlog_writer.h"
#include "test/unit/mutation-log/log_maker.h"

#define INTERLEAVINGS 400 /* MAINTNER_TEST_COUNT sets another number */
#define RIVALS 3
#define LIVES 4  /* times that a rival opens the log */
#define ROUNDS 5 /* things that it does in a life */
#define DONE_MAX 256
#define PAYLOAD_MAX 16

struct done {
	struct mlog_pos at;
	char payload[PAYLOAD_MAX];
};

struct table {
	pthread_mutex_t mutex;
	pthread_cond_t turn_over;
	int turn; /* whose it is */
	bool alive[RIVALS];
	uint64_t seed;
	int64_t now_ms;
	struct store *inner;
	int fault_percent; /* of the operations */
	bool compose;      /* grow tails by compose */

	struct done done[DONE_MAX];
	size_t done_count;
	struct buf seen;   /* the log as it was last read */
	char failure[512]; /* the first; "" while all is well */
};

/* A rival, and its own view of the one store. */
struct rival {
	struct store head;
	struct table *t;
	int id;
	const char *holder;
	struct mlog_writer *w;
	struct done pending[DONE_MAX];
	size_t pending_count;
	int flushes; /* that succeeded */
};

static void
note_failure(struct table *t, const char *what, const char *detail)
{
	if (t->failure[0] == '\0')
		snprintf(t->failure, sizeof(t->failure), "%s: %s", what, detail);
}

/* Let the seed decide who goes on; returns when it is `id`'s turn again. */
static void
pass_turn(struct table *t, int id)
{
	int next;

	pthread_mutex_lock(&t->mutex);
	do
		next = (int)(rnd(&t->seed) % RIVALS);
	while (!t->alive[next]);
	t->turn = next;
	pthread_cond_broadcast(&t->turn_over);
	while (t->turn != id)
		pthread_cond_wait(&t->turn_over, &t->mutex);
	pthread_mutex_unlock(&t->mutex);
}

static void
wait_for_first_turn(struct table *t, int id)
{
	pthread_mutex_lock(&t->mutex);
	while (t->turn != id)
		pthread_cond_wait(&t->turn_over, &t->mutex);
	pthread_mutex_unlock(&t->mutex);
}

static void
leave(struct table *t, int id)
{
	pthread_mutex_lock(&t->mutex);
	t->alive[id] = false;
	for (int i = 0; i < RIVALS; i++) {
		if (t->alive[i])
			t->turn = i;
	}
	pthread_cond_broadcast(&t->turn_over);
	pthread_mutex_unlock(&t->mutex);
}

/* Begin an operation of a rival: its turn first, then perhaps a fault. */
static struct store *
begin(struct store *s)
{
	struct rival *r = (struct rival *)s;
	struct table *t = r->t;

	pass_turn(t, r->id);
	store_mem_set_time(t->inner, t->now_ms);
	if ((int)(rnd(&t->seed) % 100) < t->fault_percent)
		store_mem_fail(t->inner, 0, 1 + rnd(&t->seed) % 2, ERR_UNAVAILABLE);
	return t->inner;
}

static int
end(struct store *inner, int rc)
{
	store_mem_fail(inner, 0, STORE_FAULT_NONE, 0);
	return rc;
}

static int
turn_list(struct store *s, const char *prefix, struct store_list *into, struct err_info *ei)
{
	struct store *inner = begin(s);

	return end(inner, store_list(inner, prefix, into, ei));
}

static int
turn_stat(struct store *s, const char *name, struct store_object *ret, struct err_info *ei)
{
	struct store *inner = begin(s);

	return end(inner, store_stat(inner, name, ret, ei));
}

static int
turn_read(struct store *s, const char *name, const struct store_range *range, struct buf *into,
    struct store_object *ret_meta, struct err_info *ei)
{
	struct store *inner = begin(s);

	return end(inner, store_read(inner, name, range, into, ret_meta, ei));
}

static int
turn_put(struct store *s, const char *name, struct slice data, int64_t if_generation,
    int64_t *ret_generation, struct err_info *ei)
{
	struct store *inner = begin(s);

	return end(inner, store_put(inner, name, data, if_generation, ret_generation, ei));
}

static int
turn_delete(struct store *s, const char *name, int64_t if_generation, struct err_info *ei)
{
	struct store *inner = begin(s);

	return end(inner, store_delete(inner, name, if_generation, ei));
}

static int
turn_compose(struct store *s, const char *const *names, size_t count,
    const struct store_content *content, const char *to_name, int64_t if_generation,
    int64_t *ret_generation, struct err_info *ei)
{
	struct store *inner = begin(s);

	return end(inner, store_compose(inner, names, count, content, to_name, if_generation,
			      ret_generation, ei));
}

static const struct store_ops turn_ops = { .list = turn_list,
	.stat = turn_stat,
	.read = turn_read,
	.put = turn_put,
	.delete = turn_delete,
	.compose = turn_compose };

static int64_t
table_now(void *ctx)
{
	return ((struct rival *)ctx)->t->now_ms;
}

/* Time passes only when a taker waits: the others then sleep past their leases. */
static int
table_sleep(void *ctx, int64_t ms)
{
	struct rival *r = ctx;

	r->t->now_ms += ms;
	pass_turn(r->t, r->id);
	return rnd(&r->t->seed) % 64 == 0;
}

/* The log may only grow: what a reader once saw stays as it was. */
static void
check_growth(struct table *t, struct buf *log)
{
	if (log->len < t->seen.len || memcmp(log->ptr, t->seen.ptr, t->seen.len) != 0)
		note_failure(t, "the log was taken back", buf_cstr(&t->seen));
	buf_clear(&t->seen);
	t->seen = *log;
}

/* Is everything that was reported as durable in the log, where it was put? */
static void
check_log(struct table *t)
{
	struct buf log;
	size_t found = 0;
	struct err_info ei = { 0 };
	struct mlog_reader *reader = NULL;
	struct slice payload;
	struct mlog_pos at;
	int rc;

	buf_init(&log, 1 << 20);
	buf_char(&log, '>');
	store_mem_fail(t->inner, 0, STORE_FAULT_NONE, 0);
	rc = mlog_reader_open(t->inner, MADE_PREFIX, (struct mlog_pos){ 0, 0 }, &reader, &ei);
	while (rc == 0) {
		rc = mlog_reader_next(reader, &payload, &at, &ei);
		if (rc == 0)
			buf_fmt(&log, "%u:%llx=%.*s|", (unsigned)at.segment,
			    (unsigned long long)at.offset, (int)payload.len, payload.ptr);
		for (size_t i = 0; rc == 0 && i < t->done_count; i++) {
			if (mlog_pos_cmp(t->done[i].at, at) == 0)
				found += slice_is(payload, t->done[i].payload);
		}
	}
	mlog_reader_close(reader);
	if (rc != ERR_NOENT)
		note_failure(t, "the log does not read", ei.text);
	check_growth(t, &log);
	if (found != t->done_count)
		note_failure(t, "a durable record is lost or changed", MADE_PREFIX);
}

static void
append_some(struct rival *r)
{
	struct mlog_pos end_pos = mlog_writer_end(r->w), at, next;
	struct done *d = &r->pending[r->pending_count];
	struct buf b;

	if (r->pending_count == DONE_MAX)
		return;
	/* Few different payloads: rivals often write the same bytes at the same place. */
	snprintf(d->payload, sizeof(d->payload), "p%u", (unsigned)(rnd(&r->t->seed) % 2));
	mlog_place(end_pos, strlen(d->payload), &at, &next);
	if (at.offset > 0 && rnd(&r->t->seed) % 4 == 0)
		at = (struct mlog_pos){ at.segment + 1, 0 };
	buf_init(&b, 100);
	mlog_record_append(&b, at.offset, slice_str(d->payload));
	if (mlog_writer_append(r->w, at, buf_view(&b), NULL) == 0) {
		d->at = at;
		r->pending_count++;
	}
	buf_clear(&b);
}

/* Flush; what is durable goes to the table at the moment of the answer. */
static int
flush_all(struct rival *r)
{
	struct table *t = r->t;
	int rc = mlog_writer_flush(r->w, NULL);

	if (rc != 0)
		return rc;
	r->flushes++;
	for (size_t i = 0; i < r->pending_count && t->done_count < DONE_MAX; i++)
		t->done[t->done_count++] = r->pending[i];
	r->pending_count = 0;
	check_log(t);
	return 0;
}

/* One thing that a writer may do; ERR_CONFLICT ends its life. */
static int
do_something(struct rival *r)
{
	struct table *t = r->t;

	switch (rnd(&t->seed) % 8) {
	case 0:
		t->now_ms += MLOG_LEASE_S * 400;
		return mlog_writer_renew(r->w, NULL);
	case 1:
		if (rnd(&t->seed) % 4 == 0)
			t->now_ms += MLOG_SWEEP_AGE_MS;
		return mlog_writer_sweep(r->w, NULL, NULL);
	case 2:
		return mlog_writer_release(r->w, NULL);
	default:
		for (uint32_t i = rnd(&t->seed) % 3; i > 0; i--)
			append_some(r);
		return flush_all(r);
	}
}

static void *
live(void *arg)
{
	struct rival *r = arg;
	const struct mlog_writer_opts opts = { .mono_ms = table_now,
		.real_ms = table_now,
		.sleep_ms = table_sleep,
		.ctx = r,
		.wait_poll_ms = 30000,
		/* Every second run grows its tails by compose, the others put them whole. */
		.compose_min_bytes = r->t->compose ? 1 : MLOG_SEGMENT_MAX };

	wait_for_first_turn(r->t, r->id);
	for (int life = 0; life < LIVES; life++) {
		struct err_info ei = { 0 };
		int rc = mlog_writer_open(&r->head, MADE_PREFIX, r->holder, &opts, &r->w, &ei);

		if (rc == ERR_CORRUPT)
			note_failure(r->t, "open found a damaged log", ei.text);
		for (int i = 0; rc == 0 && i < ROUNDS; i++) {
			rc = do_something(r);
			if (rc == ERR_CORRUPT)
				note_failure(r->t, "a writer found a damaged log", r->holder);
			if (rc == ERR_UNAVAILABLE) /* try again, or die by chance */
				rc = rnd(&r->t->seed) % 2 == 0 ? 0 : rc;
		}
		mlog_writer_close(r->w);
		r->w = NULL;
		r->pending_count = 0;
	}
	leave(r->t, r->id);
	return NULL;
}

/* One run; returns the flushes that succeeded. */
static int
run(struct table *t, uint64_t seed, int fault_percent, bool compose)
{
	/* Two of them bear one name: a pod that was started twice. */
	static const char *const holders[RIVALS] = { "a", "b", "a" };
	struct rival rivals[RIVALS] = { 0 };
	pthread_t threads[RIVALS];
	int flushes = 0;

	*t = (struct table){ .seed = seed,
		.now_ms = 1000000000,
		.fault_percent = fault_percent,
		.compose = compose };
	buf_init(&t->seen, 1 << 20);
	buf_char(&t->seen, '>');
	assert_int_equal(store_mem_new(false, &t->inner), 0);
	assert_int_equal(pthread_mutex_init(&t->mutex, NULL), 0);
	assert_int_equal(pthread_cond_init(&t->turn_over, NULL), 0);
	for (int i = 0; i < RIVALS; i++) /* all, before the first begins to run */
		t->alive[i] = true;
	for (int i = 0; i < RIVALS; i++) {
		rivals[i] =
		    (struct rival){ .head = { .ops = &turn_ops, .url = (char *)"turns:" },
			    .t = t,
			    .id = i,
			    .holder = holders[i] };
		assert_int_equal(pthread_create(&threads[i], NULL, live, &rivals[i]), 0);
	}
	for (int i = 0; i < RIVALS; i++) {
		pthread_join(threads[i], NULL);
		flushes += rivals[i].flushes;
	}
	check_log(t);
	buf_clear(&t->seen);
	store_close(t->inner);
	pthread_cond_destroy(&t->turn_over);
	pthread_mutex_destroy(&t->mutex);
	return flushes;
}

static void
run_many(int fault_percent)
{
	const char *asked = getenv("MAINTNER_TEST_COUNT");
	long count = asked != NULL ? strtol(asked, NULL, 10) : INTERLEAVINGS;
	struct table *t = mem_alloc(sizeof(*t));
	long flushes = 0;

	assert_non_null(t);
	for (long i = 1; i <= count; i++) {
		uint64_t seed = (uint64_t)i * UINT64_C(0x9e3779b97f4a7c15);

		flushes += run(t, seed, fault_percent, i % 2 == 0);
		if (t->failure[0] != '\0')
			fail_msg(
			    "interleaving %ld, faults %d %%: %s", i, fault_percent, t->failure);
	}
	print_message("%ld interleavings of %d writers, %ld flushes\n", count, RIVALS, flushes);
	mem_free(t);
}

static void
no_interleaving_of_rivals_loses_a_durable_record(void **state)
{
	(void)state;
	run_many(0);
}

static void
nor_does_one_with_failures_and_lost_answers(void **state)
{
	(void)state;
	run_many(5);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_interleaving_of_rivals_loses_a_durable_record),
		cmocka_unit_test(nor_does_one_with_failures_and_lost_answers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
