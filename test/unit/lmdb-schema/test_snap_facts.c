/* Members of rows by name; labels, milestones and what no list shows. */
#include "snap_fixture.h"

static void
a_member_is_found_by_its_name(void **state)
{
	static const struct {
		const char *members, *key, *want; /* want NULL: not there */
	} cases[] = {
		{ "", "a", NULL },
		{ "\"a\":1", "a", "1" },
		{ "\"a\":1", "b", NULL },
		{ "\"a\":1,\"b\":\"x\"", "b", "\"x\"" },
		{ "\"a\":\"\\\"b\\\":2\",\"b\":3", "b", "3" },
		{ "\"a\":{\"b\":[1,{\"b\":2}]},\"b\":null", "b", "null" },
		{ "\"a\":[],\"a\":2", "a", "[]" },
		{ "\"a\":\"}]\",\"b\":{}", "b", "{}" },
		{ "\"a\":\"\\\\\",\"b\":true", "b", "true" },
		{ "\"ab\":1,\"a\":2", "a", "2" },
		/* what is cut anywhere is not found, and not read past its end */
		{ "\"a", "a", NULL },
		{ "\"a\"", "a", NULL },
		{ "\"a\":\"x", "a", NULL },
		{ "\"a\":\"x\\", "a", NULL },
		{ "\"a\":{\"b\":1", "a", NULL },
		{ "\"a\":1,", "b", NULL },
		{ "\"a\" 1", "a", NULL },
		{ "a:1", "a", NULL },
		{ "\"a\":1}", "b", NULL },
	};

	(void)state;
	for (size_t n = 0; n < sizeof(cases) / sizeof(cases[0]); n++) {
		size_t len = strlen(cases[n].members);
		char *exact = mem_memdup(cases[n].members, len); /* a byte behind it is seen */
		struct slice got = { "x", 1 };
		bool found = snap_member_find((struct slice){ exact, len }, cases[n].key, &got);

		assert_int_equal(found, cases[n].want != NULL);
		assert_slice_equal(got, found ? cases[n].want : "");
		mem_free(exact);
	}
	assert_slice_equal(snap_member_text(SLICE("\"a\":\"x\\\"\""), "a"), "x\\\"");
	assert_slice_equal(snap_member_text(SLICE("\"a\":\"\""), "a"), "");
	assert_slice_equal(snap_member_text(SLICE("\"a\":12"), "a"), "");
}

static void
reactions_show_all_kinds_or_those_that_are(void **state)
{
	struct snap_reactions r = { 3, { 2, 0, 0, 0, 0, 0, 0, 1 } };
	struct buf b;

	(void)state;
	buf_init(&b, 1024);
	snap_reactions_render(&b, &r, false);
	assert_string_equal(buf_cstr(&b), "{\"totalCount\":3,\"plusOne\":2,\"eyes\":1}");
	buf_reset(&b);
	snap_reactions_render(&b, &r, true);
	assert_string_equal(buf_cstr(&b),
	    "{\"totalCount\":3,\"plusOne\":2,\"minusOne\":0,\"laugh\":0,\"hooray\":0,"
	    "\"confused\":0,\"heart\":0,\"rocket\":0,\"eyes\":1}");
	buf_clear(&b);
}

static void
labels_are_walked_in_the_order_of_ids(void **state)
{
	struct snap_fixture *fx = *state;
	struct snap_txn *t = fx_begin(fx);
	struct snap_label l = { .id = 300,
		.name = SLICE("c"),
		.color = SLICE("ff0000"),
		.description = SLICE("d") };
	struct snap_view *v;

	snap_label_set(t, &l);
	snap_label_put(t, 2, SLICE("b"));
	snap_label_put(t, INT64_MAX, SLICE("z"));
	snap_label_put(t, 300, SLICE("cc")); /* keeps color and description */
	assert_int_equal(snap_txn_commit(t), 0);
	v = fx_view(fx);
	assert_int_equal(snap_label_next(v, 0, &l), 0);
	assert_int_equal(l.id, 2);
	assert_int_equal(snap_label_next(v, l.id, &l), 0);
	assert_int_equal(l.id, 300);
	assert_slice_equal(l.name, "cc");
	assert_slice_equal(l.color, "ff0000");
	assert_slice_equal(l.description, "d");
	assert_int_equal(snap_label_next(v, l.id, &l), 0);
	assert_int_equal(snap_label_next(v, l.id, &l), ERR_NOENT);
	snap_writer_view_end(v);
}

