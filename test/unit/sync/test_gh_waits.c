/* Faults that pass, limits that are sat out, and waits that are given up. */
#include <stdio.h>

#include "test/unit/sync/gh_rig.h"

static void
faults_that_may_pass_are_tried_again(void **state)
{
	static const struct {
		struct http_scripted first[3];
		unsigned faults;
	} cases[] = {
		{ { STATUS(500), OK("[]") }, 1 },
		{ { STATUS(502), STATUS(503), OK("[]") }, 2 },
		{ { FAILS(ERR_CLOSED), FAILS(ERR_TIMEOUT), OK("[]") }, 2 },
		{ { OK("[1,"), OK("[]") }, 1 },
		{ { OK(""), OK("[]") }, 1 },
		{ { OK("{}"), OK("[]") }, 1 }, /* not the array that was wanted */
		{ { { .status = 200, .headers = "link: nonsense\n", .body = "[]" }, OK("[]") },
		    1 },
		{ { STATUS(408), OK("[]") }, 1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct gh_rig fx;

		START(&fx, cases[i].first, false);
		assert_int_equal(gh_get(fx.gh, BASE "/x", NULL, true, &fx.page, NULL), 0);
		assert_int_equal(gh_stats(fx.gh)->retries, cases[i].faults);
		assert_int_equal(count_of(&fx.waits, "fault"), cases[i].faults);
		stop(&fx);
	}
}

static void
tries_end_and_pauses_double(void **state)
{
	static const struct http_scripted answers[] = { STATUS(500), STATUS(500), STATUS(500),
		STATUS(500), STATUS(500), STATUS(500), OK("[]") };
	struct err_info ei = { .text = "" };
	struct gh_rig fx;

	(void)state;
	START(&fx, answers, false);
	assert_int_equal(gh_get(fx.gh, BASE "/x", NULL, true, &fx.page, &ei), ERR_UNAVAILABLE);
	assert_int_equal(ei.http_status, 500);
	assert_non_null(strstr(ei.text, "why not"));
	assert_string_equal(buf_cstr(&fx.waits),
	    "fault 1\nretry 1\nfault 2\nretry 2\nfault 3\nretry 4\nfault 4\nretry 8\n"
	    "fault 5\nretry 16\n");
	stop(&fx);
}

static void
a_pause_can_be_given_up(void **state)
{
	static const struct http_scripted answers[] = { STATUS(500), OK("[]") };
	struct gh_rig fx;

	(void)state;
	START(&fx, answers, true);
	assert_int_equal(gh_get(fx.gh, BASE "/x", NULL, true, &fx.page, NULL), ERR_CANCELED);
	stop(&fx);
}

static void
a_limit_without_a_time_waits_longer_each_time(void **state)
{
	static const struct http_scripted answers[] = { { .status = 429 },
		{ .status = 403, .body = "You have exceeded a secondary rate limit" }, OK("[]"),
		{ .status = 429 }, OK("[]") };
	struct gh_rig fx;

	(void)state;
	START(&fx, answers, false);
	assert_int_equal(gh_get(fx.gh, BASE "/x", NULL, true, &fx.page, NULL), 0);
	gh_page_clear(&fx.page);
	assert_int_equal(gh_get(fx.gh, BASE "/x", NULL, true, &fx.page, NULL), 0);
	/* 5 ms, 10 ms, and after the good answer 5 ms again; a clock may eat one. */
	assert_int_equal(gh_stats(fx.gh)->waits, 3);
	assert_int_equal(count_of(&fx.waits, "fault"), 0);
	stop(&fx);
}

static void
a_limit_with_a_time_is_sat_out(void **state)
{
	static const struct {
		const char *headers;
		int64_t low, high;
	} cases[] = {
		{ "retry-after: 30\n", 30000, 31000 },
		{ "date: Sun, 06 Nov 1994 08:49:37 GMT\nx-ratelimit-limit: 60\n"
		  "x-ratelimit-remaining: 0\nx-ratelimit-reset: 784111877\n",
		    100000, 101000 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct http_scripted answers[] = { { .status = 403,
		    .headers = cases[i].headers } };
		struct gh_rig fx;

		START(&fx, answers, true);
		assert_int_equal(
		    gh_get(fx.gh, BASE "/x", NULL, true, &fx.page, NULL), ERR_CANCELED);
		assert_int_equal(memcmp(fx.waits.ptr, "rate limit ", 11), 0);
		assert_in_range(
		    strtoll(fx.waits.ptr + 11, NULL, 10), cases[i].low, cases[i].high);
		stop(&fx);
	}
}

/* A hundred workers that were refused together must not ask together again. */
static void
repositories_come_back_at_different_moments(void **state)
{
	static const struct http_scripted answers[] = { { .status = 429,
	    .headers = "retry-after: 159\n" } };
	bool seen[10] = { false };
	size_t different = 0;

	(void)state;
	for (int i = 0; i < 40; i++) {
		char repository[32];
		const struct gh_opts o = { .repository = repository };
		struct gh_rig fx;
		int64_t ms;

		snprintf(repository, sizeof(repository), "owner/repo-%d", i);
		assert_int_equal(start_with(&fx, answers, 1, true, o, NULL), 0);
		assert_int_equal(
		    gh_get(fx.gh, BASE "/x", NULL, true, &fx.page, NULL), ERR_CANCELED);
		ms = strtoll(buf_cstr(&fx.waits) + 11, NULL, 10);
		assert_in_range(ms, 159900, 169999);
		seen[ms < 160000 ? 0 : (ms - 160000) / 1000] = true;
		stop(&fx);
	}
	for (int i = 0; i < 10; i++)
		different += seen[i];
	assert_in_range(different, 8, 10);
}

static void
a_budget_that_is_used_up_holds_the_next_request_back(void **state)
{
	static const struct http_scripted answers[] = { { .status = 200,
	    .headers = "date: Sun, 06 Nov 1994 08:49:37 GMT\nx-ratelimit-limit: 60\n"
		       "x-ratelimit-remaining: 0\nx-ratelimit-reset: 784111877\n",
	    .body = "[]" } };
	struct gh_rig fx;

	(void)state;
	START(&fx, answers, true);
	assert_int_equal(gh_get(fx.gh, BASE "/x", NULL, true, &fx.page, NULL), 0);
	gh_page_clear(&fx.page);
	assert_int_equal(gh_get(fx.gh, BASE "/y", NULL, true, &fx.page, NULL), ERR_CANCELED);
	assert_int_equal(gh_stats(fx.gh)->requests, 1);
	assert_in_range(strtoll(buf_cstr(&fx.waits) + 11, NULL, 10), 100000, 101000);
	stop(&fx);
}

static void
a_wait_of_more_than_an_hour_is_an_error(void **state)
{
	static const struct http_scripted answers[] = { { .status = 429,
	    .headers = "retry-after: 86400\n" } };
	struct err_info ei = { .text = "" };
	struct gh_rig fx;

	(void)state;
	START(&fx, answers, false);
	assert_int_equal(gh_get(fx.gh, BASE "/x", NULL, true, &fx.page, &ei), ERR_RATE);
	assert_in_range(ei.retry_after_ms, 86400000, 86402000);
	stop(&fx);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(faults_that_may_pass_are_tried_again),
		cmocka_unit_test(tries_end_and_pauses_double),
		cmocka_unit_test(a_pause_can_be_given_up),
		cmocka_unit_test(a_limit_without_a_time_waits_longer_each_time),
		cmocka_unit_test(a_limit_with_a_time_is_sat_out),
		cmocka_unit_test(repositories_come_back_at_different_moments),
		cmocka_unit_test(a_budget_that_is_used_up_holds_the_next_request_back),
		cmocka_unit_test(a_wait_of_more_than_an_hour_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
