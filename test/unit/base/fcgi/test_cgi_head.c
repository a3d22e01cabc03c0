/* test_cgi_head.c - headers of CGI answers, good, cut and broken. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/fcgi/cgi_head.h"

static void
status_and_length_are_found(void **state)
{
	static const struct {
		const char *text;
		int rc, status;
		size_t bytes;
	} cases[] = {
		{ "Status: 404 Not Found\r\nA: b\r\n\r\nbody", 1, 404, 31 },
		{ "A: b\n\nbody", 1, 200, 6 },
		{ "Location: /x\n\n", 1, 302, 14 },
		{ "sTaTuS:204\n\n", 1, 204, 12 },
		{ "\nbody", 1, 200, 1 },
		{ "A: b\r\n", 0, 0, 0 },
		{ "", 0, 0, 0 },
		{ "Status: 99 x\n\n", ERR_PROTO, 0, 0 },
		{ "Status: 099 x\n\n", ERR_PROTO, 0, 0 },
		{ "Status: 2000\n\n", ERR_PROTO, 0, 0 },
		{ "Status:\n\n", ERR_PROTO, 0, 0 },
		{ "no colon\n\n", ERR_PROTO, 0, 0 },
		{ ": x\n\n", ERR_PROTO, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct cgi_head h = { 0 };

		assert_int_equal(cgi_head_parse(slice_str(cases[i].text), &h), cases[i].rc);
		if (cases[i].rc != 1)
			continue;
		assert_int_equal(h.status, cases[i].status);
		assert_int_equal(h.bytes, cases[i].bytes);
	}
}

static void
an_endless_header_is_a_limit(void **state)
{
	static char text[CGI_HEAD_MAX + 10];
	struct cgi_head h;

	(void)state;
	memset(text, 'x', sizeof(text));
	assert_int_equal(cgi_head_parse((struct slice){ text, CGI_HEAD_MAX - 1 }, &h), 0);
	assert_int_equal(cgi_head_parse((struct slice){ text, sizeof(text) }, &h), ERR_LIMIT);
}

static void
fields_are_found_by_any_case_and_trimmed(void **state)
{
	struct slice head = SLICE("A: 1\r\nETag:  \"x\" \r\nb:\r\n\r\n");

	(void)state;
	assert_true(slice_is(cgi_head_field(head, "etag"), "\"x\""));
	assert_true(slice_is(cgi_head_field(head, "B"), ""));
	assert_null(cgi_head_field(head, "ET").ptr);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(status_and_length_are_found),
		cmocka_unit_test(an_endless_header_is_a_limit),
		cmocka_unit_test(fields_are_found_by_any_case_and_trimmed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
