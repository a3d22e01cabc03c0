/* Times as text: RFC 3339 both ways, and the Date header of HTTP. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/clock.h"
#include "base/err.h"

static void
times_print_as_rfc_3339(void **state)
{
	static const struct {
		int64_t ms;
		const char *want;
	} cases[] = {
		{ 0, "1970-01-01T00:00:00Z" },
		{ 1, "1970-01-01T00:00:00.001Z" },
		{ 999, "1970-01-01T00:00:00.999Z" },
		{ 1000, "1970-01-01T00:00:01Z" },
		{ -1, "1969-12-31T23:59:59.999Z" },
		{ -1000, "1969-12-31T23:59:59Z" },
		{ INT64_C(951782400000), "2000-02-29T00:00:00Z" },
		{ INT64_C(4102444800000), "2100-01-01T00:00:00Z" },
		{ INT64_C(253402300799999), "9999-12-31T23:59:59.999Z" },
		{ INT64_C(-62135596800000), "0001-01-01T00:00:00Z" },
		/* what no calendar of four digits has */
		{ INT64_C(253402300800000), "0001-01-01T00:00:00Z" },
		{ INT64_C(-62135596800001), "0001-01-01T00:00:00Z" },
		{ INT64_MAX, "0001-01-01T00:00:00Z" },
		{ TIME_NONE, "0001-01-01T00:00:00Z" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[TIME_TEXT_MAX];

		assert_int_equal(time_format(cases[i].ms, text), strlen(cases[i].want));
		assert_string_equal(text, cases[i].want);
	}
}

static void
what_is_printed_reads_back(void **state)
{
	uint64_t seed = 99;

	(void)state;
	for (int n = 0; n < 20000; n++) {
		char text[TIME_TEXT_MAX];
		int64_t ms, back = 0;

		seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
		/* the years 1 to 9999 */
		ms = INT64_C(-62135596800000) +
		     (int64_t)((seed >> 8) % UINT64_C(315537897600000));
		assert_int_equal(
		    time_parse((struct slice){ text, time_format(ms, text) }, &back), 0);
		assert_int_equal(back, ms);
	}
}

static void
every_form_of_rfc_3339_is_read(void **state)
{
	static const struct {
		const char *text;
		int64_t want;
	} cases[] = {
		{ "1970-01-01T00:00:00Z", 0 },
		{ "1970-01-01T00:00:00+00:00", 0 },
		{ "1970-01-01T00:00:00-00:00", 0 },
		{ "1970-01-01T01:00:00+01:00", 0 },
		{ "1969-12-31T18:30:00-05:30", 0 },
		{ "1970-01-01T23:59:00+23:59", 0 },
		{ "1970-01-01T00:00:00.1Z", 100 },
		{ "1970-01-01T00:00:00.12Z", 120 },
		{ "1970-01-01T00:00:00.123Z", 123 },
		{ "1970-01-01T00:00:00.123999999Z", 123 }, /* dropped, not rounded */
		{ "1970-01-01T00:00:00.000000000000000000001Z", 0 },
		{ "1970-01-01T00:00:00.5+01:00", -3599500 },
		{ "2016-12-31T23:59:60Z", INT64_C(1483228800000) }, /* a leap second */
		{ "2016-12-31T23:59:60.5Z", INT64_C(1483228800500) },
		{ "2015-07-01T01:59:60+02:00", INT64_C(1435708800000) },
		{ "2000-02-29T00:00:00Z", INT64_C(951782400000) },
		{ "9999-12-31T23:59:59Z", INT64_C(253402300799000) },
		{ "0001-01-01T00:00:00Z", INT64_C(-62135596800000) },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int64_t ms = 1;

		if (time_parse(slice_str(cases[i].text), &ms) != 0 || ms != cases[i].want)
			fail_msg("%s: %lld", cases[i].text, (long long)ms);
	}
}

