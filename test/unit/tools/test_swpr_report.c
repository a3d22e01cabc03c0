/* The table and the sentence. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tools/swpr_sweep.h"

static void
rows_are_aligned_and_summed(void **state)
{
	const struct swpr_tally rows[] = {
		{ .repo = "acme/widgets",
		    .mirrored = 300,
		    .listed = 291,
		    .deleted = 9,
		    .transferred = 3,
		    .vanished = 1,
		    .buried = 13,
		    .requests = 18 },
		{ .repo = "a/b",
		    .mirrored = 5,
		    .listed = 7,
		    .waiting = 2,
		    .lacking = 4,
		    .requests = 3,
		    .undone = true,
		    .note = "the pod is down" },
	};
	struct buf b;

	(void)state;
	buf_init(&b, 4096);
	swpr_table(rows, 2, &b);
	assert_string_equal(buf_cstr(&b),
	    "repository    mirrored on GitHub  deleted    moved vanished  waiting  lacking"
	    "   buried  requests  result\n"
	    "acme/widgets       300       291        9        3        1        0        0"
	    "       13        18  ok\n"
	    "a/b                  5         7        0        0        0        2        4"
	    "        0         3  the pod is down\n"
	    "all                305       298        9        3        1        2        4"
	    "       13        21  1 not to the end\n");
	buf_reset(&b);
	swpr_summary(rows, 2, false, &b);
	assert_string_equal(buf_cstr(&b),
	    "2 repositories, 1 of them not to the end; gone: 9 deleted, 3 transferred, "
	    "1 not found for long; 2 wait to be confirmed; 13 tombstones made; the mirrors "
	    "lack 4; 21 requests\n");
	buf_clear(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(rows_are_aligned_and_summed) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
