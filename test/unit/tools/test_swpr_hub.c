/* What GitHub's answers mean to a sweep, over scripted answers. */
#include "test/unit/sync/gh_rig.h"
#include "tools/swpr_hub.h"

#define REPOSITORY OK("{\"full_name\":\"Acme/New\",\"has_issues\":true}")
#define ISSUE(repo, number)                                                                    \
	OK("{\"number\":" number ",\"repository_url\":\"" BASE "/repos/" repo "\"}")
#define MOVED_TO(path)                                                                         \
	{                                                                                      \
		.status = 301, .headers = "location: " BASE path "\n", .body = "{}"            \
	}
#define GRAPH(list)                                                                            \
	OK("{\"data\":{\"repository\":{\"list\":{\"pageInfo\":{\"hasNextPage\":" list "]}}}}")

static struct swpr_hub
hub_of(struct gh_rig *fx)
{
	static const struct repo_entry e = { .name = "acme/widgets", .owner_len = 4 };
	struct swpr_hub h;

	swpr_hub_init(&h, fx->gh, &e);
	h.requests_max = 1000;
	return h;
}

static void
one_number_is_present_gone_moved_or_not_found(void **state)
{
	static const struct http_scripted answers[] = {
		ISSUE("acme/widgets", "7"), STATUS(410), STATUS(404),
		MOVED_TO("/repositories/5/issues/9"), ISSUE("other/place", "9"),
		MOVED_TO("/repositories/1/issues/7"), /* of the repository itself: renamed */
		ISSUE("ACME/Widgets", "7"), MOVED_TO("/repositories/5/issues/9"),
		OK("{\"number\":9}"), /* says not where it is */
	};
	static const enum swpr_sight want[] = { SWPR_PRESENT, SWPR_GONE, SWPR_NOT_FOUND,
		SWPR_MOVED, SWPR_PRESENT, SWPR_NOT_FOUND };
	struct gh_rig fx;
	struct swpr_hub h;

	(void)state;
	START(&fx, answers, false);
	h = hub_of(&fx);
	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		char to[SWPR_DESTINATION_MAX];
		enum swpr_sight got = SWPR_PRESENT;

		assert_int_equal(swpr_hub_look(&h, 7, &got, to, NULL), 0);
		assert_int_equal(got, want[i]);
		assert_string_equal(to, got == SWPR_MOVED ? "other/place/9" : "");
	}
	stop(&fx);
}

static void
a_repository_is_well_renamed_or_not_to_be_believed(void **state)
{
	static const struct http_scripted answers[] = { STATUS(404), REPOSITORY,
		OK("{\"full_name\":\"Acme/New\",\"has_issues\":false}"), STATUS(404),
		STATUS(404), STATUS(404) };
	struct err_info ei = { .text = "" };
	struct gh_rig fx;
	struct swpr_hub h;

	(void)state;
	START(&fx, answers, false);
	h = hub_of(&fx);
	assert_int_equal(swpr_hub_health(&h, NULL), 0);
	assert_string_equal(h.owner, "Acme");
	assert_string_equal(h.name, "New");
	assert_int_equal(h.now_ms, INT64_C(784111777000));
	assert_int_equal(swpr_hub_health(&h, &ei), ERR_GONE);
	assert_non_null(strstr(ei.text, "switched off"));
	assert_int_equal(swpr_hub_health(&h, &ei), ERR_NOENT);
	assert_non_null(strstr(ei.text, "does not find"));
	stop(&fx);
}

#define AT(code, time)                                                                         \
	{                                                                                      \
		.status = (code), .headers = "date: Sun, 06 Nov 1994 " time " GMT\n",          \
		.body = "{}"                                                                   \
	}

/* Hours may be between the health and the number, and in the waits before an answer. */
static void
a_number_is_seen_when_github_answers_for_it(void **state)
{
	static const struct http_scripted answers[] = { REPOSITORY, AT(404, "10:49:37"),
		AT(502, "10:49:38"), AT(404, "11:49:38"), AT(410, "11:49:39"), STATUS(404) };
	static const int64_t want[] = { INT64_C(784118977000), INT64_C(784122578000),
		INT64_C(784122579000) };
	char to[SWPR_DESTINATION_MAX];
	enum swpr_sight sight;
	struct gh_rig fx;
	struct swpr_hub h;

	(void)state;
	START(&fx, answers, false);
	h = hub_of(&fx);
	assert_int_equal(swpr_hub_health(&h, NULL), 0);
	assert_int_equal(h.now_ms, INT64_C(784111777000));
	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		assert_int_equal(swpr_hub_look(&h, 7, &sight, to, NULL), 0);
		assert_int_equal(h.now_ms, want[i]);
	}
	/* Without a Date that clock goes on. */
	assert_int_equal(swpr_hub_look(&h, 7, &sight, to, NULL), 0);
	assert_in_range(h.now_ms, want[2], want[2] + 60000);
	stop(&fx);
}

/* What was told of progress. */
static void
note_step(void *ctx, const char *doing, size_t count)
{
	struct buf *told = ctx;

	buf_fmt(told, "%.3s %zu|", doing, count);
}

