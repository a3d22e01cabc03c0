/* Growing buffers: caps, latched errors, taking the memory, every failing allocation. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "base/buf.h"
#include "base/mem.h"

static void
appends_of_every_kind_add_up(void **state)
{
	static const char want[] = "abc12x-7 18446744073709551615 0 -9223372036854775808 9"
				   "\x01\x02\x03\x04\x04\x03\x02\x01\x08\x07\x06\x05\x04\x03"
				   "\x02\x01";
	struct buf b;

	(void)state;
	buf_init(&b, 1000);
	buf_add(&b, "abc", 3);
	buf_add(&b, NULL, 0);
	buf_slice(&b, SLICE("12"));
	buf_slice(&b, (struct slice){ 0 });
	buf_str(&b, "");
	buf_char(&b, 'x');
	buf_fmt(&b, "%d ", -7);
	buf_u64(&b, UINT64_MAX);
	buf_char(&b, ' ');
	buf_u64(&b, 0);
	buf_char(&b, ' ');
	buf_i64(&b, INT64_MIN);
	buf_char(&b, ' ');
	buf_i64(&b, 9);
	buf_be32(&b, 0x01020304);
	buf_le32(&b, 0x01020304);
	buf_le64(&b, UINT64_C(0x0102030405060708));
	assert_int_equal(buf_err(&b), 0);
	assert_int_equal(b.len, sizeof(want) - 1);
	assert_memory_equal(b.ptr, want, b.len);
	buf_clear(&b);
}

static void
the_cap_can_be_reached_and_not_passed(void **state)
{
	(void)state;
	for (size_t max = 0; max < 600; max += 37) {
		struct buf b;

		buf_init(&b, max);
		for (size_t i = 0; i < max; i++)
			buf_char(&b, 'x');
		assert_int_equal(buf_err(&b), 0);
		assert_int_equal(b.len, max);
		assert_non_null(buf_cstr(&b)); /* the NUL is not counted */
		buf_char(&b, 'y');
		assert_int_equal(buf_err(&b), ERR_LIMIT);
		assert_int_equal(b.len, max);
		buf_clear(&b);
	}
}

static void
the_first_error_is_latched(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 4);
	buf_str(&b, "ab");
	buf_str(&b, "toolong");
	assert_int_equal(buf_err(&b), ERR_LIMIT);
	buf_str(&b, "c"); /* would fit, and is not added */
	buf_fmt(&b, "%d", 1);
	buf_i64(&b, -1);
	assert_int_equal(b.len, 2);
	assert_null(buf_cstr(&b));
	assert_null(buf_take(&b, NULL));
	assert_int_equal(buf_reserve(&b, 0), ERR_LIMIT);
	buf_reset(&b);
	assert_int_equal(buf_err(&b), 0);
	buf_str(&b, "okay");
	assert_string_equal(buf_cstr(&b), "okay");
	buf_clear(&b);
	assert_int_equal(b.max, 4);
}

static void
a_size_that_overflows_is_over_the_cap(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 100);
	buf_str(&b, "x");
	assert_int_equal(buf_reserve(&b, SIZE_MAX), ERR_LIMIT);
	buf_reset(&b);
	assert_int_equal(buf_reserve(&b, SIZE_MAX - 1), ERR_LIMIT);
	buf_clear(&b);
}

static void
formatting_needs_no_room_guessed(void **state)
{
	struct buf b;
	char want[400];

	(void)state;
	for (int width = 0; width < 399; width += 7) {
		buf_init(&b, 399);
		buf_fmt(&b, "%*s", width, "");
		snprintf(want, sizeof(want), "%*s", width, "");
		assert_string_equal(buf_cstr(&b), want);
		buf_clear(&b);
	}
	buf_init(&b, 10);
	buf_fmt(&b, "%20s", "");
	assert_int_equal(buf_err(&b), ERR_LIMIT);
	assert_int_equal(b.len, 0);
	buf_clear(&b);
}

static void
taking_moves_the_memory_out(void **state)
{
	struct buf b;
	size_t len = 0;
	char *text;

	(void)state;
	buf_init(&b, 100);
	buf_add(&b, "a\0b", 3);
	text = buf_take(&b, &len);
	assert_int_equal(len, 3);
	assert_memory_equal(text, "a\0b", 4);
	assert_int_equal(b.len + b.cap, 0);
	buf_str(&b, "again");
	assert_string_equal(buf_cstr(&b), "again");
	mem_free(text);
	buf_clear(&b);
	text = buf_take(&b, NULL); /* of nothing: an empty text */
	assert_string_equal(text, "");
	mem_free(text);
}

static void
every_allocation_may_fail(void **state)
{
	int rc = ERR_NOMEM;

	(void)state;
	for (long n = 0; rc != 0; n++) {
		struct buf b;
		size_t before;

		buf_init(&b, 10000);
		mem_fail_after(n);
		for (int i = 0; i < 300 && buf_err(&b) == 0; i++)
			buf_fmt(&b, "%d,", i);
		mem_fail_after(MEM_NEVER);
		rc = buf_err(&b);
		before = b.len;
		buf_str(&b, "more");
		if (rc != 0) {
			assert_int_equal(rc, ERR_NOMEM);
			assert_int_equal(b.len, before);
			assert_null(buf_take(&b, NULL));
		}
		assert_in_range(n, 0, 20);
		buf_clear(&b);
	}
}

static void
memory_functions_keep_their_contracts(void **state)
{
	char *p;

	(void)state;
	assert_null(mem_strdup(NULL));
	assert_null(mem_memdup("", SIZE_MAX));
	p = mem_memdup("ab", 2);
	assert_memory_equal(p, "ab", 3);
	mem_free(p);
	p = mem_memdup(NULL, 0);
	assert_string_equal(p, "");
	mem_free(p);
	p = mem_strdup("x");
	mem_fail_after(0);
	assert_null(mem_realloc(p, 100));
	assert_string_equal(p, "x"); /* still there */
	mem_fail_after(1);
	p = mem_realloc(p, 100);
	assert_non_null(p);
	assert_null(mem_alloc(1));
	assert_non_null(p);
	mem_free(p);
	p = mem_zalloc(4); /* only one had to fail */
	assert_memory_equal(p, "\0\0\0\0", 4);
	mem_free(p);
	mem_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(appends_of_every_kind_add_up),
		cmocka_unit_test(the_cap_can_be_reached_and_not_passed),
		cmocka_unit_test(the_first_error_is_latched),
		cmocka_unit_test(a_size_that_overflows_is_over_the_cap),
		cmocka_unit_test(formatting_needs_no_room_guessed),
		cmocka_unit_test(taking_moves_the_memory_out),
		cmocka_unit_test(every_allocation_may_fail),
		cmocka_unit_test(memory_functions_keep_their_contracts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
