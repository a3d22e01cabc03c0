/* Validators: what If-None-Match may look like, and what changes one. */
#include "fcgi/etag.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void
lists_of_validators_are_compared_weakly(void **state)
{
	static const struct {
		const char *field;
		bool matches;
	} cases[] = {
		{ "\"1.2-a-b\"", true },
		{ "W/\"1.2-a-b\"", true },
		{ "\"x\", \"1.2-a-b\"", true },
		{ "\"x\",W/\"1.2-a-b\" , \"y\"", true },
		{ "\"1.2-a-b-gzip\"", true }, /* Apache and lighttpd, after compressing */
		{ "W/\"1.2-a-b-br\"", true },
		{ "*", true },
		{ " * ", true },
		{ "", false },
		{ "\"1.2-a-c\"", false },
		{ "\"1.2-a-bb\"", false },
		{ "\"-gzip\"", false },
		{ "1.2-a-b", false },
		{ "\"1.2-a-b", false },
		{ "w/\"1.2-a-b\"", false },
		{ "*, \"1.2-a-b\"", false },
		{ "x \"1.2-a-b\"", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (etag_matches(slice_str(cases[i].field), "\"1.2-a-b\"") != cases[i].matches)
			fail_msg("%s", cases[i].field);
	}
}

static void
position_path_query_and_format_each_count(void **state)
{
	struct snap_repo r = { .log_segment = 1, .log_offset = 2 }, later = r;
	char etag[ETAG_TEXT], other[ETAG_TEXT];
	static const char *const asked[][3] = { { "/q", "b", "json" }, { "/p", "c", "json" },
		{ "/p", "b", "csv" }, { "/pb", "", "json" } };

	(void)state;
	etag_of_log(&r, SLICE("/p"), SLICE("b"), SLICE("json"), etag);
	assert_true(etag_matches(slice_str(etag), etag));
	for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
		etag_of_log(&r, slice_str(asked[i][0]), slice_str(asked[i][1]),
		    slice_str(asked[i][2]), other);
		assert_string_not_equal(etag, other);
	}
	later.log_offset++;
	etag_of_log(&later, SLICE("/p"), SLICE("b"), SLICE("json"), other);
	assert_string_not_equal(etag, other);
}

static void
the_longest_position_fits(void **state)
{
	struct snap_repo r = { .log_segment = UINT32_MAX, .log_offset = UINT64_MAX };
	char etag[ETAG_TEXT];

	(void)state;
	etag_of_log(&r, SLICE("/"), SLICE(""), SLICE(""), etag);
	assert_int_equal(etag[strlen(etag) - 1], '"');
	assert_true(strlen(etag) > 40);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lists_of_validators_are_compared_weakly),
		cmocka_unit_test(position_path_query_and_format_each_count),
		cmocka_unit_test(the_longest_position_fits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
