/* Stores of programs that load what buckets need: this one lies where no module is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/store/store.h"
#include "test/unit/base/store/tmp_dir.h"

static void
a_bucket_without_its_module_says_which_file_is_missing(void **state)
{
	struct err_info ei = { .text = "" };
	struct store *s = NULL;

	(void)state;
	for (int i = 0; i < 2; i++) { /* it is looked for again: it may have been installed */
		assert_int_equal(store_open("gs://logs/root", &s, &ei), ERR_UNSUPPORTED);
		assert_null(s);
		assert_non_null(strstr(ei.text, "lib/maintner/store-gcs.so"));
	}
}

static void
a_directory_needs_no_module(void **state)
{
	char dir[TMP_DIR_SIZE], url[TMP_DIR_SIZE + 32];
	struct store *s = NULL;
	struct buf b;

	(void)state;
	assert_int_equal(tmp_dir_make(dir), 0);
	snprintf(url, sizeof(url), "file://%s", dir);
	assert_int_equal(store_open(url, &s, NULL), 0);
	buf_init(&b, 1000);
	assert_int_equal(store_put(s, "a", SLICE("x"), STORE_ABSENT, NULL, NULL), 0);
	assert_int_equal(store_get(s, "a", 1000, &b, NULL, NULL), 0);
	assert_true(slice_is(buf_view(&b), "x"));
	buf_clear(&b);
	store_close(s);
	tmp_dir_remove(dir);
}

static void
other_addresses_are_refused_as_ever(void **state)
{
	struct err_info ei = { .text = "" };
	struct store *s = NULL;

	(void)state;
	assert_int_equal(store_open("http://logs", &s, &ei), ERR_INVAL);
	assert_null(s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_bucket_without_its_module_says_which_file_is_missing),
		cmocka_unit_test(a_directory_needs_no_module),
		cmocka_unit_test(other_addresses_are_refused_as_ever),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
