/* test_filter.c - expressions over repositories. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/mem.h"
#include "router/filter.h"

static const struct filter_row row = { .name = "acme/widgets",
	.counts = { 10, 20, 3, 4, 50, 60, 70, 80 } };

static bool
matches(const char *text)
{
	struct err_info ei = { .text = "" };
	struct filter *f = NULL;
	bool got = false;

	if (filter_new(slice_str(text), &f, &ei) != 0 || filter_match(f, &row, &got, &ei) != 0)
		fail_msg("%s: %s", text, ei.text);
	filter_free(f);
	return got;
}

static void
every_field_has_its_value_in_both_spellings(void **state)
{
	static const struct {
		const char *field, *alias;
		int value;
	} cases[] = { { "issue_count", "issueCount", 10 },
		{ "pull_request_count", "pullRequestCount", 20 },
		{ "open_issue_count", "openIssueCount", 3 },
		{ "open_pull_request_count", "openPullRequestCount", 4 },
		{ "comment_count", "commentCount", 50 }, { "review_count", "reviewCount", 60 },
		{ "review_comment_count", "reviewCommentCount", 70 },
		{ "event_count", "eventCount", 80 } };

	(void)state;
	for (unsigned i = 0; i < FILTER_COUNTS; i++) {
		struct buf b;

		buf_init(&b, 1000);
		buf_fmt(&b, "repository.%s == %d && repository.%s < %d", cases[i].field,
		    cases[i].value, cases[i].alias, cases[i].value + 1);
		assert_true(matches(buf_cstr(&b)));
		assert_string_equal(filter_count_name(i), cases[i].alias);
		buf_clear(&b);
	}
	assert_true(matches("repository.name == 'acme/widgets'"));
	assert_true(matches("now > timestamp('2024-01-01T00:00:00Z')"));
	assert_false(matches("repository.issue_count > 10"));
	assert_false(matches("10 / (repository.issue_count - 10) == 1")); /* fails: no match */
}

static void
what_is_no_filter_says_where(void **state)
{
	static const char *const texts[] = { "", "repository", "repository.name",
		"repository.x == 1", "issue.number == 1", "repository.issue_count == 'x'",
		"1 / 0 == 1" };

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct err_info ei = { .text = "" };
		struct filter *f = NULL;

		if (filter_new(slice_str(texts[i]), &f, &ei) != ERR_INVAL)
			fail_msg("taken: %s", texts[i]);
		assert_null(f);
		assert_memory_equal(ei.text, "filter: line ", 13);
	}
}

static void
the_work_of_one_request_is_bounded(void **state)
{
	struct err_info ei = { .text = "" };
	struct filter *f = NULL;
	bool got;
	int rc;

	(void)state;
	rc = filter_new(SLICE("[1,2,3,4,5,6,7,8,9].all(a, [1,2,3,4,5,6,7,8,9].all(b, "
			      "[1,2,3,4,5,6,7,8,9].all(c, [1,2,3,4,5,6,7,8,9].all(d, "
			      "[1,2,3,4,5,6,7,8,9].all(e, [1,2,3,4,5,6,7,8,9].all(f, "
			      "a + b + c + d + e + f + repository.issue_count > 0))))))"),
	    &f, &ei);
	if (rc != 0)
		fail_msg("%s", ei.text);
	for (int i = 0; i < 100 && rc == 0; i++)
		rc = filter_match(f, &row, &got, &ei);
	assert_int_equal(rc, ERR_TIMEOUT);
	filter_free(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_field_has_its_value_in_both_spellings),
		cmocka_unit_test(what_is_no_filter_says_where),
		cmocka_unit_test(the_work_of_one_request_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
