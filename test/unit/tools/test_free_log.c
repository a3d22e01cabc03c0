/* A log is deleted whole, or what is left of it is by its WRITER an empty one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "test/unit/tools/log_rig.h"
#include "tools/free_log.h"

static int
delete_all(struct store *s, struct err_info *ei)
{
	struct free_log f = { .store = s, .prefix = PREFIX };
	size_t deleted;
	int rc = free_log_take(&f, ei);

	if (rc == 0)
		rc = free_log_erase(&f, &deleted, ei);
	free_log_clear(&f);
	return rc;
}

/* All of it, or nothing by WRITER, or nothing at all. */
static void
assert_whole_or_empty(struct store *s)
{
	struct mlog_fence f = { 0 };
	int64_t generation;
	int rc = mlog_fence_load(s, PREFIX, &f, &generation, NULL);

	if (rc == ERR_NOENT) {
		assert_int_equal(objects_in(s), 0);
		return;
	}
	assert_int_equal(rc, 0);
	assert_true(f.released);
	if (f.has_tail)
		assert_int_equal(objects_in(s), SEGMENTS + 1);
	mlog_fence_clear(&f);
}

static void
fail_each_operation(bool with_locks, enum store_fault fault)
{
	for (size_t nth = 0;; nth++) {
		struct store *s = make_log(with_locks);
		size_t before = store_mem_op_count(s);
		struct err_info ei = { .text = "" };
		int rc;

		store_mem_fail(s, nth, fault, ERR_DENIED);
		rc = delete_all(s, &ei);
		store_mem_fail(s, 0, STORE_FAULT_NONE, 0);
		if (rc == 0 && store_mem_op_count(s) - before <= nth) {
			store_close(s); /* there is no such operation any more */
			assert_true(nth > SEGMENTS + 4);
			return;
		}
		assert_int_equal(rc, ERR_DENIED);
		assert_whole_or_empty(s);
		assert_int_equal(delete_all(s, &ei), 0);
		assert_int_equal(objects_in(s), 0);
		store_close(s);
	}
}

static void
a_fault_of_any_operation_leaves_a_whole_or_an_empty_log(void **state)
{
	(void)state;
	fail_each_operation(false, STORE_FAULT_BEFORE);
	fail_each_operation(false, STORE_FAULT_AFTER);
	fail_each_operation(true, STORE_FAULT_BEFORE);
	fail_each_operation(true, STORE_FAULT_AFTER);
}

/* A flush of the old holder that comes in before WRITER is read for the first time. */
struct flusher {
	struct store *s;
	bool done;
};

static void
flush_once(void *ctx, enum store_op op, const char *name)
{
	struct flusher *f = ctx;
	struct mlog_segment tail;

	if (f->done || op == STORE_OP_LIST || name == NULL || strcmp(name, WRITER) != 0)
		return;
	f->done = true;
	put_segment(f->s, SEGMENTS, "flushed late", &tail);
	put_writer(f->s, "pod", true, &tail);
}

static void
a_segment_that_came_after_the_first_list_goes_too(void **state)
{
	struct flusher f = { .s = make_log(false) };
	struct err_info ei = { .text = "" };

	(void)state;
	store_mem_hook(f.s, flush_once, &f);
	assert_int_equal(delete_all(f.s, &ei), 0);
	store_mem_hook(f.s, NULL, NULL);
	assert_true(f.done);
	assert_int_equal(objects_in(f.s), 0);
	store_close(f.s);
}

/* Somebody takes the log over before the `left`th operation from now. */
struct rival {
	struct store *s;
	size_t left;
	bool came;
	struct mlog_segment tail;
};

static void
come(void *ctx, enum store_op op, const char *name)
{
	struct rival *r = ctx;

	(void)op;
	(void)name;
	if (r->came || r->left-- > 0)
		return;
	r->came = true;
	put_segment(r->s, 0, "of the rival", &r->tail);
	put_writer(r->s, "rival", false, &r->tail);
}

