/* Environments: opening, formats, readers beside a writer, rebuilds, damage. */
#include <fcntl.h>
#include <lmdb.h>
#include <sys/stat.h>

#include "snap_fixture.h"

static void
fill(struct snap_fixture *fx, struct snap_writer *w, uint32_t number, const char *title)
{
	struct snap_txn *t;

	assert_int_equal(snap_txn_begin(w, &t), 0);
	fx_edit(fx, t, number)->title = slice_str(title);
	fx_store(fx, t);
	assert_int_equal(snap_txn_commit(t), 0);
}

static void
nothing_synced_yet_is_not_found(void **state)
{
	struct err_info ei = { 0 };
	struct snap *s = NULL;

	(void)state;
	assert_int_equal(snap_open("/tmp/no-such-snapshot", &s, &ei), ERR_NOENT);
	assert_null(s);
	assert_non_null(strstr(ei.text, "/tmp/no-such-snapshot"));
}

static void
another_format_says_how_to_rebuild(void **state)
{
	struct snap_fixture *fx = *state;
	char name[] = "format", value[] = "\x63\0\0\0----";
	MDB_val k = { 6, name }, d = { 8, value };
	struct err_info ei = { 0 };
	char path[128];
	struct snap *s;
	MDB_env *env;
	MDB_txn *txn;
	MDB_dbi dbi;

	snap_writer_close(fx->writer);
	fx->writer = NULL;
	snprintf(path, sizeof(path), "%s/current", fx->dir);
	assert_int_equal(mdb_env_create(&env), 0);
	assert_int_equal(mdb_env_set_maxdbs(env, 32), 0);
	assert_int_equal(mdb_env_open(env, path, 0, 0660), 0);
	assert_int_equal(mdb_txn_begin(env, NULL, 0, &txn), 0);
	assert_int_equal(mdb_dbi_open(txn, "meta", 0, &dbi), 0);
	assert_int_equal(mdb_put(txn, dbi, &k, &d, 0), 0);
	assert_int_equal(mdb_txn_commit(txn), 0);
	mdb_env_close(env);
	assert_int_equal(snap_open(fx->dir, &s, &ei), ERR_VERSION);
	assert_non_null(strstr(ei.text, "--rebuild"));
}

/* An older format lacks tables: that must not be taken for damage, by either side. */
static void
the_first_format_is_refused_and_left_alone(void **state)
{
	static const char *const newer[] = { "review_comment", "issue_other" };
	struct snap_fixture *fx = *state;
	char name[] = "format", value[] = "\x01\0\0\0----";
	MDB_val k = { 6, name }, d = { 8, value };
	struct err_info ei = { 0 };
	struct snap_writer *w = NULL;
	struct snap *s = NULL;
	bool unclean;
	char path[128];
	MDB_env *env;
	MDB_txn *txn;
	MDB_dbi dbi;

	snap_writer_close(fx->writer);
	fx->writer = NULL;
	snprintf(path, sizeof(path), "%s/current", fx->dir);
	assert_int_equal(mdb_env_create(&env), 0);
	assert_int_equal(mdb_env_set_maxdbs(env, 32), 0);
	assert_int_equal(mdb_env_open(env, path, 0, 0660), 0);
	assert_int_equal(mdb_txn_begin(env, NULL, 0, &txn), 0);
	assert_int_equal(mdb_dbi_open(txn, "meta", 0, &dbi), 0);
	assert_int_equal(mdb_put(txn, dbi, &k, &d, 0), 0);
	for (size_t n = 0; n < 2; n++) {
		assert_int_equal(mdb_dbi_open(txn, newer[n], 0, &dbi), 0);
		assert_int_equal(mdb_drop(txn, dbi, 1), 0);
	}
	assert_int_equal(mdb_txn_commit(txn), 0);
	assert_int_equal(snap_open(fx->dir, &s, &ei), ERR_VERSION);
	assert_non_null(strstr(ei.text, "format 1"));
	assert_non_null(strstr(ei.text, "--rebuild"));
	memset(&ei, 0, sizeof(ei));
	assert_int_equal(snap_writer_open(fx->dir, FX_REPO, 0, &w, &unclean, &ei), ERR_VERSION);
	assert_non_null(strstr(ei.text, "--rebuild"));
	assert_int_equal(mdb_txn_begin(env, NULL, MDB_RDONLY, &txn), 0);
	assert_int_equal(mdb_dbi_open(txn, newer[0], 0, &dbi), MDB_NOTFOUND);
	mdb_txn_abort(txn);
	mdb_env_close(env);
}

