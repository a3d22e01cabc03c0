/* Records parted by destination come back in their order, and nothing stays behind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/spool.h"

#define LANES 3
#define RECORDS 3000

/* Record `n` of a lane: some are empty, some larger than a lane's buffer. */
static size_t
fill(char *out, unsigned lane, unsigned n)
{
	size_t len = n % 50 == 0 ? 0 : n % 997 == 0 ? 400000 : 10 + n % 300;

	memset(out, (char)('a' + (lane + n) % 26), len);
	return len;
}

static void
records_come_back_in_their_order(void **state)
{
	static char bytes[400000];
	char dir[] = "/tmp/spool-test-XXXXXX";
	struct spool *s = NULL;
	struct spool_reader *r = NULL;
	struct slice got;

	(void)state;
	assert_non_null(mkdtemp(dir));
	assert_int_equal(spool_new(dir, LANES, &s, NULL), 0);
	for (unsigned n = 0; n < RECORDS; n++) /* the last lane stays empty */
		assert_int_equal(
		    spool_add(s, n % 2, (struct slice){ bytes, fill(bytes, n % 2, n) }, NULL),
		    0);
	assert_int_equal(spool_flush(s, NULL), 0);
	for (unsigned lane = 0; lane < LANES; lane++) {
		assert_int_equal(spool_open(s, lane, &r, NULL), 0);
		assert_int_equal(spool_count(s, lane), lane == 2 ? 0 : RECORDS / 2);
		for (unsigned n = lane; lane < 2 && n < RECORDS; n += 2) {
			assert_int_equal(spool_next(r, &got, NULL), 0);
			assert_int_equal(got.len, fill(bytes, lane, n));
			assert_memory_equal(got.ptr, bytes, got.len);
		}
		assert_int_equal(spool_next(r, &got, NULL), ERR_NOENT);
		spool_close(r);
	}
	spool_free(s);
	assert_int_equal(rmdir(dir), 0); /* it was emptied */
}

static void
a_folder_that_is_not_there_is_named(void **state)
{
	struct err_info ei = { 0 };
	struct spool *s = NULL;

	(void)state;
	assert_int_equal(spool_new("/nowhere/at/all", 1, &s, &ei), ERR_NOENT);
	assert_non_null(strstr(ei.text, "/nowhere/at/all"));
	assert_null(s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(records_come_back_in_their_order),
		cmocka_unit_test(a_folder_that_is_not_there_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
