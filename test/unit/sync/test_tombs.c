/* Orders for tombstones: what is read, what is refused, and who holds them how long. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "sync/tombs.h"

static void
numbers_and_objects_are_read(void **state)
{
	struct tomb_order *o = NULL;
	struct buf b;

	(void)state;
	assert_int_equal(
	    tomb_order_parse(SLICE("{\"numbers\":[7,{\"number\":8},{\"number\":9,\"reason\":"
				   "\"transferred\",\"transferredTo\":\"o/r.x/12\"}]}"),
		&o, NULL),
	    0);
	assert_int_equal(o->count, 3);
	assert_int_equal(o->items[0].number, 7);
	assert_null(o->items[1].moved_to);
	assert_string_equal(o->items[2].moved_to, "o/r.x/12");
	o->items[1].result = TOMB_ALREADY;
	buf_init(&b, 4096);
	tomb_order_show(o, false, &b);
	assert_string_equal(buf_cstr(&b), "{\"taken\":3}\n");
	buf_reset(&b);
	tomb_order_show(o, true, &b);
	assert_string_equal(buf_cstr(&b),
	    "{\"taken\":3,\"numbers\":[{\"number\":7,\"result\":\"open\"},"
	    "{\"number\":8,\"result\":\"already\"},{\"number\":9,\"result\":\"open\"}]}\n");
	buf_clear(&b);
	tomb_order_free(o);
}

static void
what_is_wrong_is_named_with_its_place(void **state)
{
	static const struct {
		const char *text;
		int want;
		const char *word;
	} cases[] = {
		{ "", ERR_PROTO, "tombstones" },
		{ "[]", ERR_PROTO, "\"numbers\"" },
		{ "{\"numbers\":7}", ERR_PROTO, "\"numbers\"" },
		{ "{\"numbers\":[1,0]}", ERR_PROTO, "element 1" },
		{ "{\"numbers\":[-1]}", ERR_PROTO, "element 0" },
		{ "{\"numbers\":[2147483648]}", ERR_PROTO, "element 0" },
		{ "{\"numbers\":[1.5]}", ERR_PROTO, "element 0" },
		{ "{\"numbers\":[\"7\"]}", ERR_PROTO, "element 0" },
		{ "{\"numbers\":[{\"number\":7,\"reason\":\"x\"}]}", ERR_PROTO, "\"reason\"" },
		{ "{\"numbers\":[{\"number\":7,\"reason\":7}]}", ERR_PROTO, "\"reason\"" },
		{ "{\"numbers\":[{\"number\":7,\"reason\":\"transferred\"}]}", ERR_PROTO,
		    "\"transferredTo\"" },
		{ "{\"numbers\":[{\"number\":7,\"reason\":\"transferred\",\"transferredTo\":"
		  "\"o/../7\"}]}",
		    ERR_PROTO, "\"transferredTo\"" },
		{ "{\"numbers\":[{\"number\":7,\"reason\":\"transferred\",\"transferredTo\":"
		  "\"o/r/07\"}]}",
		    ERR_PROTO, "\"transferredTo\"" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct err_info ei = { 0 };
		struct tomb_order *o = NULL;

		assert_int_equal(
		    tomb_order_parse(slice_str(cases[i].text), &o, &ei), cases[i].want);
		assert_null(o);
		assert_non_null(strstr(ei.text, cases[i].word));
	}
}

static struct tomb_order *
order_of(size_t count)
{
	struct tomb_order *o = NULL;
	struct buf b;

	buf_init(&b, (size_t)1 << 20);
	buf_str(&b, "{\"numbers\":[");
	for (size_t i = 0; i < count; i++)
		buf_str(&b, i == 0 ? "1" : ",1");
	buf_str(&b, "]}");
	(void)tomb_order_parse(buf_view(&b), &o, NULL);
	buf_clear(&b);
	return o;
}

static void
an_order_has_at_most_ten_thousand_numbers(void **state)
{
	struct tomb_order *o = order_of(TOMB_NUMBERS_MAX);

	(void)state;
	assert_non_null(o);
	assert_int_equal(o->count, TOMB_NUMBERS_MAX);
	tomb_order_free(o);
	assert_null(order_of(TOMB_NUMBERS_MAX + 1));
}

static void
the_queue_is_in_order_full_and_closed(void **state)
{
	struct tomb_queue q;
	struct tomb_order *in[6];

	(void)state;
	tomb_queue_init(&q, NULL);
	for (int i = 0; i < 6; i++)
		in[i] = order_of(TOMB_NUMBERS_MAX);
	for (int i = 0; i < 5; i++)
		assert_int_equal(tomb_queue_put(&q, in[i]), 0);
	assert_int_equal(tomb_queue_put(&q, in[5]), ERR_FULL);
	assert_ptr_equal(tomb_queue_take(&q), in[0]);
	tomb_queue_done(&q, in[0]); /* the queue's reference; ours is left */
	assert_int_equal(in[0]->refs, 1);
	assert_int_equal(tomb_queue_put(&q, in[5]), 0);
	tomb_queue_close(&q);
	assert_null(tomb_queue_take(&q));
	for (int i = 0; i < 6; i++) {
		assert_int_equal(in[i]->refs, 1);
		assert_int_equal(in[i]->rc, i == 0 ? 0 : ERR_CANCELED);
	}
	assert_int_equal(tomb_queue_put(&q, in[0]), ERR_CLOSED);
	for (int i = 0; i < 6; i++)
		tomb_order_release(&q, in[i]);
}

static void
reading_survives_every_allocation_failure(void **state)
{
	struct tomb_order *o = NULL;
	int rc = ERR_NOMEM;

	(void)state;
	for (long n = 0; rc != 0 && n < 100; n++) {
		mem_fail_after(n);
		rc = tomb_order_parse(SLICE("{\"numbers\":[1,{\"number\":2,\"reason\":"
					    "\"transferred\",\"transferredTo\":\"o/r/1\"}]}"),
		    &o, NULL);
		mem_fail_after(MEM_NEVER);
		assert_true(rc == 0 || o == NULL);
	}
	assert_int_equal(rc, 0);
	tomb_order_free(o);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_and_objects_are_read),
		cmocka_unit_test(what_is_wrong_is_named_with_its_place),
		cmocka_unit_test(an_order_has_at_most_ten_thousand_numbers),
		cmocka_unit_test(the_queue_is_in_order_full_and_closed),
		cmocka_unit_test(reading_survives_every_allocation_failure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
