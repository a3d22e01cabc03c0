/* GraphQL's answers: what is data, what is worth another try, what means that it is absent. */
#include "sync/github/gh_graphql.h"
#include "test/unit/sync/gh_rig.h"

#define QUERY "query Q($n:String!){viewer{login}}"
#define RATE_LIMITED OK("{\"errors\":[{\"type\":\"RATE_LIMITED\",\"message\":\"wait\"}]}")
#define DATA OK("{\"data\":{\"repository\":{\"n1\":{\"x\":1}}}}")

static int
ask(struct gh_rig *fx, struct gh_graph *g, struct err_info *ei)
{
	json_t *variables = json_pack("{s:s}", "n", "a \"name\"");
	int rc = gh_graphql(fx->gh, QUERY, variables, g, ei);

	json_decref(variables);
	return rc;
}

static void
an_answer_gives_its_data(void **state)
{
	static const struct http_scripted answers[] = { DATA };
	struct gh_graph g = { 0 };
	struct gh_rig fx;

	(void)state;
	START(&fx, answers, false);
	assert_int_equal(ask(&fx, &g, NULL), 0);
	assert_true(
	    json_is_object(json_object_get(json_object_get(g.data, "repository"), "n1")));
	assert_null(g.errors);
	assert_null(gh_graph_error(&g, "repository", "n1"));
	assert_int_equal(g.server_date_ms, INT64_C(784111777000));
	assert_int_equal(count_of(&fx.recorder.asked,
			     "POST {\"query\":\"" QUERY
			     "\",\"variables\":{\"n\":\"a \\\"name\\\"\"}} " BASE "/graphql|"),
	    1);
	gh_graph_clear(&g);
	assert_null(g.doc);
	assert_null(g.data);
	stop(&fx);
}

static void
a_query_without_variables_is_sent_so(void **state)
{
	static const struct http_scripted answers[] = { DATA };
	struct gh_graph g = { 0 };
	struct gh_rig fx;

	(void)state;
	START(&fx, answers, false);
	assert_int_equal(gh_graphql(fx.gh, QUERY, NULL, &g, NULL), 0);
	assert_int_equal(count_of(&fx.recorder.asked, "POST {\"query\":\"" QUERY "\"} "), 1);
	gh_graph_clear(&g);
	stop(&fx);
}

static void
partial_data_is_success_and_names_what_is_missing(void **state)
{
	static const struct http_scripted answers[] = { OK(
	    "{\"data\":{\"repository\":{\"n1\":{\"x\":1},\"n2\":null,\"n3\":{\"x\":null}}},"
	    "\"errors\":[{\"message\":\"no path\"},{\"path\":[],\"message\":\"empty\"},"
	    "{\"path\":[\"repository\",4],\"message\":\"a number\"},"
	    "{\"type\":\"NOT_FOUND\",\"path\":[\"repository\",\"n2\"],\"message\":\"two\"},"
	    "{\"path\":[\"repository\",\"n3\",\"x\",0],\"message\":\"three\"}]}") };
	struct gh_graph g = { 0 };
	struct gh_rig fx;

	(void)state;
	START(&fx, answers, false);
	assert_int_equal(ask(&fx, &g, NULL), 0);
	assert_int_equal(json_array_size(g.errors), 5);
	assert_null(gh_graph_error(&g, "repository", "n1"));
	assert_null(gh_graph_error(&g, "repository", "n"));
	assert_null(gh_graph_error(&g, "other", "n2"));
	assert_ptr_equal(gh_graph_error(&g, "repository", "n2"), json_array_get(g.errors, 3));
	assert_ptr_equal(gh_graph_error(&g, "repository", "n3"), json_array_get(g.errors, 4));
	assert_int_equal(gh_stats(fx.gh)->requests, 1);
	gh_graph_clear(&g);
	stop(&fx);
}

