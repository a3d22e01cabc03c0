/* What a reader remembers from view to view is never older than the view. */
#include "snap_fixture.h"

struct reader {
	struct snap_fixture *fx;
	struct snap *snap;
	struct snap_view *v;
	struct buf out;
};

static void
start(struct reader *r, void **state)
{
	*r = (struct reader){ .fx = *state };
	buf_init(&r->out, 10000);
}

static void
end(struct reader *r)
{
	snap_close(r->snap);
	buf_clear(&r->out);
}

/* The snapshot is opened when there is something in it. */
static void
look(struct reader *r)
{
	if (r->snap == NULL)
		assert_int_equal(snap_open(r->fx->dir, &r->snap, NULL), 0);
	assert_int_equal(snap_view_begin(r->snap, &r->v), 0);
}

static void
write_one(struct snap_fixture *fx, uint32_t number, const char *title, const char *login)
{
	struct snap_txn *t = fx_begin(fx);

	snap_user_put(t, 42, slice_str(login));
	fx_edit(fx, t, number)->title = slice_str(title);
	fx_store(fx, t);
	assert_int_equal(snap_txn_commit(t), 0);
}

static void
assert_seen(struct reader *r, uint32_t number, const char *title, const char *user,
    uint64_t open_issues)
{
	struct snap_repo repo;
	struct snap_issue i;

	look(r);
	for (int again = 0; again < 2; again++) {
		assert_int_equal(snap_repo_get(r->v, &repo), 0);
		assert_slice_equal(repo.name, FX_REPO);
		assert_int_equal(repo.counts[SNAP_CLASS_OPEN_ISSUE], open_issues);
		buf_reset(&r->out);
		assert_int_equal(snap_user_add(r->v, 42, &r->out), 0);
		assert_slice_equal(buf_view(&r->out), user);
		assert_int_equal(snap_user_add(r->v, 43, &r->out), ERR_NOENT);
		assert_int_equal(snap_user_add(r->v, 0, &r->out), ERR_NOENT);
		assert_int_equal(snap_issue_get(r->v, number, &i), 0);
		assert_slice_equal(snap_issue_value(&i, SNAP_M_TITLE), title);
		assert_int_equal(snap_issue_get(r->v, 999, &i), ERR_NOENT);
	}
	snap_view_end(r->v);
}

static void
a_write_is_seen_by_the_next_view(void **state)
{
	struct reader r;

	start(&r, state);
	write_one(r.fx, 1, "first", "ann");
	assert_seen(&r, 1, "\"first\"", "{\"id\":42,\"login\":\"ann\"}", 1);
	assert_seen(&r, 1, "\"first\"", "{\"id\":42,\"login\":\"ann\"}", 1);
	write_one(r.fx, 1, "second", "beth");
	assert_seen(&r, 1, "\"second\"", "{\"id\":42,\"login\":\"beth\"}", 1);
	write_one(r.fx, 2, "third", "beth");
	assert_seen(&r, 2, "\"third\"", "{\"id\":42,\"login\":\"beth\"}", 2);
	assert_seen(&r, 1, "\"second\"", "{\"id\":42,\"login\":\"beth\"}", 2);
	end(&r);
}

static void
a_login_too_long_to_be_remembered_is_right_all_the_same(void **state)
{
	static const char login[] = "a-login-of-thirty-nine-letters-or-so-xx";
	char user[100];
	struct reader r;

	start(&r, state);
	write_one(r.fx, 1, "t", login);
	snprintf(user, sizeof(user), "{\"id\":42,\"login\":\"%s\"}", login);
	assert_seen(&r, 1, "\"t\"", user, 1);
	end(&r);
}

static bool
same_stamp(struct snap_stamp a, struct snap_stamp b)
{
	return a.environment == b.environment && a.transaction == b.transaction;
}

static void
a_stamp_stands_until_something_is_written(void **state)
{
	struct snap_stamp stamps[4];
	struct reader r;

	start(&r, state);
	write_one(r.fx, 1, "t", "ann");
	for (size_t i = 0; i < 4; i++) {
		if (i == 2)
			write_one(r.fx, 1, "u", "ann");
		look(&r);
		stamps[i] = snap_view_stamp(r.v);
		snap_view_end(r.v);
	}
	assert_true(same_stamp(stamps[0], stamps[1]));
	assert_false(same_stamp(stamps[1], stamps[2]));
	assert_true(same_stamp(stamps[2], stamps[3]));
	end(&r);
}

/* A new environment counts its transactions from the beginning. */
static void
a_rebuild_has_another_stamp_and_is_seen_whole(void **state)
{
	struct snap_stamp before;
	struct snap_writer *next;
	struct snap_view *first;
	struct snap_txn *t;
	struct reader r;
	bool unclean;

	start(&r, state);
	write_one(r.fx, 1, "old", "ann");
	/*
	 * Takes the reader slot that LMDB clears when the writer's handle, which is in this
	 * process, too, is closed.
	 */
	look(&r);
	first = r.v;
	assert_seen(&r, 1, "\"old\"", "{\"id\":42,\"login\":\"ann\"}", 1);
	look(&r);
	before = snap_view_stamp(r.v);
	snap_view_end(r.v);
	snap_writer_close(r.fx->writer);
	r.fx->writer = NULL;
	assert_int_equal(
	    snap_writer_open(r.fx->dir, FX_REPO, SNAP_FILL, &next, &unclean, NULL), 0);
	assert_int_equal(snap_txn_begin(next, &t), 0);
	snap_user_put(t, 42, SLICE("carol"));
	fx_edit(r.fx, t, 1)->title = SLICE("new");
	fx_store(r.fx, t);
	assert_int_equal(snap_txn_commit(t), 0);
	assert_int_equal(snap_writer_promote(next, false, NULL), 0);
	assert_seen(&r, 1, "\"new\"", "{\"id\":42,\"login\":\"carol\"}", 1);
	look(&r);
	assert_false(same_stamp(before, snap_view_stamp(r.v)));
	assert_true(before.environment != snap_view_stamp(r.v).environment);
	snap_view_end(r.v);
	snap_view_end(first);
	snap_writer_close(next);
	end(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    a_write_is_seen_by_the_next_view, fx_setup, fx_teardown),
		cmocka_unit_test_setup_teardown(
		    a_login_too_long_to_be_remembered_is_right_all_the_same, fx_setup,
		    fx_teardown),
		cmocka_unit_test_setup_teardown(
		    a_stamp_stands_until_something_is_written, fx_setup, fx_teardown),
		cmocka_unit_test_setup_teardown(
		    a_rebuild_has_another_stamp_and_is_seen_whole, fx_setup, fx_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
