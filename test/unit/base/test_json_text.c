/* Escaped texts: round trips, invalid UTF-8, surrogates, and damage. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <jansson.h>
#include <string.h>

#include "base/json_text.h"

static uint32_t
rnd(uint64_t *seed)
{
	*seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(*seed >> 33);
}

static void
what_must_be_escaped_is_and_nothing_else(void **state)
{
	static const struct {
		const char *text;
		size_t len;
		const char *want;
	} cases[] = {
		{ "", 0, "" },
		{ "plain text / 'x'", 16, "plain text / 'x'" },
		{ "\"\\", 2, "\\\"\\\\" },
		{ "\b\t\n\f\r", 5, "\\b\\t\\n\\f\\r" },
		{ "\0\x01\x0b\x0e\x1f", 5, "\\u0000\\u0001\\u000b\\u000e\\u001f" },
		{ " \x7f", 2, " \x7f" },
		{ "caf\xc3\xa9", 5, "caf\xc3\xa9" },
		{ "\xe2\x82\xac\xf0\x9f\x98\x80", 7, "\xe2\x82\xac\xf0\x9f\x98\x80" },
		{ "a\xff"
		  "b",
		    3,
		    "a\xef\xbf\xbd"
		    "b" },
		{ "\xc3", 1, "\xef\xbf\xbd" },
		{ "\xc3\"", 2, "\xef\xbf\xbd\\\"" },
		{ "\xe2\x82", 2, "\xef\xbf\xbd\xef\xbf\xbd" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf b;

		buf_init(&b, 1000);
		json_text_escape(&b, (struct slice){ cases[i].text, cases[i].len });
		assert_string_equal(buf_cstr(&b), cases[i].want);
		buf_clear(&b);
	}
}

static void
characters_are_told_from_bytes(void **state)
{
	static const struct {
		const char *bytes;
		size_t len, want;
	} cases[] = {
		{ "", 0, 0 },
		{ "a", 1, 1 },
		{ "\x7f", 1, 1 },
		{ "\x80", 1, 0 },         /* a continuation alone */
		{ "\xc0\x80", 2, 0 },     /* overlong */
		{ "\xc1\xbf", 2, 0 },     /* overlong */
		{ "\xc2\x80", 2, 2 },     /* U+0080 */
		{ "\xdf\xbf", 2, 2 },     /* U+07FF */
		{ "\xdf\xc0", 2, 0 },     /* no continuation */
		{ "\xdf", 1, 0 },         /* cut */
		{ "\xe0\x9f\xbf", 3, 0 }, /* overlong */
		{ "\xe0\xa0\x80", 3, 3 }, /* U+0800 */
		{ "\xed\x9f\xbf", 3, 3 }, /* U+D7FF */
		{ "\xed\xa0\x80", 3, 0 }, /* a surrogate */
		{ "\xed\xbf\xbf", 3, 0 }, /* a surrogate */
		{ "\xee\x80\x80", 3, 3 }, /* U+E000 */
		{ "\xef\xbf\xbf", 3, 3 }, /* U+FFFF */
		{ "\xef\xbf", 2, 0 },
		{ "\xe2\x28\xa1", 3, 0 },
		{ "\xe2\x82\x28", 3, 0 },
		{ "\xf0\x8f\xbf\xbf", 4, 0 }, /* overlong */
		{ "\xf0\x90\x80\x80", 4, 4 }, /* U+10000 */
		{ "\xf4\x8f\xbf\xbf", 4, 4 }, /* U+10FFFF */
		{ "\xf4\x90\x80\x80", 4, 0 }, /* past it */
		{ "\xf5\x80\x80\x80", 4, 0 },
		{ "\xff", 1, 0 },
		{ "\xf0\x9f\x98", 3, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(utf8_char_len((struct slice){ cases[i].bytes, cases[i].len }),
		    cases[i].want);
}

