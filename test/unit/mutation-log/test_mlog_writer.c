/*
 * test_mlog_writer.c - one writer's life: places, flush order, takeover, failures and
 * crashes between every two steps.  Rivals at once are in test_mlog_rivals.c.
 */
#include "test/unit/mutation-log/writer_fixture.h"

static void
a_new_log_begins_at_the_start_and_grows_in_one_segment(void **state)
{
	struct mlog_writer *w = open_as(*state, "a");
	struct mlog_segment tail;

	assert_int_equal(mlog_pos_cmp(mlog_writer_end(w), START), 0);
	assert_false(mlog_writer_tail(w, &tail));
	assert_int_equal(mlog_writer_flush(w, NULL), 0);
	assert_int_equal(count_segments(*state), 0);
	append(w, "one");
	assert_log(*state, ""); /* not durable, so not there */
	assert_int_equal(mlog_pos_cmp(mlog_writer_durable(w), START), 0);
	flush(w);
	assert_log(*state, "one|");
	append(w, "two");
	append(w, "three");
	flush(w);
	assert_log(*state, "one|two|three|");
	assert_int_equal(count_segments(*state), 1);
	assert_true(mlog_writer_tail(w, &tail));
	assert_int_equal(tail.size, mlog_writer_durable(w).offset);
	assert_int_equal(mlog_pos_cmp(mlog_writer_durable(w), mlog_writer_end(w)), 0);
	mlog_writer_close(w);
	mlog_writer_close(NULL);
}

static void
records_that_do_not_continue_the_log_are_refused(void **state)
{
	struct mlog_writer *w = open_as(*state, "a");
	struct mlog_pos end;

	assert_int_equal(append_at(w, (struct mlog_pos){ 0, 1 }, "x"), ERR_INVAL);
	assert_int_equal(append_at(w, (struct mlog_pos){ 1, 0 }, "x"), ERR_INVAL);
	append(w, "x");
	end = mlog_writer_end(w);
	assert_int_equal(append_at(w, START, "x"), ERR_INVAL);
	assert_int_equal(append_at(w, (struct mlog_pos){ 2, 0 }, "x"), ERR_INVAL);
	assert_int_equal(append_at(w, (struct mlog_pos){ 1, 5 }, "x"), ERR_INVAL);
	assert_int_equal(mlog_writer_append(w, end, SLICE("REC@0+1=x"), NULL), ERR_INVAL);
	assert_int_equal(mlog_writer_append(w, end, SLICE(""), NULL), ERR_INVAL);
	assert_int_equal(mlog_writer_append(w, end, SLICE("REC@a+2=x"), NULL), ERR_INVAL);
	assert_int_equal(mlog_pos_cmp(mlog_writer_end(w), end), 0);
	flush(w);
	assert_log(*state, "x|");
	mlog_writer_close(w);
}

static void
a_record_that_begins_a_number_seals_the_one_before(void **state)
{
	struct mlog_writer *w = open_as(*state, "a");
	struct mlog_fence f = { 0 };

	append(w, "one");
	flush(w);
	append(w, "two"); /* grows number 0 once more, then it is full */
	assert_int_equal(append_at(w, (struct mlog_pos){ 1, 0 }, "three"), 0);
	assert_int_equal(append_at(w, (struct mlog_pos){ 2, 0 }, "four"), 0);
	flush(w);
	append(w, "five");
	flush(w);
	assert_log(*state, "one|two|three|four|five|");
	assert_int_equal(count_segments(*state), 3);
	load_fence(*state, &f);
	assert_int_equal(f.tail.number, 2);
	assert_int_equal(f.sealed_count, 2);
	mlog_fence_clear(&f);
	mlog_writer_close(w);
}

static void
a_segment_is_full_at_16_mebibytes_and_a_larger_record_stands_alone(void **state)
{
	struct mlog_writer *w = open_as(*state, "a");
	size_t len = (size_t)MLOG_SEGMENT_MAX - 100;
	char *big = malloc(2 * len);
	struct mlog_pos at, end;
	struct buf b;

	assert_non_null(big);
	memset(big, 'x', 2 * len);
	buf_init(&b, 4 * len);
	append(w, "small");
	for (int i = 0; i < 2; i++) {
		struct slice payload = { big, i == 0 ? 2 * len : len };

		buf_reset(&b);
		assert_int_equal(mlog_place(mlog_writer_end(w), payload.len, &at, &end), 0);
		assert_int_equal(at.segment, i + 1);
		mlog_record_append(&b, at.offset, payload);
		assert_int_equal(mlog_writer_append(w, at, buf_view(&b), NULL), 0);
	}
	/* The caller does not keep to mlog_place(): too much for the segment. */
	buf_reset(&b);
	mlog_record_append(&b, end.offset, (struct slice){ big, 200 });
	assert_int_equal(mlog_writer_append(w, end, buf_view(&b), NULL), ERR_INVAL);
	append(w, "behind");
	flush(w);
	mlog_writer_close(w);
	w = open_as(*state, "a");
	append(w, "later");
	flush(w);
	assert_int_equal(count_segments(*state), 3);
	assert_int_equal(mlog_writer_durable(w).segment, 2);
	mlog_writer_close(w);
	buf_clear(&b);
	free(big);
}

