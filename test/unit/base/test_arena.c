/* Memory that is freed all at once. */
#include <setjmp.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/mem.h"

static void
pieces_are_aligned_zeroed_and_apart(void **state)
{
	struct arena a;
	char *pieces[200];

	(void)state;
	arena_init(&a, (size_t)1 << 20);
	for (int round = 0; round < 3; round++) {
		for (size_t i = 0; i < 200; i++) {
			char *p = arena_alloc(&a, i);

			assert_non_null(p);
			assert_int_equal((uintptr_t)p % alignof(max_align_t), 0);
			for (size_t k = 0; k < i; k++)
				assert_int_equal(p[k], 0);
			memset(p, (int)i, i);
			pieces[i] = p;
		}
		for (size_t i = 1; i < 200; i++) {
			assert_int_equal((unsigned char)pieces[i][0], i);
			assert_int_equal((unsigned char)pieces[i][i - 1], i);
		}
		arena_reset(&a);
		assert_int_equal(a.used, 0);
	}
	arena_clear(&a);
}

static void
the_cap_holds(void **state)
{
	struct arena a;

	(void)state;
	arena_init(&a, 64);
	assert_null(arena_alloc(&a, 65));
	assert_null(arena_alloc(&a, SIZE_MAX));
	assert_null(arena_alloc(&a, SIZE_MAX - 15));
	assert_non_null(arena_alloc(&a, 33)); /* 48 with what alignment costs */
	assert_null(arena_alloc(&a, 17));
	assert_non_null(arena_alloc(&a, 16));
	assert_null(arena_alloc(&a, 1));
	arena_reset(&a);
	assert_non_null(arena_alloc(&a, 64));
	arena_clear(&a);
	assert_int_equal(a.max, 64);
}

static void
large_pieces_get_blocks_of_their_own(void **state)
{
	struct arena a;
	char *small, *large;

	(void)state;
	arena_init(&a, (size_t)10 << 20);
	small = arena_alloc(&a, 10);
	large = arena_alloc(&a, (size_t)1 << 20);
	assert_non_null(large);
	memset(large, 1, (size_t)1 << 20);
	assert_int_equal(small[0], 0);
	arena_reset(&a);
	assert_non_null(arena_alloc(&a, 10));
	arena_clear(&a);
}

static void
copies_end_with_a_nul(void **state)
{
	struct arena a;

	(void)state;
	arena_init(&a, (size_t)1 << 20);
	assert_string_equal(arena_dup(&a, SLICE("text")), "text");
	assert_string_equal(arena_dup(&a, (struct slice){ 0 }), "");
	assert_memory_equal(arena_dup(&a, (struct slice){ "a\0b", 3 }), "a\0b", 4);
	arena_clear(&a);
}

static void
a_steady_load_allocates_nothing(void **state)
{
	struct arena a;

	(void)state;
	arena_init(&a, (size_t)1 << 20);
	assert_non_null(arena_alloc(&a, 100));
	mem_fail_after(0);
	for (int i = 0; i < 1000; i++) {
		arena_reset(&a);
		assert_non_null(arena_alloc(&a, 8000));
		assert_non_null(arena_alloc(&a, 8000));
	}
	assert_null(arena_alloc(&a, 8000)); /* a second block, which fails once */
	assert_non_null(arena_alloc(&a, 8000));
	mem_fail_after(MEM_NEVER);
	arena_clear(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pieces_are_aligned_zeroed_and_apart),
		cmocka_unit_test(the_cap_holds),
		cmocka_unit_test(large_pieces_get_blocks_of_their_own),
		cmocka_unit_test(copies_end_with_a_nul),
		cmocka_unit_test(a_steady_load_allocates_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
