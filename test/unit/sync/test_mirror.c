/* Commit, flush, reopen; and every way in which log and snapshot can be out of step. */
#include <sys/stat.h>

#include "mutation-log/mlog_reader.h"
#include "test/unit/sync/mirror_rig.h"

static bool
exists(const char *dir, const char *name)
{
	char path[256];
	struct stat st;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return lstat(path, &st) == 0;
}

static void
what_is_flushed_is_in_log_and_snapshot(void **state)
{
	struct mirror_rig *rig = *state;

	mr_write(rig, 1, "one");
	assert_int_equal(mr_commit(rig->m, 2, "two"), 0);
	assert_string_equal(mr_snapshot(rig->m), "1=one 2=two ");
	assert_string_equal(mr_log(rig->m), "1=one ");
	assert_true(mirror_unflushed_bytes(rig->m) > 0);
	assert_in_step(rig->m);
	assert_int_equal(mirror_flush(rig->m, NULL), 0);
	assert_int_equal(mirror_unflushed_bytes(rig->m), 0);
	assert_int_equal(mirror_records(rig->m), 2);
	assert_string_equal(mr_log(rig->m), "1=one 2=two ");
	assert_in_step(rig->m);
	assert_int_equal(mirror_flush(rig->m, NULL), 0); /* of nothing */
	assert_int_equal(mirror_tend(rig->m, NULL), 0);
}

static void
a_clean_stop_and_start_changes_nothing(void **state)
{
	struct mirror_rig *rig = *state;

	mr_write(rig, 1, "one");
	mr_close(rig);
	assert_int_equal(mr_open(rig), 0);
	assert_string_equal(rig->notes, "");
	mr_write(rig, 2, "two");
	assert_string_equal(mr_snapshot(rig->m), "1=one 2=two ");
	assert_string_equal(mr_log(rig->m), "1=one 2=two ");
	assert_in_step(rig->m);
}

static void
unflushed_records_wait_in_the_outbox_over_a_restart(void **state)
{
	struct mirror_rig *rig = *state;

	mr_write(rig, 1, "one");
	assert_int_equal(mr_commit(rig->m, 2, "two"), 0);
	mr_close(rig);
	assert_int_equal(mr_open(rig), 0);
	assert_string_equal(mr_snapshot(rig->m), "1=one 2=two ");
	assert_string_equal(mr_log(rig->m), "1=one ");
	mr_write(rig, 3, "three");
	assert_string_equal(mr_log(rig->m), "1=one 2=two 3=three ");
	assert_in_step(rig->m);
}

static int
fail_after_adding(struct mirror_txn *t, void *ctx)
{
	char owner[] = "acme", repo[] = "widgets", title[] = "no";
	Maintpb__Mutation m = MAINTPB__MUTATION__INIT;
	Maintpb__GithubIssueMutation i = MAINTPB__GITHUB_ISSUE_MUTATION__INIT;

	i.owner = owner;
	i.repo = repo;
	i.number = 9;
	i.title = title;
	m.github_issue = &i;
	assert_int_equal(mirror_add(t, &m), 0);
	return *(int *)ctx;
}

static void
a_failed_transaction_leaves_neither_state_nor_record(void **state)
{
	struct mirror_rig *rig = *state;
	int code = ERR_PROTO;

	mr_write(rig, 1, "one");
	assert_int_equal(mirror_commit(rig->m, fail_after_adding, &code, NULL), ERR_PROTO);
	assert_int_equal(mirror_unflushed_bytes(rig->m), 0);
	mr_write(rig, 2, "two");
	assert_string_equal(mr_snapshot(rig->m), "1=one 2=two ");
	assert_string_equal(mr_log(rig->m), "1=one 2=two ");
	assert_in_step(rig->m);
}