static void
one_directory_has_one_writer_and_one_repository(void **state)
{
	struct snap_fixture *fx = *state;
	struct err_info ei = { 0 };
	struct snap_writer *w = NULL;
	bool unclean;

	assert_int_equal(snap_writer_open(fx->dir, FX_REPO, 0, &w, &unclean, &ei), ERR_BUSY);
	snap_writer_close(fx->writer);
	fx->writer = NULL;
	assert_int_equal(
	    snap_writer_open(fx->dir, "other/repo", 0, &w, &unclean, &ei), ERR_INVAL);
	assert_non_null(strstr(ei.text, FX_REPO));
	assert_null(w);
}

static void
a_reader_sees_commits_and_follows_a_rebuild(void **state)
{
	struct snap_fixture *fx = *state;
	struct snap_writer *next;
	struct snap_issue i;
	struct snap_view *v, *old;
	struct snap *s;
	bool unclean;

	fill(fx, fx->writer, 1, "first");
	assert_int_equal(snap_open(fx->dir, &s, NULL), 0);
	assert_int_equal(snap_view_begin(s, &old), 0);
	fill(fx, fx->writer, 1, "second");
	assert_int_equal(snap_issue_get(old, 1, &i), 0);
	assert_slice_equal(snap_issue_value(&i, SNAP_M_TITLE), "\"first\"");
	assert_int_equal(snap_view_begin(s, &v), 0);
	assert_int_equal(snap_issue_get(v, 1, &i), 0);
	assert_slice_equal(snap_issue_value(&i, SNAP_M_TITLE), "\"second\"");
	snap_view_end(v);

	snap_writer_close(fx->writer);
	assert_int_equal(
	    snap_writer_open(fx->dir, FX_REPO, SNAP_FILL, &next, &unclean, NULL), 0);
	fill(fx, next, 1, "rebuilt");
	assert_int_equal(snap_view_begin(s, &v), 0); /* not promoted: still the old one */
	assert_int_equal(snap_issue_get(v, 1, &i), 0);
	assert_slice_equal(snap_issue_value(&i, SNAP_M_TITLE), "\"second\"");
	snap_view_end(v);
	assert_int_equal(snap_writer_promote(next, false, NULL), 0);
	fx->writer = next;
	assert_int_equal(snap_view_begin(s, &v), 0);
	assert_int_equal(snap_issue_get(v, 1, &i), 0);
	assert_slice_equal(snap_issue_value(&i, SNAP_M_TITLE), "\"rebuilt\"");
	snap_view_end(v);
	snap_view_end(old); /* a view may outlive the switch */
	snap_close(s);
}

static void
a_writer_that_did_not_close_is_noticed(void **state)
{
	struct snap_fixture *fx = *state;
	struct snap_writer *w;
	bool unclean = false;
	char command[256];

	/* A copy of the directory while it is open is what a crash leaves. */
	fill(fx, fx->writer, 1, "x");
	snprintf(command, sizeof(command), "cp -r %s %s-crashed", fx->dir, fx->dir);
	assert_int_equal(system(command), 0);
	snprintf(command, sizeof(command), "%s-crashed", fx->dir);
	assert_int_equal(snap_writer_open(command, FX_REPO, 0, &w, &unclean, NULL), 0);
	assert_true(unclean);
	snap_writer_close(w);
	assert_int_equal(snap_writer_open(command, FX_REPO, 0, &w, &unclean, NULL), 0);
	assert_false(unclean);
	snap_writer_close(w);
	fx_remove_dir(command);
}

/* Change one byte of a stored value behind the library's back. */
static void
damage(const char *dir, const char *table, size_t at)
{
	char path[128];
	MDB_env *env;
	MDB_txn *txn;
	MDB_dbi dbi;
	MDB_cursor *c;
	MDB_val k, d, copy;

	snprintf(path, sizeof(path), "%s/current", dir);
	assert_int_equal(mdb_env_create(&env), 0);
	assert_int_equal(mdb_env_set_maxdbs(env, 32), 0);
	assert_int_equal(mdb_env_open(env, path, 0, 0660), 0);
	assert_int_equal(mdb_txn_begin(env, NULL, 0, &txn), 0);
	assert_int_equal(mdb_dbi_open(txn, table, 0, &dbi), 0);
	assert_int_equal(mdb_cursor_open(txn, dbi, &c), 0);
	assert_int_equal(mdb_cursor_get(c, &k, &d, MDB_FIRST), 0);
	copy.mv_size = d.mv_size;
	copy.mv_data = mem_memdup(d.mv_data, d.mv_size);
	((char *)copy.mv_data)[at % d.mv_size] ^= 0x10;
	assert_int_equal(mdb_cursor_put(c, &k, &copy, MDB_CURRENT), 0);
	mdb_cursor_close(c);
	assert_int_equal(mdb_txn_commit(txn), 0);
	mdb_env_close(env);
	mem_free(copy.mv_data);
}