static void
a_milestone_keeps_every_fact(void **state)
{
	struct snap_fixture *fx = *state;
	struct snap_txn *t = fx_begin(fx);
	struct snap_milestone in = { .id = 5,
		.number = 2,
		.closed = true,
		.created_ms = 1000,
		.updated_ms = 2000,
		.closed_ms = 3000,
		.due_ms = TIME_NONE,
		.creator = 9,
		.title = SLICE("v1"),
		.description = SLICE("first") };
	struct snap_milestone m;
	struct snap_view *v;

	snap_milestone_set(t, &in);
	snap_milestone_put(t, 5, 0, SLICE("v2"), -1);
	snap_milestone_put(t, 6, 1, SLICE("new"), 0);
	assert_int_equal(snap_txn_commit(t), 0);
	v = fx_view(fx);
	assert_int_equal(snap_milestone_next(v, 0, &m), 0);
	assert_int_equal(m.id, 5);
	assert_int_equal(m.number, 2);
	assert_true(m.closed);
	assert_int_equal(m.created_ms, 1000);
	assert_int_equal(m.updated_ms, 2000);
	assert_int_equal(m.closed_ms, 3000);
	assert_int_equal(m.due_ms, TIME_NONE);
	assert_int_equal(m.creator, 9);
	assert_slice_equal(m.title, "v2");
	assert_slice_equal(m.description, "first");
	assert_int_equal(snap_milestone_get(v, 6, &m), 0);
	assert_int_equal(m.created_ms, TIME_NONE);
	assert_int_equal(snap_milestone_next(v, 6, &m), ERR_NOENT);
	snap_writer_view_end(v);
}

static void
what_no_list_shows_has_a_row_only_while_there_is_something(void **state)
{
	struct snap_fixture *fx = *state;
	struct snap_other o = { .transferred_to = SLICE("a/b/1"), .json = SLICE("{}") };
	struct snap_txn *t = fx_begin(fx);
	uint64_t with = 0, without = 0;
	struct snap_view *v;

	snap_other_put(t, 7, &o);
	assert_int_equal(snap_txn_commit(t), 0);
	v = fx_view(fx);
	assert_int_equal(snap_other_get(v, 7, &o), 0);
	assert_slice_equal(o.transferred_to, "a/b/1");
	assert_slice_equal(o.json, "{}");
	assert_int_equal(snap_other_get(v, 8, &o), 0);
	assert_slice_equal(o.transferred_to, "");
	assert_int_equal(snap_verify(v, &with, NULL), 0);
	snap_writer_view_end(v);
	t = fx_begin(fx);
	snap_other_put(t, 7, &(struct snap_other){ 0 });
	assert_int_equal(snap_txn_commit(t), 0);
	v = fx_view(fx);
	assert_int_equal(snap_verify(v, &without, NULL), 0);
	assert_int_equal(without, with - 1);
	snap_writer_view_end(v);
}

static void
review_comments_are_counted(void **state)
{
	struct snap_fixture *fx = *state;
	struct snap_review_comment_in c = { .id = 4, .created_ms = 1000, .body = SLICE("b") };
	struct snap_txn *t = fx_begin(fx);
	struct snap_issue i;
	struct snap_view *v;
	struct snap_repo r;

	fx_edit(fx, t, 7);
	snap_review_comment_put(t, &fx->edit, &c);
	snap_review_comment_put(t, &fx->edit, &c); /* the same again */
	c.id = 3;
	c.created_ms = 2000;
	snap_review_comment_put(t, &fx->edit, &c); /* younger, but with a lower id */
	fx_store(fx, t);
	assert_int_equal(snap_txn_commit(t), 0);
	v = fx_view(fx);
	assert_int_equal(snap_issue_get(v, 7, &i), 0);
	assert_int_equal(snap_issue_review_comment_count(&i), 2);
	assert_true((i.flags & SNAP_ISSUE_REVIEW_COMMENTS_UNSORTED) != 0);
	assert_int_equal(snap_repo_get(v, &r), 0);
	assert_int_equal(r.review_comments, 2);
	snap_writer_view_end(v);
}

#define WITH_FX(test) cmocka_unit_test_setup_teardown(test, fx_setup, fx_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_member_is_found_by_its_name),
		cmocka_unit_test(reactions_show_all_kinds_or_those_that_are),
		WITH_FX(labels_are_walked_in_the_order_of_ids),
		WITH_FX(a_milestone_keeps_every_fact),
		WITH_FX(what_no_list_shows_has_a_row_only_while_there_is_something),
		WITH_FX(review_comments_are_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
