/* The HTTP client over curl, against a socket of ours. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/http.h"
#include "base/mem.h"
#include "test/unit/base/socket_server.h"

/* "hello hello hello" */
#define GZIPPED                                                                                \
	"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xcb\x48\xcd\xc9\xc9\x57\xc8\x40\x90\x00"     \
	"\x80\x88\xf9\xe5\x11\x00\x00\x00"
#define REPLY(text) .reply = SLICE_INIT(text)

struct client {
	struct socket_server server;
	struct http *http;
	struct http_response res;
	char url[128];
	struct err_info ei;
};

/* Start the server that `c` describes, and a client. */
static void
start(struct client *c, const struct cancel *cancel)
{
	socket_server_start(&c->server);
	snprintf(c->url, sizeof(c->url), "http://127.0.0.1:%d/path?secret=1", c->server.port);
	http_response_init(&c->res);
	assert_int_equal(http_curl_new("tester/1", NULL, cancel, &c->http, NULL), 0);
}

static int
get(struct client *c, size_t body_max)
{
	const struct http_request req = { .url = c->url, .body_max = body_max };

	return http_perform(c->http, &req, &c->res, &c->ei);
}

static void
stop(struct client *c)
{
	http_free(c->http);
	socket_server_stop(&c->server);
	http_response_clear(&c->res);
}

static void
assert_body(const struct client *c, const char *want)
{
	assert_int_equal(c->res.body.len, strlen(want));
	if (want[0] != '\0')
		assert_memory_equal(c->res.body.ptr, want, strlen(want));
}

static void
an_answer_has_status_headers_and_body(void **state)
{
	struct client c = { .server = {
				REPLY("HTTP/1.1 404 Not Found\r\nX-One:  a b \r\n"
				      "X-ONE: second\r\nContent-Length: 5\r\n\r\nhello") } };

	(void)state;
	start(&c, NULL);
	assert_int_equal(get(&c, 100), 0);
	assert_int_equal(c.res.status, 404);
	assert_body(&c, "hello");
	assert_int_equal(strncmp(http_response_header(&c.res, "x-one").ptr, "a b", 3), 0);
	assert_null(http_response_header(&c.res, "x-two").ptr);
	assert_null(http_response_header(&c.res, "x-on").ptr);
	stop(&c);
	assert_non_null(strstr(c.server.asked, "GET /path?secret=1 HTTP/1.1\r\n"));
	assert_non_null(strstr(c.server.asked, "User-Agent: tester/1\r\n"));
}

static void
what_is_asked_is_sent(void **state)
{
	static const struct http_header headers[] = { { "X-Test", "value" },
		{ "Authorization", "Bearer t" }, { NULL, NULL } };
	struct client c = { .server = {
				REPLY("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") } };
	struct http_request req = { .method = "PUT",
		.headers = headers,
		.body = SLICE("a\0body?"),
		.identity = true,
		.body_max = 10 };

	(void)state;
	start(&c, NULL);
	req.url = c.url;
	assert_int_equal(http_perform(c.http, &req, &c.res, NULL), 0);
	assert_body(&c, "");
	stop(&c);
	assert_int_equal(strncmp(c.server.asked, "PUT /path?secret=1 HTTP/1.1\r\n", 28), 0);
	assert_non_null(strstr(c.server.asked, "\r\nX-Test: value\r\n"));
	assert_non_null(strstr(c.server.asked, "\r\nAuthorization: Bearer t\r\n"));
	assert_non_null(strstr(c.server.asked, "\r\nContent-Length: 7\r\n"));
	assert_null(strstr(c.server.asked, "Accept-Encoding"));
	assert_memory_equal(c.server.asked + c.server.asked_len - 7, "a\0body?", 7);
}

static void
bodies_come_whole_however_they_are_sent(void **state)
{
	static const struct {
		struct slice reply;
		const char *body;
	} cases[] = {
		{ SLICE_INIT("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
			     "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"),
		    "abcde" },
		{ SLICE_INIT("HTTP/1.0 200 OK\r\n\r\nto the end"), "to the end" },
		{ SLICE_INIT("HTTP/1.1 100 Continue\r\nX-Interim: 1\r\n\r\nHTTP/1.1 200 OK\r\n"
			     "Content-Length: 2\r\n\r\nok"),
		    "ok" },
		{ SLICE_INIT("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n"
			     "Content-Length: 28\r\n\r\n" GZIPPED),
		    "hello hello hello" },
		{ SLICE_INIT("HTTP/1.1 204 No Content\r\n\r\n"), "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct client c = { .server = { .reply = cases[i].reply } };

		start(&c, NULL);
		assert_int_equal(get(&c, 100), 0);
		assert_body(&c, cases[i].body);
		assert_null(http_response_header(&c.res, "x-interim").ptr);
		stop(&c);
	}
}

static void
a_body_may_reach_its_cap_and_not_pass_it(void **state)
{
	static const struct {
		size_t cap;
		int rc;
	} cases[] = { { 5, 0 }, { 4, ERR_LIMIT }, { 0, ERR_LIMIT } };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct client c = { .server = { REPLY("HTTP/1.1 200 OK\r\n"
						      "Content-Length: 5\r\n\r\nhello") } };

		start(&c, NULL);
		assert_int_equal(get(&c, cases[i].cap), cases[i].rc);
		stop(&c);
	}
}

