/* Slices, byte orders, and CRC-32C by table and by instruction. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "base/crc32c.c" /* for its two ways, which are private */

static void
slices_compare_by_content(void **state)
{
	(void)state;
	assert_true(slice_eq(SLICE("ab"), slice_str("ab")));
	assert_false(slice_eq(SLICE("ab"), SLICE("ac")));
	assert_false(slice_eq(SLICE("ab"), SLICE("abc")));
	assert_true(slice_eq((struct slice){ 0 }, SLICE("")));
	assert_int_equal(slice_str(NULL).len, 0);
	assert_true(slice_is((struct slice){ "a\0b", 1 }, "a"));
	assert_false(slice_is((struct slice){ "a\0b", 3 }, "a"));
	assert_true(slice_is((struct slice){ 0 }, ""));
}

static void
integers_have_the_byte_order_that_their_name_says(void **state)
{
	unsigned char raw[9];

	(void)state;
	put_be32(raw + 1, 0x01020304);
	assert_memory_equal(raw + 1, "\x01\x02\x03\x04", 4);
	assert_int_equal(get_be32(raw + 1), 0x01020304);
	put_le32(raw + 1, 0x01020304);
	assert_memory_equal(raw + 1, "\x04\x03\x02\x01", 4);
	assert_int_equal(get_le32(raw + 1), 0x01020304);
	put_be64(raw + 1, UINT64_C(0x0102030405060708));
	assert_memory_equal(raw + 1, "\x01\x02\x03\x04\x05\x06\x07\x08", 8);
	assert_true(get_be64(raw + 1) == UINT64_C(0x0102030405060708));
	put_le64(raw + 1, UINT64_C(0x0102030405060708));
	assert_memory_equal(raw + 1, "\x08\x07\x06\x05\x04\x03\x02\x01", 8);
	assert_true(get_le64(raw + 1) == UINT64_C(0x0102030405060708));
}

/* RFC 3720, appendix B.4, and the check value of the CRC catalogues. */
static void
known_sums_come_out(void **state)
{
	static const unsigned char iscsi[48] = { 0x01, 0xc0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
		0, 0, 0x14, 0, 0, 0, 0, 0, 0x04, 0, 0, 0, 0, 0x14, 0, 0, 0, 0x18, 0x28, 0, 0, 0,
		0, 0, 0, 0, 0x02, 0, 0, 0, 0, 0, 0, 0 };
	unsigned char bytes[32];

	(void)state;
	assert_int_equal(crc32c(0, "", 0), 0);
	assert_int_equal(crc32c(0, "123456789", 9), 0xe3069283);
	memset(bytes, 0, sizeof(bytes));
	assert_int_equal(crc32c(0, bytes, 32), 0x8a9136aa);
	memset(bytes, 0xff, sizeof(bytes));
	assert_int_equal(crc32c(0, bytes, 32), 0x62a8ab43);
	for (unsigned char i = 0; i < 32; i++)
		bytes[i] = i;
	assert_int_equal(crc32c(0, bytes, 32), 0x46dd794e);
	for (unsigned char i = 0; i < 32; i++)
		bytes[i] = (unsigned char)(31 - i);
	assert_int_equal(crc32c(0, bytes, 32), 0x113fdb5c);
	assert_int_equal(crc32c(0, iscsi, 48), 0xd9963a56);
}

static void
a_sum_goes_on_where_it_stopped(void **state)
{
	static const char text[] = "the quick brown fox jumps over the lazy dog";
	uint32_t whole = crc32c(0, text, sizeof(text));

	(void)state;
	for (size_t cut = 0; cut <= sizeof(text); cut++)
		assert_int_equal(
		    crc32c(crc32c(0, text, cut), text + cut, sizeof(text) - cut), whole);
}

static void
table_and_instruction_agree_at_every_length_and_alignment(void **state)
{
	unsigned char *bytes = malloc(128);
	uint32_t seed = 1;

	(void)state;
	crc32c(0, "", 0); /* prepares */
	for (size_t i = 0; i < 128; i++)
		bytes[i] = (unsigned char)((seed = seed * 1103515245 + 12345) >> 16);
#if defined(__x86_64__)
	if (!has_sse42)
		skip();
	for (size_t at = 0; at < 16; at++) {
		for (size_t len = 0; len <= 128 - at; len++)
			assert_int_equal(by_table(seed, bytes + at, len),
			    by_instruction(seed, bytes + at, len));
	}
#endif
	free(bytes);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(slices_compare_by_content),
		cmocka_unit_test(integers_have_the_byte_order_that_their_name_says),
		cmocka_unit_test(known_sums_come_out),
		cmocka_unit_test(a_sum_goes_on_where_it_stopped),
		cmocka_unit_test(table_and_instruction_agree_at_every_length_and_alignment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
