/* Commit, flush, reopen; and every way in which log and snapshot can be out of step. */
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

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

/* LMDB writes with pwrite and a map: a limit on file size makes it fail as a full disk. */
static void
a_disk_that_says_no_is_an_error_and_loses_nothing(void **state)
{
	struct mirror_rig *rig = *state;
	struct rlimit old, small = { .rlim_cur = (rlim_t)64 << 10 };
	char longer[20000];
	int rc;

	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	mr_write(rig, 1, "one");
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &old);
	small.rlim_max = old.rlim_max;
	setrlimit(RLIMIT_FSIZE, &small);
	rc = mr_commit(rig->m, 2, longer);
	for (int i = 0; rc == 0 && i < 20; i++)
		rc = mr_commit(rig->m, 3 + (uint32_t)i, longer);
	setrlimit(RLIMIT_FSIZE, &old);
	assert_int_equal(rc, ERR_IO);
	assert_int_equal(mr_commit(rig->m, 40, "later"), 0);
	assert_int_equal(mirror_flush(rig->m, NULL), 0);
	assert_in_step(rig->m);
}

#define CANNOT_MOUNT 77

/* In a child: fill a disk of 1 MiB; returns the code of the commit that did not fit. */
static int
fill_a_small_disk(struct mirror_rig *rig)
{
	char longer[20000];
	int rc = 0;

	alarm(30); /* it must not try for ever */
	if (unshare(CLONE_NEWNS) != 0 && unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0)
		return CANNOT_MOUNT;
	if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
	    mount("disk", rig->snapshot, "tmpfs", 0, "size=1m") != 0)
		return CANNOT_MOUNT;
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	rc = mr_open(rig);
	for (uint32_t n = 1; rc == 0 && n < 100; n++)
		rc = mr_commit(rig->m, n, longer);
	if (rc != ERR_IO)
		return -rc;
	/* That was a short write; the next one finds no room at all. */
	mr_shell("cat /dev/zero > %s/filler 2>&- || true", rig->snapshot);
	return -mr_commit(rig->m, 200, longer);
}

static void
a_full_disk_is_an_error_at_once(void **state)
{
	int status = 0;
	pid_t pid;

	mr_close(*state); /* its locks would be the child's, too */
	pid = fork();
	if (pid == 0)
		_exit(fill_a_small_disk(*state));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == CANNOT_MOUNT)
		skip();
	assert_int_equal(WEXITSTATUS(status), -ERR_IO);
}

static void
a_log_without_a_number_left_is_an_error_at_once(void **state)
{
	struct mirror_rig *rig = *state;

	rig->m->end = (struct mlog_pos){ MLOG_NUMBER_MAX, MLOG_SEGMENT_MAX };
	alarm(30); /* a full map is tried again, this must not be */
	assert_int_equal(mr_commit(rig->m, 1, "one"), ERR_LIMIT);
	alarm(0);
	assert_string_equal(mr_snapshot(rig->m), "");
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

static void
every_allocation_of_a_commit_and_a_flush_may_fail(void **state)
{
	struct mirror_rig *rig = *state;
	int rc = ERR_NOMEM;

	for (long n = 0; rc != 0; n++) {
		mem_fail_after(n);
		rc = mr_commit(rig->m, 1, "one");
		if (rc == 0)
			rc = mirror_flush(rig->m, NULL);
		mem_fail_after(MEM_NEVER);
		assert_true(rc == 0 || rc == ERR_NOMEM);
		assert_in_range(n, 0, 1000);
	}
	assert_string_equal(mr_snapshot(rig->m), "1=one ");
	assert_in_step(rig->m);
}

static void
every_allocation_of_an_opening_may_fail(void **state)
{
	struct mirror_rig *rig = *state;
	int rc = ERR_NOMEM;

	mr_write(rig, 1, "one");
	assert_int_equal(mr_commit(rig->m, 2, "two"), 0);
	mr_close(rig);
	for (long n = 0; rc != 0; n++) {
		mem_fail_after(n);
		rc = mr_open(rig);
		mem_fail_after(MEM_NEVER);
		assert_true(rc == 0 || rc == ERR_NOMEM);
		assert_in_range(n, 0, 1000);
	}
	assert_string_equal(mr_snapshot(rig->m), "1=one 2=two ");
	assert_int_equal(mirror_flush(rig->m, NULL), 0);
	assert_string_equal(mr_log(rig->m), "1=one 2=two ");
	assert_in_step(rig->m);
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
		WITH_RIG(a_disk_that_says_no_is_an_error_and_loses_nothing),
		WITH_RIG(a_full_disk_is_an_error_at_once),
		WITH_RIG(a_log_without_a_number_left_is_an_error_at_once),
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
		WITH_RIG(every_allocation_of_a_commit_and_a_flush_may_fail),
		WITH_RIG(every_allocation_of_an_opening_may_fail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
