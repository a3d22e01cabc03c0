/* Requests to GitHub over a scripted client that remembers what it was asked. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "sync/github/gh_client.h"

#define BASE "https://hub.test/api"
#define OK(text)                                                                               \
	{                                                                                      \
		.status = 200, .headers = "date: Sun, 06 Nov 1994 08:49:37 GMT\n",             \
		.body = text                                                                   \
	}
#define STATUS(code)                                                                           \
	{                                                                                      \
		.status = (code), .body = "{\"message\":\"why not\"}"                          \
	}
#define FAILS(code)                                                                            \
	{                                                                                      \
		.rc = (code)                                                                   \
	}

/* An HTTP client in front of the scripted one. */
struct recorder {
	struct http base;
	struct http *script;
	struct buf asked; /* "URL|name: value|...\n" */
};

struct fixture {
	struct recorder recorder;
	struct gh *gh;
	struct buf waits; /* "why ms\n" and "retry n\n" */
	int pipe[2];      /* readable when waits are to be given up */
	struct gh_page page;
};

static int
record(struct http *h, const struct http_request *req, struct http_response *res,
    struct err_info *ei)
{
	struct recorder *r = (struct recorder *)h;

	buf_str(&r->asked, req->url);
	for (const struct http_header *f = req->headers; f->name != NULL; f++)
		buf_fmt(&r->asked, "|%s: %s", f->name, f->value);
	buf_char(&r->asked, '\n');
	return http_perform(r->script, req, res, ei);
}

static void
forget(struct http *h)
{
	struct recorder *r = (struct recorder *)h;

	http_free(r->script);
	buf_clear(&r->asked);
}

static bool
give_up(void *ctx)
{
	(void)ctx;
	return true;
}

static void
on_wait(void *ctx, int64_t ms, const char *why)
{
	struct fixture *fx = ctx;

	buf_fmt(&fx->waits, "%s %lld\n", why, (long long)ms);
}

static void
on_retry(void *ctx, unsigned nth, const char *error)
{
	struct fixture *fx = ctx;

	assert_true(error[0] != '\0');
	buf_fmt(&fx->waits, "fault %u\n", nth);
}

/* With `impatient`, the first wait is given up. */
static void
start(struct fixture *fx, const struct http_scripted *answers, size_t count, bool impatient)
{
	static const struct http_ops ops = { record, forget };
	struct gh_opts o = { .base_url = BASE,
		.token = "secret",
		.http = &fx->recorder.base,
		.on_wait = on_wait,
		.on_retry = on_retry,
		.ctx = fx,
		.backoff_ms = 1,
		.secondary_ms = 5 };

	memset(fx, 0, sizeof(*fx));
	fx->recorder.base.ops = &ops;
	buf_init(&fx->recorder.asked, (size_t)1 << 20);
	buf_init(&fx->waits, (size_t)1 << 20);
	assert_int_equal(http_script_new(answers, count, &fx->recorder.script), 0);
	assert_int_equal(pipe(fx->pipe), 0);
	if (impatient)
		assert_int_equal(write(fx->pipe[1], "x", 1), 1);
	o.cancel = (struct cancel){ .fd = fx->pipe[0], .check = give_up };
	assert_int_equal(gh_new(&o, &fx->gh, NULL), 0);
}

static void
stop(struct fixture *fx)
{
	gh_page_clear(&fx->page);
	gh_free(fx->gh);
	http_free(&fx->recorder.base);
	buf_clear(&fx->waits);
	close(fx->pipe[0]);
	close(fx->pipe[1]);
}

static size_t
count_of(struct buf *b, const char *text)
{
	const char *at = buf_cstr(b);
	size_t n = 0;

	while ((at = strstr(at, text)) != NULL) {
		at++;
		n++;
	}
	return n;
}

#define START(fx, answers, impatient)                                                          \
	start((fx), (answers), sizeof(answers) / sizeof((answers)[0]), (impatient))

