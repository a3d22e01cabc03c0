/* maint-dump's jobs over a small mirror: what they print, and what --verify finds. */
#include <signal.h>
#include <sys/stat.h>

#include "base/json.h"
#include "test/unit/sync/mirror_rig.h"
#include "tools/dump.h"

struct fixture {
	struct mirror_rig *mirror;
	char log[128], scratch[128]; /* the latter is to be empty again */
	struct dump d;
	struct err_info ei;
	char text[1 << 16]; /* what was printed */
};

static int
setup(void **state)
{
	struct fixture *fx = calloc(1, sizeof(*fx));
	void *rig = NULL;

	if (mr_setup(&rig) != 0)
		return -1;
	fx->mirror = rig;
	snprintf(fx->log, sizeof(fx->log), "file://%s", fx->mirror->log);
	snprintf(fx->scratch, sizeof(fx->scratch), "%s/scratch", fx->mirror->dir);
	if (mkdir(fx->scratch, 0700) != 0)
		return -1;
	fx->d = (struct dump){ .snapshot = fx->mirror->snapshot,
		.log = fx->log,
		.repo = "acme/widgets",
		.scratch = fx->scratch };
	mr_write(fx->mirror, 1, "one \"1\"");
	mr_write(fx->mirror, 2, "two");
	*state = fx;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *fx = *state;
	void *rig = fx->mirror;

	mr_teardown(&rig);
	free(fx);
	return 0;
}

/* Run a job with standard output in fx->text; its code. */
static int
run(struct fixture *fx, int (*job)(const struct dump *d, struct err_info *ei))
{
	FILE *f = tmpfile();
	int saved = dup(STDOUT_FILENO), rc;
	size_t n;

	fflush(stdout);
	dup2(fileno(f), STDOUT_FILENO);
	fx->ei = (struct err_info){ .text = "" };
	rc = job(&fx->d, &fx->ei);
	fflush(stdout);
	dup2(saved, STDOUT_FILENO);
	close(saved);
	rewind(f);
	n = fread(fx->text, 1, sizeof(fx->text) - 1, f);
	fx->text[n] = '\0';
	fclose(f);
	return rc;
}

/* Each line must be a JSON object; returns how many there are. */
static int
check_lines(const struct fixture *fx)
{
	char *copy = strdup(fx->text), *rest = copy, *line;
	int count = 0;

	while ((line = strsep(&rest, "\n")) != NULL && *line != '\0') {
		json_t *doc = NULL;

		assert_int_equal(json_in_parse(slice_str(line), "line", &doc, NULL), 0);
		assert_true(json_is_object(doc));
		json_decref(doc);
		count++;
	}
	free(copy);
	return count;
}

static void
a_log_is_printed_record_by_record(void **state)
{
	struct fixture *fx = *state;
	char place[256];

	assert_int_equal(run(fx, dump_log), 0);
	assert_int_equal(check_lines(fx), 2);
	assert_non_null(strstr(fx->text, "{\"segment\":0,\"offset\":0,\"mutation\":"));
	assert_non_null(strstr(fx->text, "\"title\":\"one \\\"1\\\"\""));
	fx->d.repo = "acme/nothing";
	assert_int_equal(run(fx, dump_log), ERR_NOENT);
	snprintf(place, sizeof(place), "there is no log at %s/acme/nothing", fx->log);
	assert_string_equal(fx->ei.text, place);
	fx->d.diff = fx->log;
	fx->d.snapshot = NULL;
	assert_int_equal(run(fx, dump_diff), ERR_NOENT);
	assert_string_equal(fx->ei.text, place);
	assert_string_equal(fx->text, "");
}

static void
a_snapshot_is_printed_with_all_that_it_holds(void **state)
{
	struct fixture *fx = *state;

	mr_close(fx->mirror);
	assert_int_equal(run(fx, dump_snapshot), 0);
	assert_in_range(check_lines(fx), 3, 20);
	assert_non_null(
	    strstr(fx->text, "{\"type\":\"repository\",\"name\":\"acme/widgets\","));
	assert_non_null(strstr(fx->text, "\"title\":\"one \\\"1\\\"\""));
	assert_non_null(strstr(fx->text, "\"title\":\"two\""));
}

static int
verify(struct fixture *fx)
{
	int rc = run(fx, dump_verify);

	check_lines(fx);
	assert_int_equal(rmdir(fx->scratch), 0); /* nothing was left in it */
	assert_int_equal(mkdir(fx->scratch, 0700), 0);
	return rc;
}

static void
a_snapshot_that_its_log_makes_is_good(void **state)
{
	struct fixture *fx = *state;

	mr_close(fx->mirror);
	assert_int_equal(verify(fx), 0);
	assert_non_null(strstr(fx->text, "\"differences\":0"));
}