static void
unflushed_bytes_are_bounded(void **state)
{
	struct mlog_writer *w = open_as(*state, "a");
	size_t len = MLOG_RECORD_MAX;
	char *big = calloc(1, len);
	struct mlog_pos at, end;
	struct buf b;
	int rc = 0, count = 0;

	assert_non_null(big);
	buf_init(&b, 2 * len);
	while (rc == 0) {
		buf_reset(&b);
		assert_int_equal(mlog_place(mlog_writer_end(w), len, &at, &end), 0);
		mlog_record_append(&b, at.offset, (struct slice){ big, len });
		rc = mlog_writer_append(w, at, buf_view(&b), NULL);
		count += rc == 0;
	}
	assert_int_equal(rc, ERR_FULL);
	assert_int_equal(count, 1);
	flush(w);
	assert_int_equal(mlog_writer_append(w, at, buf_view(&b), NULL), 0);
	mlog_writer_close(w);
	buf_clear(&b);
	free(big);
}

static void
the_same_holder_goes_on_at_once_where_it_was(void **state)
{
	struct mlog_writer *w = open_as(*state, "a");
	struct mlog_fence f = { 0 };

	append(w, "one");
	flush(w);
	append(w, "lost in the crash");
	mlog_writer_close(w);
	w = open_as(*state, "a");
	assert_int_equal(fake.sleeps, 0);
	append(w, "two");
	flush(w);
	assert_log(*state, "one|two|");
	assert_int_equal(count_segments(*state), 1);
	load_fence(*state, &f);
	assert_int_equal(f.epoch, 2);
	mlog_fence_clear(&f);
	mlog_writer_close(w);
}

static void
a_released_log_is_taken_at_once_and_continued(void **state)
{
	struct mlog_writer *w = open_as(*state, "a");

	append(w, "one");
	flush(w);
	assert_int_equal(mlog_writer_release(w, NULL), 0);
	mlog_writer_close(w);
	w = open_as(*state, "b");
	assert_int_equal(fake.sleeps, 0);
	assert_int_equal(mlog_writer_end(w).segment, 0);
	append(w, "two");
	flush(w);
	assert_log(*state, "one|two|");
	mlog_writer_close(w);
}

static void
finishing_writes_the_fence_once(void **state)
{
	struct mlog_writer *w = open_as(*state, "a");
	struct mlog_fence before = { 0 }, after = { 0 };
	size_t ops;

	append(w, "one");
	load_fence(*state, &before);
	ops = store_mem_op_count(*state);
	assert_int_equal(mlog_writer_finish(w, NULL), 0);
	assert_int_equal(store_mem_op_count(*state) - ops, 2); /* the segment, WRITER */
	load_fence(*state, &after);
	assert_true(after.released);
	assert_true(after.has_tail);
	assert_false(before.released);
	mlog_writer_close(w);
	assert_log(*state, "one|");
	/* With nothing to flush it releases all the same. */
	w = open_as(*state, "b");
	assert_int_equal(fake.sleeps, 0);
	assert_int_equal(mlog_writer_finish(w, NULL), 0);
	mlog_fence_clear(&after);
	load_fence(*state, &after);
	assert_true(after.released);
	mlog_writer_close(w);
	mlog_fence_clear(&before);
	mlog_fence_clear(&after);
}

