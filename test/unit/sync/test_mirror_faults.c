/* Full maps, full disks and no memory: an error at once, or the work is done again. */
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "lmdb-schema/snap_write_internal.h"
#include "test/unit/sync/mirror_rig.h"

/* Make the map as small as what is in it: the next new page does not fit. */
static void
shrink_map(struct mirror *m)
{
	MDB_envinfo info;
	MDB_stat st;

	assert_int_equal(mdb_env_info(m->snap->env->mdb, &info), 0);
	assert_int_equal(mdb_env_stat(m->snap->env->mdb, &st), 0);
	m->snap->map_bytes = (info.me_last_pgno + 1) * st.ms_psize;
	assert_int_equal(mdb_env_set_mapsize(m->snap->env->mdb, m->snap->map_bytes), 0);
}

static void
a_full_map_grows_and_the_work_is_done_again(void **state)
{
	struct mirror_rig *rig = *state;
	char longer[20000], want[64] = "";
	size_t shrunk;
	int grown = 0;

	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	for (uint32_t n = 1; n <= 8; n++) {
		shrink_map(rig->m);
		shrunk = rig->m->snap->map_bytes;
		assert_int_equal(mr_commit(rig->m, n, longer), 0);
		assert_int_equal(mr_commit(rig->m, n, "t"), 0);
		grown += rig->m->snap->map_bytes > shrunk;
		snprintf(want + strlen(want), sizeof(want) - strlen(want), "%u=t ", n);
	}
	assert_in_range(grown, 4, 8);
	assert_string_equal(mr_snapshot(rig->m), want);
	shrink_map(rig->m); /* to delete rows needs new pages, too */
	assert_int_equal(mirror_flush(rig->m, NULL), 0);
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
		WITH_RIG(a_full_map_grows_and_the_work_is_done_again),
		WITH_RIG(a_disk_that_says_no_is_an_error_and_loses_nothing),
		WITH_RIG(a_full_disk_is_an_error_at_once),
		WITH_RIG(a_log_without_a_number_left_is_an_error_at_once),
		WITH_RIG(every_allocation_of_a_commit_and_a_flush_may_fail),
		WITH_RIG(every_allocation_of_an_opening_may_fail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