/* The cap is that of the bytes handed over, not of those on the wire. */
static void
a_body_that_unpacks_past_its_cap_is_refused(void **state)
{
	struct client c = { .server = { REPLY("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n"
					      "Content-Length: 28\r\n\r\n" GZIPPED) } };

	(void)state;
	start(&c, NULL);
	assert_int_equal(get(&c, 16), ERR_LIMIT);
	stop(&c);
}

static void
an_answer_that_is_cut_short_is_an_error(void **state)
{
	static const struct {
		struct slice reply;
		int rc;
	} cases[] = {
		{ SLICE_INIT("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhello"),
		    ERR_CLOSED },
		{ SLICE_INIT("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel"),
		    ERR_CLOSED },
		{ SLICE_INIT(
		      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"),
		    ERR_CLOSED },
		{ SLICE_INIT(""), ERR_CLOSED },
		{ SLICE_INIT("this is not HTTP\r\n\r\n"), ERR_PROTO },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct client c = { .server = { .reply = cases[i].reply } };
		int rc;

		start(&c, NULL);
		rc = get(&c, 1000);
		assert_int_equal(rc, cases[i].rc);
		assert_true(c.ei.text[0] != '\0');
		stop(&c);
	}
}

static void
nobody_there_is_a_closed_connection(void **state)
{
	struct client c = { .server = { REPLY("") } };
	char url[64];
	int rc;

	(void)state;
	start(&c, NULL);
	snprintf(url, sizeof(url), "%s", c.url);
	stop(&c);
	http_response_init(&c.res);
	assert_int_equal(http_curl_new("tester/1", NULL, NULL, &c.http, NULL), 0);
	rc = http_perform(c.http, &(struct http_request){ .url = url }, &c.res, &c.ei);
	assert_int_equal(rc, ERR_CLOSED);
	http_free(c.http);
	http_response_clear(&c.res);
}

static void
silence_is_a_timeout(void **state)
{
	static const struct {
		struct slice reply;
		bool silent;
		int64_t total_ms, stall_ms;
	} cases[] = {
		{ SLICE_INIT(""), true, 150, 0 },
		{ SLICE_INIT("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhel"), false, 150,
		    0 },
		{ SLICE_INIT("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhel"), false, 0,
		    1000 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct client c = { .server = { .reply = cases[i].reply,
					.silent = cases[i].silent,
					.hold = true } };
		struct http_request req = { .body_max = 100,
			.total_ms = cases[i].total_ms,
			.stall_ms = cases[i].stall_ms };
		int64_t began = clock_mono_ms();
		int rc;

		start(&c, NULL);
		req.url = c.url;
		rc = http_perform(c.http, &req, &c.res, &c.ei);
		assert_int_equal(rc, ERR_TIMEOUT);
		assert_in_range(clock_mono_ms() - began, 100, 8000);
		stop(&c);
	}
}

static void
redirects_are_answers_like_others(void **state)
{
	struct client c = { .server = { REPLY("HTTP/1.1 302 Found\r\nLocation: /else\r\n"
					      "Content-Length: 0\r\n\r\n") } };

	(void)state;
	start(&c, NULL);
	assert_int_equal(get(&c, 100), 0);
	assert_int_equal(c.res.status, 302);
	assert_true(slice_is(http_response_header(&c.res, "location"), "/else"));
	stop(&c);
	assert_int_equal(c.server.requests, 1);
}

static void
connections_are_kept_and_fresh_ones_are_not(void **state)
{
	struct client c = { .server = { REPLY("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"),
				.keep = true } };

	(void)state;
	start(&c, NULL);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(get(&c, 100), 0);
		assert_body(&c, "ok"); /* emptied in between */
	}
	stop(&c);
	assert_int_equal(c.server.requests, 3);
	assert_int_equal(c.server.connections, 1);
}

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
a_descriptor_stops_a_request(void **state)
{
	struct client c = { .server = { .silent = true } };
	int fds[2], count = 0;
	int64_t began = clock_mono_ms();

	(void)state;
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(write(fds[1], "x", 1), 1);
	start(&c, &(struct cancel){ .fd = fds[0], .check = yes, .ctx = &count });
	assert_int_equal(get(&c, 100), ERR_CANCELED);
	assert_int_equal(count, 1);
	assert_in_range(clock_mono_ms() - began, 0, 5000);
	stop(&c);
	close(fds[0]);
	close(fds[1]);
}

static void
a_descriptor_that_means_nothing_does_not(void **state)
{
	struct client c = { .server = {
				REPLY("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok") } };
	int fds[2], ctx[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(write(fds[1], "x", 1), 1);
	ctx[0] = fds[0];
	ctx[1] = 0;
	start(&c, &(struct cancel){ .fd = fds[0], .check = no, .ctx = ctx });
	assert_int_equal(get(&c, 100), 0);
	assert_body(&c, "ok");
	stop(&c);
	assert_in_range(ctx[1], 0, 1);
	close(fds[0]);
	close(fds[1]);
}

static void
only_http_is_spoken(void **state)
{
	static const char *const urls[] = { "ftp://127.0.0.1/x", "file:///etc/passwd",
		"gopher://127.0.0.1/", "http://", "http://[::1", "" };

	(void)state;
	for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
		struct http_response res;
		struct http *h;
		int rc;

		http_response_init(&res);
		assert_int_equal(http_curl_new("tester/1", NULL, NULL, &h, NULL), 0);
		rc = http_perform(h, &(struct http_request){ .url = urls[i] }, &res, NULL);
		if (rc != ERR_INVAL)
			fail_msg("%s: %s", urls[i], err_name(rc));
		http_free(h);
		http_response_clear(&res);
	}
}

static void
messages_keep_secrets(void **state)
{
	static const char *const urls[] = { "http://127.0.0.1:1/path?token=hush",
		"http://user:hush@127.0.0.1:1/path" };

	(void)state;
	for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
		static const struct http_header headers[] = { { "Authorization", "hush" },
			{ NULL, NULL } };
		const struct http_request req = { .url = urls[i], .headers = headers };
		struct err_info ei = { .text = "" };
		struct http_response res;
		struct http *h;

		http_response_init(&res);
		assert_int_equal(http_curl_new("tester/1", NULL, NULL, &h, NULL), 0);
		assert_int_not_equal(http_perform(h, &req, &res, &ei), 0);
		assert_true(ei.text[0] != '\0');
		assert_null(strstr(ei.text, "hush"));
		http_free(h);
		http_response_clear(&res);
	}
}