static void
an_unreleased_log_is_taken_after_the_lease_and_a_new_number_begun(void **state)
{
	struct mlog_writer *a = open_as(*state, "a"), *b;
	struct err_info ei = { 0 };
	int64_t before;

	append(a, "one");
	flush(a);
	before = fake.now_ms;
	b = open_as(*state, "b");
	assert_int_equal(fake.now_ms - before, MLOG_LEASE_S * 1000);
	assert_int_equal(mlog_pos_cmp(mlog_writer_end(b), (struct mlog_pos){ 1, 0 }), 0);
	/* The old holder wakes up: its upload never counts, and it hears who has the log. */
	append(a, "too late");
	assert_int_equal(mlog_writer_flush(a, &ei), ERR_CONFLICT);
	assert_non_null(strstr(ei.text, "taken over by b (epoch 2)"));
	assert_int_equal(append_at(a, mlog_writer_end(a), "x"), ERR_CONFLICT);
	assert_int_equal(mlog_writer_renew(a, &ei), ERR_CONFLICT);
	assert_int_equal(mlog_writer_release(a, &ei), ERR_CONFLICT);
	assert_int_equal(mlog_writer_sweep(a, NULL, &ei), ERR_CONFLICT);
	mlog_writer_close(a);
	assert_int_equal(count_segments(*state), 1);
	/* Still a new number after the taker's own crash before its first flush. */
	mlog_writer_close(b);
	b = open_as(*state, "b");
	assert_int_equal(mlog_pos_cmp(mlog_writer_end(b), (struct mlog_pos){ 1, 0 }), 0);
	append(b, "two");
	flush(b);
	assert_log(*state, "one|two|");
	assert_int_equal(count_segments(*state), 2);
	mlog_writer_close(b);
}

static struct mlog_writer *renewing;

static void
renew_it(void)
{
	if (fake.sleeps <= 100)
		assert_int_equal(mlog_writer_renew(renewing, NULL), 0);
	if (fake.sleeps == 100)
		assert_int_equal(mlog_writer_release(renewing, NULL), 0);
}

static void
a_holder_that_renews_is_left_alone_and_named(void **state)
{
	struct mlog_writer *b = NULL;
	struct err_info ei = { 0 };

	renewing = open_as(*state, "a");
	append(renewing, "one");
	flush(renewing);
	fake.meanwhile = renew_it;
	assert_int_equal(mlog_writer_open(*state, MADE_PREFIX, "b", &opts, &b, &ei), ERR_BUSY);
	assert_non_null(strstr(ei.text, "written by a "));
	assert_null(b);
	assert_int_equal(mlog_writer_release(renewing, NULL), 0);
	mlog_writer_close(renewing);
	fake.meanwhile = NULL;
	b = open_as(*state, "b");
	assert_int_equal(mlog_writer_end(b).segment, 0);
	mlog_writer_close(b);
}

static void
waiting_can_be_given_up(void **state)
{
	struct mlog_writer *a = open_as(*state, "a"), *b = NULL;
	struct err_info ei = { 0 };

	fake.cancel_at = 3;
	assert_int_equal(
	    mlog_writer_open(*state, MADE_PREFIX, "b", &opts, &b, &ei), ERR_CANCELED);
	assert_non_null(strstr(ei.text, "waiting for a"));
	assert_null(b);
	append(a, "one");
	flush(a);
	mlog_writer_close(a);
}

static void
renewing_writes_only_when_a_third_of_the_lease_has_passed(void **state)
{
	struct mlog_writer *w = open_as(*state, "a");
	size_t ops = store_mem_op_count(*state);

	fake.now_ms += MLOG_LEASE_S * 1000 / 3 - 1;
	assert_int_equal(mlog_writer_renew(w, NULL), 0);
	assert_int_equal(store_mem_op_count(*state), ops);
	fake.now_ms++;
	assert_int_equal(mlog_writer_renew(w, NULL), 0);
	assert_int_equal(store_mem_op_count(*state), ops + 1);
	mlog_writer_close(w);
}

static void
where_there_are_locks_a_dead_holder_is_replaced_at_once(void **state)
{
	struct mlog_writer *a, *b = NULL;
	struct err_info ei = { 0 };
	struct store *s = NULL;

	(void)state;
	assert_int_equal(store_mem_new(true, &s), 0);
	a = open_as(s, "a");
	append(a, "one");
	flush(a);
	assert_int_equal(mlog_writer_open(s, MADE_PREFIX, "b", &opts, &b, &ei), ERR_BUSY);
	assert_non_null(strstr(ei.text, "being written by a"));
	assert_int_equal(mlog_writer_open(s, MADE_PREFIX, "a", &opts, &b, &ei), ERR_BUSY);
	mlog_writer_close(a);
	b = open_as(s, "b");
	assert_int_equal(fake.sleeps, 0);
	assert_int_equal(mlog_writer_end(b).segment, 1);
	mlog_writer_close(b);
	store_close(s);
}