static void
a_lost_snapshot_is_made_from_the_log(void **state)
{
	struct mirror_rig *rig = *state;

	mr_write(rig, 1, "one");
	mr_write(rig, 2, "two");
	mr_close(rig);
	mr_shell("rm -r %s", rig->snapshot);
	assert_int_equal(mr_open(rig), 0);
	assert_string_equal(mr_snapshot(rig->m), "1=one 2=two ");
	mr_write(rig, 3, "three");
	assert_string_equal(mr_log(rig->m), "1=one 2=two 3=three ");
	assert_in_step(rig->m);
}

static void
an_old_snapshot_is_brought_up_to_date(void **state)
{
	struct mirror_rig *rig = *state;

	mr_write(rig, 1, "one");
	mr_close(rig);
	mr_shell("cp -r %s %s.old", rig->snapshot, rig->snapshot);
	assert_int_equal(mr_open(rig), 0);
	mr_write(rig, 2, "two");
	mr_write(rig, 1, "uno");
	mr_close(rig);
	mr_shell("rm -r %s && mv %s.old %s", rig->snapshot, rig->snapshot, rig->snapshot);
	assert_int_equal(mr_open(rig), 0);
	assert_non_null(strstr(rig->notes, "replayed"));
	assert_false(exists(rig->snapshot, "aside"));
	assert_string_equal(mr_snapshot(rig->m), "1=uno 2=two ");
	mr_write(rig, 3, "three");
	assert_string_equal(mr_log(rig->m), "1=one 2=two 1=uno 3=three ");
	assert_in_step(rig->m);
}

/* The old disk holds a record in its outbox that the log has got since. */
static void
an_old_outbox_that_the_log_holds_already_is_forgotten(void **state)
{
	struct mirror_rig *rig = *state;

	mr_write(rig, 1, "one");
	assert_int_equal(mr_commit(rig->m, 2, "two"), 0);
	mr_close(rig);
	mr_shell("cp -r %s %s.old", rig->snapshot, rig->snapshot);
	assert_int_equal(mr_open(rig), 0);
	assert_int_equal(mirror_flush(rig->m, NULL), 0);
	mr_write(rig, 3, "three");
	mr_close(rig);
	mr_shell("rm -r %s && mv %s.old %s", rig->snapshot, rig->snapshot, rig->snapshot);
	assert_int_equal(mr_open(rig), 0);
	assert_false(exists(rig->snapshot, "aside"));
	assert_string_equal(mr_snapshot(rig->m), "1=one 2=two 3=three ");
	assert_int_equal(mirror_flush(rig->m, NULL), 0);
	assert_string_equal(mr_log(rig->m), "1=one 2=two 3=three ");
	assert_in_step(rig->m);
}

static void
a_deleted_log_empties_the_snapshot(void **state)
{
	struct mirror_rig *rig = *state;

	mr_write(rig, 1, "one");
	mr_close(rig);
	mr_shell("rm -r %s", rig->log);
	assert_int_equal(mr_open(rig), 0);
	assert_non_null(strstr(rig->notes, "disagree"));
	assert_true(exists(rig->snapshot, "aside"));
	assert_string_equal(mr_snapshot(rig->m), "");
	mr_write(rig, 2, "two");
	assert_string_equal(mr_log(rig->m), "2=two ");
	assert_in_step(rig->m);
}

static void
a_log_put_back_to_an_earlier_state_wins(void **state)
{
	struct mirror_rig *rig = *state;

	mr_write(rig, 1, "one");
	mr_close(rig);
	mr_shell("cp -r %s %s.old", rig->log, rig->log);
	assert_int_equal(mr_open(rig), 0);
	mr_write(rig, 2, "two");
	assert_int_equal(mr_commit(rig->m, 3, "three"), 0);
	mr_close(rig);
	mr_shell("rm -r %s && mv %s.old %s", rig->log, rig->log, rig->log);
	assert_int_equal(mr_open(rig), 0);
	assert_int_equal(rig->noted, 1); /* unlogged record */
	assert_true(exists(rig->snapshot, "aside"));
	assert_string_equal(mr_snapshot(rig->m), "1=one ");
	mr_write(rig, 4, "four");
	assert_string_equal(mr_log(rig->m), "1=one 4=four ");
	assert_in_step(rig->m);
}