static void
assert_rival_is_whole(const struct rival *r)
{
	char name[MLOG_NAME_SIZE], path[STORE_NAME_MAX + 1];
	struct mlog_fence f = { 0 };
	struct store_object o;
	int64_t generation;

	assert_int_equal(mlog_fence_load(r->s, PREFIX, &f, &generation, NULL), 0);
	assert_string_equal(f.holder, "rival");
	mlog_fence_clear(&f);
	mlog_segment_name(0, r->tail.sha224, name);
	snprintf(path, sizeof(path), PREFIX "%s", name);
	assert_int_equal(store_stat(r->s, path, &o, NULL), 0);
}

static void
who_takes_the_log_over_between_any_two_steps_loses_nothing(void **state)
{
	(void)state;
	for (size_t nth = 0;; nth++) {
		struct rival r = { .s = make_log(false), .left = nth };
		struct free_log f = { .store = r.s, .prefix = PREFIX };
		size_t deleted = 0;
		int rc;

		assert_int_equal(free_log_take(&f, NULL), 0);
		store_mem_hook(r.s, come, &r);
		rc = free_log_erase(&f, &deleted, NULL);
		store_mem_hook(r.s, NULL, NULL);
		free_log_clear(&f);
		if (r.came) {
			assert_rival_is_whole(&r);
			/* Before the swap nothing may have been deleted at all. */
			assert_int_equal(rc, nth == 0 ? ERR_CONFLICT : 0);
			if (nth == 0)
				assert_int_equal(deleted, 0);
		}
		store_close(r.s);
		if (!r.came) {
			assert_true(nth > SEGMENTS + 2);
			return;
		}
	}
}

static void
what_is_no_part_of_a_log_is_named_and_nothing_goes(void **state)
{
	struct store *s = make_log(false);
	struct err_info ei = { .text = "" };

	(void)state;
	assert_int_equal(
	    store_put(s, PREFIX "notes.txt", SLICE("mine"), STORE_ANY, NULL, NULL), 0);
	assert_int_equal(delete_all(s, &ei), ERR_EXISTS);
	assert_non_null(strstr(ei.text, PREFIX "notes.txt"));
	assert_int_equal(objects_in(s), SEGMENTS + 2);
	assert_int_equal(store_delete(s, PREFIX "notes.txt", STORE_ANY, NULL), 0);
	assert_int_equal(
	    store_put(s, PREFIX "below/mine.delta", SLICE("mine"), STORE_ANY, NULL, NULL), 0);
	assert_int_equal(delete_all(s, &ei), ERR_EXISTS);
	assert_non_null(strstr(ei.text, PREFIX "below/mine.delta"));
	assert_int_equal(objects_in(s), SEGMENTS + 2);
	store_close(s);
}

static void
where_the_store_has_locks_a_living_holder_is_named_at_once(void **state)
{
	struct store *s = make_log(true);
	struct store_lock *lock = NULL;
	struct err_info ei = { .text = "" };

	(void)state;
	put_writer(s, "pod-7", false, NULL);
	assert_int_equal(store_lock(s, WRITER, &lock, NULL), 0);
	assert_int_equal(delete_all(s, &ei), ERR_BUSY);
	assert_non_null(strstr(ei.text, "pod-7 holds the log"));
	assert_int_equal(objects_in(s), SEGMENTS + 1);
	store_unlock(lock);
	assert_int_equal(delete_all(s, &ei), 0); /* it died: its lock says so */
	assert_int_equal(objects_in(s), 0);
	store_close(s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_fault_of_any_operation_leaves_a_whole_or_an_empty_log),
		cmocka_unit_test(a_segment_that_came_after_the_first_list_goes_too),
		cmocka_unit_test(who_takes_the_log_over_between_any_two_steps_loses_nothing),
		cmocka_unit_test(what_is_no_part_of_a_log_is_named_and_nothing_goes),
		cmocka_unit_test(where_the_store_has_locks_a_living_holder_is_named_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
