/* What both HTTP clients share, and the scripted one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <unistd.h>

#include "base/clock.h"
#include "base/http.h"

static bool
yes(void *ctx)
{
	++*(int *)ctx;
	return true;
}

/* Read what woke us, and go on. */
static bool
no(void *ctx)
{
	int *fd_and_count = ctx;
	char c;

	fd_and_count[1]++;
	assert_int_equal(read(fd_and_count[0], &c, 1), 1);
	return false;
}

static void
a_sleep_ends_in_time_or_when_told(void **state)
{
	int fds[2], count = 0, ctx[2];
	struct cancel c = { .check = yes, .ctx = &count };
	int64_t began = clock_mono_ms();

	(void)state;
	assert_int_equal(pipe(fds), 0);
	c.fd = fds[0];
	assert_int_equal(cancel_sleep(NULL, 20), 0);
	assert_int_equal(cancel_sleep(&c, 20), 0);
	assert_in_range(clock_mono_ms() - began, 39, 5000);
	assert_int_equal(cancel_sleep(&c, 0), 0);
	assert_int_equal(cancel_sleep(&c, -5), 0);
	assert_int_equal(write(fds[1], "xy", 2), 2);
	assert_int_equal(cancel_sleep(&c, 20000), ERR_CANCELED);
	ctx[0] = fds[0];
	ctx[1] = 0;
	c = (struct cancel){ .fd = fds[0], .check = no, .ctx = ctx };
	assert_int_equal(cancel_sleep(&c, 20), 0);
	assert_int_equal(ctx[1], 2);
	close(fds[0]);
	close(fds[1]);
}

static void
statuses_have_meanings(void **state)
{
	static const struct {
		int status, rc;
	} cases[] = { { 200, 0 }, { 204, 0 }, { 299, 0 }, { 301, ERR_MOVED },
		{ 308, ERR_MOVED }, { 304, ERR_HTTP }, { 400, ERR_HTTP }, { 401, ERR_AUTH },
		{ 403, ERR_DENIED }, { 404, ERR_NOENT }, { 408, ERR_UNAVAILABLE },
		{ 409, ERR_CONFLICT }, { 410, ERR_GONE }, { 412, ERR_CONFLICT },
		{ 429, ERR_RATE }, { 451, ERR_DENIED }, { 500, ERR_UNAVAILABLE },
		{ 599, ERR_UNAVAILABLE }, { 0, ERR_HTTP } };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(http_status_err(cases[i].status), cases[i].rc);
}

static void
the_scripted_client_follows_its_script(void **state)
{
	static const struct http_scripted answers[] = { { "http://h/1", 0, 200,
							    "a: 1\nempty:\nb:2\n", "one" },
		{ NULL, ERR_TIMEOUT, 0, NULL, NULL }, { "http://h/3", 0, 200, NULL, NULL },
		{ NULL, 0, 500, NULL, "too long" } };
	struct http_request req = { .url = "http://h/1", .body_max = 4 };
	struct http_response res;
	struct err_info ei = { .text = "" };
	struct http *h;

	(void)state;
	assert_int_equal(http_script_new(answers, 4, &h), 0);
	http_response_init(&res);
	assert_int_equal(http_perform(h, &req, &res, &ei), 0);
	assert_int_equal(res.status, 200);
	assert_true(slice_is(buf_view(&res.body), "one"));
	assert_true(slice_is(http_response_header(&res, "a"), "1"));
	assert_true(slice_is(http_response_header(&res, "b"), "2"));
	assert_int_equal(http_response_header(&res, "empty").len, 0);
	assert_int_equal(http_perform(h, &req, &res, &ei), ERR_TIMEOUT);
	assert_int_equal(http_perform(h, &req, &res, &ei), ERR_PROTO); /* another URL */
	assert_non_null(strstr(ei.text, "http://h/3"));
	assert_int_equal(http_perform(h, &req, &res, &ei), ERR_LIMIT);
	assert_int_equal(http_perform(h, &req, &res, &ei), ERR_CLOSED); /* the end */
	http_response_clear(&res);
	http_free(h);
	http_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_sleep_ends_in_time_or_when_told),
		cmocka_unit_test(statuses_have_meanings),
		cmocka_unit_test(the_scripted_client_follows_its_script),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