static void
a_page_has_its_items_validator_date_and_next(void **state)
{
	static const struct http_scripted answers[] = {
		{ BASE "/list", 0, 200,
		    "date: Sun, 06 Nov 1994 08:49:37 GMT\netag: W/\"abc\"\n"
		    "link: <" BASE "/list?page=2>; rel=\"next\"\n",
		    "[1,2]" },
	};
	struct fixture fx;

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
	struct fixture fx;

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
	struct fixture fx;

	(void)state;
	START(&fx, answers, false);
	assert_int_equal(gh_get(fx.gh, BASE "/x", "", true, &fx.page, NULL), 0);
	assert_false(fx.page.not_modified);
	assert_non_null(fx.page.doc);
	stop(&fx);
}

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
		struct fixture fx;

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
	struct fixture fx;

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
	struct fixture fx;

	(void)state;
	START(&fx, answers, true);
	assert_int_equal(gh_get(fx.gh, BASE "/x", NULL, true, &fx.page, NULL), ERR_CANCELED);
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
		struct fixture fx;
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
		struct fixture fx;
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
	struct fixture fx;

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
	struct fixture fx;

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
a_limit_without_a_time_waits_longer_each_time(void **state)
{
	static const struct http_scripted answers[] = { { .status = 429 },
		{ .status = 403, .body = "You have exceeded a secondary rate limit" }, OK("[]"),
		{ .status = 429 }, OK("[]") };
	struct fixture fx;

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
		struct fixture fx;

		START(&fx, answers, true);
		assert_int_equal(
		    gh_get(fx.gh, BASE "/x", NULL, true, &fx.page, NULL), ERR_CANCELED);
		assert_int_equal(memcmp(fx.waits.ptr, "rate limit ", 11), 0);
		assert_in_range(
		    strtoll(fx.waits.ptr + 11, NULL, 10), cases[i].low, cases[i].high);
		stop(&fx);
	}
}

static void
a_budget_that_is_used_up_holds_the_next_request_back(void **state)
{
	static const struct http_scripted answers[] = { { .status = 200,
	    .headers = "date: Sun, 06 Nov 1994 08:49:37 GMT\nx-ratelimit-limit: 60\n"
		       "x-ratelimit-remaining: 0\nx-ratelimit-reset: 784111877\n",
	    .body = "[]" } };
	struct fixture fx;

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
	struct fixture fx;

	(void)state;
	START(&fx, answers, false);
	assert_int_equal(gh_get(fx.gh, BASE "/x", NULL, true, &fx.page, &ei), ERR_RATE);
	assert_in_range(ei.retry_after_ms, 86400000, 86402000);
	stop(&fx);
}

static void
a_body_over_the_cap_is_no_end_of_a_listing(void **state)
{
	static const struct http_scripted answers[] = { FAILS(ERR_LIMIT), OK("[]") };
	struct fixture fx;

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
	struct fixture fx;

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
		cmocka_unit_test(faults_that_may_pass_are_tried_again),
		cmocka_unit_test(tries_end_and_pauses_double),
		cmocka_unit_test(a_pause_can_be_given_up),
		cmocka_unit_test(statuses_become_codes_without_another_try),
		cmocka_unit_test(redirects_are_followed_on_the_same_host_only),
		cmocka_unit_test(redirects_in_a_circle_end),
		cmocka_unit_test(nothing_is_asked_of_another_host),
		cmocka_unit_test(a_limit_without_a_time_waits_longer_each_time),
		cmocka_unit_test(a_limit_with_a_time_is_sat_out),
		cmocka_unit_test(a_budget_that_is_used_up_holds_the_next_request_back),
		cmocka_unit_test(a_wait_of_more_than_an_hour_is_an_error),
		cmocka_unit_test(a_body_over_the_cap_is_no_end_of_a_listing),
		cmocka_unit_test(a_client_needs_an_url_and_a_token_it_can_send),
		cmocka_unit_test(the_digest_tells_tokens_apart_without_telling_them),
		cmocka_unit_test(an_url_that_does_not_fit_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
