/* Reading ahead says what the reader says, in its order, and may be given up anywhere. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "test/unit/mutation-log/log_maker.h"
#include "tools/read_ahead.h"

#define SEGMENTS 4
#define EACH 3000 /* in all more than one batch has */
#define START ((struct mlog_pos){ 0, 0 })

static int
set_up(void **state)
{
	return store_mem_new(false, (struct store **)state) != 0 ||
	       made_log(*state, MADE_PREFIX, SEGMENTS, EACH) != 0;
}

static int
tear_down(void **state)
{
	store_close(*state);
	return 0;
}

static void
both_read_the_same(void **state)
{
	struct mlog_reader *alone, *log;
	struct read_ahead *ahead;
	struct store *same = NULL; /* one in memory is for one thread */
	struct slice want, got;
	struct mlog_pos want_at, got_at;
	int rc;

	assert_int_equal(store_mem_new(false, &same), 0);
	assert_int_equal(made_log(same, MADE_PREFIX, SEGMENTS, EACH), 0);
	assert_int_equal(mlog_reader_open(same, MADE_PREFIX, START, &alone, NULL), 0);
	assert_int_equal(mlog_reader_open(*state, MADE_PREFIX, START, &log, NULL), 0);
	assert_int_equal(read_ahead_start(log, &ahead, NULL), 0);
	while ((rc = mlog_reader_next(alone, &want, &want_at, NULL)) == 0) {
		assert_int_equal(read_ahead_next(ahead, &got, &got_at, NULL), 0);
		assert_true(slice_eq(want, got));
		assert_int_equal(mlog_pos_cmp(want_at, got_at), 0);
	}
	assert_int_equal(rc, ERR_NOENT);
	for (int i = 0; i < 2; i++)
		assert_int_equal(read_ahead_next(ahead, &got, &got_at, NULL), ERR_NOENT);
	read_ahead_stop(ahead);
	mlog_reader_close(log);
	mlog_reader_close(alone);
	store_close(same);
}

static void
a_failure_comes_after_what_was_good(void **state)
{
	struct err_info ei = { 0 };
	struct mlog_reader *log;
	struct read_ahead *ahead;
	struct slice got;
	struct mlog_pos at;
	struct buf bad;
	size_t good = 0;
	int rc;

	buf_init(&bad, 1 << 20);
	made_segment(&bad, 0, 1);
	buf_str(&bad, "no record");
	assert_int_equal(made_put(*state, MADE_PREFIX, SEGMENTS, buf_view(&bad), NULL), 0);
	assert_int_equal(mlog_reader_open(*state, MADE_PREFIX, START, &log, NULL), 0);
	assert_int_equal(read_ahead_start(log, &ahead, NULL), 0);
	while ((rc = read_ahead_next(ahead, &got, &at, &ei)) == 0)
		good++;
	assert_int_equal(rc, ERR_CORRUPT);
	assert_int_equal(good, SEGMENTS * EACH + 1);
	assert_non_null(strstr(ei.text, "0004."));
	read_ahead_stop(ahead);
	mlog_reader_close(log);
	buf_clear(&bad);
}

static void
it_may_be_stopped_anywhere(void **state)
{
	static const int records[] = { 0, 1, 4096, 4097, 9000 };

	for (size_t i = 0; i < sizeof(records) / sizeof(records[0]); i++) {
		struct mlog_reader *log;
		struct read_ahead *ahead;
		struct slice got;
		struct mlog_pos at;

		assert_int_equal(mlog_reader_open(*state, MADE_PREFIX, START, &log, NULL), 0);
		assert_int_equal(read_ahead_start(log, &ahead, NULL), 0);
		for (int n = 0; n < records[i]; n++)
			assert_int_equal(read_ahead_next(ahead, &got, &at, NULL), 0);
		read_ahead_stop(ahead);
		mlog_reader_close(log);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(both_read_the_same, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    a_failure_comes_after_what_was_good, set_up, tear_down),
		cmocka_unit_test_setup_teardown(it_may_be_stopped_anywhere, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
