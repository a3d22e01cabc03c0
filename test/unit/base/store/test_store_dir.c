/* test_store_dir.c - what only the directory store has: files, processes, crashes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <limits.h>
#include <sys/wait.h>
#include <time.h>

#include "base/store/fault.h"
#include "base/store/store.h"
#include "test/unit/base/store/tmp_dir.h"

#define RACERS 4
#define ROUNDS 50

struct fixture {
	struct store *s;
	char dir[TMP_DIR_SIZE];
};

static struct store *
open_dir(const char *dir)
{
	struct store *s = NULL;
	char url[TMP_DIR_SIZE + 16];

	snprintf(url, sizeof(url), "file://%s", dir);
	assert_int_equal(store_open(url, &s, NULL), 0);
	return s;
}

static int
set_up(void **state)
{
	static struct fixture fx;

	*state = &fx;
	if (tmp_dir_make(fx.dir) != 0)
		return -1;
	fx.s = open_dir(fx.dir);
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *fx = *state;

	store_close(fx->s);
	tmp_dir_remove(fx->dir);
	return 0;
}

static void
write_file(const struct fixture *fx, const char *name, const char *text)
{
	char path[PATH_MAX];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", fx->dir, name);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static size_t
count_listed(struct store *s)
{
	struct store_list l = { 0 };
	size_t count;

	assert_int_equal(store_list(s, "", &l, NULL), 0);
	count = l.count;
	store_list_clear(&l);
	return count;
}

/* Add one to the number in "counter", by compare-and-swap, until it worked. */
static void
count_up(struct store *s)
{
	for (;;) {
		int64_t generation = STORE_ABSENT;
		char text[32];
		struct buf b;
		long n = 0;
		int rc;

		buf_init(&b, 100);
		rc = store_get(s, "o/r/counter", 100, &b, &generation, NULL);
		if (rc == 0)
			n = strtol(buf_cstr(&b), NULL, 10);
		buf_clear(&b);
		if (rc != 0 && rc != ERR_NOENT)
			_exit(1);
		snprintf(text, sizeof(text), "%ld", n + 1);
		rc = store_put(s, "o/r/counter", slice_str(text), generation, NULL, NULL);
		if (rc == 0)
			return;
		if (rc != ERR_CONFLICT)
			_exit(2);
	}
}

static void
processes_that_race_for_a_swap_lose_no_update(void **state)
{
	struct fixture *fx = *state;
	pid_t pids[RACERS];
	char want[32];
	struct buf b;

	for (int i = 0; i < RACERS; i++) {
		pids[i] = fork();
		if (pids[i] == 0) {
			struct store *s = open_dir(fx->dir);

			for (int j = 0; j < ROUNDS; j++)
				count_up(s);
			_exit(0);
		}
	}
	for (int i = 0; i < RACERS; i++) {
		int status = -1;

		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_int_equal(status, 0);
	}
	buf_init(&b, 100);
	assert_int_equal(store_get(fx->s, "o/r/counter", 100, &b, NULL, NULL), 0);
	snprintf(want, sizeof(want), "%d", RACERS * ROUNDS);
	assert_string_equal(buf_cstr(&b), want);
	buf_clear(&b);
}

static void
a_lock_ends_with_the_process_that_held_it(void **state)
{
	struct fixture *fx = *state;
	struct store_lock *l;
	int status, ready[2], done[2];
	char c;
	pid_t pid;

	assert_int_equal(pipe(ready), 0);
	assert_int_equal(pipe(done), 0);
	pid = fork();
	if (pid == 0) {
		struct store *s = open_dir(fx->dir);

		if (store_lock(s, "o/r/WRITER", &l, NULL) != 0 || write(ready[1], "x", 1) != 1)
			_exit(1);
		(void)!read(done[0], &c, 1);
		_exit(0); /* without unlocking */
	}
	assert_int_equal(read(ready[0], &c, 1), 1);
	assert_int_equal(store_lock(fx->s, "o/r/WRITER", &l, NULL), ERR_BUSY);
	assert_int_equal(write(done[1], "x", 1), 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(store_lock(fx->s, "o/r/WRITER", &l, NULL), 0);
	store_unlock(l);
	for (int i = 0; i < 2; i++) {
		close(ready[i]);
		close(done[i]);
	}
}

#ifdef MAINTNER_FAULTS
static void
a_crash_leaves_the_old_or_the_new_bytes_and_no_litter(void **state)
{
	static const struct {
		const char *at;
		const char *want;
	} cases[] = {
		{ "store_dir.written:1", "old" },
		{ "store_dir.renamed:1", "new" },
	};
	struct fixture *fx = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int status = -1;
		struct buf b;
		pid_t pid;

		assert_int_equal(
		    store_put(fx->s, "o/x", SLICE("old"), STORE_ANY, NULL, NULL), 0);
		pid = fork();
		if (pid == 0) {
			fault_arm(cases[i].at);
			store_put(fx->s, "o/x", SLICE("new"), STORE_ANY, NULL, NULL);
			_exit(0);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 137);
		buf_init(&b, 100);
		assert_int_equal(store_get(fx->s, "o/x", 100, &b, NULL, NULL), 0);
		assert_string_equal(buf_cstr(&b), cases[i].want);
		buf_clear(&b);
		assert_int_equal(count_listed(fx->s), 1);
	}
	/* The next write in that folder replaces what the crash left. */
	assert_int_equal(store_put(fx->s, "o/y", SLICE("y"), STORE_ANY, NULL, NULL), 0);
	assert_int_equal(count_listed(fx->s), 2);
	{
		char path[PATH_MAX];

		snprintf(path, sizeof(path), "%s/o/.maintner-tmp", fx->dir);
		assert_int_equal(access(path, F_OK), -1);
	}
}
#endif