static void
everything_else_is_refused_and_the_output_left_alone(void **state)
{
	static const char *const texts[] = { "", "Z", "2020", "2020-01-01", "2020-01-01T",
		"2020-01-01T00:00Z", "2020-01-01T00:00:00", "2020-01-01 00:00:00Z",
		"2020-01-01T00:00:00z ", " 2020-01-01T00:00:00Z", "2020-01-01T00:00:00Zx",
		"2020-01-01T00:00:00ZZ", "2020-1-01T00:00:00Z", "2020-01-1T00:00:00Z",
		"2020-01-01T0:00:00Z", "20-01-01T00:00:00Z", "02020-01-01T00:00:00Z",
		"2020/01/01T00:00:00Z", "2020-01-01T00-00-00Z", "0000-01-01T00:00:00Z",
		"2020-00-01T00:00:00Z", "2020-13-01T00:00:00Z", "2020-01-00T00:00:00Z",
		"2020-01-32T00:00:00Z", "2020-02-30T00:00:00Z", "2019-02-29T00:00:00Z",
		"2100-02-29T00:00:00Z", "2020-04-31T00:00:00Z", "2020-02-30T23:59:60Z",
		"2020-01-01T24:00:00Z", "2020-01-01T00:60:00Z", "2020-01-01T00:00:61Z",
		"2020-01-01T00:00:00.Z", "2020-01-01T00:00:00.xZ", "2020-01-01T00:00:00,5Z",
		"2020-01-01T00:00:00.5", "2020-01-01T00:00:00+0100", "2020-01-01T00:00:00+01",
		"2020-01-01T00:00:00+1:00", "2020-01-01T00:00:00+24:00",
		"2020-01-01T00:00:00+01:60", "2020-01-01T00:00:00+01:00Z",
		"2020-01-01T00:00:00 +01:00", "-020-01-01T00:00:00Z", "+020-01-01T00:00:00Z",
		"2020-+1-01T00:00:00Z", "2020-01-01T00:00:-1Z" };

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		int64_t ms = 77;

		if (time_parse(slice_str(texts[i]), &ms) != ERR_INVAL || ms != 77)
			fail_msg("%s is read as %lld", texts[i], (long long)ms);
	}
	assert_int_equal(
	    time_parse((struct slice){ "2020-01-01T00:00:00Z\0", 21 }, &(int64_t){ 0 }),
	    ERR_INVAL);
}

/* No prefix of a time is a time, and none is read past its end. */
static void
a_time_cut_anywhere_is_refused(void **state)
{
	static const char text[] = "2020-01-01T00:00:00.123+01:00";

	(void)state;
	for (size_t len = 0; len < sizeof(text) - 1; len++) {
		char *cut = test_malloc(len + 1);
		int64_t ms;

		memcpy(cut, text, len);
		assert_int_equal(time_parse((struct slice){ cut, len }, &ms), ERR_INVAL);
		test_free(cut);
	}
}

static void
the_date_header_is_read(void **state)
{
	static const struct {
		const char *text;
		int rc;
		int64_t want;
	} cases[] = {
		{ "Sun, 06 Nov 1994 08:49:37 GMT", 0, INT64_C(784111777000) },
		{ "Thu, 01 Jan 1970 00:00:00 GMT", 0, 0 },
		{ "Tue, 29 Feb 2000 23:59:59 GMT", 0, INT64_C(951868799000) },
		{ "Sat, 31 Dec 2016 23:59:60 GMT", 0, INT64_C(1483228800000) },
		{ "", ERR_INVAL, 0 },
		{ "Sunday, 06-Nov-94 08:49:37 GMT", ERR_INVAL, 0 },
		{ "Sun Nov  6 08:49:37 1994", ERR_INVAL, 0 },
		{ "Sun, 06 Nov 1994 08:49:37", ERR_INVAL, 0 },
		{ "Sun, 06 Nov 1994 08:49:37 UTC", ERR_INVAL, 0 },
		{ "Sun, 06 Nov 1994 08:49:37 GMT ", ERR_INVAL, 0 },
		{ "Sun, 06 Nov 1994 25:49:37 GMT", ERR_INVAL, 0 },
		{ "Sun, 32 Nov 1994 08:49:37 GMT", ERR_INVAL, 0 },
		{ "Sun, 31 Nov 1994 08:49:37 GMT", ERR_INVAL, 0 },
		{ "Wed, 30 Feb 2000 08:49:37 GMT", ERR_INVAL, 0 },
		{ "Sun, 06 Foo 1994 08:49:37 GMT", ERR_INVAL, 0 },
		{ "1994-11-06T08:49:37Z", ERR_INVAL, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int64_t ms = 0;
		int rc = time_parse_http(cases[i].text, &ms);

		if (rc != cases[i].rc || ms != cases[i].want)
			fail_msg("%s: %lld", cases[i].text, (long long)ms);
	}
}

static void
clocks_go_forward(void **state)
{
	int64_t mono = clock_mono_ms();

	(void)state;
	assert_true(clock_mono_ms() >= mono);
	assert_true(clock_real_ms() > INT64_C(1700000000000));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(times_print_as_rfc_3339),
		cmocka_unit_test(what_is_printed_reads_back),
		cmocka_unit_test(every_form_of_rfc_3339_is_read),
		cmocka_unit_test(everything_else_is_refused_and_the_output_left_alone),
		cmocka_unit_test(a_time_cut_anywhere_is_refused),
		cmocka_unit_test(the_date_header_is_read),
		cmocka_unit_test(clocks_go_forward),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
