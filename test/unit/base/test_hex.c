/* Hexadecimal digits both ways. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/hex.h"

static void
every_byte_comes_back(void **state)
{
	unsigned char raw[256], back[256];
	char text[2 * sizeof(raw) + 1];

	(void)state;
	for (size_t i = 0; i < sizeof(raw); i++)
		raw[i] = (unsigned char)i;
	hex_encode(raw, sizeof(raw), text);
	assert_int_equal(strlen(text), 2 * sizeof(raw));
	assert_memory_equal(text + 2 * 0xab, "ab", 2);
	assert_int_equal(hex_decode(slice_str(text), back, sizeof(back)), sizeof(raw));
	assert_memory_equal(back, raw, sizeof(raw));
	assert_int_equal(hex_decode(slice_str(""), back, 0), 0);
}

static void
what_is_not_hex_in_lower_case_is_refused(void **state)
{
	static const char *const bad[] = { "a", "abc", "AB", "0g", "g0", " 0", "0x", "0\n",
		"/:" };
	unsigned char out[4] = { 1, 2, 3, 4 };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_true(hex_decode(slice_str(bad[i]), out, sizeof(out)) == SIZE_MAX);
	assert_true(hex_decode(slice_str("0000000000"), out, sizeof(out)) == SIZE_MAX);
	assert_memory_equal(out, "\1\2\3\4", 4);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_byte_comes_back),
		cmocka_unit_test(what_is_not_hex_in_lower_case_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
