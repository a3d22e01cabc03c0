/* Sets of numbers: difference and text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tools/swpr_numbers.h"

static struct swpr_numbers
set_of(const char *text)
{
	struct swpr_numbers n = { .items = NULL };

	assert_int_equal(swpr_numbers_parse(text, &n), 0);
	return n;
}

static void
the_text_goes_there_and_back(void **state)
{
	static const char *const texts[] = { "", "1", "1-2", "1-3,5,7-9", "2147483647",
		"2147483646-2147483647" };

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct swpr_numbers n = set_of(texts[i]);
		struct buf b;

		buf_init(&b, 4096);
		buf_str(&b, "");
		swpr_numbers_format(&n, &b);
		assert_true(slice_is(buf_view(&b), texts[i]));
		buf_clear(&b);
		swpr_numbers_clear(&n);
	}
}

static void
a_text_that_is_none_is_refused_and_leaves_nothing(void **state)
{
	static const struct {
		const char *text;
		int want;
	} cases[] = { { "0", ERR_PROTO }, { "01", ERR_PROTO }, { ",1", ERR_PROTO },
		{ "1,", ERR_PROTO }, { "1,,2", ERR_PROTO }, { "2,1", ERR_PROTO },
		{ "1,1", ERR_PROTO }, { "3-2", ERR_PROTO }, { "3-3", ERR_PROTO },
		{ "1-", ERR_PROTO }, { "-1", ERR_PROTO }, { "1 ", ERR_PROTO },
		{ "2147483648", ERR_PROTO }, { "99999999999999999999", ERR_PROTO },
		{ "1-3,3", ERR_PROTO }, { "1-2147483647", ERR_LIMIT } };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct swpr_numbers n = { .items = NULL };

		assert_int_equal(swpr_numbers_parse(cases[i].text, &n), cases[i].want);
		assert_null(n.items);
		assert_int_equal(n.count, 0);
	}
}

static void
what_one_has_and_the_other_lacks(void **state)
{
	static const struct {
		const char *a, *b, *want;
	} cases[] = { { "", "", "" }, { "1-5", "", "1-5" }, { "", "1-5", "" },
		{ "1-5", "1-5", "" }, { "1-10", "2,4,6-8,20", "1,3,5,9-10" },
		{ "7", "1-6,8", "7" } };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct swpr_numbers a = set_of(cases[i].a), b = set_of(cases[i].b);
		struct swpr_numbers got = { .items = NULL };
		struct buf text;

		buf_init(&text, 4096);
		assert_int_equal(swpr_numbers_without(&a, &b, &got), 0);
		swpr_numbers_format(&got, &text);
		assert_true(slice_is(buf_view(&text), cases[i].want));
		buf_clear(&text);
		swpr_numbers_clear(&a);
		swpr_numbers_clear(&b);
		swpr_numbers_clear(&got);
	}
}

static void
sorting_keeps_each_once(void **state)
{
	static const uint32_t in[] = { 9, 1, 9, 4, 1, 3, 2 };
	struct swpr_numbers n = { .items = NULL };

	(void)state;
	swpr_numbers_sort(&n);
	assert_false(swpr_numbers_has(&n, 1));
	for (size_t i = 0; i < sizeof(in) / sizeof(in[0]); i++)
		assert_int_equal(swpr_numbers_add(&n, in[i]), 0);
	swpr_numbers_sort(&n);
	assert_int_equal(n.count, 5);
	assert_true(swpr_numbers_has(&n, 9));
	assert_false(swpr_numbers_has(&n, 5));
	swpr_numbers_clear(&n);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_text_goes_there_and_back),
		cmocka_unit_test(a_text_that_is_none_is_refused_and_leaves_nothing),
		cmocka_unit_test(what_one_has_and_the_other_lacks),
		cmocka_unit_test(sorting_keeps_each_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
