/* test_head.c - which headers of a backend are passed on, and how. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "router/head.h"

static void
good_headers_are_read(void **state)
{
	static const struct {
		const char *text;
		int status;
		int64_t length;
	} cases[] = {
		{ "Status: 200 OK\r\nContent-Length: 12\r\n\r\nbody", 200, 12 },
		{ "Content-Type: a/b\n\n", 200, -1 },
		{ "status: 404\r\ncontent-length:  0 \r\n\r\n", 404, 0 },
		{ "Location: /x\r\n\r\n", 302, -1 },
		{ "X:\r\n\r\n", 200, -1 },
		{ "Status: 599 x\r\nX-A: tab\there\r\n\r\n", 599, -1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct slice text = slice_str(cases[i].text);
		struct head h = { 0 };

		assert_int_equal(head_check(text, &h), 1);
		assert_int_equal(h.status, cases[i].status);
		assert_int_equal(h.length, cases[i].length);
		for (size_t cut = 0; cut < h.bytes; cut++)
			assert_int_equal(head_check((struct slice){ text.ptr, cut }, &h), 0);
	}
}

static void
garbage_is_refused(void **state)
{
	static const char *const cases[] = { "\r\n", "\n\nbody", "HTTP/1.1 200 OK\r\n\r\n",
		"<html>\n\n", "Status: 99\r\n\r\n", "Status: 199 x\r\n\r\n",
		"Status: 600\r\n\r\n", "Status: 100 Continue\r\n\r\n", "Status: abc\r\n\r\n",
		"Status: 200\r\nStatus: 200\r\n\r\n",
		"Content-Length: 1\r\nContent-Length: 1\r\n\r\n", "Content-Length: -1\r\n\r\n",
		"Content-Length: 1x\r\n\r\n", "Content-Length: \r\n\r\n",
		"Content-Length: 99999999999999999999\r\n\r\n",
		"Transfer-Encoding: chunked\r\n\r\n", "Bad Name: 1\r\n\r\n", " X: 1\r\n\r\n",
		"X : 1\r\n\r\n", "X: 1\r\r\n\r\n", "X: a\rSet-Cookie: b\r\n\r\n",
		"X: \x01\r\n\r\n", "X: \x7f\r\n\r\n" };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct head h = { .status = 7 };

		if (head_check(slice_str(cases[i]), &h) != ERR_PROTO)
			fail_msg("taken: %s", cases[i]);
		assert_int_equal(h.status, 7);
	}
	assert_int_equal(
	    head_check((struct slice){ "X: a\0b\r\n\r\n", 10 }, &(struct head){ 0 }),
	    ERR_PROTO);
}

static void
a_header_may_not_go_on_for_ever(void **state)
{
	char *text = malloc(2 * HEAD_MAX);
	struct head h;

	(void)state;
	memset(text, 'x', 2 * HEAD_MAX);
	text[1] = ':';
	assert_int_equal(head_check((struct slice){ text, HEAD_MAX - 1 }, &h), 0);
	assert_int_equal(head_check((struct slice){ text, HEAD_MAX }, &h), ERR_LIMIT);
	memcpy(text + HEAD_MAX, "\n\n", 2);
	assert_int_equal(head_check((struct slice){ text, HEAD_MAX + 2 }, &h), ERR_LIMIT);
	free(text);
}

static void
the_copy_has_our_id_and_nobody_elses(void **state)
{
	struct slice text = SLICE("Status: 200 OK\nx-request-id: theirs\r\nETag: \"1\"\n\n");
	struct buf out;

	(void)state;
	buf_init(&out, 1000);
	head_copy(&out, text, "ours");
	assert_string_equal(
	    buf_cstr(&out), "X-Request-Id: ours\r\nStatus: 200 OK\r\nETag: \"1\"\r\n\r\n");
	buf_clear(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_headers_are_read),
		cmocka_unit_test(garbage_is_refused),
		cmocka_unit_test(a_header_may_not_go_on_for_ever),
		cmocka_unit_test(the_copy_has_our_id_and_nobody_elses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
