/* test_request.c - what CGI variables mean, and how answers look; out of memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "fcgi/request.h"

#define PARAMS(...) ((const struct request_pair[]){ __VA_ARGS__, { NULL, NULL } })

struct seen {
	char path[200], query[200];
	bool over;
	size_t body_bytes;
};

static void
copy(char *dst, struct slice s)
{
	assert_in_range(s.len, 0, 199);
	memcpy(dst, s.ptr, s.len);
	dst[s.len] = '\0';
}

static void
look(void *ctx, unsigned thread, struct request *req)
{
	struct seen *s = ctx;

	(void)thread;
	copy(s->path, req->path);
	copy(s->query, req->query);
	s->over = req->body_over;
	s->body_bytes = req->body.len;
	buf_str(req->out, "seen");
	request_reply(req, 200, "text/plain", NULL, req->out);
}

static int
serve(const struct request_pair *params, const char *body, request_handler handler, void *ctx,
    struct buf *ret)
{
	const struct request_serve_opts opts = { .body_bytes_max = 10 };

	buf_init(ret, 1 << 20);
	return request_serve_mem(params, slice_str(body), &opts, handler, ctx, ret);
}

static void
path_and_query_stay_raw(void **state)
{
	static const struct {
		const char *uri, *script, *info, *query, *want_path, *want_query;
	} cases[] = {
		{ "/a/b%2Fc?x=1&y=%20", "/s", "/i", NULL, "/a/b%2Fc", "x=1&y=%20" },
		{ "/a?x=1", NULL, NULL, "y=2", "/a", "y=2" },
		{ "/a", NULL, NULL, NULL, "/a", "" },
		{ "/a??", NULL, NULL, NULL, "/a", "?" },
		{ "?x", NULL, NULL, NULL, "", "x" },
		{ "http://host:80/a//b?q", NULL, NULL, NULL, "/a//b", "q" },
		{ "HTTPS://host", NULL, NULL, NULL, "/", "" },
		{ NULL, "/s", "/i j%?#\x7f", "q=1", "/s/i%20j%25%3F%23%7F", "q=1" },
		{ NULL, NULL, "/only", NULL, "/only", "" },
		{ NULL, "/s", NULL, NULL, "/s", "" },
		{ NULL, NULL, NULL, NULL, "", "" },
		{ "", "/s", NULL, "", "/s", "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct request_pair params[6] = { { "REQUEST_METHOD", "GET" } };
		struct seen s;
		struct buf out;
		size_t n = 1;

		if (cases[i].uri != NULL)
			params[n++] = (struct request_pair){ "REQUEST_URI", cases[i].uri };
		if (cases[i].script != NULL)
			params[n++] = (struct request_pair){ "SCRIPT_NAME", cases[i].script };
		if (cases[i].info != NULL)
			params[n++] = (struct request_pair){ "PATH_INFO", cases[i].info };
		if (cases[i].query != NULL)
			params[n++] = (struct request_pair){ "QUERY_STRING", cases[i].query };
		assert_int_equal(serve(params, "", look, &s, &out), 0);
		assert_string_equal(s.path, cases[i].want_path);
		assert_string_equal(s.query, cases[i].want_query);
		buf_clear(&out);
	}
}

static void
a_body_is_cut_at_its_cap(void **state)
{
	struct seen s;
	struct buf out;

	(void)state;
	assert_int_equal(
	    serve(PARAMS({ "REQUEST_METHOD", "POST" }), "0123456789", look, &s, &out), 0);
	assert_false(s.over);
	buf_clear(&out);
	assert_int_equal(
	    serve(PARAMS({ "REQUEST_METHOD", "POST" }), "0123456789a", look, &s, &out), 0);
	assert_true(s.over);
	assert_int_equal(s.body_bytes, 10);
	buf_clear(&out);
}

static void
want_headers(void *ctx, unsigned thread, struct request *req)
{
	(void)ctx;
	(void)thread;
	assert_true(slice_is(request_header(req, "if-none-match"), "\"x\""));
	assert_true(slice_is(request_header(req, "Content-Type"), "text/a"));
	assert_true(slice_is(request_header(req, "content-length"), "0"));
	assert_null(request_header(req, "Accept").ptr);
	assert_null(request_header(req,
	    "A-name-that-is-longer-than-any-header-that-we-ask-for-A-name-that-is-longer-"
	    "than-any-header-that-we-ask-for")
			.ptr);
	assert_true(slice_is(request_param(req, "REMOTE_ADDR"), "::1"));
	assert_int_equal(request_param(req, "EMPTY").len, 0);
	assert_non_null(request_param(req, "EMPTY").ptr);
	request_reply(req, 204, NULL, NULL, NULL);
}

static void
headers_are_found_by_their_http_names(void **state)
{
	struct buf out;

	(void)state;
	assert_int_equal(
	    serve(PARAMS({ "REQUEST_METHOD", "GET" }, { "HTTP_IF_NONE_MATCH", "\"x\"" },
		      { "CONTENT_TYPE", "text/a" }, { "CONTENT_LENGTH", "0" },
		      { "REMOTE_ADDR", "::1" }, { "EMPTY", "" }),
		"", want_headers, NULL, &out),
	    0);
	assert_true(slice_is(buf_view(&out), "Status: 204 No Content\r\n\r\n"));
	buf_clear(&out);
}

/* What a handler answers in the next test. */
struct plan {
	int status;
	const char *type, *body;
	const struct request_field *fields;
	int replies;
	bool break_body;
};