static void
every_allocation_may_fail(void **state)
{
	static const struct http_header headers[] = { { "X-Test", "value" }, { NULL, NULL } };
	struct client c = { .server = { REPLY("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"),
				.keep = true } };
	struct http_request req = { .headers = headers, .body_max = 100 };
	int rc = ERR_NOMEM;

	(void)state;
	start(&c, NULL);
	req.url = c.url;
	for (long n = 0; rc != 0; n++) {
		http_response_clear(&c.res);
		mem_fail_after(n);
		rc = http_perform(c.http, &req, &c.res, &c.ei);
		mem_fail_after(MEM_NEVER);
		assert_true(rc == 0 || rc == ERR_NOMEM);
		assert_in_range(n, 0, 50);
	}
	assert_body(&c, "ok");
	stop(&c);
}

/* Proxies of the machine must not see what goes to our own socket. */
static int
setup(void **state)
{
	(void)state;
	setenv("no_proxy", "*", 1);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_answer_has_status_headers_and_body),
		cmocka_unit_test(what_is_asked_is_sent),
		cmocka_unit_test(bodies_come_whole_however_they_are_sent),
		cmocka_unit_test(a_body_may_reach_its_cap_and_not_pass_it),
		cmocka_unit_test(a_body_that_unpacks_past_its_cap_is_refused),
		cmocka_unit_test(an_answer_that_is_cut_short_is_an_error),
		cmocka_unit_test(nobody_there_is_a_closed_connection),
		cmocka_unit_test(silence_is_a_timeout),
		cmocka_unit_test(redirects_are_answers_like_others),
		cmocka_unit_test(connections_are_kept_and_fresh_ones_are_not),
		cmocka_unit_test(a_descriptor_stops_a_request),
		cmocka_unit_test(a_descriptor_that_means_nothing_does_not),
		cmocka_unit_test(only_http_is_spoken),
		cmocka_unit_test(messages_keep_secrets),
		cmocka_unit_test(every_allocation_may_fail),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
