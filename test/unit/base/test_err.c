/* Names, texts that grow outwards, and errno values. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "base/err.h"

static void
every_code_has_a_name_of_its_own(void **state)
{
	(void)state;
	assert_string_equal(err_name(0), "ok");
	assert_string_equal(err_name(ERR_CORRUPT), "corrupt");
	assert_string_equal(err_name(ERR_STALE), "stale");
	for (int a = 0; a >= ERR_STALE; a--) {
		assert_string_not_equal(err_name(a), "unknown error");
		for (int b = 0; b > a; b--)
			assert_string_not_equal(err_name(a), err_name(b));
	}
	assert_string_equal(err_name(ERR_STALE - 1), "unknown error");
	assert_string_equal(err_name(1), "unknown error");
	assert_string_equal(err_name(INT32_MIN), "unknown error");
	assert_string_equal(err_name(INT32_MAX), "unknown error");
}

static void
setting_replaces_and_wrapping_prepends(void **state)
{
	struct err_info ei = { .text = "" };

	(void)state;
	assert_int_equal(err_set(&ei, ERR_INVAL, "bad %s %d", "thing", 7), ERR_INVAL);
	assert_string_equal(ei.text, "bad thing 7");
	assert_int_equal(err_wrap(&ei, ERR_INVAL, "line %d", 3), ERR_INVAL);
	assert_string_equal(ei.text, "line 3: bad thing 7");
	assert_int_equal(err_wrap(&ei, ERR_IO, "file x"), ERR_IO);
	assert_string_equal(ei.text, "file x: line 3: bad thing 7");
	err_set(&ei, ERR_IO, "again");
	assert_string_equal(ei.text, "again");
}

static void
wrapping_nothing_names_the_code(void **state)
{
	struct err_info ei = { .text = "" };

	(void)state;
	err_wrap(&ei, ERR_NOENT, "segment 7");
	assert_string_equal(ei.text, "segment 7: not found");
}

static void
nobody_need_listen(void **state)
{
	(void)state;
	assert_int_equal(err_set(NULL, ERR_IO, "x"), ERR_IO);
	assert_int_equal(err_wrap(NULL, ERR_IO, "x"), ERR_IO);
}

static void
long_texts_are_cut_at_the_end(void **state)
{
	struct err_info ei = { .text = "" };
	char longer[1000];

	(void)state;
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	err_set(&ei, ERR_IO, "begin %s", longer);
	assert_int_equal(strlen(ei.text), sizeof(ei.text) - 1);
	err_wrap(&ei, ERR_IO, "outer");
	assert_int_equal(strlen(ei.text), sizeof(ei.text) - 1);
	assert_int_equal(strncmp(ei.text, "outer: begin xx", 15), 0);
	err_wrap(&ei, ERR_IO, "%s", longer);
	assert_int_equal(strlen(ei.text), sizeof(ei.text) - 1);
}

static void
wrapping_leaves_the_details(void **state)
{
	struct err_info ei = { .text = "", .http_status = 503, .retry_after_ms = 7 };

	(void)state;
	err_set(&ei, ERR_UNAVAILABLE, "x");
	err_wrap(&ei, ERR_UNAVAILABLE, "y");
	assert_int_equal(ei.http_status, 503);
	assert_int_equal(ei.retry_after_ms, 7);
}

static void
errno_values_become_codes(void **state)
{
	static const struct {
		int errnum, code;
	} cases[] = { { ENOMEM, ERR_NOMEM }, { ENOENT, ERR_NOENT }, { ENOTDIR, ERR_NOENT },
		{ EEXIST, ERR_EXISTS }, { EACCES, ERR_DENIED }, { EPERM, ERR_DENIED },
		{ EROFS, ERR_DENIED }, { ENOSPC, ERR_FULL }, { ETIMEDOUT, ERR_TIMEOUT },
		{ EAGAIN, ERR_BUSY }, { EINVAL, ERR_INVAL }, { EPIPE, ERR_CLOSED },
		{ ECONNREFUSED, ERR_CLOSED }, { EIO, ERR_IO }, { EFBIG, ERR_IO }, { 0, ERR_IO },
		{ -5, ERR_IO } };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(err_from_errno(cases[i].errnum), cases[i].code);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_code_has_a_name_of_its_own),
		cmocka_unit_test(setting_replaces_and_wrapping_prepends),
		cmocka_unit_test(wrapping_nothing_names_the_code),
		cmocka_unit_test(nobody_need_listen),
		cmocka_unit_test(long_texts_are_cut_at_the_end),
		cmocka_unit_test(wrapping_leaves_the_details),
		cmocka_unit_test(errno_values_become_codes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
