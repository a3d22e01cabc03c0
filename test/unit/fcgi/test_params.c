/* Query parameters: decoding, every parameter's forms, and errors that name it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "fcgi/params.h"

static struct arena arena;

static int
parse(const char *query, struct params *ret, struct err_info *ei)
{
	arena_reset(&arena);
	return params_parse(slice_str(query), &arena, ret, ei);
}

static int
setup(void **state)
{
	(void)state;
	arena_init(&arena, (size_t)1 << 20);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	arena_clear(&arena);
	return 0;
}

static void
without_parameters_everything_is_listed_by_number(void **state)
{
	static const char *const queries[] = { "", "&&", "=", "utm_source=x&&y", "closed",
		"closed=", "pageSize=&orderBy=&fieldMask=", "PAGESIZE=7", "page-size=7" };

	(void)state;
	for (size_t i = 0; i < sizeof(queries) / sizeof(queries[0]); i++) {
		struct params p;

		assert_int_equal(parse(queries[i], &p, NULL), 0);
		assert_int_equal(p.page_size, PARAMS_PAGE_MAX);
		assert_int_equal(p.page_token.len, 0);
		assert_int_equal(p.filter.len, 0);
		assert_int_equal(p.order, SNAP_BY_NUMBER);
		assert_false(p.descending);
		assert_int_equal(p.classes, SNAP_CLASS_ALL);
		assert_true(p.fields == FIELDS_DEFAULT);
		assert_true(p.wait_size_not == PARAMS_NO_SIZE);
	}
}

static void
a_page_size_that_is_not_1_to_500_means_500(void **state)
{
	static const struct {
		const char *query;
		uint32_t want;
	} cases[] = {
		{ "pageSize=1", 1 },
		{ "pageSize=500", 500 },
		{ "page_size=42", 42 },
		{ "pageSize=0", 500 },
		{ "pageSize=-1", 500 },
		{ "pageSize=501", 500 },
		{ "pageSize=99999999999999999999", 500 },
		{ "pageSize=-99999999999999999999", 500 },
		{ "pageSize=007", 7 },
		{ "pageSize=%37", 7 },
		{ "pageSize=1&page_size=2", 2 },
		{ "page_size=1&pageSize=3", 3 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct params p;

		assert_int_equal(parse(cases[i].query, &p, NULL), 0);
		assert_int_equal(p.page_size, cases[i].want);
	}
}

static void
orders_are_words_that_may_have_a_minus(void **state)
{
	static const struct {
		const char *query;
		enum snap_order order;
		bool descending;
	} cases[] = {
		{ "orderBy=number", SNAP_BY_NUMBER, false },
		{ "orderBy=-number", SNAP_BY_NUMBER, true },
		{ "order_by=created", SNAP_BY_CREATED, false },
		{ "orderBy=-created", SNAP_BY_CREATED, true },
		{ "orderBy=updated", SNAP_BY_UPDATED, false },
		{ "orderBy=%2Dupdated", SNAP_BY_UPDATED, true },
		{ "orderBy=comments", SNAP_BY_COMMENTS, false },
		{ "order_by=-comments", SNAP_BY_COMMENTS, true },
		{ "orderBy=-comments&orderBy=number", SNAP_BY_NUMBER, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct params p;

		assert_int_equal(parse(cases[i].query, &p, NULL), 0);
		assert_int_equal(p.order, cases[i].order);
		assert_int_equal(p.descending, cases[i].descending);
	}
}

#define BIT(c) (1U << SNAP_CLASS_##c)

static void
closed_and_pull_request_choose_classes(void **state)
{
	static const struct {
		const char *query;
		unsigned classes;
	} cases[] = {
		{ "closed=true", BIT(CLOSED_ISSUE) | BIT(CLOSED_PULL) },
		{ "closed=false", BIT(OPEN_ISSUE) | BIT(OPEN_PULL) },
		{ "pullRequest=true", BIT(OPEN_PULL) | BIT(CLOSED_PULL) },
		{ "pull_request=false", BIT(OPEN_ISSUE) | BIT(CLOSED_ISSUE) },
		{ "closed=1&pullRequest=1", BIT(CLOSED_PULL) },
		{ "closed=0&pullRequest=0", BIT(OPEN_ISSUE) },
		{ "closed=true&pullRequest=false", BIT(CLOSED_ISSUE) },
		{ "closed=false&pullRequest=true", BIT(OPEN_PULL) },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct params p;

		assert_int_equal(parse(cases[i].query, &p, NULL), 0);
		assert_int_equal(p.classes, cases[i].classes);
	}
}

static void
comments_and_reviews_are_fields_that_must_be_asked_for(void **state)
{
	static const struct {
		const char *query;
		uint64_t fields;
	} cases[] = {
		{ "comments=true", FIELDS_DEFAULT | FIELD_BIT(FIELD_COMMENTS) },
		{ "reviews=1", FIELDS_DEFAULT | FIELD_BIT(FIELD_REVIEWS) },
		{ "reviewComments=true", FIELDS_DEFAULT | FIELD_BIT(FIELD_REVIEW_COMMENTS) },
		{ "review_comments=1&fieldMask=title",
		    FIELD_BIT(SNAP_M_TITLE) | FIELD_BIT(FIELD_REVIEW_COMMENTS) },
		{ "comments=false&reviews=0&reviewComments=false", FIELDS_DEFAULT },
		{ "comments=true&comments=false", FIELDS_DEFAULT },
		{ "fieldMask=title", FIELD_BIT(SNAP_M_TITLE) },
		{ "field_mask=title,reviews",
		    FIELD_BIT(SNAP_M_TITLE) | FIELD_BIT(FIELD_REVIEWS) },
		{ "fieldMask=title&comments=true",
		    FIELD_BIT(SNAP_M_TITLE) | FIELD_BIT(FIELD_COMMENTS) },
		{ "fieldMask=title%2Cbody", FIELD_BIT(SNAP_M_TITLE) | FIELD_BIT(FIELD_BODY) },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct params p;

		assert_int_equal(parse(cases[i].query, &p, NULL), 0);
		assert_true(p.fields == cases[i].fields);
	}
}

static void
texts_are_decoded(void **state)
{
	struct params p;

	(void)state;
	assert_int_equal(parse("filter=a+b%20c%2B%3d%26&pageToken=x%2dy", &p, NULL), 0);
	assert_true(slice_is(p.filter, "a b c+=&"));
	assert_true(slice_is(p.page_token, "x-y"));
}

static void
the_log_routes_have_numbers_of_their_own(void **state)
{
	struct params p;

	(void)state;
	assert_int_equal(parse("startseg=12&waitsizenot=9223372036854775807", &p, NULL), 0);
	assert_int_equal(p.start_segment, 12);
	assert_true(p.wait_size_not == INT64_MAX);
}

static void
errors_name_the_parameter_and_leave_the_output_alone(void **state)
{
	static const char *const queries[] = { "pageSize=x", "pageSize=1x", "page_size=+1",
		"pageSize=%201", "pageSize=%091", "pageSize=1%0a", "pageSize=1.5",
		"pageSize=0x10", "pageSize=111111111111111111111111111111", "orderBy=title",
		"orderBy=-", "orderBy=--number", "orderBy=Number", "order_by=number,created",
		"comments=yes", "reviews=TRUE", "closed=2", "pullRequest=t", "pull_request=no",
		"fieldMask=nothing", "fieldMask=title,", "field_mask=,title", "filter=%",
		"filter=%4", "filter=%zz", "filter=%00", "pageToken=%g0", "startseg=10000",
		"startseg=-1", "waitsizenot=9223372036854775808", "waitsizenot=x" };
	static const char *const named[] = { "pageSize", "pageSize", "pageSize", "pageSize",
		"pageSize", "pageSize", "pageSize", "pageSize", "pageSize", "orderBy",
		"orderBy", "orderBy", "orderBy", "orderBy", "comments", "reviews", "closed",
		"pullRequest", "pullRequest", "fieldMask", "fieldMask", "fieldMask", "filter",
		"filter", "filter", "filter", "pageToken", "startseg", "startseg",
		"waitsizenot", "waitsizenot" };

	(void)state;
	for (size_t i = 0; i < sizeof(queries) / sizeof(queries[0]); i++) {
		struct params p = { .page_size = 99 };
		struct err_info ei = { .text = "" };

		if (parse(queries[i], &p, &ei) != ERR_INVAL ||
		    strncmp(ei.text, named[i], strlen(named[i])) != 0)
			fail_msg("%s: %s", queries[i], ei.text);
		assert_int_equal(p.page_size, 99);
	}
}

static void
a_query_that_is_too_long_is_refused(void **state)
{
	char *query = malloc(PARAMS_QUERY_MAX + 2);
	struct params p;

	(void)state;
	memset(query, 'x', PARAMS_QUERY_MAX + 1);
	query[PARAMS_QUERY_MAX + 1] = '\0';
	assert_int_equal(parse(query, &p, NULL), ERR_INVAL);
	query[PARAMS_QUERY_MAX] = '\0';
	assert_int_equal(parse(query, &p, NULL), 0);
	free(query);
}

static void
no_memory_is_not_the_clients_fault(void **state)
{
	struct arena small;
	struct params p;

	(void)state;
	arena_init(&small, 8);
	assert_int_equal(
	    params_parse(SLICE("filter=longer+than+the+arena"), &small, &p, NULL), ERR_NOMEM);
	arena_clear(&small);
}

static void
decoding_takes_each_byte_once(void **state)
{
	static const struct {
		const char *raw;
		bool plus;
		const char *want; /* NULL = refused */
	} cases[] = {
		{ "", true, "" },
		{ "a+b", true, "a b" },
		{ "a+b", false, "a+b" },
		{ "%2B", true, "+" },
		{ "%252B", true, "%2B" },
		{ "%c3%A9", false, "\xc3\xa9" },
		{ "%2f", false, "/" },
		{ "%", false, NULL },
		{ "%1", false, NULL },
		{ "a%", false, NULL },
		{ "a%1", false, NULL },
		{ "%1g", false, NULL },
		{ "%g1", false, NULL },
		{ "%00", false, NULL },
		{ "%+1", true, NULL },
		{ "%:0", true, NULL },
		{ "%@0", true, NULL },
		{ "%`0", true, NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct slice got = { 0 };
		int rc = params_decode(slice_str(cases[i].raw), cases[i].plus, &arena, &got);

		assert_int_equal(rc, cases[i].want == NULL ? ERR_INVAL : 0);
		if (rc == 0)
			assert_true(slice_is(got, cases[i].want));
	}
	/* a NUL byte as it is */
	assert_int_equal(
	    params_decode((struct slice){ "a\0b", 3 }, false, &arena, &(struct slice){ 0 }),
	    ERR_INVAL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(without_parameters_everything_is_listed_by_number),
		TEST(a_page_size_that_is_not_1_to_500_means_500),
		TEST(orders_are_words_that_may_have_a_minus),
		TEST(closed_and_pull_request_choose_classes),
		TEST(comments_and_reviews_are_fields_that_must_be_asked_for),
		TEST(texts_are_decoded),
		TEST(the_log_routes_have_numbers_of_their_own),
		TEST(errors_name_the_parameter_and_leave_the_output_alone),
		TEST(a_query_that_is_too_long_is_refused),
		TEST(no_memory_is_not_the_clients_fault),
		TEST(decoding_takes_each_byte_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