static void
answer(void *ctx, unsigned thread, struct request *req)
{
	const struct plan *p = ctx;

	(void)thread;
	assert_int_equal(req->out->len, 0);
	if (p->body != NULL)
		buf_str(req->out, p->body);
	if (p->break_body)
		req->out->err = ERR_NOMEM;
	for (int i = 0; i < p->replies; i++)
		request_reply(
		    req, p->status, p->type, p->fields, p->body != NULL ? req->out : NULL);
}

static void
answers_have_the_header_that_fits_their_status_and_method(void **state)
{
	const struct request_field fields[] = { { "ETag", SLICE("\"e\"") },
		{ "Bad", SLICE("a\r\nEvil: x") }, { "B\nad", SLICE("x") },
		{ "X-Tab", SLICE("a\tb") }, { NULL, SLICE("") } };
	const struct {
		const char *method;
		struct plan plan;
		const char *want;
	} cases[] = {
		{ "GET", { 200, "text/a", "hello", NULL, 1, false },
		    "Status: 200 OK\r\nContent-Type: text/a\r\nContent-Length: "
		    "5\r\n\r\nhello" },
		{ "GET", { 404, "text/a", "", fields, 1, false },
		    "Status: 404 Not Found\r\nContent-Type: text/a\r\nContent-Length: 0\r\n"
		    "ETag: \"e\"\r\nX-Tab: a\tb\r\n\r\n" },
		{ "HEAD", { 200, "text/a", "hello", NULL, 1, false },
		    "Status: 200 OK\r\nContent-Type: text/a\r\nContent-Length: 5\r\n\r\n" },
		{ "GET", { 304, NULL, "gone", fields, 1, false },
		    "Status: 304 Not Modified\r\nETag: \"e\"\r\nX-Tab: a\tb\r\n\r\n" },
		{ "GET", { 777, NULL, NULL, NULL, 1, false },
		    "Status: 777 Unknown\r\nContent-Length: 0\r\n\r\n" },
		{ "GET", { 200, "text/a", "once", NULL, 3, false },
		    "Status: 200 OK\r\nContent-Type: text/a\r\nContent-Length: 4\r\n\r\nonce" },
		{ "GET", { 200, "text/a", "x", NULL, 1, true },
		    "Status: 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n" },
		{ "GET", { 200, "text/a", "forgotten", NULL, 0, false },
		    "Status: 500 Internal Server Error\r\nContent-Type: application/json\r\n"
		    "Content-Length: 51\r\n\r\n"
		    "{\"code\":13,\"message\":\"internal error\",\"details\":[]}" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct plan plan = cases[i].plan;
		struct buf out;

		assert_int_equal(
		    serve(PARAMS({ "REQUEST_METHOD", cases[i].method }, { "REQUEST_URI", "/" }),
			"", answer, &plan, &out),
		    0);
		assert_string_equal(buf_cstr(&out), cases[i].want);
		buf_clear(&out);
	}
}

static void
every_allocation_may_fail(void **state)
{
	struct plan plan = { 200, "text/a", "hello", NULL, 1, false };

	(void)state;
	for (long n = 0; n < 8; n++) {
		struct buf out;
		int rc;

		mem_fail_after(n);
		rc = serve(PARAMS({ "PATH_INFO", "/x" }), "", answer, &plan, &out);
		mem_fail_after(MEM_NEVER);
		assert_true(rc == ERR_NOMEM || (rc == 0 && out.len > 20));
		buf_clear(&out);
	}
}

/* --- work in several runs --- */

struct work {
	unsigned runs, last, dropped;
	bool takes; /* does the last run take the state? */
	bool had_state;
};

static struct work *dropped_of;

static void
drop_work(void *state)
{
	assert_ptr_equal(state, dropped_of);
	dropped_of->dropped++;
}

static void
work_on(void *ctx, unsigned thread, struct request *req)
{
	struct work *w = ctx;

	(void)thread;
	w->had_state = request_has_state(req);
	if (++w->runs < w->last) {
		assert_int_equal(request_take_state(req) != NULL, w->runs > 1);
		request_again_with(req, 1, w, drop_work);
		return;
	}
	if (w->takes)
		assert_ptr_equal(request_take_state(req), w->last > 1 ? w : NULL);
	request_reply(req, 204, NULL, NULL, NULL);
}

static void
state_is_dropped_once_if_nobody_takes_it(void **state)
{
	static const struct work cases[] = { { .last = 1, .takes = true }, { .last = 1 },
		{ .last = 4, .takes = true }, { .last = 4 } };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct work w = cases[i];
		struct buf out;

		dropped_of = &w;
		assert_int_equal(
		    serve(PARAMS({ "PATH_INFO", "/x" }), "", work_on, &w, &out), 0);
		assert_int_equal(w.runs, w.last);
		assert_int_equal(w.had_state, w.last > 1);
		assert_int_equal(w.dropped, w.last > 1 && !w.takes);
		buf_clear(&out);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(path_and_query_stay_raw),
		cmocka_unit_test(a_body_is_cut_at_its_cap),
		cmocka_unit_test(headers_are_found_by_their_http_names),
		cmocka_unit_test(answers_have_the_header_that_fits_their_status_and_method),
		cmocka_unit_test(every_allocation_may_fail),
		cmocka_unit_test(state_is_dropped_once_if_nobody_takes_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
