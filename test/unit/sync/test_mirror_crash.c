/*
 * A process that dies between any two steps of a commit or a flush, and is started
 * again, leaves the log and the snapshot that an undisturbed one leaves.
 */
#include <sys/prctl.h>
#include <sys/wait.h>

#include "base/store/fault.h"
#include "test/unit/sync/mirror_rig.h"

#define CRASHED 137
#define STEPS 3

static const char undisturbed[] = "1=t1 2=t2 3=t3 ";

/* Go on with the steps that are not done yet, flush after each second one, and stop. */
static int
run_steps(struct mirror_rig *rig)
{
	uint32_t done;
	int rc = mr_open(rig);

	if (rc != 0)
		return rc;
	done = (uint32_t)strlen(mr_snapshot(rig->m)) / 5; /* "N=tN " */
	for (uint32_t n = done + 1; n <= STEPS && rc == 0; n++) {
		char title[8];

		snprintf(title, sizeof(title), "t%u", n);
		rc = mr_commit(rig->m, n, title);
		if (rc == 0 && n % 2 == 0)
			rc = mirror_flush(rig->m, NULL);
	}
	if (rc == 0)
		rc = mirror_flush(rig->m, NULL);
	if (rc == 0)
		rc = mirror_tend(rig->m, NULL);
	mr_close(rig);
	return rc;
}

/* The same in a process that dies when it passes `point`; its exit status. */
static int
run_to_crash(struct mirror_rig *rig, const char *point)
{
	int status = 0;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		fault_arm(point);
		_exit(run_steps(rig) == 0 ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static const char *const points[] = { "mirror.committed", "mirror.flushed", "mlog_flush.begin",
	"mlog_flush.put", "mlog_flush.swapped", "mlog_flush.deleted", "store_dir.written",
	"store_dir.renamed" };

static void
check_undisturbed(struct mirror_rig *rig, const char *what)
{
	assert_int_equal(mr_open(rig), 0);
	if (strcmp(mr_snapshot(rig->m), undisturbed) != 0 ||
	    strcmp(mr_log(rig->m), undisturbed) != 0)
		fail_msg(
		    "after %s: snapshot %s, log %s", what, mr_snapshot(rig->m), mr_log(rig->m));
	assert_in_step(rig->m);
	mr_close(rig);
}

static void
a_crash_between_any_two_steps_loses_and_repeats_nothing(void **state)
{
	int crashes = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(points) / sizeof(points[0]); i++) {
		int status = CRASHED;

		for (int count = 1; status == CRASHED; count++) {
			char point[64];
			void *fx = NULL;

			snprintf(point, sizeof(point), "%s:%d", points[i], count);
			assert_int_equal(mr_setup(&fx), 0);
			mr_close(fx);
			status = run_to_crash(fx, point);
			assert_true(status == 0 || status == CRASHED);
			crashes += status == CRASHED;
			assert_int_equal(run_to_crash(fx, "nowhere:1"), 0);
			check_undisturbed(fx, point);
			mr_teardown(&fx);
		}
	}
	assert_in_range(crashes, 15, 500); /* the points are built in */
}

/* What comes back is killed again, at the first step of each kind. */
static void
crashes_upon_crashes_lose_and_repeat_nothing(void **state)
{
	static const char *const rounds[] = { ":1", ":2", ":3" };

	(void)state;
	for (size_t r = 0; r < sizeof(rounds) / sizeof(rounds[0]); r++) {
		void *fx = NULL;

		assert_int_equal(mr_setup(&fx), 0);
		mr_close(fx);
		for (size_t i = 0; i < 3 * sizeof(points) / sizeof(points[0]); i++) {
			char point[64];

			snprintf(point, sizeof(point), "%s%s", points[i * 5 % 8], rounds[r]);
			run_to_crash(fx, point);
		}
		assert_int_equal(run_to_crash(fx, "nowhere:1"), 0);
		check_undisturbed(fx, rounds[r]);
		mr_teardown(&fx);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_crash_between_any_two_steps_loses_and_repeats_nothing),
		cmocka_unit_test(crashes_upon_crashes_lose_and_repeat_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
