/* Reads of a log on a thread of their own: results, and reads that nobody waits for. */
#include "fcgi/segment_reader.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define TRIES 5000 /* looks of a millisecond */

struct fixture {
	char dir[64], url[80];
	struct segment_reader *reader;
};

static int
setup(void **state)
{
	struct fixture *fx = calloc(1, sizeof(*fx));
	struct store *s = NULL;

	snprintf(fx->dir, sizeof(fx->dir), "/tmp/maintner-segments-XXXXXX");
	if (mkdtemp(fx->dir) == NULL)
		return -1;
	snprintf(fx->url, sizeof(fx->url), "file://%s", fx->dir);
	if (store_open(fx->url, &s, NULL) != 0 ||
	    store_put(s, "a", SLICE("0123456789"), STORE_ABSENT, NULL, NULL) != 0)
		return -1;
	store_close(s);
	*state = fx;
	return segment_reader_new(fx->url, NULL, &fx->reader);
}

static int
teardown(void **state)
{
	struct fixture *fx = *state;
	char path[80];

	segment_reader_free(fx->reader);
	snprintf(path, sizeof(path), "%s/a", fx->dir);
	unlink(path);
	rmdir(fx->dir);
	free(fx);
	return 0;
}

static struct segment_read *
begin(struct fixture *fx, const char *name, uint64_t offset, size_t len)
{
	const struct store_range range = { STORE_ANY, offset, len };
	struct segment_read *s = NULL;

	assert_int_equal(segment_read_begin(fx->reader, name, &range, &s), 0);
	return s;
}

static int
wait_for(struct segment_read *s, struct buf **ret, struct err_info *ei)
{
	int rc = 0;

	for (int i = 0; !segment_read_done(s, &rc, ret, ei); i++) {
		assert_true(i < TRIES);
		usleep(1000);
	}
	return rc;
}

static void
bytes_and_errors_come_to_who_asked(void **state)
{
	struct fixture *fx = *state;
	struct segment_read *middle = begin(fx, "a", 3, 4), *none = begin(fx, "b", 0, 4);
	struct err_info ei = { .text = "" };
	struct buf *bytes = NULL;

	assert_int_equal(wait_for(none, &bytes, &ei), ERR_NOENT);
	assert_non_null(strstr(ei.text, "b"));
	assert_int_equal(wait_for(middle, &bytes, NULL), 0);
	assert_int_equal(bytes->len, 4);
	assert_memory_equal(bytes->ptr, "3456", 4);
	segment_read_end(middle);
	segment_read_end(none);
}

static void
a_read_may_be_ended_at_any_time(void **state)
{
	struct fixture *fx = *state;

	for (int i = 0; i < 200; i++) {
		struct segment_read *s = begin(fx, i % 2 == 0 ? "a" : "b", 0, 10);
		struct segment_read *t = begin(fx, "a", 0, 10);
		struct buf *bytes;

		segment_read_end(s); /* waiting, being read, or done */
		assert_int_equal(wait_for(t, &bytes, NULL), 0);
		segment_read_end(t);
	}
	segment_read_end(NULL);
}

static void
the_reader_may_be_freed_while_reads_wait(void **state)
{
	struct fixture *fx = *state;

	for (int i = 0; i < 50; i++)
		segment_read_end(begin(fx, "a", 0, 10));
	segment_reader_free(fx->reader);
	fx->reader = NULL;
}

static void
a_name_that_is_too_long_is_refused(void **state)
{
	struct fixture *fx = *state;
	const struct store_range range = { STORE_ANY, 0, 1 };
	struct segment_read *s = NULL;
	char name[2000];

	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(segment_read_begin(fx->reader, name, &range, &s), ERR_LIMIT);
	assert_null(s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    bytes_and_errors_come_to_who_asked, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    a_read_may_be_ended_at_any_time, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    the_reader_may_be_freed_while_reads_wait, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    a_name_that_is_too_long_is_refused, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