static void
a_signal_ends_the_replay_and_leaves_no_scratch(void **state)
{
	struct fixture *fx = *state;
	sigset_t set;

	mr_close(fx->mirror);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	assert_int_equal(sigprocmask(SIG_BLOCK, &set, NULL), 0);
	assert_int_equal(raise(SIGTERM), 0);
	assert_int_equal(verify(fx), ERR_CANCELED);
	assert_string_equal(fx->ei.text, "stopped");
	assert_int_equal(verify(fx), 0);
}

/* What is not flushed yet is no difference; a writer may be at work. */
static void
an_outbox_counts_as_log(void **state)
{
	struct fixture *fx = *state;

	assert_int_equal(mr_commit(fx->mirror->m, 3, "three"), 0);
	mr_close(fx->mirror);
	assert_int_equal(verify(fx), 0);
}

static void
a_planted_difference_is_found(void **state)
{
	static struct snap_issue_edit edit; /* too large for the stack */
	struct fixture *fx = *state;
	struct snap_writer *w;
	struct snap_txn *t;
	bool unclean;

	mr_close(fx->mirror);
	assert_int_equal(
	    snap_writer_open(fx->mirror->snapshot, "acme/widgets", 0, &w, &unclean, NULL), 0);
	assert_int_equal(snap_txn_begin(w, &t), 0);
	assert_int_equal(snap_issue_edit_begin(t, 2, &edit), 0);
	edit.title = SLICE("not what the log says");
	snap_issue_edit_end(t, &edit);
	snap_user_put(t, 99, SLICE("nobody"));
	assert_int_equal(snap_txn_commit(t), 0);
	snap_writer_close(w);
	assert_int_equal(verify(fx), ERR_CORRUPT);
	assert_non_null(strstr(fx->text, "{\"table\":\"issue\",\"key\":\"00000002\""));
	assert_non_null(strstr(fx->text, "{\"table\":\"user\",\"key\":\"0000000000000063\""));
	assert_non_null(strstr(fx->text, "\"differences\":2"));
	assert_non_null(strstr(fx->ei.text, "2 rows"));
}

static void
a_log_that_lacks_a_record_is_found(void **state)
{
	struct fixture *fx = *state;
	char other[128];

	mr_close(fx->mirror);
	snprintf(other, sizeof(other), "%s/empty", fx->log);
	fx->d.log = other;
	assert_int_equal(verify(fx), ERR_CORRUPT);
	assert_non_null(strstr(fx->text, "\"table\":\"issue\",\"key\":\"00000001\""));
}

static void
a_damaged_log_is_named(void **state)
{
	struct fixture *fx = *state;

	mr_close(fx->mirror);
	mr_shell("for f in %s/acme/widgets/*.mutlog; do "
		 "printf X | dd of=$f bs=1 seek=20 conv=notrunc status=none; done",
	    fx->mirror->log);
	assert_int_equal(verify(fx), ERR_CORRUPT);
	assert_non_null(strstr(fx->ei.text, "0000."));
}

static void
what_cannot_be_verified_is_said(void **state)
{
	struct fixture *fx = *state;

	mr_close(fx->mirror);
	fx->d.repo = "acme/gadgets";
	assert_int_equal(verify(fx), ERR_INVAL);
	assert_non_null(strstr(fx->ei.text, "acme/widgets"));
	fx->d.repo = NULL; /* then it is the snapshot's */
	assert_int_equal(verify(fx), 0);
	fx->d.scratch = "/no/such/directory";
	assert_int_equal(verify(fx), ERR_NOENT);
	fx->d.scratch = fx->scratch;
	fx->d.snapshot = "/no/such/directory";
	assert_int_equal(verify(fx), ERR_NOENT);
}

/* --- what is picked --- */

static void
records_and_issues_are_picked_by_number_type_and_time(void **state)
{
	static const struct {
		struct dump pick;
		const char *log, *snapshot; /* what must be in the text; NULL = no line */
	} cases[] = {
		{ { .number = 2 }, "\"number\":2", "\"issueId\":2" },
		{ { .number = 3 }, NULL, NULL },
		{ { .type = "issue", .number = 1 }, "\"number\":1", "\"issueId\":1" },
		{ { .type = "git" }, NULL, NULL },
		{ { .since = "x", .since_ms = INT64_MAX / 2 }, NULL, NULL },
		{ { .number = 2, .text = true }, " issue 2 {", "issue 2 open " },
	};
	struct fixture *fx = *state;

	mr_close(fx->mirror);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct dump all = fx->d;

		fx->d.number = cases[i].pick.number;
		fx->d.type = cases[i].pick.type;
		fx->d.since = cases[i].pick.since;
		fx->d.since_ms = cases[i].pick.since_ms;
		fx->d.text = cases[i].pick.text;
		assert_int_equal(run(fx, dump_log), 0);
		assert_true(cases[i].log != NULL ? strstr(fx->text, cases[i].log) != NULL
						 : fx->text[0] == '\0');
		assert_int_equal(run(fx, dump_snapshot), 0);
		assert_true(cases[i].snapshot != NULL
				? strstr(fx->text, cases[i].snapshot) != NULL
				: fx->text[0] == '\0');
		fx->d = all;
	}
}