static void
a_log_of_maintner_is_adopted_and_begun_anew_behind_its_end(void **state)
{
	struct mlog_fence f = { 0 };
	struct mlog_writer *w;

	assert_int_equal(made_log(*state, MADE_PREFIX, 2, 2), 0);
	w = open_as(*state, "a");
	assert_int_equal(mlog_pos_cmp(mlog_writer_end(w), (struct mlog_pos){ 2, 0 }), 0);
	assert_log(*state, "payload 0|payload 1|payload 2|payload 3|");
	append(w, "ours");
	flush(w);
	assert_log(*state, "payload 0|payload 1|payload 2|payload 3|ours|");
	load_fence(*state, &f);
	assert_int_equal(f.sealed_count, 2);
	mlog_fence_clear(&f);
	mlog_writer_close(w);
}

static void
a_damaged_log_is_not_taken_over(void **state)
{
	struct mlog_writer *w = open_as(*state, "a");
	struct mlog_segment tail;
	char name[MLOG_NAME_SIZE], full[128];
	struct err_info ei = { 0 };
	struct mlog_fence f = { 0 };

	append(w, "one");
	flush(w);
	assert_true(mlog_writer_tail(w, &tail));
	mlog_writer_close(w);
	mlog_segment_name(0, tail.sha224, name);
	snprintf(full, sizeof(full), "%s%s", MADE_PREFIX, name);
	assert_int_equal(store_mem_damage(*state, full, 9, 1), 0);
	w = NULL;
	assert_int_equal(
	    mlog_writer_open(*state, MADE_PREFIX, "a", &opts, &w, &ei), ERR_CORRUPT);
	assert_non_null(strstr(ei.text, "hash mismatch"));
	assert_int_equal(store_delete(*state, full, STORE_ANY, NULL), 0);
	assert_int_equal(
	    mlog_writer_open(*state, MADE_PREFIX, "a", &opts, &w, &ei), ERR_CORRUPT);
	assert_non_null(strstr(ei.text, "number 0000 is missing"));
	assert_null(w);
	load_fence(*state, &f);
	assert_int_equal(f.epoch, 1);
	mlog_fence_clear(&f);
}

static void
a_deleted_commit_record_ends_the_writer(void **state)
{
	struct mlog_writer *w = open_as(*state, "a");
	struct err_info ei = { 0 };

	append(w, "one");
	flush(w);
	assert_int_equal(store_delete(*state, MADE_PREFIX "WRITER", STORE_ANY, NULL), 0);
	append(w, "two");
	assert_int_equal(mlog_writer_flush(w, &ei), ERR_CONFLICT);
	assert_non_null(strstr(ei.text, "WRITER was deleted"));
	mlog_writer_close(w);
}

static void
the_sweep_deletes_what_is_old_and_unnamed(void **state)
{
	struct mlog_writer *w = open_as(*state, "a");
	size_t count = 99;
	struct buf b;

	append(w, "one");
	flush(w);
	assert_int_equal(append_at(w, (struct mlog_pos){ 1, 0 }, "two"), 0);
	flush(w);
	buf_init(&b, 1000);
	for (int i = 0; i < 4; i++) { /* left by nobody knows whom */
		made_segment(&b, i, 1);
		assert_int_equal(
		    made_put(*state, MADE_PREFIX, (uint32_t)i, buf_view(&b), NULL), 0);
	}
	buf_clear(&b);
	assert_int_equal(
	    store_put(*state, MADE_PREFIX "mine.delta", SLICE("x"), STORE_ANY, NULL, NULL), 0);
	assert_int_equal(mlog_writer_sweep(w, &count, NULL), 0);
	assert_int_equal(count, 0); /* too young */
	fake.now_ms += MLOG_SWEEP_AGE_MS;
	assert_int_equal(mlog_writer_sweep(w, &count, NULL), 0);
	assert_int_equal(count, 4);
	assert_int_equal(store_delete(*state, MADE_PREFIX "mine.delta", STORE_ANY, NULL), 0);
	assert_int_equal(count_segments(*state), 2);
	assert_log(*state, "one|two|");
	mlog_writer_close(w);
}

static void
an_upload_whose_swap_is_in_doubt_is_not_swept(void **state)
{
	for (int i = 0; i < 2; i++) { /* the swap failed, or happened and the answer was lost */
		struct mlog_writer *w = open_as(*state, "a");

		append(w, i == 0 ? "one" : "two");
		store_mem_fail(*state, 1, i == 0 ? STORE_FAULT_BEFORE : STORE_FAULT_AFTER,
		    ERR_UNAVAILABLE);
		assert_int_equal(mlog_writer_flush(w, NULL), ERR_UNAVAILABLE);
		fake.now_ms += MLOG_SWEEP_AGE_MS;
		assert_int_equal(mlog_writer_sweep(w, NULL, NULL), 0);
		assert_log(*state, i == 0 ? "" : "one|two|");
		flush(w);
		assert_log(*state, i == 0 ? "one|" : "one|two|");
		assert_int_equal(count_segments(*state), 1);
		mlog_writer_close(w);
	}
}

