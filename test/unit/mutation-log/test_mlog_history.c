/*
 * One history of a writer, disturbed at every step: each operation fails before and
 * after it was applied, each allocation fails, the process dies between any two steps.
 * With tails that are put whole, and with tails that grow by compose.
 */
#include "test/unit/mutation-log/writer_fixture.h"

/*
 * A short history that touches everything: growth, two numbers sealed by one flush, a
 * clean reopen.  Stops at the first failure.  `done` counts the records whose flush
 * was reported as done.
 */
struct history {
	struct store *s;
	struct mlog_writer *w;
	int step; /* the next to do; a step that failed is done again */
	int done;
};

#define HISTORY_STEPS 9
static const char history_log[] = "r0|r1|r2|r3|r4|r5|";

static int
history_open(struct history *h)
{
	if (h->w != NULL)
		return 0;
	return mlog_writer_open(h->s, MADE_PREFIX, "a", &opts, &h->w, NULL);
}

/* Record `i` at its place, unless a repeated step has appended it already. */
static int
history_append(struct history *h, int i)
{
	static const struct {
		uint32_t segment;
		bool first;
	} places[] = { { 0, true }, { 0, false }, { 0, false }, { 1, true }, { 2, true },
		{ 2, false } };
	struct mlog_pos at = mlog_writer_end(h->w);
	char payload[8];

	if (places[i].first)
		at = (struct mlog_pos){ places[i].segment, 0 };
	snprintf(payload, sizeof(payload), "r%d", i);
	return append_at(h->w, at, payload);
}

static int
history_flush(struct history *h, int records)
{
	int rc = mlog_writer_flush(h->w, NULL);

	if (rc == 0)
		h->done = records;
	return rc;
}

static int
history_do(struct history *h)
{
	int rc = history_open(h);

	if (rc != 0)
		return rc;
	switch (h->step) {
	case 0:
		return history_append(h, 0);
	case 1:
		return history_flush(h, 1);
	case 2:
		rc = history_append(h, 1);
		return rc != 0 ? rc : history_append(h, 2);
	case 3:
		return history_flush(h, 3);
	case 4:
		rc = history_append(h, 3);
		return rc != 0 ? rc : history_append(h, 4);
	case 5:
		return history_flush(h, 5);
	case 6:
		return history_append(h, 5);
	case 7:
		return history_flush(h, 6);
	default:
		return mlog_writer_release(h->w, NULL);
	}
}

static int
history_run(struct history *h)
{
	for (; h->step < HISTORY_STEPS; h->step++) {
		int rc = history_do(h);

		if (rc != 0)
			return rc;
	}
	return 0;
}

/* What a program does after a crash: open, append again what is not durable. */
static void
history_recover(struct history *h)
{
	struct buf got;
	int have;

	mlog_writer_close(h->w);
	h->w = NULL;
	buf_init(&got, 1000);
	assert_int_equal(made_read(h->s, MADE_PREFIX, START, &got, NULL), ERR_NOENT);
	assert_int_equal(strncmp(buf_cstr(&got), history_log, got.len), 0);
	have = (int)(got.len / 3);
	buf_clear(&got);
	assert_true(have >= h->done); /* nothing durable is lost */
	assert_int_equal(history_open(h), 0);
	for (int i = have; i < 6; i++)
		assert_int_equal(history_append(h, i), 0);
	flush(h->w);
	fake.now_ms += MLOG_SWEEP_AGE_MS;
	assert_int_equal(mlog_writer_sweep(h->w, NULL, NULL), 0);
	assert_int_equal(mlog_writer_release(h->w, NULL), 0);
	mlog_writer_close(h->w);
	h->w = NULL;
}

/* The names of all segments, which are their content. */
static void
names_of(struct store *s, struct buf *into)
{
	struct store_list l = { 0 };

	assert_int_equal(store_list(s, MADE_PREFIX, &l, NULL), 0);
	for (size_t i = 0; i < l.count; i++)
		buf_fmt(into, "%s\n", l.items[i].name);
	store_list_clear(&l);
}

static void
assert_same_names(struct store *s, struct buf *want)
{
	struct buf got;

	buf_init(&got, 10000);
	names_of(s, &got);
	assert_string_equal(buf_cstr(&got), buf_cstr(want));
	buf_clear(&got);
}

static const enum store_fault faults[] = { STORE_FAULT_BEFORE, STORE_FAULT_AFTER };

/* The undisturbed history, and how many operations on the store it takes. */
static size_t
undisturbed(struct buf *names)
{
	struct history h = { 0 };
	size_t ops;

	assert_int_equal(store_mem_new(false, &h.s), 0);
	assert_int_equal(history_run(&h), 0);
	mlog_writer_close(h.w);
	ops = store_mem_op_count(h.s);
	assert_log(h.s, history_log);
	buf_init(names, 10000);
	names_of(h.s, names);
	store_close(h.s);
	return ops;
}

