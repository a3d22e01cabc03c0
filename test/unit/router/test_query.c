/* test_query.c - parameters and page tokens of the list of repositories. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/repo_list.h"
#include "router/query.h"

static int
parse(const char *text, struct arena *a, struct page_query *q)
{
	return page_query_parse(slice_str(text), a, q, NULL);
}

static void
parameters_are_read_in_both_spellings(void **state)
{
	struct page_query q;
	struct arena a;

	(void)state;
	arena_init(&a, 1 << 20);
	assert_int_equal(parse("", &a, &q), 0);
	assert_int_equal(q.size, PAGE_SIZE_MAX);
	assert_int_equal(
	    parse("pageSize=7&page_token=a%2Bb+c&filter=x%3D1&other=%41", &a, &q), 0);
	assert_int_equal(q.size, 7);
	assert_true(slice_is(q.token, "a+b c"));
	assert_true(slice_is(q.filter, "x=1"));
	assert_int_equal(parse("&&page_size=0&=&x", &a, &q), 0);
	assert_int_equal(q.size, PAGE_SIZE_MAX);
	assert_int_equal(parse("pageSize=-3", &a, &q), 0);
	assert_int_equal(q.size, PAGE_SIZE_MAX);
	assert_int_equal(parse("pageSize=9999", &a, &q), 0);
	assert_int_equal(q.size, PAGE_SIZE_MAX);
	arena_clear(&a);
}

static void
bad_parameters_are_refused(void **state)
{
	static const char *const texts[] = { "pageSize=", "pageSize=x", "pageSize=1x",
		"pageSize=%20", "a=%", "a=%4", "a=%zz", "%=1" };
	struct page_query q = { .size = 77 };
	struct arena a;

	(void)state;
	arena_init(&a, 1 << 20);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (parse(texts[i], &a, &q) != ERR_INVAL)
			fail_msg("taken: %s", texts[i]);
		assert_int_equal(q.size, 77);
	}
	arena_clear(&a);
}

static void
a_token_leads_back_to_its_name(void **state)
{
	char token[PAGE_NAME_TOKEN], name[REPO_NAME_MAX + 1], longest[REPO_NAME_MAX + 1];

	(void)state;
	memset(longest, 'x', REPO_NAME_MAX);
	longest[REPO_PART_MAX] = '/';
	longest[REPO_NAME_MAX] = '\0';
	page_name_token("Owner", SLICE("f"), longest, token);
	assert_int_equal(page_name_parse(slice_str(token), "oWNER", SLICE("f"), name, NULL), 0);
	assert_string_equal(name, longest);
}

static void
damaged_and_foreign_tokens_are_refused(void **state)
{
	char token[PAGE_NAME_TOKEN], name[REPO_NAME_MAX + 1];
	struct err_info ei = { .text = "" };

	(void)state;
	page_name_token("o", SLICE(""), "o/name", token);
	assert_int_equal(
	    page_name_parse(slice_str(token), "-", SLICE(""), name, &ei), ERR_INVAL);
	assert_non_null(strstr(ei.text, "another query"));
	assert_int_equal(
	    page_name_parse(slice_str(token), "o", SLICE("x"), name, &ei), ERR_INVAL);
	for (size_t i = 0; token[i] != '\0'; i++) {
		char was = token[i];

		token[i] = was == 'A' ? 'B' : 'A';
		assert_int_equal(
		    page_name_parse(slice_str(token), "o", SLICE(""), name, NULL), ERR_INVAL);
		token[i] = was;
		assert_int_equal(
		    page_name_parse((struct slice){ token, i }, "o", SLICE(""), name, NULL),
		    ERR_INVAL);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parameters_are_read_in_both_spellings),
		cmocka_unit_test(bad_parameters_are_refused),
		cmocka_unit_test(a_token_leads_back_to_its_name),
		cmocka_unit_test(damaged_and_foreign_tokens_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