static void
a_renewal_after_a_lost_answer_does_not_take_the_tail_back(void **state)
{
	struct mlog_writer *w = open_as(*state, "a");

	append(w, "one");
	flush(w);
	append(w, "two");
	store_mem_fail(*state, 1, STORE_FAULT_AFTER, ERR_UNAVAILABLE);
	assert_int_equal(mlog_writer_flush(w, NULL), ERR_UNAVAILABLE);
	assert_log(*state, "one|two|");
	fake.now_ms += MLOG_LEASE_S * 1000;
	assert_int_equal(mlog_writer_renew(w, NULL), 0);
	assert_log(*state, "one|two|");
	assert_int_equal(mlog_pos_cmp(mlog_writer_durable(w), mlog_writer_end(w)), 0);
	append(w, "three");
	flush(w);
	assert_log(*state, "one|two|three|");
	assert_int_equal(count_segments(*state), 1);
	mlog_writer_close(w);
}

static void
a_loser_deletes_only_what_it_was_the_first_to_put(void **state)
{
	struct mlog_writer *loser = open_as(*state, "a"), *winner = open_as(*state, "a");

	/* Both put the same bytes; the winner first, and its swap is still to come. */
	append(winner, "same");
	append(loser, "same");
	store_mem_fail(*state, 1, STORE_FAULT_BEFORE, ERR_UNAVAILABLE);
	assert_int_equal(mlog_writer_flush(winner, NULL), ERR_UNAVAILABLE);
	assert_int_equal(mlog_writer_flush(loser, NULL), ERR_CONFLICT);
	assert_int_equal(count_segments(*state), 1);
	flush(winner);
	assert_log(*state, "same|");
	mlog_writer_close(loser);
	mlog_writer_close(winner);
	/* The loser first: the winner puts it again, so that the loser's delete misses it. */
	loser = open_as(*state, "a");
	append(loser, "next");
	store_mem_fail(*state, 1, STORE_FAULT_BEFORE, ERR_UNAVAILABLE);
	assert_int_equal(mlog_writer_flush(loser, NULL), ERR_UNAVAILABLE);
	winner = open_as(*state, "a");
	append(winner, "next");
	store_mem_fail(*state, 3, STORE_FAULT_BEFORE, ERR_UNAVAILABLE);
	assert_int_equal(mlog_writer_flush(winner, NULL), ERR_UNAVAILABLE);
	assert_int_equal(mlog_writer_flush(loser, NULL), ERR_CONFLICT);
	flush(winner);
	assert_log(*state, "same|next|");
	mlog_writer_close(loser);
	mlog_writer_close(winner);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define WITH_STORE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
		WITH_STORE(a_new_log_begins_at_the_start_and_grows_in_one_segment),
		WITH_STORE(records_that_do_not_continue_the_log_are_refused),
		WITH_STORE(a_record_that_begins_a_number_seals_the_one_before),
		WITH_STORE(a_segment_is_full_at_16_mebibytes_and_a_larger_record_stands_alone),
		WITH_STORE(unflushed_bytes_are_bounded),
		WITH_STORE(the_same_holder_goes_on_at_once_where_it_was),
		WITH_STORE(finishing_writes_the_fence_once),
		WITH_STORE(a_released_log_is_taken_at_once_and_continued),
		WITH_STORE(an_unreleased_log_is_taken_after_the_lease_and_a_new_number_begun),
		WITH_STORE(a_holder_that_renews_is_left_alone_and_named),
		WITH_STORE(waiting_can_be_given_up),
		WITH_STORE(renewing_writes_only_when_a_third_of_the_lease_has_passed),
		WITH_STORE(where_there_are_locks_a_dead_holder_is_replaced_at_once),
		WITH_STORE(a_log_of_maintner_is_adopted_and_begun_anew_behind_its_end),
		WITH_STORE(a_damaged_log_is_not_taken_over),
		WITH_STORE(a_deleted_commit_record_ends_the_writer),
		WITH_STORE(the_sweep_deletes_what_is_old_and_unnamed),
		WITH_STORE(an_upload_whose_swap_is_in_doubt_is_not_swept),
		WITH_STORE(a_renewal_after_a_lost_answer_does_not_take_the_tail_back),
		WITH_STORE(a_loser_deletes_only_what_it_was_the_first_to_put),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
