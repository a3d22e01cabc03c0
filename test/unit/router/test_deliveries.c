/* test_deliveries.c - deliveries that were seen, and the ones that are forgotten. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "router/deliveries.h"

static struct slice
id(unsigned n)
{
	static char text[32];

	snprintf(text, sizeof(text), "delivery-%u", n);
	return slice_str(text);
}

static void
an_id_is_seen_from_its_second_time_on(void **state)
{
	static struct deliveries d;

	(void)state;
	for (unsigned i = 0; i < 100; i++)
		assert_false(deliveries_seen(&d, id(i)));
	for (unsigned i = 0; i < 100; i++)
		assert_true(deliveries_seen(&d, id(i)));
	assert_false(deliveries_seen(&d, SLICE("")));
	assert_false(deliveries_seen(&d, SLICE("")));
}

static void
the_oldest_is_forgotten(void **state)
{
	static struct deliveries d;

	(void)state;
	for (unsigned i = 0; i < DELIVERIES_MAX + 1; i++)
		assert_false(deliveries_seen(&d, id(i)));
	assert_true(deliveries_seen(&d, id(DELIVERIES_MAX)));
	assert_true(deliveries_seen(&d, id(1)));
	assert_false(deliveries_seen(&d, id(0)));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_id_is_seen_from_its_second_time_on),
		cmocka_unit_test(the_oldest_is_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