static void
each_page_and_each_number_is_a_step(void **state)
{
	static const struct http_scripted answers[] = {
		GRAPH("true,\"endCursor\":\"c1\"},\"nodes\":[{\"number\":2},{\"number\":1}"),
		GRAPH("false,\"endCursor\":null},\"nodes\":["),
		GRAPH("false,\"endCursor\":null},\"nodes\":[{\"number\":4}"),
		STATUS(404),
		STATUS(410),
	};
	struct swpr_listing l = { .part = "" };
	char to[SWPR_DESTINATION_MAX];
	enum swpr_sight sight;
	struct gh_rig fx;
	struct swpr_hub h;
	struct buf told;
	bool done = false;

	(void)state;
	START(&fx, answers, false);
	h = hub_of(&fx);
	buf_init(&told, 200);
	h.on_step = note_step;
	h.ctx = &told;
	assert_int_equal(swpr_hub_list(&h, &l, &done, NULL), 0);
	assert_true(done);
	for (uint32_t n = 3; n < 5; n++)
		assert_int_equal(swpr_hub_look(&h, n, &sight, to, NULL), 0);
	assert_string_equal(buf_cstr(&told), "lis 2|lis 2|lis 3|ask 1|ask 2|");
	buf_clear(&told);
	swpr_listing_reset(&l);
	stop(&fx);
}

static void
issues_and_pull_requests_are_listed_by_graphql(void **state)
{
	static const struct http_scripted answers[] = {
		GRAPH("true,\"endCursor\":\"c1\"},\"nodes\":[{\"number\":2},{\"number\":1}"),
		GRAPH("false,\"endCursor\":\"c2\"},\"nodes\":[{\"number\":5},null"),
		GRAPH("false,\"endCursor\":null},\"nodes\":[{\"number\":4}"),
	};
	struct swpr_listing l = { .part = "" };
	struct gh_rig fx;
	struct swpr_hub h;
	struct buf text;
	bool done = false;

	(void)state;
	START(&fx, answers, false);
	h = hub_of(&fx);
	h.requests_max = 1; /* stop after the first page, then go on */
	assert_int_equal(swpr_hub_list(&h, &l, &done, NULL), 0);
	assert_false(done);
	assert_string_equal(l.part, "issues");
	assert_string_equal(l.next, "c1");
	h.requests_max = 1000;
	assert_int_equal(swpr_hub_list(&h, &l, &done, NULL), 0);
	assert_true(done);
	buf_init(&text, 100);
	swpr_numbers_format(&l.seen, &text);
	assert_string_equal(buf_cstr(&text), "1-2,4-5");
	assert_int_equal(count_of(&fx.recorder.asked, "\"after\":\"c1\""), 1);
	buf_clear(&text);
	swpr_listing_reset(&l);
	stop(&fx);
}

static void
without_graphql_rest_lists_all_of_it(void **state)
{
	static const struct http_scripted answers[] = {
		STATUS(404), /* of GraphQL */
		{ .status = 200,
		    .headers = "link: <" BASE "/repositories/1/issues?after=x>; rel=\"next\"\n",
		    .body = "[{\"number\":1},{\"number\":3}]" },
		OK("[{\"number\":4}]"),
	};
	struct swpr_listing l = { .part = "" };
	struct gh_rig fx;
	struct swpr_hub h;
	bool done = false;

	(void)state;
	START(&fx, answers, false);
	h = hub_of(&fx);
	assert_int_equal(swpr_hub_list(&h, &l, &done, NULL), 0);
	assert_true(done);
	assert_int_equal(l.seen.count, 3);
	assert_int_equal(
	    count_of(&fx.recorder.asked, BASE "/repositories/1/issues?after=x|"), 1);
	swpr_listing_reset(&l);
	stop(&fx);
}

/* The state is an object that others may write: the token goes to --github-url alone. */
static void
a_remembered_page_elsewhere_is_not_asked_for(void **state)
{
	static const struct http_scripted answers[] = { OK("[{\"number\":4}]") };
	struct swpr_listing l = { .part = "rest", .next = "https://evil.test/api/x" };
	struct gh_rig fx;
	struct swpr_hub h;
	bool done = false;

	(void)state;
	START(&fx, answers, false);
	h = hub_of(&fx);
	assert_int_equal(swpr_hub_list(&h, &l, &done, NULL), 0);
	assert_int_equal(count_of(&fx.recorder.asked, "evil"), 0);
	assert_int_equal(count_of(&fx.recorder.asked, BASE "/repos/acme/widgets/issues?"), 1);
	swpr_listing_reset(&l);
	stop(&fx);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_number_is_present_gone_moved_or_not_found),
		cmocka_unit_test(a_repository_is_well_renamed_or_not_to_be_believed),
		cmocka_unit_test(a_number_is_seen_when_github_answers_for_it),
		cmocka_unit_test(each_page_and_each_number_is_a_step),
		cmocka_unit_test(issues_and_pull_requests_are_listed_by_graphql),
		cmocka_unit_test(without_graphql_rest_lists_all_of_it),
		cmocka_unit_test(a_remembered_page_elsewhere_is_not_asked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
