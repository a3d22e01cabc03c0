/* Rows of issues: what is stored comes back, and what follows from it is right. */
#include "snap_fixture.h"

static void
an_unknown_number_leaves_the_output_alone(void **state)
{
	struct snap_view *v = fx_view(*state);
	struct snap_issue i = { .number = 99 };

	assert_int_equal(snap_issue_get(v, 7, &i), ERR_NOENT);
	assert_int_equal(i.number, 99);
	snap_writer_view_end(v);
}

static void
put_full_issue(struct snap_fixture *fx)
{
	struct snap_txn *t = fx_begin(fx);
	struct snap_issue_edit *e = fx_edit(fx, t, 7);

	snap_label_put(t, 11, SLICE("zeta"));
	snap_label_put(t, 12, SLICE("Alpha \"q\""));
	snap_milestone_put(t, 5, 2, SLICE("v1"), 0);
	snap_user_put(t, 42, SLICE("ann"));
	e->flags |= SNAP_ISSUE_PULL | SNAP_ISSUE_CLOSED | SNAP_ISSUE_LOCKED;
	e->id = 9000000000;
	e->created_ms = 1000;
	e->updated_ms = 2000;
	e->closed_ms = 1500;
	e->reporter = 42;
	e->milestone = 5;
	e->title = SLICE("a \\\"title\\\"");
	e->state_reason = SLICE("completed");
	e->labels[0] = 11;
	e->labels[1] = 12;
	e->label_count = 2;
	e->assignees[0] = 42;
	e->assignee_count = 1;
	snap_body_set(e, SLICE("text\\n"));
	fx_store(fx, t);
	assert_int_equal(snap_txn_commit(t), 0);
}

static void
every_member_is_rendered_as_the_api_shows_it(void **state)
{
	static const struct {
		enum snap_member member;
		const char *want;
	} cases[] = {
		{ SNAP_M_NAME, "\"acme/widgets/issues/7\"" },
		{ SNAP_M_TITLE, "\"a \\\"title\\\"\"" },
		{ SNAP_M_PRIORITY, "\"PRIORITY_UNSPECIFIED\"" },
		{ SNAP_M_PRIORITY_UNKNOWN, "true" },
		{ SNAP_M_ISSUE_TYPE, "\"GITHUB_ISSUE_TYPE_UNSPECIFIED\"" },
		{ SNAP_M_LABELS, "[\"Alpha \\\"q\\\"\",\"zeta\"]" },
		{ SNAP_M_CREATED_AT, "\"1970-01-01T00:00:01Z\"" },
		{ SNAP_M_CLOSED_AT, "\"1970-01-01T00:00:01.500Z\"" },
		{ SNAP_M_CLOSED, "true" },
		{ SNAP_M_IS_PR, "true" },
		{ SNAP_M_APPROVED, "false" },
		{ SNAP_M_GIT_COMMIT, "null" },
		{ SNAP_M_COMMIT, "\"\"" },
		{ SNAP_M_ISSUE_ID, "7" },
		{ SNAP_M_URL, "\"https://github.com/acme/widgets/issues/7\"" },
		{ SNAP_M_REPO, "\"acme/widgets\"" },
		{ SNAP_M_MERGED_AT, "null" },
		{ SNAP_M_STATE_REASON, "\"completed\"" },
		{ SNAP_M_LOCKED, "true" },
		{ SNAP_M_MILESTONE, "{\"number\":2,\"title\":\"v1\"}" },
	};
	struct snap_issue i;
	struct snap_view *v;
	struct slice body;

	put_full_issue(*state);
	v = fx_view(*state);
	assert_int_equal(snap_issue_get(v, 7, &i), 0);
	for (size_t n = 0; n < sizeof(cases) / sizeof(cases[0]); n++)
		assert_slice_equal(snap_issue_value(&i, cases[n].member), cases[n].want);
	assert_int_equal(snap_body_get(v, 7, &body), 0);
	assert_slice_equal(body, "\"text\\n\"");
	assert_int_equal(snap_issue_id(&i), 9000000000);
	assert_int_equal(snap_issue_assignee(&i, 0), 42);
	snap_writer_view_end(v);
}

