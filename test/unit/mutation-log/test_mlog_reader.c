/* test_mlog_reader.c - a good log reads whole; a damaged one is an error with its place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "test/unit/mutation-log/log_maker.h"

#define START ((struct mlog_pos){ 0, 0 })
#define BIG ((size_t)3 << 20)
#define DAMAGES 3000 /* of a log; MAINTNER_TEST_COUNT sets another number */

static int
set_up(void **state)
{
	return store_mem_new(false, (struct store **)state);
}

static int
tear_down(void **state)
{
	store_close(*state);
	return 0;
}

static void
assert_reads(struct store *s, struct mlog_pos from, const char *want)
{
	struct err_info ei = { 0 };
	struct buf got;

	buf_init(&got, 1 << 20);
	assert_int_equal(made_read(s, MADE_PREFIX, from, &got, &ei), ERR_NOENT);
	assert_string_equal(buf_cstr(&got), want);
	buf_clear(&got);
}

static void
assert_fails(struct store *s, struct mlog_pos from, int code, const char *word)
{
	struct err_info ei = { 0 };
	struct buf got;

	buf_init(&got, 1 << 20);
	assert_int_equal(made_read(s, MADE_PREFIX, from, &got, &ei), code);
	if (strstr(ei.text, word) == NULL)
		fail_msg("\"%s\" is not in \"%s\"", word, ei.text);
	buf_clear(&got);
}

static void
put_writer(struct store *s, const struct mlog_fence *f)
{
	struct buf b;

	buf_init(&b, 1 << 20);
	assert_int_equal(mlog_fence_print(f, &b), 0);
	assert_int_equal(
	    store_put(s, MADE_PREFIX "WRITER", buf_view(&b), STORE_ANY, NULL, NULL), 0);
	buf_clear(&b);
}

static void
put_text(struct store *s, uint32_t number, int first, int count, struct mlog_segment *ret)
{
	struct buf b;

	buf_init(&b, 1 << 20);
	made_segment(&b, first, count);
	assert_int_equal(made_put(s, MADE_PREFIX, number, buf_view(&b), ret), 0);
	buf_clear(&b);
}

static void
a_log_that_is_not_there_is_empty(void **state)
{
	struct mlog_reader *r = NULL;

	assert_reads(*state, START, "");
	assert_int_equal(mlog_reader_open(*state, MADE_PREFIX, START, &r, NULL), 0);
	assert_int_equal(mlog_pos_cmp(mlog_reader_end(r), START), 0);
	assert_int_equal(mlog_reader_segment_count(r), 0);
	mlog_reader_close(r);
	mlog_reader_close(NULL);
	assert_int_equal(mlog_reader_open(*state, "o/r", START, &r, NULL), ERR_INVAL);
}

static void
records_come_in_order_with_their_places(void **state)
{
	struct mlog_reader *r = NULL;
	struct mlog_pos at = { 9, 9 }, before = START;
	struct slice payload;
	char want[32];

	assert_int_equal(made_log(*state, MADE_PREFIX, 3, 4), 0);
	assert_int_equal(mlog_reader_open(*state, MADE_PREFIX, START, &r, NULL), 0);
	assert_int_equal(mlog_reader_segment_count(r), 3);
	for (int i = 0; i < 12; i++) {
		snprintf(want, sizeof(want), "payload %d", i);
		assert_int_equal(mlog_reader_next(r, &payload, &at, NULL), 0);
		assert_true(slice_is(payload, want));
		assert_int_equal(at.segment, i / 4);
		if (i % 4 != 0)
			assert_int_equal(mlog_pos_cmp(at, before), 0);
		before = mlog_reader_pos(r);
	}
	assert_int_equal(mlog_reader_next(r, &payload, &at, NULL), ERR_NOENT);
	assert_int_equal(mlog_reader_next(r, &payload, &at, NULL), ERR_NOENT);
	assert_int_equal(mlog_pos_cmp(mlog_reader_pos(r), mlog_reader_end(r)), 0);
	assert_int_equal(mlog_reader_segment(r, 2)->number, 2);
	assert_int_equal(mlog_reader_end(r).offset, mlog_reader_segment(r, 2)->size);
	mlog_reader_close(r);
}

