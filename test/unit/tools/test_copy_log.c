/* A copy is whole, or has no WRITER; what is no log is only copied as it is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "test/unit/tools/log_rig.h"
#include "tools/copy_log.h"
#include "tools/free_log.h"

static int
copy(struct store *from, struct store *to, bool replace, bool as_it_is,
    struct copy_log_result *ret, struct err_info *ei)
{
	const struct copy_log c = { .from = from,
		.to = to,
		.from_prefix = PREFIX,
		.to_prefix = PREFIX,
		.replace = replace,
		.as_it_is = as_it_is };

	return copy_log(&c, ret, ei);
}

static void
assert_same(struct store *a, struct store *b)
{
	struct store_list l = { 0 };

	assert_int_equal(objects_in(a), objects_in(b));
	assert_int_equal(store_list(a, PREFIX, &l, NULL), 0);
	for (size_t i = 0; i < l.count; i++) {
		struct buf x, y;

		buf_init(&x, 4096);
		buf_init(&y, 4096);
		assert_int_equal(store_get(a, l.items[i].name, 4096, &x, NULL, NULL), 0);
		assert_int_equal(store_get(b, l.items[i].name, 4096, &y, NULL, NULL), 0);
		assert_true(slice_eq(buf_view(&x), buf_view(&y)));
		buf_clear(&x);
		buf_clear(&y);
	}
	store_list_clear(&l);
}

static void
fail_each_operation(bool at_source, enum store_fault fault)
{
	for (size_t nth = 0;; nth++) {
		struct store *from = make_log(false), *to = NULL, *bad;
		struct copy_log_result r;
		struct store_object o;
		size_t before;
		int rc;

		assert_int_equal(store_mem_new(false, &to), 0);
		bad = at_source ? from : to;
		before = store_mem_op_count(bad);
		store_mem_fail(bad, nth, fault, ERR_DENIED);
		rc = copy(from, to, false, false, &r, NULL);
		store_mem_fail(bad, 0, STORE_FAULT_NONE, 0);
		if (rc == 0) {
			assert_true(store_mem_op_count(bad) - before <= nth);
			assert_true(nth > SEGMENTS + 1);
			assert_same(from, to);
			store_close(from);
			store_close(to);
			return;
		}
		assert_int_equal(rc, ERR_DENIED);
		if (store_stat(to, WRITER, &o, NULL) == 0)
			assert_same(from, to);
		assert_int_equal(copy(from, to, false, false, &r, NULL), 0);
		assert_same(from, to);
		store_close(from);
		store_close(to);
	}
}

static void
a_fault_of_any_operation_leaves_no_writer_or_a_whole_copy(void **state)
{
	(void)state;
	fail_each_operation(true, STORE_FAULT_BEFORE);
	fail_each_operation(false, STORE_FAULT_BEFORE);
	fail_each_operation(false, STORE_FAULT_AFTER);
}

/* Somebody resets the log at one end before the nth operation there. */
struct eraser {
	struct store *s;
	size_t left;
	bool came;
};

static void
erase(void *ctx, enum store_op op, const char *name)
{
	struct eraser *e = ctx;
	struct free_log f = { .store = e->s, .prefix = PREFIX };
	size_t deleted;

	(void)op;
	(void)name;
	if (e->came || e->left-- > 0)
		return;
	e->came = true;
	if (free_log_take(&f, NULL) == 0)
		(void)free_log_erase(&f, &deleted, NULL);
	free_log_clear(&f);
}

/* False when it came too late to meet the copy. */
static bool
erase_before(size_t nth, bool at_source)
{
	struct store *from = make_log(false), *whole = make_log(false), *to = NULL;
	struct eraser e = { .left = nth };
	struct copy_log_result r;
	struct store_object o;
	int rc;

	assert_int_equal(store_mem_new(false, &to), 0);
	e.s = at_source ? from : to;
	store_mem_hook(e.s, erase, &e);
	rc = copy(from, to, false, false, &r, NULL);
	store_mem_hook(e.s, NULL, NULL);
	if (rc == 0)
		assert_same(whole, to);
	else
		assert_int_equal(store_stat(to, WRITER, &o, NULL), ERR_NOENT);
	store_close(from);
	store_close(whole);
	store_close(to);
	return e.came;
}

static void
a_log_that_is_reset_at_either_end_meanwhile_is_copied_whole_or_without_writer(void **state)
{
	(void)state;
	for (int at_source = 0; at_source < 2; at_source++) {
		size_t nth = 0;

		while (erase_before(nth, at_source != 0))
			nth++;
		assert_true(nth > SEGMENTS + 2);
	}
}

struct bad_disk {
	struct store *s;
	const char *suffix; /* of the names whose bytes it changes before they are read */
};

static void
spoil(void *ctx, enum store_op op, const char *name)
{
	const struct bad_disk *d = ctx;
	size_t len = strlen(name), tail = strlen(d->suffix);

	if (op == STORE_OP_READ && len > tail && strcmp(name + len - tail, d->suffix) == 0)
		(void)store_mem_damage(d->s, name, 1, 1);
}

static void
what_arrives_damaged_is_no_copy_be_it_a_segment_or_the_record(void **state)
{
	static const struct {
		const char *suffix;
		int want;
	} cases[] = { { ".mutlog", ERR_CORRUPT }, { "/WRITER", ERR_CONFLICT } };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct store *from = make_log(false), *to = NULL;
		struct bad_disk bad = { .suffix = cases[i].suffix };
		struct copy_log_result r;

		assert_int_equal(store_mem_new(false, &to), 0);
		bad.s = to;
		store_mem_hook(to, spoil, &bad);
		assert_int_equal(copy(from, to, false, false, &r, NULL), cases[i].want);
		store_close(from);
		store_close(to);
	}
}

static void
what_is_no_log_is_only_copied_as_it_is(void **state)
{
	struct store *from = make_log(false), *to = NULL;
	struct copy_log_result r;
	struct err_info ei = { .text = "" };

	(void)state;
	assert_int_equal(store_mem_new(false, &to), 0);
	assert_int_equal(
	    store_put(from, WRITER, SLICE("{\"epoch\":"), STORE_ANY, NULL, NULL), 0);
	assert_int_equal(copy(from, to, false, false, &r, &ei), ERR_CORRUPT);
	assert_int_equal(objects_in(to), 0);
	assert_int_equal(copy(from, to, false, true, &r, NULL), 0);
	assert_int_equal(r.segments, SEGMENTS);
	assert_int_equal(r.copied, SEGMENTS + 1);
	assert_same(from, to);
	store_close(from);
	store_close(to);
}

static void
an_empty_log_replaces_nothing(void **state)
{
	struct store *from = NULL, *to = make_log(false), *same = make_log(false);
	struct copy_log_result r;
	struct err_info ei = { .text = "" };

	(void)state;
	assert_int_equal(store_mem_new(false, &from), 0);
	put_writer(from, "pod", true, NULL);
	assert_int_equal(copy(from, to, true, false, &r, &ei), ERR_NOENT);
	assert_non_null(strstr(ei.text, "empty"));
	assert_same(same, to);
	store_close(from);
	store_close(to);
	store_close(same);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_fault_of_any_operation_leaves_no_writer_or_a_whole_copy),
		cmocka_unit_test(
		    a_log_that_is_reset_at_either_end_meanwhile_is_copied_whole_or_without_writer),
		cmocka_unit_test(what_arrives_damaged_is_no_copy_be_it_a_segment_or_the_record),
		cmocka_unit_test(what_is_no_log_is_only_copied_as_it_is),
		cmocka_unit_test(an_empty_log_replaces_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
