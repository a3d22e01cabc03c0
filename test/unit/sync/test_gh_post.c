/* GraphQL requests: what is sent, what is given back at once, a budget of its own. */
#include "base/clock.h"
#include "test/unit/sync/gh_rig.h"

#define QUERY "{\"query\":\"{viewer{login}}\"}"
#define RATE(resource, remaining, in_s)                                                        \
	"date: Sun, 06 Nov 1994 08:49:37 GMT\nx-ratelimit-limit: 5000\n"                       \
	"x-ratelimit-resource: " resource "\nx-ratelimit-remaining: " remaining                \
	"\nx-ratelimit-reset: " in_s "\n"
#define IN_100_S "784111877"

static int
post(struct gh_rig *fx, struct err_info *ei)
{
	return gh_post_json(
	    fx->gh, BASE "/graphql", QUERY, strlen(QUERY), GH_GRAPHQL, &fx->page, ei);
}

static void
a_query_is_posted_with_the_token(void **state)
{
	static const struct http_scripted answers[] = { { BASE "/graphql", 0, 200,
	    "date: Sun, 06 Nov 1994 08:49:37 GMT\n", "{\"data\":{}}" } };
	struct gh_rig fx;

	(void)state;
	START(&fx, answers, false);
	assert_int_equal(post(&fx, NULL), 0);
	assert_true(json_is_object(json_object_get(fx.page.doc, "data")));
	assert_int_equal(fx.page.server_date_ms, INT64_C(784111777000));
	assert_int_equal(count_of(&fx.recorder.asked, "POST " QUERY " "), 1);
	assert_int_equal(count_of(&fx.recorder.asked, "Authorization: Bearer secret"), 1);
	assert_int_equal(count_of(&fx.recorder.asked, "Content-Type: application/json"), 1);
	assert_int_equal(gh_stats(fx.gh)->graphql_requests, 1);
	assert_true(gh_has_token(fx.gh));
	stop(&fx);
}

static void
a_query_that_takes_too_long_is_given_back_after_one_try(void **state)
{
	static const struct {
		struct http_scripted answers[2];
		int rc, status;
	} cases[] = {
		{ { STATUS(502), OK("{}") }, ERR_UNAVAILABLE, 502 },
		{ { STATUS(504), OK("{}") }, ERR_UNAVAILABLE, 504 },
		{ { FAILS(ERR_TIMEOUT), OK("{}") }, ERR_TIMEOUT, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct err_info ei = { .text = "" };
		struct gh_rig fx;

		START(&fx, cases[i].answers, false);
		assert_int_equal(post(&fx, &ei), cases[i].rc);
		assert_int_equal(ei.http_status, cases[i].status);
		assert_int_equal(gh_stats(fx.gh)->requests, 1);
		stop(&fx);
	}
}

static void
other_faults_are_tried_again(void **state)
{
	static const struct http_scripted answers[] = { STATUS(500), STATUS(503),
		FAILS(ERR_CLOSED), OK("[]"), OK("{}") };
	struct gh_rig fx;

	(void)state;
	START(&fx, answers, false);
	assert_int_equal(post(&fx, NULL), 0);
	assert_int_equal(gh_stats(fx.gh)->retries, 4);
	stop(&fx);
}

static void
what_is_wrong_for_good_is_told_at_once(void **state)
{
	static const struct {
		int status, rc;
	} cases[] = { { 401, ERR_AUTH }, { 403, ERR_DENIED }, { 404, ERR_NOENT },
		{ 301, ERR_MOVED }, { 304, ERR_PROTO }, { 204, ERR_HTTP } };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct http_scripted answers[] = { STATUS(cases[i].status) };
		struct gh_rig fx;
		int rc;

		START(&fx, answers, true); /* a retry's pause would be given up */
		rc = post(&fx, NULL);
		assert_int_equal(rc, cases[i].rc == ERR_PROTO ? ERR_CANCELED : cases[i].rc);
		assert_int_equal(gh_stats(fx.gh)->requests, 1);
		stop(&fx);
	}
}