static void
reading_starts_where_it_is_told(void **state)
{
	/* "REC@0+9=payload 0" are 17 bytes, the second record has a two-digit offset. */
	assert_int_equal(made_log(*state, MADE_PREFIX, 2, 2), 0);
	assert_reads(*state, (struct mlog_pos){ 0, 17 }, "payload 1|payload 2|payload 3|");
	assert_reads(*state, (struct mlog_pos){ 0, 35 }, "payload 2|payload 3|");
	assert_reads(*state, (struct mlog_pos){ 1, 0 }, "payload 2|payload 3|");
	assert_reads(*state, (struct mlog_pos){ 1, 17 }, "payload 3|");
	assert_reads(*state, (struct mlog_pos){ 1, 35 }, "");
	assert_reads(*state, (struct mlog_pos){ 2, 0 }, "");
	assert_fails(*state, (struct mlog_pos){ 0, 18 }, ERR_CORRUPT, "offset 0x12: no record");
	assert_fails(*state, (struct mlog_pos){ 1, 36 }, ERR_CONFLICT, "ends at 1:0x23");
	assert_fails(
	    *state, (struct mlog_pos){ 0, 36 }, ERR_CONFLICT, "before the position 0:0x24");
	assert_fails(*state, (struct mlog_pos){ 2, 1 }, ERR_CONFLICT, "ends at");
	assert_fails(*state, (struct mlog_pos){ 3, 0 }, ERR_CONFLICT, "ends at");
}

static void
a_segment_begun_in_the_middle_is_still_checked_from_its_start(void **state)
{
	struct mlog_segment seg;
	char name[MLOG_NAME_SIZE], full[128];

	put_text(*state, 0, 0, 3, &seg);
	mlog_segment_name(0, seg.sha224, name);
	snprintf(full, sizeof(full), "%s%s", MADE_PREFIX, name);
	assert_int_equal(store_mem_damage(*state, full, 10, 1), 0); /* in the first payload */
	assert_fails(*state, (struct mlog_pos){ 0, 17 }, ERR_CORRUPT, "hash mismatch");
}

static void
records_larger_than_the_window_are_whole(void **state)
{
	struct mlog_reader *r = NULL;
	struct slice payload;
	struct mlog_pos at;
	char *big = malloc(BIG);
	struct buf b;

	assert_non_null(big);
	for (size_t i = 0; i < BIG; i++)
		big[i] = (char)(i * 7 + i / 251);
	buf_init(&b, 3 * BIG);
	made_segment(&b, 0, 1);
	mlog_record_append(&b, b.len, (struct slice){ big, BIG });
	made_segment(&b, 1, 1);
	mlog_record_append(&b, b.len, (struct slice){ big, BIG - 1 });
	assert_int_equal(made_put(*state, MADE_PREFIX, 0, buf_view(&b), NULL), 0);
	buf_clear(&b);
	assert_int_equal(mlog_reader_open(*state, MADE_PREFIX, START, &r, NULL), 0);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(mlog_reader_next(r, &payload, &at, NULL), 0);
		if (i % 2 == 1) {
			assert_int_equal(payload.len, BIG - (size_t)(i == 3));
			assert_memory_equal(payload.ptr, big, payload.len);
		}
	}
	assert_int_equal(mlog_reader_next(r, &payload, &at, NULL), ERR_NOENT);
	mlog_reader_close(r);
	free(big);
}

static void
a_missing_number_is_named(void **state)
{
	put_text(*state, 0, 0, 1, NULL);
	put_text(*state, 2, 1, 1, NULL);
	assert_fails(*state, START, ERR_CORRUPT, "number 0001 is missing");
}

static void
a_log_without_its_first_number_is_no_log(void **state)
{
	put_text(*state, 1, 0, 1, NULL);
	assert_fails(*state, START, ERR_CORRUPT, "number 0000 is missing");
}