/* What an answer with status 200 means. */
static void
answers_without_data_are_told_apart(void **state)
{
	static const struct {
		const char *body;
		int rc;
		const char *told;
	} cases[] = {
		{ "{\"data\":null,\"errors\":[{\"type\":\"MAX_NODE_LIMIT_EXCEEDED\","
		  "\"message\":\"of 600,000\"}]}",
		    ERR_LIMIT, "of 600,000" },
		{ "{\"errors\":[{\"message\":\"first\"},{\"type\":\"RESOURCE_LIMITS_EXCEEDED\","
		  "\"message\":\"second\"}]}",
		    ERR_LIMIT, "second" },
		{ "{\"errors\":[{\"extensions\":{\"code\":\"EXCESSIVE_PAGINATION\"},"
		  "\"message\":\"over 100\"}]}",
		    ERR_LIMIT, "over 100" },
		{ "{\"errors\":[{\"extensions\":{\"code\":\"undefinedField\"},"
		  "\"message\":\"Field 'x' doesn't exist\"}]}",
		    ERR_UNSUPPORTED, "Field 'x' doesn't exist" },
		{ "{\"data\":{},\"errors\":[{\"type\":\"FORBIDDEN\",\"message\":\"SSO\"}]}",
		    ERR_UNSUPPORTED, "SSO" },
		{ "{\"errors\":[{}]}", ERR_UNSUPPORTED, "GraphQL" },
		{ "{\"errors\":[7]}", ERR_UNSUPPORTED, "GraphQL" },
		{ "{}", ERR_PROTO, "neither" },
		{ "{\"data\":null}", ERR_PROTO, "neither" },
		{ "{\"data\":[1],\"errors\":{}}", ERR_PROTO, "neither" },
		{ "{\"data\":\"x\",\"errors\":[]}", ERR_PROTO, "neither" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct http_scripted answers[] = { OK(cases[i].body) };
		struct err_info ei = { .text = "" };
		struct gh_graph g = { 0 };
		struct gh_rig fx;

		START(&fx, answers, true);
		assert_int_equal(ask(&fx, &g, &ei), cases[i].rc);
		assert_non_null(strstr(ei.text, cases[i].told));
		assert_null(g.doc);
		assert_int_equal(gh_stats(fx.gh)->requests, 1);
		stop(&fx);
	}
}

static void
data_counts_although_an_error_tells_of_a_limit(void **state)
{
	static const struct http_scripted answers[] = { OK(
	    "{\"data\":{\"repository\":{\"n1\":{},\"n2\":null}},\"errors\":[{\"type\":"
	    "\"RESOURCE_LIMITS_EXCEEDED\",\"path\":[\"repository\",\"n2\"]}]}") };
	struct gh_graph g = { 0 };
	struct gh_rig fx;

	(void)state;
	START(&fx, answers, false);
	assert_int_equal(ask(&fx, &g, NULL), 0);
	assert_non_null(gh_graph_error(&g, "repository", "n2"));
	gh_graph_clear(&g);
	stop(&fx);
}

static void
used_up_points_are_waited_for(void **state)
{
	static const struct http_scripted answers[] = { RATE_LIMITED,
		OK("{\"data\":{\"repository\":null},\"errors\":[{\"type\":\"RATE_LIMITED\"}]}"),
		DATA };
	struct gh_graph g = { 0 };
	struct gh_rig fx;

	(void)state;
	START(&fx, answers, false);
	assert_int_equal(ask(&fx, &g, NULL), 0);
	assert_true(json_is_object(json_object_get(g.data, "repository")));
	assert_int_equal(gh_stats(fx.gh)->requests, 3);
	assert_int_equal(count_of(&fx.waits, "rate limit "), 2);
	assert_int_equal(count_of(&fx.recorder.asked, "POST {\"query\":"), 3);
	gh_graph_clear(&g);
	stop(&fx);
}

static void
points_that_stay_used_up_are_an_error(void **state)
{
	static const struct http_scripted answers[] = { RATE_LIMITED, RATE_LIMITED,
		RATE_LIMITED, RATE_LIMITED, RATE_LIMITED, RATE_LIMITED, DATA };
	struct err_info ei = { .text = "" };
	struct gh_graph g = { 0 };
	struct gh_rig fx;

	(void)state;
	START(&fx, answers, false);
	assert_int_equal(ask(&fx, &g, &ei), ERR_RATE);
	assert_non_null(strstr(ei.text, "used up"));
	assert_int_equal(gh_stats(fx.gh)->requests, 6);
	stop(&fx);
}

static void
a_wait_for_points_can_be_given_up(void **state)
{
	static const struct http_scripted answers[] = { RATE_LIMITED, DATA };
	struct gh_graph g = { 0 };
	struct gh_rig fx;

	(void)state;
	START(&fx, answers, true);
	assert_int_equal(ask(&fx, &g, NULL), ERR_CANCELED);
	assert_int_equal(gh_stats(fx.gh)->requests, 1);
	stop(&fx);
}

static void
without_a_token_nothing_is_asked(void **state)
{
	static const struct http_scripted answers[] = { DATA };
	struct err_info ei = { .text = "" };
	struct gh_graph g = { 0 };
	struct gh_rig fx;

	(void)state;
	assert_int_equal(
	    start_with(&fx, answers, 1, false, (struct gh_opts){ .token = NULL }, NULL), 0);
	assert_int_equal(ask(&fx, &g, &ei), ERR_UNSUPPORTED);
	assert_non_null(strstr(ei.text, "token"));
	assert_int_equal(gh_stats(fx.gh)->requests, 0);
	stop(&fx);
}

static void
statuses_say_whether_graphql_is_there_at_all(void **state)
{
	static const struct {
		struct http_scripted answer;
		int rc;
	} cases[] = {
		/* not here, or not for this token: REST is asked instead */
		{ STATUS(400), ERR_UNSUPPORTED },
		{ STATUS(401), ERR_UNSUPPORTED },
		{ STATUS(403), ERR_UNSUPPORTED },
		{ STATUS(404), ERR_UNSUPPORTED },
		{ STATUS(405), ERR_UNSUPPORTED },
		{ STATUS(410), ERR_UNSUPPORTED },
		{ STATUS(301), ERR_UNSUPPORTED },
		/* here, but this took too long: a smaller query may pass */
		{ STATUS(502), ERR_UNAVAILABLE },
		{ STATUS(504), ERR_UNAVAILABLE },
		{ FAILS(ERR_TIMEOUT), ERR_TIMEOUT },
		/* a fault that is worth another try, whose pause is given up here */
		{ STATUS(500), ERR_CANCELED },
		{ OK("no JSON"), ERR_CANCELED },
		{ OK("[]"), ERR_CANCELED },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct err_info ei = { .text = "" };
		struct gh_graph g = { 0 };
		struct gh_rig fx;

		start(&fx, &cases[i].answer, 1, true);
		assert_int_equal(ask(&fx, &g, &ei), cases[i].rc);
		if (cases[i].rc == ERR_UNSUPPORTED)
			assert_non_null(strstr(ei.text, "GraphQL"));
		assert_null(g.doc);
		assert_int_equal(gh_stats(fx.gh)->requests, 1);
		stop(&fx);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_answer_gives_its_data),
		cmocka_unit_test(a_query_without_variables_is_sent_so),
		cmocka_unit_test(partial_data_is_success_and_names_what_is_missing),
		cmocka_unit_test(answers_without_data_are_told_apart),
		cmocka_unit_test(data_counts_although_an_error_tells_of_a_limit),
		cmocka_unit_test(used_up_points_are_waited_for),
		cmocka_unit_test(points_that_stay_used_up_are_an_error),
		cmocka_unit_test(a_wait_for_points_can_be_given_up),
		cmocka_unit_test(without_a_token_nothing_is_asked),
		cmocka_unit_test(statuses_say_whether_graphql_is_there_at_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