static void
an_edit_that_changes_nothing_stores_the_same_row(void **state)
{
	struct snap_fixture *fx = *state;
	struct snap_issue i;
	struct snap_view *v;
	struct snap_txn *t;
	char *before;
	size_t len;

	put_full_issue(fx);
	v = fx_view(fx);
	assert_int_equal(snap_issue_get(v, 7, &i), 0);
	before = mem_memdup(i.row, i.row_len);
	len = i.row_len;
	snap_writer_view_end(v);
	t = fx_begin(fx);
	fx_edit(fx, t, 7);
	fx_store(fx, t);
	assert_int_equal(snap_txn_commit(t), 0);
	v = fx_view(fx);
	assert_int_equal(snap_issue_get(v, 7, &i), 0);
	assert_int_equal(i.row_len, len);
	assert_memory_equal(i.row, before, len);
	snap_writer_view_end(v);
	mem_free(before);
}

static void
set_body(struct snap_fixture *fx, size_t len)
{
	struct snap_txn *t = fx_begin(fx);
	struct snap_issue_edit *e = fx_edit(fx, t, 7);
	char *text = mem_alloc(len + 1);

	memset(text, 'b', len);
	snap_body_set(e, (struct slice){ text, len });
	fx_store(fx, t);
	assert_int_equal(snap_txn_commit(t), 0);
	mem_free(text);
}

static void
assert_body(struct snap_fixture *fx, size_t len, bool with_members)
{
	struct snap_view *v = fx_view(fx);
	struct slice body, by_number, run;
	struct snap_issue i;
	uint64_t rows;

	assert_int_equal(snap_issue_get(v, 7, &i), 0);
	assert_int_equal(snap_issue_body(v, &i, &body), 0);
	assert_int_equal(body.len, len + 2);
	assert_true(body.ptr[0] == '"' && body.ptr[len + 1] == '"');
	assert_true(len == 0 || (body.ptr[1] == 'b' && body.ptr[len] == 'b'));
	assert_int_equal(snap_body_get(v, 7, &by_number), 0);
	assert_true(slice_eq(body, by_number));
	assert_int_equal(snap_issue_members_and_body(&i, &run), with_members);
	if (with_members)
		assert_ptr_equal(run.ptr + run.len, body.ptr + body.len);
	else
		assert_true(slice_eq(run, snap_issue_members(&i)));
	assert_int_equal(snap_verify(v, &rows, NULL), 0);
	snap_writer_view_end(v);
}

/* From empty to the longest that a row holds, beyond, and back; other changes leave it. */
static void
a_body_of_any_length_comes_back(void **state)
{
	static const struct {
		size_t len;
		bool with_members;
	} cases[] = { { 0, true }, { 1, true }, { 700, true }, { 8192, true }, { 8193, false },
		{ 200000, false }, { 8193, false }, { 5, true }, { 9000, false }, { 0, true } };
	struct snap_fixture *fx = *state;
	struct snap_txn *t;

	put_full_issue(fx);
	for (size_t n = 0; n < sizeof(cases) / sizeof(cases[0]); n++) {
		set_body(fx, cases[n].len);
		assert_body(fx, cases[n].len, cases[n].with_members);
		t = fx_begin(fx);
		fx_edit(fx, t, 7)->title = SLICE("another");
		fx_store(fx, t);
		assert_int_equal(snap_txn_commit(t), 0);
		assert_body(fx, cases[n].len, cases[n].with_members);
	}
}

