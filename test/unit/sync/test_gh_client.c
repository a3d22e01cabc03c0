/* Requests to GitHub: pages, validators, redirects, what is an error at once. */
#include "test/unit/sync/gh_rig.h"

static void
a_page_has_its_items_validator_date_and_next(void **state)
{
	static const struct http_scripted answers[] = {
		{ BASE "/list", 0, 200,
		    "date: Sun, 06 Nov 1994 08:49:37 GMT\netag: W/\"abc\"\n"
		    "link: <" BASE "/list?page=2>; rel=\"next\"\n",
		    "[1,2]" },
	};
	struct gh_rig fx;

	(void)state;
	START(&fx, answers, false);
	assert_int_equal(gh_get(fx.gh, BASE "/list", NULL, true, &fx.page, NULL), 0);
	assert_int_equal(json_array_size(fx.page.doc), 2);
	assert_string_equal(fx.page.etag, "W/\"abc\"");
	assert_string_equal(fx.page.next, BASE "/list?page=2");
	assert_string_equal(fx.page.moved_to, "");
	assert_int_equal(fx.page.server_date_ms, INT64_C(784111777000));
	assert_int_equal(gh_stats(fx.gh)->requests, 1);
	assert_int_equal(count_of(&fx.recorder.asked, "Authorization: Bearer secret"), 1);
	assert_int_equal(count_of(&fx.recorder.asked, "X-GitHub-Api-Version: 2022-11-28"), 1);
	assert_int_equal(count_of(&fx.recorder.asked, "If-None-Match"), 0);
	stop(&fx);
}

static void
a_validator_is_sent_and_its_304_needs_no_body(void **state)
{
	static const struct http_scripted answers[] = { { .status = 304 } };
	struct gh_rig fx;

	(void)state;
	START(&fx, answers, false);
	assert_int_equal(gh_get(fx.gh, BASE "/x", "W/\"e\"", true, &fx.page, NULL), 0);
	assert_true(fx.page.not_modified);
	assert_null(fx.page.doc);
	assert_int_equal(count_of(&fx.recorder.asked, "If-None-Match: W/\"e\""), 1);
	assert_int_equal(gh_stats(fx.gh)->not_modified, 1);
	stop(&fx);
}

/* Taken for an empty page it would end a walk. */
static void
a_304_that_was_not_asked_for_is_no_answer(void **state)
{
	static const struct http_scripted answers[] = { { .status = 304 }, OK("[]") };
	struct gh_rig fx;

	(void)state;
	START(&fx, answers, false);
	assert_int_equal(gh_get(fx.gh, BASE "/x", "", true, &fx.page, NULL), 0);
	assert_false(fx.page.not_modified);
	assert_non_null(fx.page.doc);
	stop(&fx);
}

static void
statuses_become_codes_without_another_try(void **state)
{
	static const struct {
		int status, rc;
	} cases[] = { { 401, ERR_AUTH }, { 403, ERR_DENIED }, { 451, ERR_DENIED },
		{ 404, ERR_NOENT }, { 410, ERR_GONE }, { 422, ERR_LIMIT }, { 400, ERR_HTTP } };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct http_scripted answers[] = { STATUS(cases[i].status), OK("[]") };
		struct err_info ei = { .text = "" };
		struct gh_rig fx;
		int rc;

		START(&fx, answers, false);
		rc = gh_get(fx.gh, BASE "/x?secret=1", NULL, true, &fx.page, &ei);
		assert_int_equal(rc, cases[i].rc);
		assert_int_equal(ei.http_status, cases[i].status);
		assert_null(strstr(ei.text, "secret"));
		assert_int_equal(gh_stats(fx.gh)->requests, 1);
		stop(&fx);
	}
}

static void
redirects_are_followed_on_the_same_host_only(void **state)
{
	static const struct {
		int status;
		const char *location, *moved_to;
		int rc;
	} cases[] = {
		{ 301, BASE "/there", BASE "/there", 0 },
		{ 308, BASE "/there", BASE "/there", 0 },
		{ 302, BASE "/there", "", 0 },
		{ 307, BASE "/there", "", 0 },
		{ 301, "https://HUB.test:443/there", "https://HUB.test:443/there", 0 },
		{ 301, "/there", "https://hub.test/there", 0 },
		{ 301, "https://evil.test/there", "", ERR_MOVED },
		{ 301, "http://hub.test/there", "", ERR_MOVED },
		{ 301, "https://hub.test:8443/there", "", ERR_MOVED },
		{ 301, "https://hub.test@evil.test/", "", ERR_MOVED },
		{ 301, "//evil.test/there", "", ERR_MOVED },
		{ 301, "/\\evil.test/there", "https://hub.test/\\evil.test/there", 0 },
		{ 301, "", "", ERR_MOVED },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char header[256];
		struct http_scripted answers[] = { { .headers = header }, OK("[]") };
		struct gh_rig fx;
		int rc;

		snprintf(header, sizeof(header), "location: %s\n", cases[i].location);
		answers[0].status = cases[i].status;
		START(&fx, answers, false);
		rc = gh_get(fx.gh, BASE "/here", NULL, true, &fx.page, NULL);
		assert_int_equal(rc, cases[i].rc);
		if (rc == 0)
			assert_string_equal(fx.page.moved_to, cases[i].moved_to);
		assert_int_equal(count_of(&fx.recorder.asked, "\n"), rc == 0 ? 2 : 1);
		assert_int_equal(count_of(&fx.recorder.asked, "evil.test/there|"),
		    strstr(cases[i].moved_to, "evil") != NULL);
		stop(&fx);
	}
}