/* Somebody else wrote where our outbox wanted to. */
static void
a_log_that_went_on_elsewhere_wins(void **state)
{
	struct mirror_rig *rig = *state;
	char other[128];

	mr_write(rig, 1, "one");
	assert_int_equal(mr_commit(rig->m, 2, "ours"), 0);
	assert_int_equal(mr_commit(rig->m, 3, "ours"), 0);
	mr_close(rig);
	snprintf(other, sizeof(other), "%s/other", rig->dir);
	assert_int_equal(mr_open_as(rig, other, false, &rig->m), 0);
	assert_string_equal(mr_snapshot(rig->m), "1=one ");
	mr_write(rig, 2, "theirs");
	mr_close(rig);
	assert_int_equal(mr_open(rig), 0);
	assert_non_null(strstr(rig->notes, "disagree"));
	assert_int_equal(rig->noted, 2);
	assert_true(exists(rig->snapshot, "aside"));
	assert_string_equal(mr_snapshot(rig->m), "1=one 2=theirs ");
	mr_write(rig, 4, "four");
	assert_string_equal(mr_log(rig->m), "1=one 2=theirs 4=four ");
	assert_in_step(rig->m);
}

/* A directory's lock tells that the other is dead, but not that it released the log. */
static void
a_log_taken_over_from_a_dead_holder_goes_on(void **state)
{
	struct mirror_rig *rig = *state;
	char other[128];

	mr_write(rig, 1, "one");
	snap_writer_close(rig->m->snap); /* as death would: nothing is released */
	rig->m->snap = NULL;
	mlog_writer_close(rig->m->log);
	rig->m->log = NULL;
	mr_close(rig);
	snprintf(other, sizeof(other), "%s/other", rig->dir);
	assert_int_equal(mr_open_as(rig, other, false, &rig->m), 0);
	mr_write(rig, 2, "two");
	assert_string_equal(mr_log(rig->m), "1=one 2=two ");
	assert_in_step(rig->m);
	mr_close(rig);
	assert_int_equal(mr_open(rig), 0); /* and back */
	mr_write(rig, 3, "three");
	assert_string_equal(mr_snapshot(rig->m), "1=one 2=two 3=three ");
	assert_in_step(rig->m);
}

static void
one_log_and_one_snapshot_have_one_owner(void **state)
{
	struct mirror_rig *rig = *state, second = *rig;
	struct mirror *m = NULL;
	char other[128];

	snprintf(other, sizeof(other), "%s/other", rig->dir);
	assert_int_equal(mr_open_as(rig, other, false, &m), ERR_BUSY);
	snprintf(second.log, sizeof(second.log), "%s/log2", rig->dir);
	assert_int_equal(mr_open_as(&second, rig->snapshot, false, &m), ERR_BUSY);
	assert_null(m);
	mr_write(rig, 1, "one"); /* undisturbed */
	assert_in_step(rig->m);
}

static void
a_snapshot_of_another_repository_is_refused(void **state)
{
	struct mirror_rig *rig = *state;
	char url[128];
	struct mirror_opts o = { .owner = "acme",
		.repo = "gadgets",
		.log_url = url,
		.snapshot_dir = rig->snapshot };
	struct err_info ei = { .text = "" };
	struct mirror *m = NULL;

	mr_close(rig);
	snprintf(url, sizeof(url), "file://%s", rig->log);
	assert_int_equal(mirror_open(&o, &m, &ei), ERR_INVAL);
	assert_non_null(strstr(ei.text, "acme/widgets"));
}

static void
a_rebuild_gives_the_same_snapshot(void **state)
{
	struct mirror_rig *rig = *state;

	mr_write(rig, 1, "one");
	mr_write(rig, 2, "two");
	mr_close(rig);
	assert_int_equal(mr_open_as(rig, rig->snapshot, true, &rig->m), 0);
	assert_string_equal(mr_snapshot(rig->m), "1=one 2=two ");
	mr_write(rig, 3, "three");
	assert_string_equal(mr_log(rig->m), "1=one 2=two 3=three ");
	assert_in_step(rig->m);
}