static void
generations_rise_though_the_clock_goes_back(void **state)
{
	struct fixture *fx = *state;
	struct timespec future[2] = { { .tv_sec = time(NULL) + 86400, .tv_nsec = 999999999 },
		{ .tv_sec = time(NULL) + 86400, .tv_nsec = 999999999 } };
	struct store_object before, after;
	char path[PATH_MAX];

	assert_int_equal(store_put(fx->s, "x", SLICE("1"), STORE_ANY, NULL, NULL), 0);
	snprintf(path, sizeof(path), "%s/x", fx->dir);
	assert_int_equal(utimensat(AT_FDCWD, path, future, 0), 0);
	assert_int_equal(store_stat(fx->s, "x", &before, NULL), 0);
	assert_int_equal(store_put(fx->s, "x", SLICE("2"), before.generation, NULL, NULL), 0);
	assert_int_equal(store_stat(fx->s, "x", &after, NULL), 0);
	assert_true(after.generation > before.generation);
}

static void
a_file_from_1970_is_an_object_that_exists(void **state)
{
	struct fixture *fx = *state;
	struct timespec epoch[2] = { { 0, 0 }, { 0, 0 } };
	char path[PATH_MAX];

	write_file(fx, "x", "1");
	snprintf(path, sizeof(path), "%s/x", fx->dir);
	assert_int_equal(utimensat(AT_FDCWD, path, epoch, 0), 0);
	assert_int_equal(
	    store_put(fx->s, "x", SLICE("2"), STORE_ABSENT, NULL, NULL), ERR_CONFLICT);
}

static void
hidden_files_links_and_odd_entries_are_told_apart(void **state)
{
	struct fixture *fx = *state;
	char from[PATH_MAX];

	assert_int_equal(store_put(fx->s, "o/x", SLICE("1"), STORE_ANY, NULL, NULL), 0);
	write_file(fx, "o/.maintner-tmp", "left over");
	write_file(fx, "o/.visible", "dot files are objects");
	write_file(fx, "o/bad\nname", "no object can be called so");
	snprintf(from, sizeof(from), "%s/o/link", fx->dir);
	assert_int_equal(symlink("x", from), 0);
	snprintf(from, sizeof(from), "%s/o/circle", fx->dir);
	assert_int_equal(symlink("..", from), 0);
	snprintf(from, sizeof(from), "%s/o/dangling", fx->dir);
	assert_int_equal(symlink("nowhere", from), 0);
	snprintf(from, sizeof(from), "%s/o/fifo", fx->dir);
	assert_int_equal(mkfifo(from, 0600), 0);
	assert_int_equal(count_listed(fx->s), 3); /* x, .visible, link */
}

static void
folders_and_files_in_the_way_are_named_errors(void **state)
{
	struct fixture *fx = *state;
	struct err_info ei = { 0 };
	struct store_object o;
	char name[STORE_NAME_MAX + 1];

	assert_int_equal(store_put(fx->s, "a/b", SLICE("1"), STORE_ANY, NULL, NULL), 0);
	assert_int_equal(store_put(fx->s, "a", SLICE("1"), STORE_ANY, NULL, &ei), ERR_INVAL);
	assert_non_null(strstr(ei.text, "/a is there and not a file"));
	assert_int_equal(
	    store_put(fx->s, "a/b/c", SLICE("1"), STORE_ANY, NULL, &ei), ERR_INVAL);
	assert_non_null(strstr(ei.text, "a/b"));
	assert_int_equal(store_stat(fx->s, "a", &o, &ei), ERR_NOENT);
	assert_int_equal(store_stat(fx->s, "a/b/c", &o, &ei), ERR_NOENT);
	memset(name, 'n', 300);
	name[300] = '\0'; /* longer than a file's name may be */
	assert_int_equal(store_put(fx->s, name, SLICE("1"), STORE_ANY, NULL, &ei), ERR_INVAL);
	assert_non_null(strstr(ei.text, "too long"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define WITH_DIR(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
		WITH_DIR(processes_that_race_for_a_swap_lose_no_update),
		WITH_DIR(a_lock_ends_with_the_process_that_held_it),
#ifdef MAINTNER_FAULTS
		WITH_DIR(a_crash_leaves_the_old_or_the_new_bytes_and_no_litter),
#endif
		WITH_DIR(generations_rise_though_the_clock_goes_back),
		WITH_DIR(a_file_from_1970_is_an_object_that_exists),
		WITH_DIR(hidden_files_links_and_odd_entries_are_told_apart),
		WITH_DIR(folders_and_files_in_the_way_are_named_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