static void
redirects_in_a_circle_end(void **state)
{
	struct http_scripted answers[20];
	struct gh_rig fx;

	(void)state;
	for (int i = 0; i < 20; i++)
		answers[i] = (struct http_scripted){ .status = 301,
			.headers = "location: " BASE "/x\n" };
	START(&fx, answers, false);
	assert_int_equal(gh_get(fx.gh, BASE "/x", NULL, true, &fx.page, NULL), ERR_MOVED);
	assert_in_range(gh_stats(fx.gh)->requests, 2, 10);
	stop(&fx);
}

static void
nothing_is_asked_of_another_host(void **state)
{
	static const struct http_scripted answers[] = {
		{ .status = 200,
		    .headers = "link: <https://evil.test/2>; rel=\"next\"\n",
		    .body = "[]" },
		OK("[]")
	};
	struct err_info ei = { .text = "" };
	struct gh_rig fx;

	(void)state;
	START(&fx, answers, false);
	assert_int_equal(
	    gh_get(fx.gh, "https://evil.test/x", NULL, true, &fx.page, NULL), ERR_MOVED);
	assert_int_equal(gh_stats(fx.gh)->requests, 0);
	assert_int_equal(gh_get(fx.gh, BASE "/x", NULL, true, &fx.page, &ei), ERR_MOVED);
	assert_null(fx.page.doc);
	stop(&fx);
}

static void
a_body_over_the_cap_is_no_end_of_a_listing(void **state)
{
	static const struct http_scripted answers[] = { FAILS(ERR_LIMIT), OK("[]") };
	struct gh_rig fx;

	(void)state;
	START(&fx, answers, false);
	assert_int_equal(gh_get(fx.gh, BASE "/x", NULL, true, &fx.page, NULL), ERR_HTTP);
	stop(&fx);
}

static void
a_client_needs_an_url_and_a_token_it_can_send(void **state)
{
	static const struct {
		const char *base_url, *token, *token_file;
		int rc;
	} cases[] = {
		{ "https://h", NULL, NULL, 0 },
		{ "http://h:80/api/v3", "t", NULL, 0 },
		{ "h", NULL, NULL, ERR_INVAL },
		{ "ftp://h", NULL, NULL, ERR_INVAL },
		{ "https://u@h", NULL, NULL, ERR_INVAL },
		{ "https://h", "a\r\nX: y", NULL, ERR_INVAL },
		{ "https://h", NULL, "/no/such/file", ERR_NOENT },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct gh_opts o = { .base_url = cases[i].base_url,
			.token = cases[i].token,
			.token_file = cases[i].token_file };
		struct gh *gh = NULL;

		assert_int_equal(gh_new(&o, &gh, NULL), cases[i].rc);
		gh_free(gh);
	}
}

static void
the_digest_tells_tokens_apart_without_telling_them(void **state)
{
	static const char *const tokens[] = { NULL, "one", "two" };
	char digests[3][GH_TOKEN_DIGEST];

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		const struct gh_opts o = { .base_url = BASE, .token = tokens[i] };
		struct gh *gh;

		assert_int_equal(gh_new(&o, &gh, NULL), 0);
		memcpy(digests[i], gh_token_digest(gh), GH_TOKEN_DIGEST);
		assert_int_equal(strlen(digests[i]), GH_TOKEN_DIGEST - 1);
		gh_free(gh);
	}
	assert_string_not_equal(digests[0], digests[1]);
	assert_string_not_equal(digests[1], digests[2]);
}

static void
an_url_that_does_not_fit_is_refused(void **state)
{
	static const struct http_scripted answers[] = { OK("[]") };
	char url[GH_URL_MAX], long_part[GH_URL_MAX];
	struct gh_rig fx;

	(void)state;
	START(&fx, answers, false);
	assert_int_equal(gh_url(fx.gh, url, "/repos/%s/issues/%d", "o/r", 7), 0);
	assert_string_equal(url, BASE "/repos/o/r/issues/7");
	memset(long_part, 'x', sizeof(long_part) - 1);
	long_part[sizeof(long_part) - 1] = '\0';
	assert_int_equal(gh_url(fx.gh, url, "/%s", long_part), ERR_LIMIT);
	stop(&fx);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_page_has_its_items_validator_date_and_next),
		cmocka_unit_test(a_validator_is_sent_and_its_304_needs_no_body),
		cmocka_unit_test(a_304_that_was_not_asked_for_is_no_answer),
		cmocka_unit_test(statuses_become_codes_without_another_try),
		cmocka_unit_test(redirects_are_followed_on_the_same_host_only),
		cmocka_unit_test(redirects_in_a_circle_end),
		cmocka_unit_test(nothing_is_asked_of_another_host),
		cmocka_unit_test(a_body_over_the_cap_is_no_end_of_a_listing),
		cmocka_unit_test(a_client_needs_an_url_and_a_token_it_can_send),
		cmocka_unit_test(the_digest_tells_tokens_apart_without_telling_them),
		cmocka_unit_test(an_url_that_does_not_fit_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