static void
a_malformed_segment_name_is_an_error_and_other_objects_are_not(void **state)
{
	put_text(*state, 0, 0, 1, NULL);
	assert_int_equal(
	    store_put(*state, MADE_PREFIX "notes.txt", SLICE("x"), STORE_ANY, NULL, NULL), 0);
	assert_int_equal(store_put(*state, MADE_PREFIX "old/0001.x.mutlog", SLICE("x"),
			     STORE_ANY, NULL, NULL),
	    0);
	assert_reads(*state, START, "payload 0|");
	assert_int_equal(
	    store_put(*state, MADE_PREFIX "0001.abc.mutlog", SLICE("x"), STORE_ANY, NULL, NULL),
	    0);
	assert_fails(
	    *state, START, ERR_CORRUPT, "0001.abc.mutlog is not the name of a segment");
}

static void
without_a_writer_the_newer_of_two_wins(void **state)
{
	store_mem_set_time(*state, 1000);
	put_text(*state, 0, 10, 3, NULL);
	store_mem_set_time(*state, 2000);
	put_text(*state, 0, 20, 1, NULL);
	store_mem_set_time(*state, 500);
	put_text(*state, 0, 30, 5, NULL);
	assert_reads(*state, START, "payload 20|");
}

static void
with_a_writer_only_what_it_names_counts(void **state)
{
	struct mlog_fence f = {
		.epoch = 1, .holder = (char *)"h", .lease_s = 300, .has_tail = true
	};
	char sealed[1][SHA224_HEX_LEN + 1];
	struct mlog_segment seg;

	put_text(*state, 0, 0, 1, &seg);
	memcpy(sealed[0], seg.sha224, sizeof(sealed[0]));
	put_text(*state, 1, 1, 1, &f.tail);
	store_mem_set_time(*state, 5000); /* newer, longer, and not committed */
	put_text(*state, 0, 50, 4, NULL);
	put_text(*state, 1, 60, 4, NULL);
	put_text(*state, 2, 70, 4, NULL);
	f.sealed = sealed;
	f.sealed_count = 1;
	put_writer(*state, &f);
	assert_reads(*state, START, "payload 0|payload 1|");
	f.sealed_count = 0; /* a record of another program: the newer one it is, then */
	put_writer(*state, &f);
	assert_reads(*state, START, "payload 50|payload 51|payload 52|payload 53|payload 1|");
	f.tail.size++;
	put_writer(*state, &f);
	assert_fails(*state, START, ERR_CORRUPT, "WRITER says");
	f.tail.number = 3;
	put_writer(*state, &f);
	assert_fails(*state, START, ERR_CORRUPT, "number 0003 is missing: WRITER names");
	f.has_tail = false;
	put_writer(*state, &f);
	assert_reads(*state, START, "");
	assert_int_equal(
	    store_put(*state, MADE_PREFIX "WRITER", SLICE("?"), STORE_ANY, NULL, NULL), 0);
	assert_fails(*state, START, ERR_CORRUPT, "WRITER: not JSON");
}

/* While the log is read, its writer puts a longer tail in the place of the one listed. */
struct grower {
	struct store *s;
	struct mlog_fence fence;
	int count;      /* records in the tail */
	int reads_left; /* segments reads before it grows */
	int first;      /* payload number of the first record */
};

static void
grow(void *ctx, enum store_op op, const char *name)
{
	struct grower *g = ctx;
	char old[MLOG_NAME_SIZE], full[128];

	if (op != STORE_OP_READ || strstr(name, ".mutlog") == NULL || g->reads_left-- != 0)
		return;
	mlog_segment_name(0, g->fence.tail.sha224, old);
	snprintf(full, sizeof(full), "%s%s", MADE_PREFIX, old);
	put_text(g->s, 0, g->first, g->count + 1, &g->fence.tail);
	put_writer(g->s, &g->fence);
	assert_int_equal(store_delete(g->s, full, STORE_ANY, NULL), 0);
}