/* One that has a row of its own. */
static struct slice
long_body(void)
{
	static char text[10000];

	memset(text, 'b', sizeof(text));
	return (struct slice){ text, sizeof(text) };
}

static void
verify_finds_a_flipped_bit_in_any_table(void **state)
{
	static const char *const tables[] = { "issue", "issue_body", "user", "issue_by_number",
		"comment", "issue_by_comments", "review_comment", "label", "milestone",
		"issue_other" };
	struct snap_fixture *fx = *state;

	for (size_t n = 0; n < sizeof(tables) / sizeof(tables[0]); n++) {
		struct snap_comment_in c = { .id = 5, .created_ms = 1, .body = SLICE("b") };
		struct snap_review_comment_in line = { .id = 6, .body = SLICE("l") };
		struct snap_other other = { .json = SLICE("{\"a\":1}") };
		struct err_info ei = { 0 };
		uint64_t rows = 0;
		struct snap_view *v;
		struct snap_txn *t = fx_begin(fx);

		fx_edit(fx, t, 1)->title = SLICE("t");
		snap_comment_put(t, &fx->edit, &c);
		snap_body_set(&fx->edit, long_body());
		snap_user_put(t, 3, SLICE("ann"));
		snap_review_comment_put(t, &fx->edit, &line);
		snap_label_put(t, 4, SLICE("bug"));
		snap_milestone_put(t, 4, 1, SLICE("v1"), 0);
		snap_other_put(t, 1, &other);
		fx_store(fx, t);
		assert_int_equal(snap_txn_commit(t), 0);
		v = fx_view(fx);
		assert_int_equal(snap_verify(v, &rows, &ei), 0);
		assert_true(rows > 8);
		snap_writer_view_end(v);
		snap_writer_close(fx->writer);
		fx->writer = NULL;
		damage(fx->dir, tables[n], 2);
		struct snap *s;

		assert_int_equal(snap_open(fx->dir, &s, NULL), 0);
		assert_int_equal(snap_view_begin(s, &v), 0);
		assert_int_equal(snap_verify(v, &rows, &ei), ERR_CORRUPT);
		assert_non_null(strstr(ei.text, tables[n]));
		snap_view_end(v);
		snap_close(s);
		damage(fx->dir, tables[n], 2); /* back again */
		fx_open(fx);
	}
}

static void
the_outbox_gives_rows_in_order_and_forgets_a_prefix(void **state)
{
	struct snap_fixture *fx = *state;
	struct snap_txn *t = fx_begin(fx);
	uint64_t offset = 0;
	uint32_t segment = 0;
	struct slice row;

	snap_outbox_put(t, 1, 0, SLICE("c"));
	snap_outbox_put(t, 0, 300, SLICE("b"));
	snap_outbox_put(t, 0, 20, SLICE("a"));
	assert_int_equal(snap_outbox_next(snap_txn_view(t), &segment, &offset, &row), 0);
	assert_int_equal(offset, 20);
	assert_slice_equal(row, "a");
	snap_outbox_forget(t, 0, 300);
	segment = 0;
	offset = 0;
	assert_int_equal(snap_outbox_next(snap_txn_view(t), &segment, &offset, &row), 0);
	assert_int_equal(offset, 300);
	snap_outbox_forget(t, 1, 1);
	segment = 0;
	offset = 0;
	assert_int_equal(
	    snap_outbox_next(snap_txn_view(t), &segment, &offset, &row), ERR_NOENT);
	assert_int_equal(snap_txn_commit(t), 0);
}

