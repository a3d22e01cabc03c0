/* Comments, reviews, events: order marks, approval, the commit, counts. */
#include "snap_fixture.h"

static void
put_comment(struct snap_fixture *fx, struct snap_txn *t, int64_t id, int64_t created)
{
	struct snap_comment_in c = { .id = id,
		.user = 1,
		.created_ms = created,
		.updated_ms = created,
		.body = SLICE("hello") };

	snap_comment_put(t, &fx->edit, &c);
}

static void
put_review(struct snap_fixture *fx, struct snap_txn *t, int64_t id, int64_t actor,
    int64_t created, const char *verdict)
{
	struct snap_review_in r = {
		.id = id, .actor = actor, .created_ms = created, .state = slice_str(verdict)
	};

	snap_review_put(t, &fx->edit, &r);
}

static void
put_event(struct snap_fixture *fx, struct snap_txn *t, int64_t id, int64_t created,
    const char *commit)
{
	struct snap_event_in e = { .id = id,
		.created_ms = created,
		.type = SLICE("closed"),
		.commit = slice_str(commit) };

	snap_event_put(t, &fx->edit, &e);
}

static void
a_comment_is_found_by_walk_and_by_id(void **state)
{
	struct snap_fixture *fx = *state;
	struct snap_txn *t = fx_begin(fx);
	struct snap_child c;
	struct snap_walk w;

	fx_edit(fx, t, 7);
	put_comment(fx, t, 30, 3000);
	put_comment(fx, t, 20, 2000);
	fx_store(fx, t);
	fx_edit(fx, t, 8);
	put_comment(fx, t, 25, 2500);
	fx_store(fx, t);
	assert_int_equal(snap_txn_commit(t), 0);
	struct snap_view *v = fx_view(fx);

	assert_int_equal(snap_walk_begin(v, SNAP_COMMENT, 7, &w), 0);
	assert_int_equal(snap_walk_next(&w, &c), 0);
	assert_int_equal(c.id, 20);
	assert_slice_equal(c.members,
	    "\"id\":20,\"createdAt\":\"1970-01-01T00:00:02Z\",\"updatedAt\":"
	    "\"1970-01-01T00:00:02Z\",\"authorAssociation\":\"\","
	    "\"reactions\":{\"totalCount\":0},\"body\":\"hello\"");
	assert_slice_equal(c.last, "\"body\":\"hello\"");
	assert_int_equal(snap_walk_next(&w, &c), 0);
	assert_int_equal(c.id, 30);
	assert_int_equal(snap_walk_next(&w, &c), ERR_NOENT);
	assert_int_equal(snap_child_get(v, SNAP_COMMENT, 8, 25, &c), 0);
	assert_int_equal(snap_child_get(v, SNAP_COMMENT, 8, 30, &c), ERR_NOENT);
	snap_writer_view_end(v);
}

static void
ids_that_do_not_follow_time_are_marked(void **state)
{
	static const struct {
		int64_t ids[3], times[3];
		bool unsorted;
	} cases[] = {
		{ { 1, 2, 3 }, { 10, 20, 30 }, false },
		{ { 3, 1, 2 }, { 30, 10, 20 }, false },
		{ { 1, 2, 3 }, { 10, 10, 10 }, false },
		{ { 1, 2, 3 }, { 10, 30, 20 }, true },
		{ { 3, 1, 2 }, { 10, 20, 30 }, true },
	};
	struct snap_fixture *fx = *state;

	for (uint32_t n = 0; n < sizeof(cases) / sizeof(cases[0]); n++) {
		struct snap_txn *t = fx_begin(fx);

		fx_edit(fx, t, n + 1);
		for (int i = 0; i < 3; i++)
			put_comment(fx, t, cases[n].ids[i], cases[n].times[i]);
		assert_int_equal(
		    (fx->edit.flags & SNAP_ISSUE_COMMENTS_UNSORTED) != 0, cases[n].unsorted);
		assert_int_equal(fx->edit.comment_count, 3);
		fx_store(fx, t);
		assert_int_equal(snap_txn_commit(t), 0);
	}
}