/* Any bytes at all become JSON, and valid texts come back as they were. */
static void
random_bytes_survive_as_well_as_they_can(void **state)
{
	uint64_t seed = 3;

	(void)state;
	for (int n = 0; n < 3000; n++) {
		char bytes[64];
		size_t len = rnd(&seed) % sizeof(bytes);
		struct buf b, back;
		json_t *doc;

		for (size_t i = 0; i < len; i++) /* mostly ASCII, so that some are valid */
			bytes[i] = (char)(rnd(&seed) % (n % 2 == 0 ? 128 : 256));
		buf_init(&b, 1000);
		buf_init(&back, 1000);
		json_text_quote(&b, (struct slice){ bytes, len });
		doc = json_loadb(b.ptr, b.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
		assert_non_null(doc);
		assert_int_equal(
		    json_text_unescape(&back, (struct slice){ b.ptr + 1, b.len - 2 }), 0);
		assert_int_equal(back.len, json_string_length(doc));
		if (back.len > 0)
			assert_memory_equal(back.ptr, json_string_value(doc), back.len);
		if (n % 2 == 0)
			assert_true(slice_eq(buf_view(&back), (struct slice){ bytes, len }));
		json_decref(doc);
		buf_clear(&b);
		buf_clear(&back);
	}
}

static void
every_escape_is_understood(void **state)
{
	static const struct {
		const char *escaped, *want;
	} cases[] = {
		{ "\\\"\\\\\\/\\b\\f\\n\\r\\t", "\"\\/\b\f\n\r\t" },
		{ "\\u0041\\u00e9\\u20AC", "A\xc3\xa9\xe2\x82\xac" },
		{ "\\ud83d\\ude00", "\xf0\x9f\x98\x80" },
		{ "\\uD800\\uDC00", "\xf0\x90\x80\x80" },
		{ "\\udbff\\udfff", "\xf4\x8f\xbf\xbf" },
		{ "\\ud7ff\\ue000\\uffff", "\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf" },
		{ "a\\u0001b", "a\x01"
			       "b" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf b;

		buf_init(&b, 1000);
		assert_int_equal(json_text_unescape(&b, slice_str(cases[i].escaped)), 0);
		assert_string_equal(buf_cstr(&b), cases[i].want);
		buf_clear(&b);
	}
}

static void
what_is_no_escaped_text_is_refused(void **state)
{
	static const char *const texts[] = { "\\", "a\\", "\\x", "\\ ", "\\u", "\\u1", "\\u12",
		"\\u123", "\\u123g", "\\u 123", "\\u+123", "\\U0041", "\\ud83d", "\\ud83dx",
		"\\ud83d\\", "\\ud83d\\u", "\\ud83d\\ude0", "\\ud83d\\u0041", "\\ud83d\\ud83d",
		"\\ude00", "\\ude00\\ud83d", "\\ud83d\\nde00", "\"", "a\"b", "a\nb", "\x01",
		"\xff", "\xc3", "a\xe2\x82" };

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		char *exact = test_malloc(strlen(texts[i]) + 1); /* a read past it is seen */
		struct buf b;

		memcpy(exact, texts[i], strlen(texts[i]));
		buf_init(&b, 1000);
		if (json_text_unescape(&b, (struct slice){ exact, strlen(texts[i]) }) !=
		    ERR_CORRUPT)
			fail_msg("%s", texts[i]);
		buf_clear(&b);
		test_free(exact);
	}
}

static void
the_cap_of_the_buffer_is_reported(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 3);
	assert_int_equal(json_text_unescape(&b, SLICE("abcd")), ERR_LIMIT);
	buf_reset(&b);
	assert_int_equal(json_text_unescape(&b, SLICE("a\\nbc")), ERR_LIMIT);
	buf_reset(&b);
	json_text_escape(&b, SLICE("a\"b"));
	assert_int_equal(buf_err(&b), ERR_LIMIT);
	buf_clear(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_must_be_escaped_is_and_nothing_else),
		cmocka_unit_test(characters_are_told_from_bytes),
		cmocka_unit_test(random_bytes_survive_as_well_as_they_can),
		cmocka_unit_test(every_escape_is_understood),
		cmocka_unit_test(what_is_no_escaped_text_is_refused),
		cmocka_unit_test(the_cap_of_the_buffer_is_reported),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
