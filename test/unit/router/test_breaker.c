/* test_breaker.c - when a backend is given up, and how it comes back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "router/breaker.h"

static const struct breaker_opts opts = { .failures_max = 3, .retry_ms = 1000 };

static void
it_opens_after_failures_in_a_row_only(void **state)
{
	struct breaker b = { 0 };

	(void)state;
	assert_false(breaker_failure(&b, &opts, 0));
	assert_false(breaker_failure(&b, &opts, 0));
	breaker_success(&b);
	assert_false(breaker_failure(&b, &opts, 0));
	assert_false(breaker_failure(&b, &opts, 0));
	assert_true(breaker_allow(&b, &opts, 0));
	assert_true(breaker_failure(&b, &opts, 5));
	assert_false(breaker_failure(&b, &opts, 5)); /* told once */
	assert_false(breaker_allow(&b, &opts, 5));
	assert_int_equal(breaker_wait_ms(&b, 5), 1000);
	assert_int_equal(breaker_wait_ms(&b, 905), 100);
}

static void
one_probe_goes_in_each_interval_even_while_another_hangs(void **state)
{
	struct breaker b = { 0 };

	(void)state;
	for (int i = 0; i < 3; i++)
		breaker_failure(&b, &opts, 0);
	for (int64_t t = 1000; t < 6000; t += 1000) {
		assert_false(breaker_allow(&b, &opts, t - 1));
		assert_true(breaker_allow(&b, &opts, t));
		assert_false(breaker_allow(&b, &opts, t));
	}
	breaker_failure(&b, &opts, 6000); /* an old probe: the next is not put off by it */
	assert_true(breaker_allow(&b, &opts, 6000));
}

static void
one_success_closes_it(void **state)
{
	struct breaker b = { 0 };

	(void)state;
	for (int i = 0; i < 9; i++)
		breaker_failure(&b, &opts, 0);
	assert_true(breaker_allow(&b, &opts, 1000));
	breaker_success(&b);
	assert_true(breaker_allow(&b, &opts, 1000));
	assert_true(breaker_allow(&b, &opts, 1000));
	assert_false(breaker_failure(&b, &opts, 1000));
	assert_true(breaker_allow(&b, &opts, 1000));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_opens_after_failures_in_a_row_only),
		cmocka_unit_test(one_probe_goes_in_each_interval_even_while_another_hangs),
		cmocka_unit_test(one_success_closes_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
