/* Which answers are refusals for a limit, and how long each asks to wait. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "sync/github/gh_limit.h"

#define NOW INT64_C(1700000000000) /* and the headers below are in seconds */

static void
fill(struct http_response *res, int status, const char *headers, const char *body)
{
	http_response_init(res);
	res->status = status;
	buf_str(&res->headers, headers);
	buf_str(&res->body, body);
}

static void
a_refusal_is_told_from_a_missing_right(void **state)
{
	static const struct {
		int status;
		const char *headers, *body;
		bool refused;
	} cases[] = {
		{ 429, "", "", true },
		{ 403, "", "", false },
		{ 403, "", "{\"message\":\"Must have admin rights\"}", false },
		{ 403, "", "{\"message\":\"API rate limit exceeded for 1.2.3.4\"}", true },
		{ 403, "", "You have exceeded a secondary rate limit.", true },
		{ 403, "", "You have triggered an abuse detection mechanism", true },
		{ 403, "retry-after: 5\n", "", true },
		{ 403, "retry-after: 0\n", "", true },
		{ 403, "retry-after: soon\n", "", false },
		{ 403, "x-ratelimit-limit: 60\nx-ratelimit-remaining: 0\n", "", true },
		{ 403, "x-ratelimit-limit: 60\nx-ratelimit-remaining: 1\n", "", false },
		/* an Enterprise server with limits switched off */
		{ 403, "x-ratelimit-limit: 0\nx-ratelimit-remaining: 0\n", "", false },
		{ 403, "x-ratelimit-remaining: 0\n", "", false },
		{ 200, "x-ratelimit-limit: 60\nx-ratelimit-remaining: 0\n", "", false },
		{ 200, "", "rate limit", false },
		{ 404, "retry-after: 5\n", "", false },
		{ 503, "retry-after: 5\n", "", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct http_response res;

		fill(&res, cases[i].status, cases[i].headers, cases[i].body);
		if (gh_limit_refused(&res) != cases[i].refused)
			fail_msg("case %zu", i);
		http_response_clear(&res);
	}
}

static void
the_wait_follows_githubs_order(void **state)
{
	static const struct {
		const char *headers;
		unsigned nth;
		int64_t want;
	} cases[] = {
		/* Retry-After comes first, whatever else is there */
		{ "retry-after: 7\n", 0, 8000 },
		{ "retry-after: 7\n", 5, 8000 },
		{ "retry-after: 0\n", 0, 1000 },
		{ "retry-after: 7\nx-ratelimit-limit: 60\nx-ratelimit-remaining: 0\n"
		  "x-ratelimit-reset: 1700000100\n",
		    0, 8000 },
		/* then the reset, if nothing remains */
		{ "x-ratelimit-limit: 60\nx-ratelimit-remaining: 0\n"
		  "x-ratelimit-reset: 1700000100\n",
		    0, 101000 },
		{ "x-ratelimit-limit: 60\nx-ratelimit-remaining: 0\n"
		  "x-ratelimit-reset: 1600000000\n",
		    0, 1000 },
		{ "retry-after: soon\nx-ratelimit-limit: 60\nx-ratelimit-remaining: 0\n"
		  "x-ratelimit-reset: 1700000100\n",
		    0, 101000 },
		/* else the first pause, doubled each time, up to a point */
		{ "x-ratelimit-limit: 60\nx-ratelimit-remaining: 5\n"
		  "x-ratelimit-reset: 1700000100\n",
		    0, 60000 },
		{ "x-ratelimit-limit: 60\nx-ratelimit-remaining: 0\n", 0, 60000 },
		{ "", 0, 60000 },
		{ "", 1, 120000 },
		{ "", 2, 240000 },
		{ "", 6, 3840000 },
		{ "", 7, 3840000 },
		{ "", UINT32_MAX, 3840000 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct http_response res;

		fill(&res, 403, cases[i].headers, "");
		assert_int_equal(gh_limit_wait(&res, NOW, cases[i].nth, 60000), cases[i].want);
		http_response_clear(&res);
	}
}

static void
absent_and_zero_headers_are_no_limit(void **state)
{
	static const struct {
		const char *headers;
		int64_t limit, remaining, reset;
	} cases[] = {
		{ "", -1, -1, TIME_NONE },
		{ "x-ratelimit-limit: 5000\nx-ratelimit-remaining: 4999\n"
		  "x-ratelimit-reset: 1700000100\n",
		    5000, 4999, INT64_C(1700000100000) },
		{ "x-ratelimit-limit: 0\nx-ratelimit-remaining: 0\nx-ratelimit-reset: 0\n", -1,
		    -1, TIME_NONE },
		{ "x-ratelimit-limit: many\nx-ratelimit-remaining: -1\n", -1, -1, TIME_NONE },
		{ "x-ratelimit-reset: 99999999999999999999\n", -1, -1, TIME_NONE },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct gh_budget budgets[GH_RESOURCES];
		struct http_response res;
		bool paced;

		gh_budget_init(&budgets[GH_CORE]);
		gh_budget_init(&budgets[GH_GRAPHQL]);
		fill(&res, 200, cases[i].headers, "");
		gh_limit_note(&res, GH_CORE, NOW, budgets);
		assert_int_equal(budgets[GH_CORE].limit, cases[i].limit);
		assert_int_equal(budgets[GH_CORE].remaining, cases[i].remaining);
		assert_true(budgets[GH_CORE].reset_ms == cases[i].reset);
		assert_int_equal(gh_budget_wait(&budgets[GH_CORE], true, NOW, &paced), 0);
		http_response_clear(&res);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_refusal_is_told_from_a_missing_right),
		cmocka_unit_test(the_wait_follows_githubs_order),
		cmocka_unit_test(absent_and_zero_headers_are_no_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