static void
a_damaged_log_stops_a_rebuild_and_keeps_the_snapshot(void **state)
{
	struct mirror_rig *rig = *state;
	struct mirror *m = NULL;

	mr_write(rig, 1, "one");
	mr_close(rig);
	mr_shell("for f in %s/acme/widgets/*.mutlog; do "
		 "printf X | dd of=$f bs=1 seek=12 conv=notrunc status=none; done",
	    rig->log);
	assert_int_equal(mr_open_as(rig, rig->snapshot, true, &m), ERR_CORRUPT);
	assert_null(m);
	assert_true(exists(rig->snapshot, "current/data.mdb"));
}

static void
a_damaged_snapshot_is_made_anew(void **state)
{
	struct mirror_rig *rig = *state;

	mr_write(rig, 1, "one");
	mr_close(rig);
	mr_shell("truncate -s 5000 %s/current/data.mdb", rig->snapshot);
	mr_shell("printf 'garbage' | dd of=%s/current/data.mdb bs=1 seek=20 conv=notrunc "
		 "status=none",
	    rig->snapshot);
	assert_int_equal(mr_open(rig), 0);
	assert_non_null(strstr(rig->notes, "made anew"));
	assert_string_equal(mr_snapshot(rig->m), "1=one ");
	mr_write(rig, 2, "two");
	assert_in_step(rig->m);
}

static void
a_writer_that_lost_the_log_says_so_and_keeps_its_records(void **state)
{
	struct mirror_rig *rig = *state;
	char writer[256], text[] = "{\"epoch\":99,\"holder\":\"rival\",\"released\":false,"
				   "\"lease_s\":300,\"tail\":null}";
	struct err_info ei = { .text = "" };

	assert_int_equal(mr_commit(rig->m, 1, "one"), 0);
	snprintf(writer, sizeof(writer), "%s/acme/widgets/WRITER", rig->log);
	mr_shell("printf '%%s' '%s' > %s.x && mv %s.x %s", text, writer, writer, writer);
	assert_int_equal(mirror_flush(rig->m, &ei), ERR_CONFLICT);
	assert_non_null(strstr(ei.text, "rival"));
	assert_int_equal(mirror_flush(rig->m, &ei), ERR_CONFLICT);
	assert_string_equal(mr_snapshot(rig->m), "1=one ");
}

#define WITH_RIG(test) cmocka_unit_test_setup_teardown(test, mr_setup, mr_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_RIG(what_is_flushed_is_in_log_and_snapshot),
		WITH_RIG(a_clean_stop_and_start_changes_nothing),
		WITH_RIG(unflushed_records_wait_in_the_outbox_over_a_restart),
		WITH_RIG(a_failed_transaction_leaves_neither_state_nor_record),
		WITH_RIG(a_lost_snapshot_is_made_from_the_log),
		WITH_RIG(an_old_snapshot_is_brought_up_to_date),
		WITH_RIG(an_old_outbox_that_the_log_holds_already_is_forgotten),
		WITH_RIG(a_deleted_log_empties_the_snapshot),
		WITH_RIG(a_log_put_back_to_an_earlier_state_wins),
		WITH_RIG(a_log_that_went_on_elsewhere_wins),
		WITH_RIG(a_log_taken_over_from_a_dead_holder_goes_on),
		WITH_RIG(one_log_and_one_snapshot_have_one_owner),
		WITH_RIG(a_snapshot_of_another_repository_is_refused),
		WITH_RIG(a_rebuild_gives_the_same_snapshot),
		WITH_RIG(a_damaged_log_stops_a_rebuild_and_keeps_the_snapshot),
		WITH_RIG(a_damaged_snapshot_is_made_anew),
		WITH_RIG(a_writer_that_lost_the_log_says_so_and_keeps_its_records),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