static void
every_row_is_so_long_that_it_has_pages_of_its_own(void **state)
{
	struct snap_fixture *fx = *state;
	struct snap_txn *t = fx_begin(fx);
	struct snap_issue i;
	struct snap_view *v;

	fx_edit(fx, t, 1)->title = SLICE("t");
	fx_store(fx, t);
	assert_int_equal(snap_txn_commit(t), 0);
	v = fx_view(fx);
	assert_int_equal(snap_issue_get(v, 1, &i), 0);
	assert_int_equal(i.row_len, 2040);
	snap_writer_view_end(v);
}

static void
a_renamed_label_or_milestone_shows_in_every_issue(void **state)
{
	struct snap_fixture *fx = *state;
	struct snap_issue i;
	struct snap_view *v;
	struct snap_txn *t;

	put_full_issue(fx);
	t = fx_begin(fx);
	snap_label_put(t, 11, SLICE("Priority: P1"));
	snap_milestone_put(t, 5, 0, SLICE("v2"), -1);
	assert_int_equal(snap_txn_commit(t), 0);
	v = fx_view(fx);
	assert_int_equal(snap_issue_get(v, 7, &i), 0);
	assert_slice_equal(
	    snap_issue_value(&i, SNAP_M_LABELS), "[\"Alpha \\\"q\\\"\",\"Priority: P1\"]");
	assert_slice_equal(snap_issue_value(&i, SNAP_M_PRIORITY), "\"P1\"");
	assert_slice_equal(
	    snap_issue_value(&i, SNAP_M_MILESTONE), "{\"number\":2,\"title\":\"v2\"}");
	snap_writer_view_end(v);
}

static void
labels_decide_priority_type_and_blocking(void **state)
{
	static const struct {
		const char *labels[3];
		const char *priority, *type, *blocked, *release;
	} cases[] = {
		{ { "P0" }, "\"P0\"", "\"GITHUB_ISSUE_TYPE_UNSPECIFIED\"", "false", "false" },
		{ { "priority: p3", "P1" }, "\"P1\"", "\"GITHUB_ISSUE_TYPE_UNSPECIFIED\"",
		    "false", "false" },
		{ { "Bug" }, "\"PRIORITY_UNSPECIFIED\"", "\"BUG\"", "false", "false" },
		{ { "a bug" }, "\"PRIORITY_UNSPECIFIED\"", "\"GITHUB_ISSUE_TYPE_UNSPECIFIED\"",
		    "false", "false" },
		{ { "enhancement", "type: bug" }, "\"PRIORITY_UNSPECIFIED\"", "\"FEATURE\"",
		    "false", "false" },
		{ { "release blocking", "blocked on x" }, "\"PRIORITY_UNSPECIFIED\"",
		    "\"GITHUB_ISSUE_TYPE_UNSPECIFIED\"", "true", "true" },
		{ { "question" }, "\"PRIORITY_UNSPECIFIED\"", "\"QUESTION\"", "false",
		    "false" },
		{ { "type: process", "cleanup" }, "\"PRIORITY_UNSPECIFIED\"", "\"CLEANUP\"",
		    "false", "false" },
		{ { "\\blocked" }, "\"PRIORITY_UNSPECIFIED\"",
		    "\"GITHUB_ISSUE_TYPE_UNSPECIFIED\"", "true", "false" },
	};
	struct snap_fixture *fx = *state;

	for (uint32_t n = 0; n < sizeof(cases) / sizeof(cases[0]); n++) {
		struct snap_txn *t = fx_begin(fx);
		struct snap_issue i;
		struct snap_issue_edit *e = fx_edit(fx, t, n + 1);

		for (uint32_t l = 0; l < 3 && cases[n].labels[l] != NULL; l++) {
			snap_label_put(t, 100 * (n + 1) + l, slice_str(cases[n].labels[l]));
			e->labels[e->label_count++] = 100 * (n + 1) + l;
		}
		fx_store(fx, t);
		assert_int_equal(snap_issue_get(snap_txn_view(t), n + 1, &i), 0);
		assert_slice_equal(snap_issue_value(&i, SNAP_M_PRIORITY), cases[n].priority);
		assert_slice_equal(snap_issue_value(&i, SNAP_M_ISSUE_TYPE), cases[n].type);
		assert_slice_equal(snap_issue_value(&i, SNAP_M_BLOCKED), cases[n].blocked);
		assert_slice_equal(
		    snap_issue_value(&i, SNAP_M_RELEASE_BLOCKING), cases[n].release);
		assert_int_equal(snap_txn_commit(t), 0);
	}
}