static void
a_pull_request_is_approved_when_every_last_word_is(void **state)
{
	static const struct {
		struct {
			int64_t id, actor, at;
			const char *verdict;
		} reviews[4];
		bool approved;
	} cases[] = {
		{ { { 0 } }, false },
		{ { { 1, 5, 10, "APPROVED" } }, true },
		{ { { 1, 5, 10, "APPROVED" }, { 2, 5, 20, "CHANGES_REQUESTED" } }, false },
		{ { { 1, 5, 10, "CHANGES_REQUESTED" }, { 2, 5, 20, "APPROVED" } }, true },
		{ { { 1, 5, 10, "APPROVED" }, { 2, 6, 20, "COMMENTED" } }, false },
		{ { { 1, 5, 20, "APPROVED" }, { 2, 5, 10, "COMMENTED" } }, true },
		{ { { 1, 5, 10, "APPROVED" }, { 2, 5, 10, "COMMENTED" } }, false },
	};
	struct snap_fixture *fx = *state;

	for (uint32_t n = 0; n < sizeof(cases) / sizeof(cases[0]); n++) {
		struct snap_txn *t = fx_begin(fx);

		fx_edit(fx, t, n + 1)->flags |= SNAP_ISSUE_PULL;
		for (int i = 0; i < 4 && cases[n].reviews[i].id != 0; i++)
			put_review(fx, t, cases[n].reviews[i].id, cases[n].reviews[i].actor,
			    cases[n].reviews[i].at, cases[n].reviews[i].verdict);
		assert_int_equal(
		    (fx->edit.flags & SNAP_ISSUE_APPROVED) != 0, cases[n].approved);
		snap_txn_abort(t);
	}
}

static void
a_deleted_review_counts_no_more(void **state)
{
	struct snap_fixture *fx = *state;
	struct snap_txn *t = fx_begin(fx);

	fx_edit(fx, t, 1)->flags |= SNAP_ISSUE_PULL;
	put_review(fx, t, 1, 5, 10, "APPROVED");
	put_review(fx, t, 2, 6, 20, "CHANGES_REQUESTED");
	assert_true(snap_child_delete(t, &fx->edit, SNAP_REVIEW, 2));
	assert_false(snap_child_delete(t, &fx->edit, SNAP_REVIEW, 2));
	assert_true((fx->edit.flags & SNAP_ISSUE_APPROVED) != 0);
	assert_int_equal(fx->edit.review_count, 1);
	fx_store(fx, t);
	assert_int_equal(snap_txn_commit(t), 0);
}

static void
the_commit_is_that_of_the_last_event_in_time(void **state)
{
	struct snap_fixture *fx = *state;
	struct snap_txn *t = fx_begin(fx);

	fx_edit(fx, t, 1);
	put_event(fx, t, 3, 300, "ccc");
	put_event(fx, t, 1, 100, "aaa");
	put_event(fx, t, 4, 400, "");
	assert_slice_equal(fx->edit.commit, "ccc");
	put_event(fx, t, 5, 300, "eee"); /* at the same time: the larger id */
	assert_slice_equal(fx->edit.commit, "eee");
	put_event(fx, t, 5, 300, ""); /* replaced by one without */
	assert_slice_equal(fx->edit.commit, "ccc");
	assert_int_equal(fx->edit.event_count, 4);
	snap_txn_abort(t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    a_comment_is_found_by_walk_and_by_id, fx_setup, fx_teardown),
		cmocka_unit_test_setup_teardown(
		    ids_that_do_not_follow_time_are_marked, fx_setup, fx_teardown),
		cmocka_unit_test_setup_teardown(
		    a_pull_request_is_approved_when_every_last_word_is, fx_setup, fx_teardown),
		cmocka_unit_test_setup_teardown(
		    a_deleted_review_counts_no_more, fx_setup, fx_teardown),
		cmocka_unit_test_setup_teardown(
		    the_commit_is_that_of_the_last_event_in_time, fx_setup, fx_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
