/* test_store_mem.c - the test store misbehaves exactly as it is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/store/store_mem.h"

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

static bool
exists(struct store *s, const char *name)
{
	struct store_object o;

	return store_stat(s, name, &o, NULL) == 0;
}

static void
without_locks_it_is_a_bucket(void **state)
{
	struct store_lock *l;

	assert_int_equal(store_lock(*state, "x", &l, NULL), ERR_UNSUPPORTED);
}

static void
a_fault_before_changes_nothing_and_one_after_does(void **state)
{
	struct store *s = *state;

	store_mem_fail(s, 1, STORE_FAULT_BEFORE, ERR_UNAVAILABLE);
	assert_int_equal(store_put(s, "a", SLICE("1"), STORE_ANY, NULL, NULL), 0);
	assert_int_equal(store_put(s, "b", SLICE("1"), STORE_ANY, NULL, NULL), ERR_UNAVAILABLE);
	assert_false(exists(s, "b"));
	store_mem_fail(s, 0, STORE_FAULT_AFTER, ERR_CLOSED);
	assert_int_equal(store_put(s, "b", SLICE("1"), STORE_ANY, NULL, NULL), ERR_CLOSED);
	assert_true(exists(s, "b"));
	store_mem_fail(s, 0, STORE_FAULT_AFTER, ERR_CLOSED);
	assert_int_equal(store_delete(s, "b", STORE_ANY, NULL), ERR_CLOSED);
	assert_false(exists(s, "b"));
	assert_int_equal(store_mem_op_count(s), 7);
}

static void
put_a_rival(void *ctx, enum store_op op, const char *name)
{
	assert_int_equal(op, STORE_OP_PUT);
	assert_int_equal(store_put(ctx, name, SLICE("rival"), STORE_ANY, NULL, NULL), 0);
}

static void
a_hook_comes_between_two_operations(void **state)
{
	struct store *s = *state;

	store_mem_hook(s, put_a_rival, s);
	assert_int_equal(store_put(s, "x", SLICE("1"), STORE_ABSENT, NULL, NULL), ERR_CONFLICT);
	store_mem_hook(s, NULL, NULL);
}

static void
objects_are_dated_by_the_given_clock(void **state)
{
	struct store *s = *state;
	struct store_object o = { 0 };

	store_mem_set_time(s, 1234);
	assert_int_equal(store_put(s, "x", SLICE("1"), STORE_ANY, NULL, NULL), 0);
	assert_int_equal(store_stat(s, "x", &o, NULL), 0);
	assert_int_equal(o.created_ms, 1234);
	assert_int_equal(store_mem_damage(s, "x", 1, 1), ERR_NOENT);
	assert_int_equal(store_mem_damage(s, "x", 0, 1), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define WITH_STORE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
		WITH_STORE(without_locks_it_is_a_bucket),
		WITH_STORE(a_fault_before_changes_nothing_and_one_after_does),
		WITH_STORE(a_hook_comes_between_two_operations),
		WITH_STORE(objects_are_dated_by_the_given_clock),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