static void
an_open_issue_shows_no_closing_time(void **state)
{
	struct snap_fixture *fx = *state;
	struct snap_txn *t = fx_begin(fx);
	struct snap_issue i;

	fx_edit(fx, t, 3)->closed_ms = 5000; /* it was closed once */
	fx_store(fx, t);
	assert_int_equal(snap_issue_get(snap_txn_view(t), 3, &i), 0);
	assert_slice_equal(snap_issue_value(&i, SNAP_M_CLOSED_AT), "null");
	assert_int_equal(snap_issue_closed_ms(&i), 5000);
	snap_txn_abort(t);
}

static void
counters_follow_class_and_tombstone(void **state)
{
	struct snap_fixture *fx = *state;
	struct snap_repo r;
	struct snap_txn *t = fx_begin(fx);

	fx_edit(fx, t, 1);
	fx_store(fx, t);
	fx_edit(fx, t, 2)->flags |= SNAP_ISSUE_PULL;
	fx_store(fx, t);
	fx_edit(fx, t, 3)->flags |= SNAP_ISSUE_NOT_EXIST;
	fx_store(fx, t);
	assert_int_equal(snap_txn_commit(t), 0);
	t = fx_begin(fx);
	fx_edit(fx, t, 1)->flags |= SNAP_ISSUE_CLOSED;
	fx_store(fx, t);
	fx_edit(fx, t, 2)->flags |= SNAP_ISSUE_NOT_EXIST;
	fx_store(fx, t);
	fx_edit(fx, t, 3)->flags &= ~(uint32_t)SNAP_ISSUE_NOT_EXIST;
	fx_store(fx, t);
	assert_int_equal(snap_txn_commit(t), 0);
	t = fx_begin(fx);
	assert_int_equal(snap_repo_get(snap_txn_view(t), &r), 0);
	assert_int_equal(r.counts[SNAP_CLASS_OPEN_ISSUE], 1);
	assert_int_equal(r.counts[SNAP_CLASS_OPEN_PULL], 0);
	assert_int_equal(r.counts[SNAP_CLASS_CLOSED_ISSUE], 1);
	assert_int_equal(r.counts[SNAP_CLASS_CLOSED_PULL], 0);
	snap_txn_abort(t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    an_unknown_number_leaves_the_output_alone, fx_setup, fx_teardown),
		cmocka_unit_test_setup_teardown(
		    every_member_is_rendered_as_the_api_shows_it, fx_setup, fx_teardown),
		cmocka_unit_test_setup_teardown(
		    an_edit_that_changes_nothing_stores_the_same_row, fx_setup, fx_teardown),
		cmocka_unit_test_setup_teardown(
		    a_body_of_any_length_comes_back, fx_setup, fx_teardown),
		cmocka_unit_test_setup_teardown(
		    every_row_is_so_long_that_it_has_pages_of_its_own, fx_setup, fx_teardown),
		cmocka_unit_test_setup_teardown(
		    a_renamed_label_or_milestone_shows_in_every_issue, fx_setup, fx_teardown),
		cmocka_unit_test_setup_teardown(
		    labels_decide_priority_type_and_blocking, fx_setup, fx_teardown),
		cmocka_unit_test_setup_teardown(
		    an_open_issue_shows_no_closing_time, fx_setup, fx_teardown),
		cmocka_unit_test_setup_teardown(
		    counters_follow_class_and_tombstone, fx_setup, fx_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