static void
a_tail_that_grows_while_it_is_read_is_followed(void **state)
{
	struct grower g = { .s = *state, .count = 2 };

	g.fence = (struct mlog_fence){
		.epoch = 1, .holder = (char *)"h", .lease_s = 300, .has_tail = true
	};
	put_text(*state, 0, 0, 2, &g.fence.tail);
	put_writer(*state, &g.fence);
	store_mem_hook(*state, grow, &g);
	assert_reads(*state, START, "payload 0|payload 1|payload 2|");
	store_mem_hook(*state, NULL, NULL);
}

static void
a_log_that_is_deleted_while_it_is_read_is_stale(void **state)
{
	struct mlog_reader *r = NULL;
	struct mlog_segment seg;
	struct err_info ei = { 0 };
	struct slice payload;
	struct mlog_pos at;
	char name[MLOG_NAME_SIZE], full[128];

	put_text(*state, 0, 0, 2, &seg);
	mlog_segment_name(0, seg.sha224, name);
	snprintf(full, sizeof(full), "%s%s", MADE_PREFIX, name);
	assert_int_equal(mlog_reader_open(*state, MADE_PREFIX, START, &r, NULL), 0);
	assert_int_equal(store_delete(*state, full, STORE_ANY, NULL), 0);
	assert_int_equal(mlog_reader_next(r, &payload, &at, &ei), ERR_STALE);
	assert_int_equal(mlog_reader_next(r, &payload, &at, &ei), ERR_STALE);
	mlog_reader_close(r);
}

static void
errors_of_the_store_come_through(void **state)
{
	size_t ops;

	assert_int_equal(made_log(*state, MADE_PREFIX, 2, 2), 0);
	ops = store_mem_op_count(*state);
	assert_reads(*state, START, "payload 0|payload 1|payload 2|payload 3|");
	ops = store_mem_op_count(*state) - ops;
	assert_int_equal(ops, 4); /* WRITER, the listing, two segments */
	for (size_t n = 0; n < ops; n++) {
		store_mem_fail(*state, n, STORE_FAULT_BEFORE, ERR_UNAVAILABLE);
		assert_fails(*state, START, ERR_UNAVAILABLE, "made to fail");
	}
}

static void
every_allocation_failure_is_reported(void **state)
{
	int rc = ERR_NOMEM;

	assert_int_equal(made_log(*state, MADE_PREFIX, 2, 2), 0);
	for (long n = 0; rc != ERR_NOENT; n++) {
		struct buf got;

		buf_init(&got, 1000);
		buf_reserve(&got, 500);
		mem_fail_after(n);
		rc = made_read(*state, MADE_PREFIX, START, &got, NULL);
		mem_fail_after(MEM_NEVER);
		assert_true(rc == ERR_NOENT || rc == ERR_NOMEM);
		buf_clear(&got);
	}
}

enum damage {
	FLIP,
	CUT,
	DROP,
	DOUBLE,
	SWAP,
	INSERT,
	SHIFT,
	DAMAGE_COUNT
};

/* Records of the made segment in front of byte `at`, counted by their framing. */
static size_t
record_start(struct slice good, size_t index, size_t *ret_len)
{
	size_t at = 0;

	for (;; index--) {
		struct slice rest = { good.ptr + at, good.len - at };
		size_t header = 0, payload = 0;

		assert_int_equal(mlog_record_parse(rest, at, &header, &payload, NULL), 0);
		if (index == 0) {
			*ret_len = header + payload;
			return at;
		}
		at += header + payload;
	}
}