/* --- what differs --- */

static void
a_log_and_its_beginning_are_told_apart(void **state)
{
	struct fixture *fx = *state;
	char other[160];

	mr_close(fx->mirror);
	mr_shell("cp -r %s %s-copy", fx->mirror->log, fx->mirror->log);
	snprintf(other, sizeof(other), "%s-copy", fx->log);
	fx->d.snapshot = NULL;
	fx->d.diff = other;
	assert_int_equal(run(fx, dump_diff), 0);
	assert_non_null(strstr(fx->text, "\"commonRecords\":2,\"same\":true"));
	assert_int_equal(mr_open(fx->mirror), 0);
	mr_write(fx->mirror, 3, "three");
	mr_close(fx->mirror);
	assert_int_equal(run(fx, dump_diff), ERR_CONFLICT);
	assert_non_null(strstr(fx->text, "\"commonRecords\":2,\"same\":false"));
	assert_non_null(strstr(fx->ei.text, "the other log is the beginning of the log"));
	mr_shell("rm -rf %s-copy", fx->mirror->log);
	assert_int_equal(run(fx, dump_diff), ERR_NOENT);
}

static void
which_log_is_damaged_is_told(void **state)
{
	struct fixture *fx = *state;
	char other[160];

	mr_close(fx->mirror);
	mr_shell("cp -r %s %s-copy", fx->mirror->log, fx->mirror->log);
	snprintf(other, sizeof(other), "%s-copy", fx->log);
	mr_shell("for f in %s-copy/acme/widgets/*.mutlog; do "
		 "printf X | dd of=$f bs=1 seek=0 conv=notrunc status=none; done",
	    fx->mirror->log);
	fx->d.snapshot = NULL;
	fx->d.diff = other;
	assert_int_equal(run(fx, dump_diff), ERR_CORRUPT);
	assert_ptr_equal(strstr(fx->ei.text, other), fx->ei.text);
	mr_shell("printf {} >%s-copy/acme/widgets/WRITER", fx->mirror->log);
	assert_int_equal(run(fx, dump_diff), ERR_CORRUPT);
	assert_ptr_equal(strstr(fx->ei.text, other), fx->ei.text);
	fx->d.log = other;
	assert_int_equal(run(fx, dump_log), ERR_CORRUPT);
	assert_ptr_equal(strstr(fx->ei.text, other), fx->ei.text);
	mr_shell("rm -rf %s-copy", fx->mirror->log);
}

static void
snapshots_are_compared_row_by_row(void **state)
{
	struct fixture *fx = *state;
	char other[160];

	mr_close(fx->mirror);
	mr_shell("cp -r %s %s-copy", fx->mirror->snapshot, fx->mirror->snapshot);
	snprintf(other, sizeof(other), "%s-copy", fx->mirror->snapshot);
	fx->d.diff = other;
	assert_int_equal(run(fx, dump_diff), 0);
	assert_non_null(strstr(fx->text, "\"differences\":0"));
	assert_int_equal(mr_open(fx->mirror), 0);
	mr_write(fx->mirror, 2, "another title");
	mr_close(fx->mirror);
	assert_int_equal(run(fx, dump_diff), ERR_CONFLICT);
	assert_non_null(strstr(fx->text, "\"table\":\"issue\",\"key\":\"00000002\""));
	mr_shell("rm -rf %s-copy", fx->mirror->snapshot);
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		WITH(a_log_is_printed_record_by_record),
		WITH(a_snapshot_is_printed_with_all_that_it_holds),
		WITH(a_snapshot_that_its_log_makes_is_good),
		WITH(a_signal_ends_the_replay_and_leaves_no_scratch),
		WITH(an_outbox_counts_as_log),
		WITH(a_planted_difference_is_found),
		WITH(a_log_that_lacks_a_record_is_found),
		WITH(a_damaged_log_is_named),
		WITH(what_cannot_be_verified_is_said),
		WITH(records_and_issues_are_picked_by_number_type_and_time),
		WITH(a_log_and_its_beginning_are_told_apart),
		WITH(which_log_is_damaged_is_told),
		WITH(snapshots_are_compared_row_by_row),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