static void
sync_rows_and_tail_come_back_as_they_were(void **state)
{
	struct snap_fixture *fx = *state;
	struct snap_txn *t = fx_begin(fx);
	struct snap_sync in = { .server_date_ms = 5,
		.watermark_ms = TIME_NONE,
		.complete = true,
		.position = SLICE("http://x/?page=2"),
		.etag = SLICE("W/\"1\""),
		.etag_owner = SLICE("abcd") };
	struct snap_sync out;
	struct snap_tail tail = { 3, 1234, "0123456789abcdef" }, got;
	struct slice note;

	snap_sync_put(t, SLICE("issues"), &in);
	snap_tail_put(t, &tail);
	snap_note_put(t, "last_error", SLICE("none"));
	assert_int_equal(snap_sync_get(snap_txn_view(t), SLICE("issues"), &out), 0);
	assert_int_equal(out.server_date_ms, 5);
	assert_true(out.watermark_ms == TIME_NONE && out.complete);
	assert_slice_equal(out.position, "http://x/?page=2");
	assert_slice_equal(out.etag, "W/\"1\"");
	assert_slice_equal(out.etag_owner, "abcd");
	assert_int_equal(snap_sync_get(snap_txn_view(t), SLICE("events"), &out), ERR_NOENT);
	assert_int_equal(snap_tail_get(snap_txn_view(t), &got), 0);
	assert_int_equal(got.number, 3);
	assert_int_equal(got.size, 1234);
	assert_string_equal(got.sha224, tail.sha224);
	assert_int_equal(snap_note_get(snap_txn_view(t), "last_error", &note), 0);
	assert_slice_equal(note, "none");
	snap_txn_abort(t);
}

static void
open_survives_every_allocation_failure(void **state)
{
	struct snap_fixture *fx = *state;
	struct snap *s = NULL;
	int rc = ERR_NOMEM;

	for (long n = 0; rc != 0; n++) { /* let n allocations pass, fail the next */
		mem_fail_after(n);
		rc = snap_open(fx->dir, &s, NULL);
		mem_fail_after(MEM_NEVER);
		assert_true(rc == 0 || (rc == ERR_NOMEM && s == NULL));
	}
	snap_close(s);
}

static void
a_transaction_survives_every_allocation_failure(void **state)
{
	struct snap_fixture *fx = *state;
	int rc = ERR_NOMEM;

	for (long n = 0; rc != 0; n++) {
		struct snap_comment_in c = { .id = 5, .created_ms = 1, .body = SLICE("b") };
		struct snap_txn *t;

		mem_fail_after(n);
		rc = snap_txn_begin(fx->writer, &t);
		if (rc != 0)
			continue;
		rc = snap_issue_edit_begin(t, 1, &fx->edit);
		if (rc != 0)
			snap_txn_fail(t, rc);
		fx->edit.flags |= SNAP_ISSUE_SEEN;
		snap_label_put(t, 9, SLICE("a\\b"));
		fx->edit.labels[0] = 9;
		fx->edit.label_count = 1;
		snap_comment_put(t, &fx->edit, &c);
		snap_issue_edit_end(t, &fx->edit);
		rc = snap_txn_commit(t);
		mem_fail_after(MEM_NEVER);
		assert_true(rc == 0 || rc == ERR_NOMEM);
	}
	mem_fail_after(MEM_NEVER);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_synced_yet_is_not_found),
		cmocka_unit_test_setup_teardown(
		    another_format_says_how_to_rebuild, fx_setup, fx_teardown),
		cmocka_unit_test_setup_teardown(
		    the_first_format_is_refused_and_left_alone, fx_setup, fx_teardown),
		cmocka_unit_test_setup_teardown(
		    one_directory_has_one_writer_and_one_repository, fx_setup, fx_teardown),
		cmocka_unit_test_setup_teardown(
		    a_reader_sees_commits_and_follows_a_rebuild, fx_setup, fx_teardown),
		cmocka_unit_test_setup_teardown(
		    a_writer_that_did_not_close_is_noticed, fx_setup, fx_teardown),
		cmocka_unit_test_setup_teardown(
		    verify_finds_a_flipped_bit_in_any_table, fx_setup, fx_teardown),
		cmocka_unit_test_setup_teardown(
		    the_outbox_gives_rows_in_order_and_forgets_a_prefix, fx_setup, fx_teardown),
		cmocka_unit_test_setup_teardown(
		    sync_rows_and_tail_come_back_as_they_were, fx_setup, fx_teardown),
		cmocka_unit_test_setup_teardown(
		    open_survives_every_allocation_failure, fx_setup, fx_teardown),
		cmocka_unit_test_setup_teardown(
		    a_transaction_survives_every_allocation_failure, fx_setup, fx_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