static void
budgets_are_apart(void **state)
{
	static const struct http_scripted answers[] = {
		{ .status = 200,
		    .headers = RATE("graphql", "0", IN_100_S),
		    .body = "{\"data\":{}}" },
		{ .status = 200, .headers = RATE("core", "4000", IN_100_S), .body = "[]" },
	};
	struct gh_rig fx;

	(void)state;
	START(&fx, answers, true);
	assert_int_equal(post(&fx, NULL), 0);
	gh_page_clear(&fx.page);
	assert_int_equal(gh_get(fx.gh, BASE "/x", NULL, true, &fx.page, NULL), 0);
	gh_page_clear(&fx.page);
	assert_int_equal(gh_stats(fx.gh)->rate_remaining, 4000);
	assert_int_equal(gh_stats(fx.gh)->graphql_remaining, 0);
	assert_int_equal(post(&fx, NULL), ERR_CANCELED);
	assert_int_equal(memcmp(fx.waits.ptr, "rate limit ", 11), 0);
	assert_in_range(strtoll(buf_cstr(&fx.waits) + 11, NULL, 10), 99000, 102000);
	stop(&fx);
}

/* HTTP 200 and errors[].type RATE_LIMITED: only the caller can read it. */
static void
exhaustion_told_in_the_text_is_sat_out(void **state)
{
	static const struct {
		const char *headers;
		int64_t reset_ms, low, high;
	} cases[] = {
		/* by the time that the caller found */
		{ RATE("graphql", "4711", IN_100_S), INT64_C(784111827000), 49000, 52000 },
		/* by the headers */
		{ RATE("graphql", "0", IN_100_S), TIME_NONE, 99000, 102000 },
		{ "retry-after: 30\n", TIME_NONE, 29000, 31000 },
		/* by neither: a first pause */
		{ RATE("graphql", "4711", IN_100_S), TIME_NONE, 1, 5 }, { "", TIME_NONE, 1, 5 },
		{ "", 1, 1, 5 }, /* a reset long past */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct http_scripted answers[] = { { .status = 200,
		    .headers = cases[i].headers,
		    .body = "{\"errors\":[{\"type\":\"RATE_LIMITED\"}]}" } };
		struct gh_rig fx;

		START(&fx, answers, true);
		assert_int_equal(post(&fx, NULL), 0);
		gh_note_exhausted(fx.gh, GH_GRAPHQL, cases[i].reset_ms);
		gh_page_clear(&fx.page);
		assert_int_equal(post(&fx, NULL), ERR_CANCELED);
		assert_int_equal(gh_stats(fx.gh)->requests, 1);
		assert_in_range(
		    strtoll(buf_cstr(&fx.waits) + 11, NULL, 10), cases[i].low, cases[i].high);
		stop(&fx);
	}
}

static void
pauses_for_such_exhaustion_double(void **state)
{
	static const struct http_scripted answers[] = { OK("{}"), OK("{}"), OK("{}"), OK("{}"),
		OK("{}") };
	struct gh_rig fx;
	const char *at;

	(void)state;
	START(&fx, answers, false);
	for (int i = 0; i < 5; i++) {
		assert_int_equal(post(&fx, NULL), 0);
		gh_page_clear(&fx.page);
		if (i != 3)
			gh_note_exhausted(fx.gh, GH_GRAPHQL, TIME_NONE);
	}
	assert_int_equal(gh_stats(fx.gh)->waits, 3);
	at = strstr(buf_cstr(&fx.waits), "rate limit ");
	for (int64_t most = 5; most <= 20; most *= 2) {
		assert_non_null(at);
		assert_in_range(strtoll(at + 11, NULL, 10), most - 3, most);
		at = strstr(at + 1, "rate limit ");
	}
	stop(&fx);
}

static void
the_urls_of_graphql(void **state)
{
	static const struct {
		const char *base, *url;
	} cases[] = {
		{ "https://api.github.com", "https://api.github.com/graphql" },
		{ "https://ghe.test/api/v3", "https://ghe.test/api/graphql" },
		{ "http://127.0.0.1:8080", "http://127.0.0.1:8080/graphql" },
		{ "https://ghe.test/x/v3", "https://ghe.test/x/v3/graphql" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct gh_opts o = { .base_url = cases[i].base };
		char url[GH_URL_MAX];
		struct gh *g;

		assert_int_equal(gh_new(&o, &g, NULL), 0);
		assert_int_equal(gh_graphql_url(g, url), 0);
		assert_string_equal(url, cases[i].url);
		assert_false(gh_has_token(g));
		gh_free(g);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_query_is_posted_with_the_token),
		cmocka_unit_test(a_query_that_takes_too_long_is_given_back_after_one_try),
		cmocka_unit_test(other_faults_are_tried_again),
		cmocka_unit_test(what_is_wrong_for_good_is_told_at_once),
		cmocka_unit_test(budgets_are_apart),
		cmocka_unit_test(exhaustion_told_in_the_text_is_sat_out),
		cmocka_unit_test(pauses_for_such_exhaustion_double),
		cmocka_unit_test(the_urls_of_graphql),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