static void
any_failing_operation_can_be_repeated(void **state)
{
	struct buf names;
	size_t ops = undisturbed(&names);

	(void)state;
	for (size_t n = 0; n < ops * 2; n++) {
		struct history h = { 0 };

		assert_int_equal(store_mem_new(false, &h.s), 0);
		store_mem_fail(h.s, n / 2, faults[n % 2], ERR_UNAVAILABLE);
		if (history_run(&h) != 0)
			assert_int_equal(history_run(&h), 0);
		fake.now_ms += MLOG_SWEEP_AGE_MS;
		assert_int_equal(mlog_writer_sweep(h.w, NULL, NULL), 0);
		mlog_writer_close(h.w);
		assert_log(h.s, history_log);
		assert_same_names(h.s, &names);
		store_close(h.s);
	}
	buf_clear(&names);
}

static void
a_crash_at_any_operation_ends_as_if_undisturbed(void **state)
{
	struct buf names;
	size_t ops = undisturbed(&names);

	(void)state;
	for (size_t n = 0; n < ops * 2; n++) {
		struct history h = { 0 };

		assert_int_equal(store_mem_new(false, &h.s), 0);
		store_mem_fail(h.s, n / 2, faults[n % 2], ERR_CLOSED);
		(void)history_run(&h);
		store_mem_fail(h.s, 0, STORE_FAULT_NONE, 0);
		history_recover(&h);
		assert_log(h.s, history_log);
		assert_same_names(h.s, &names);
		store_close(h.s);
	}
	print_message("%zu operations, each failed before and after\n", ops);
	buf_clear(&names);
}

static void
every_allocation_failure_can_be_repeated(void **state)
{
	bool failed = true;
	struct buf names;

	(void)state;
	undisturbed(&names);
	for (long n = 0; failed; n++) {
		struct history h = { 0 };
		int rc;

		assert_int_equal(store_mem_new(false, &h.s), 0);
		mem_fail_after(n);
		rc = history_run(&h);
		failed = rc != 0;
		mem_fail_after(MEM_NEVER);
		assert_true(rc == 0 || rc == ERR_NOMEM);
		history_recover(&h);
		assert_log(h.s, history_log);
		assert_same_names(h.s, &names);
		store_close(h.s);
	}
	buf_clear(&names);
}

#ifdef MAINTNER_FAULTS
/* Run the history in a process of its own that dies at a crash point. */
static bool
died_at(const char *url, const char *point)
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		struct history h = { 0 };

		fault_arm(point);
		if (store_open(url, &h.s, NULL) != 0 || history_run(&h) != 0)
			_exit(1);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_true(WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 137);
	return WEXITSTATUS(status) == 137;
}

static void
a_process_that_dies_between_two_steps_ends_as_if_undisturbed(void **state)
{
	static const char *const points[] = { "mlog_flush.begin", "mlog_flush.put",
		"mlog_flush.swapped", "mlog_flush.deleted", "store_dir.written",
		"store_dir.renamed" };
	int deaths = 0;
	struct buf names;

	(void)state;
	undisturbed(&names);
	for (size_t i = 0; i < sizeof(points) / sizeof(points[0]); i++) {
		bool died = true;

		for (int n = 1; died; n++) {
			char dir[TMP_DIR_SIZE], url[TMP_DIR_SIZE + 16], point[64];
			struct history h = { 0 };

			assert_int_equal(tmp_dir_make(dir), 0);
			snprintf(url, sizeof(url), "file://%s", dir);
			snprintf(point, sizeof(point), "%s:%d", points[i], n);
			died = died_at(url, point);
			deaths += died;
			assert_int_equal(store_open(url, &h.s, NULL), 0);
			fake.now_ms =
			    INT64_C(4102444800000); /* so that the sweep finds all old */
			history_recover(&h);
			assert_log(h.s, history_log);
			assert_same_names(h.s, &names);
			store_close(h.s);
			tmp_dir_remove(dir);
		}
	}
	print_message("%d deaths\n", deaths);
	buf_clear(&names);
}
#endif

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define WITH_STORE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
		WITH_STORE(any_failing_operation_can_be_repeated),
		WITH_STORE(a_crash_at_any_operation_ends_as_if_undisturbed),
		WITH_STORE(every_allocation_failure_can_be_repeated),
#ifdef MAINTNER_FAULTS
		WITH_STORE(a_process_that_dies_between_two_steps_ends_as_if_undisturbed),
#endif
	};
	int failed = cmocka_run_group_tests_name("tails put whole", tests, NULL, NULL);

	opts.compose_min_bytes = 1;
	return failed +
	       cmocka_run_group_tests_name("tails grown by compose", tests, NULL, NULL);
}
