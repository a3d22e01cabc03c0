/* Which answers are refusals for a limit, and how long each asks to wait. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

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

#define HEADERS(limit, remaining, reset)                                                       \
	"x-ratelimit-limit: " limit "\nx-ratelimit-remaining: " remaining                      \
	"\nx-ratelimit-reset: " reset "\n"
#define IN_100_S "1700000100"

static void
begin(struct gh_budget budgets[GH_RESOURCES])
{
	gh_budget_init(&budgets[GH_CORE]);
	gh_budget_init(&budgets[GH_GRAPHQL]);
}

static void
note(struct gh_budget budgets[GH_RESOURCES], enum gh_resource asked, const char *headers)
{
	struct http_response res;

	fill(&res, 200, headers, "");
	gh_limit_note(&res, asked, NOW, budgets);
	http_response_clear(&res);
}

static void
a_budget_is_the_resources_that_the_answer_names(void **state)
{
	static const struct {
		enum gh_resource asked;
		const char *name;
		int64_t core, graphql;
	} cases[] = {
		{ GH_CORE, "", 17, -1 },
		{ GH_GRAPHQL, "", -1, 17 },
		{ GH_CORE, "x-ratelimit-resource: core\n", 17, -1 },
		{ GH_CORE, "x-ratelimit-resource: graphql\n", -1, 17 },
		{ GH_GRAPHQL, "x-ratelimit-resource: graphql\n", -1, 17 },
		{ GH_CORE, "x-ratelimit-resource: search\n", -1, -1 },
		{ GH_CORE, "x-ratelimit-resource: corehouse\n", -1, -1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct gh_budget budgets[GH_RESOURCES];
		char headers[256];

		begin(budgets);
		snprintf(headers, sizeof(headers), "%s%s", HEADERS("5000", "17", IN_100_S),
		    cases[i].name);
		note(budgets, cases[i].asked, headers);
		assert_int_equal(budgets[GH_CORE].remaining, cases[i].core);
		assert_int_equal(budgets[GH_GRAPHQL].remaining, cases[i].graphql);
	}
}

static void
what_is_left_decides_about_the_next_request(void **state)
{
	static const struct {
		const char *headers;
		int64_t poll, background; /* the waits */
	} cases[] = {
		{ "", 0, 0 },
		{ HEADERS("5000", "4999", IN_100_S), 0, 0 },
		{ HEADERS("5000", "501", IN_100_S), 0, 0 },
		{ HEADERS("5000", "500", IN_100_S), 0, 101000 }, /* the reserve */
		{ HEADERS("5000", "101", IN_100_S), 0, 101000 },
		{ HEADERS("5000", "100", IN_100_S), 101000, 101000 }, /* for late comers */
		{ HEADERS("5000", "0", IN_100_S), 101000, 101000 },
		{ HEADERS("60", "6", IN_100_S), 0, 101000 },
		{ HEADERS("60", "2", IN_100_S), 0, 101000 },
		{ HEADERS("60", "0", IN_100_S), 101000, 101000 },
		{ HEADERS("10", "1", IN_100_S), 0, 101000 },
		/* a reset that is past, or too far away to be one */
		{ HEADERS("5000", "0", "1700000000"), 0, 0 },
		{ HEADERS("5000", "0", "1600000000"), 0, 0 },
		{ HEADERS("5000", "0", "1700099999"), 0, 0 },
		{ HEADERS("5000", "0", "999999999999999"), 0, 0 },
		/* nonsense, and servers without limits */
		{ HEADERS("0", "0", "0"), 0, 0 },
		{ HEADERS("0", "0", IN_100_S), 0, 0 },
		{ HEADERS("-1", "0", IN_100_S), 0, 0 },
		{ HEADERS("5000", "none", IN_100_S), 0, 0 },
		{ HEADERS("5000", "0", "soon"), 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct gh_budget budgets[GH_RESOURCES];
		bool paced;

		begin(budgets);
		note(budgets, GH_CORE, cases[i].headers);
		assert_int_equal(
		    gh_budget_wait(&budgets[GH_CORE], false, NOW, &paced), cases[i].poll);
		assert_false(paced);
		assert_int_equal(
		    gh_budget_wait(&budgets[GH_CORE], true, NOW, &paced), cases[i].background);
		/* and when the wait is over, it is over */
		assert_int_equal(
		    gh_budget_wait(&budgets[GH_CORE], true, NOW + cases[i].background, &paced),
		    0);
	}
}

static void
headers_that_are_missing_once_change_nothing(void **state)
{
	struct gh_budget budgets[GH_RESOURCES];
	bool paced;

	(void)state;
	begin(budgets);
	note(budgets, GH_CORE, HEADERS("5000", "0", IN_100_S));
	note(budgets, GH_CORE, ""); /* as of a 502 */
	assert_int_equal(gh_budget_wait(&budgets[GH_CORE], false, NOW, &paced), 101000);
	note(budgets, GH_CORE, HEADERS("0", "0", "0"));
	assert_int_equal(gh_budget_wait(&budgets[GH_CORE], false, NOW, &paced), 0);
}

static void
a_refusal_holds_what_it_is_about(void **state)
{
	static const struct {
		const char *headers;
		int64_t core, graphql; /* the waits after a refused REST request */
	} cases[] = {
		/* a secondary limit counts requests of every kind */
		{ "retry-after: 7\n", 8000, 8000 },
		{ "", 60000, 60000 },
		{ HEADERS("5000", "4000", IN_100_S), 60000, 60000 },
		/* a primary one is the resource's own */
		{ HEADERS("5000", "0", IN_100_S), 101000, 0 },
		{ "retry-after: 7\n" HEADERS("5000", "0", IN_100_S), 101000, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct gh_budget budgets[GH_RESOURCES];
		struct http_response res;
		bool paced;

		begin(budgets);
		fill(&res, 403, cases[i].headers, "");
		gh_limit_note(&res, GH_CORE, NOW, budgets);
		assert_true(gh_budget_refused(budgets, GH_CORE, &res, NOW, 60000) > 0);
		assert_int_equal(
		    gh_budget_wait(&budgets[GH_CORE], false, NOW, &paced), cases[i].core);
		assert_int_equal(
		    gh_budget_wait(&budgets[GH_GRAPHQL], false, NOW, &paced), cases[i].graphql);
		http_response_clear(&res);
	}
}

static void
refusals_count_until_an_answer_is_good(void **state)
{
	static const struct {
		bool answered;
		int64_t wait;
	} steps[] = { { false, 60000 }, { false, 120000 }, { false, 240000 }, { true, 60000 },
		{ false, 120000 } };
	struct gh_budget budgets[GH_RESOURCES];
	struct http_response res;

	(void)state;
	begin(budgets);
	fill(&res, 429, "", "");
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		if (steps[i].answered)
			budgets[GH_CORE].answered = true;
		gh_budget_send(&budgets[GH_CORE], NOW);
		assert_int_equal(
		    gh_budget_refused(budgets, GH_CORE, &res, NOW, 60000), steps[i].wait);
	}
	http_response_clear(&res);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_refusal_is_told_from_a_missing_right),
		cmocka_unit_test(the_wait_follows_githubs_order),
		cmocka_unit_test(absent_and_zero_headers_are_no_limit),
		cmocka_unit_test(a_budget_is_the_resources_that_the_answer_names),
		cmocka_unit_test(what_is_left_decides_about_the_next_request),
		cmocka_unit_test(headers_that_are_missing_once_change_nothing),
		cmocka_unit_test(a_refusal_holds_what_it_is_about),
		cmocka_unit_test(refusals_count_until_an_answer_is_good),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