/* Damage the segment somehow; what comes out differs from what went in. */
static void
do_damage(struct buf *b, enum damage kind, size_t records, uint64_t *seed)
{
	size_t at, len, other, other_len;
	struct slice good = buf_view(b);
	struct buf out;

	at = record_start(good, rnd(seed) % (records - 1), &len);
	other = record_start(good, records - 1, &other_len);
	buf_init(&out, 1 << 20);
	switch (kind) {
	case FLIP:
		buf_slice(&out, good);
		out.ptr[rnd(seed) % out.len] ^= (char)(1u << rnd(seed) % 8);
		break;
	case CUT:
		buf_add(&out, good.ptr, rnd(seed) % good.len);
		break;
	case DROP: /* a record is gone */
		buf_add(&out, good.ptr, at);
		buf_add(&out, good.ptr + at + len, good.len - at - len);
		break;
	case DOUBLE:
		buf_add(&out, good.ptr, at + len);
		buf_add(&out, good.ptr + at, good.len - at);
		break;
	case SWAP: /* the last record comes before another */
		buf_add(&out, good.ptr, at);
		buf_add(&out, good.ptr + other, other_len);
		buf_add(&out, good.ptr + at, other - at);
		break;
	case INSERT:
		at = rnd(seed) % (good.len + 1);
		buf_add(&out, good.ptr, at);
		buf_char(&out, (char)rnd(seed));
		buf_add(&out, good.ptr + at, good.len - at);
		break;
	default: /* a payload that is longer than its header says */
		buf_add(&out, good.ptr, at + len);
		buf_char(&out, 'x');
		buf_add(&out, good.ptr + at + len, good.len - at - len);
		break;
	}
	buf_clear(b);
	*b = out;
}

static void
every_damage_to_a_segment_is_an_error_with_its_place(void **state)
{
	const char *asked = getenv("MAINTNER_TEST_COUNT");
	long count = asked != NULL ? strtol(asked, NULL, 10) : DAMAGES;
	uint64_t seed = 20261124;

	(void)state;
	for (long i = 0; i < count; i++) {
		size_t records = 2 + rnd(&seed) % 9, hurt = rnd(&seed) % 3;
		struct err_info ei = { 0 };
		struct store *s = NULL;
		char place[64];
		struct buf got;

		assert_int_equal(store_mem_new(false, &s), 0);
		for (uint32_t n = 0; n < 3; n++) {
			char sha[SHA224_HEX_LEN + 1], name[MLOG_NAME_SIZE], full[128];
			struct buf b;

			buf_init(&b, 1 << 20);
			made_segment(&b, (int)(n * 100), (int)records);
			assert_int_equal(sha224_hex(buf_view(&b), sha), 0);
			mlog_segment_name(n, sha, name);
			snprintf(full, sizeof(full), "%s%s", MADE_PREFIX, name);
			if (n == hurt)
				do_damage(&b, (enum damage)(i % DAMAGE_COUNT), records, &seed);
			assert_int_equal(
			    store_put(s, full, buf_view(&b), STORE_ANY, NULL, NULL), 0);
			buf_clear(&b);
		}
		buf_init(&got, 1 << 20);
		assert_int_equal(made_read(s, MADE_PREFIX, START, &got, &ei), ERR_CORRUPT);
		snprintf(place, sizeof(place), "segment " MADE_PREFIX "%04u.", (unsigned)hurt);
		if (strstr(ei.text, place) == NULL || strstr(ei.text, "offset 0x") == NULL)
			fail_msg("damage %ld: no place in \"%s\"", i, ei.text);
		buf_clear(&got);
		store_close(s);
	}
	print_message("%ld damaged logs, every one refused with its place\n", count);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define WITH_STORE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
		WITH_STORE(a_log_that_is_not_there_is_empty),
		WITH_STORE(records_come_in_order_with_their_places),
		WITH_STORE(reading_starts_where_it_is_told),
		WITH_STORE(a_segment_begun_in_the_middle_is_still_checked_from_its_start),
		WITH_STORE(records_larger_than_the_window_are_whole),
		WITH_STORE(a_missing_number_is_named),
		WITH_STORE(a_log_without_its_first_number_is_no_log),
		WITH_STORE(a_malformed_segment_name_is_an_error_and_other_objects_are_not),
		WITH_STORE(without_a_writer_the_newer_of_two_wins),
		WITH_STORE(with_a_writer_only_what_it_names_counts),
		WITH_STORE(a_tail_that_grows_while_it_is_read_is_followed),
		WITH_STORE(a_log_that_is_deleted_while_it_is_read_is_stale),
		WITH_STORE(errors_of_the_store_come_through),
		WITH_STORE(every_allocation_failure_is_reported),
		cmocka_unit_test(every_damage_to_a_segment_is_an_error_with_its_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
