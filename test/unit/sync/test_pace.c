/* When the next round is: what is quiet waits, what lives is asked sooner. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sync/pace.h"

#define INTERVAL INT64_C(600000)
#define UNKNOWN (-1)

static int64_t
quiet(struct pace *p)
{
	return pace_next(p, false, 0, UNKNOWN);
}

static int64_t
changed(struct pace *p)
{
	return pace_next(p, true, 0, UNKNOWN);
}

static void
quiet_rounds_come_later_up_to_twice_the_interval(void **state)
{
	static const int64_t waits[] = { 750000, 937500, 1171875, 1200000, 1200000, 1200000 };
	struct pace p;

	(void)state;
	pace_init(&p, INTERVAL);
	for (size_t i = 0; i < sizeof(waits) / sizeof(waits[0]); i++)
		assert_int_equal(quiet(&p), waits[i]);
}

static void
changes_bring_rounds_sooner_down_to_a_quarter(void **state)
{
	static const int64_t waits[] = { 300000, 150000, 150000, 150000 };
	struct pace p;

	(void)state;
	pace_init(&p, INTERVAL);
	for (size_t i = 0; i < sizeof(waits) / sizeof(waits[0]); i++)
		assert_int_equal(changed(&p), waits[i]);
	assert_int_equal(quiet(&p), 187500); /* and back, step by step */
	assert_int_equal(changed(&p), 150000);
}

static void
from_twice_the_interval_three_changes_reach_a_quarter(void **state)
{
	struct pace p;

	(void)state;
	pace_init(&p, INTERVAL);
	for (int i = 0; i < 10; i++)
		quiet(&p);
	assert_int_equal(changed(&p), INTERVAL);
	assert_int_equal(changed(&p), INTERVAL / 2);
	assert_int_equal(changed(&p), INTERVAL / 4);
	assert_int_equal(changed(&p), INTERVAL / 4);
}

static void
any_order_of_rounds_stays_within_the_bounds(void **state)
{
	struct pace p;
	uint32_t random = 1;

	(void)state;
	for (int64_t interval = 1000; interval < INT64_C(86400000); interval *= 3) {
		pace_init(&p, interval);
		for (int i = 0; i < 1000; i++) {
			random = random * 1664525 + 1013904223;
			assert_in_range(pace_next(&p, random >> 31, 0, UNKNOWN), interval / 4,
			    interval * 2);
		}
	}
}

static void
a_promise_is_looked_for_after_1_to_64_seconds(void **state)
{
	struct pace p;

	(void)state;
	pace_init(&p, INTERVAL);
	pace_promise(&p);
	for (int64_t s = 1; s <= 64; s *= 2)
		assert_int_equal(quiet(&p), s * 1000);
	assert_int_equal(quiet(&p), INTERVAL * 2); /* no longer believed */
	assert_int_equal(quiet(&p), INTERVAL * 2);
	pace_promise(&p); /* another one is */
	assert_int_equal(quiet(&p), 1000);
}

static void
a_promise_that_is_kept_is_forgotten(void **state)
{
	struct pace p;

	(void)state;
	pace_init(&p, INTERVAL);
	pace_promise(&p);
	assert_int_equal(changed(&p), INTERVAL / 2); /* at once */
	assert_int_equal(quiet(&p), INTERVAL / 2 * 5 / 4);
	pace_promise(&p);
	assert_int_equal(quiet(&p), 1000);
	assert_int_equal(quiet(&p), 2000);
	assert_in_range(changed(&p), INTERVAL / 4, INTERVAL); /* on the third look */
	assert_true(quiet(&p) >= INTERVAL / 4);
}

static void
a_second_promise_meanwhile_starts_again(void **state)
{
	struct pace p;

	(void)state;
	pace_init(&p, INTERVAL);
	pace_promise(&p);
	assert_int_equal(quiet(&p), 1000);
	assert_int_equal(quiet(&p), 2000);
	pace_promise(&p);
	assert_int_equal(quiet(&p), 1000);
	assert_int_equal(quiet(&p), 2000);
	assert_int_equal(quiet(&p), 4000);
}

static void
a_promise_makes_no_round_later(void **state)
{
	struct pace p;

	(void)state;
	pace_init(&p, 10000);
	pace_promise(&p);
	for (int64_t s = 1; s <= 16; s *= 2)
		assert_int_equal(quiet(&p), s * 1000);
	for (int i = 0; i < 10; i++)
		assert_int_equal(quiet(&p), 20000); /* not 32, not 64 seconds */
}

static void
costly_rounds_leave_half_of_the_budget(void **state)
{
	static const struct {
		uint64_t spent;
		int64_t limit, wait;
	} cases[] = {
		{ 0, 5000, 750000 },
		{ 1, 5000, 750000 },
		{ 521, 5000, 750240 }, /* 521 of 2500 are 12.5 minutes of an hour */
		{ 520, 5000, 750000 },
		{ 1000, 5000, 1440000 },
		{ 1000, 15000, 750000 },
		{ 8, 60, 960000 }, /* anonymous */
		{ 20, 60, 2400000 },
		/* out of the ordinary: a first sync */
		{ 21, 60, 750000 },
		{ 4000, 5000, 750000 },
		{ 6000, 5000, 750000 },
		{ UINT64_MAX, 5000, 750000 },
		/* nothing is known */
		{ 1000, UNKNOWN, 750000 },
		{ 1000, 0, 750000 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct pace p;

		pace_init(&p, INTERVAL);
		assert_int_equal(
		    pace_next(&p, false, cases[i].spent, cases[i].limit), cases[i].wait);
	}
}

static void
the_budget_holds_changes_back_but_no_promise(void **state)
{
	struct pace p;

	(void)state;
	pace_init(&p, INTERVAL);
	assert_int_equal(pace_next(&p, true, 500, 5000), 720000);
	assert_int_equal(pace_next(&p, true, 1, 5000), INTERVAL / 4); /* a cheap one again */
	pace_promise(&p);
	assert_int_equal(pace_next(&p, false, 500, 5000), 1000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(quiet_rounds_come_later_up_to_twice_the_interval),
		cmocka_unit_test(changes_bring_rounds_sooner_down_to_a_quarter),
		cmocka_unit_test(from_twice_the_interval_three_changes_reach_a_quarter),
		cmocka_unit_test(any_order_of_rounds_stays_within_the_bounds),
		cmocka_unit_test(a_promise_is_looked_for_after_1_to_64_seconds),
		cmocka_unit_test(a_promise_that_is_kept_is_forgotten),
		cmocka_unit_test(a_second_promise_meanwhile_starts_again),
		cmocka_unit_test(a_promise_makes_no_round_later),
		cmocka_unit_test(costly_rounds_leave_half_of_the_budget),
		cmocka_unit_test(the_budget_holds_changes_back_but_no_promise),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
