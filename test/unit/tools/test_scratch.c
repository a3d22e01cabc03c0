/* What killed runs left is removed, and nothing else is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/scratch.h"

#define PREFIX "test-"

static char base[] = "/tmp/scratch-test-XXXXXX";

static void
make(const char *dir, mode_t mode, const char *file)
{
	char path[PATH_MAX];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", base, dir);
	assert_int_equal(mkdir(path, mode), 0);
	snprintf(path, sizeof(path), "%s/%s/%s", base, dir, file);
	fd = open(path, O_CREAT | O_WRONLY, 0600);
	assert_true(fd >= 0);
	close(fd);
}

static bool
is_there(const char *name)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", base, name);
	return access(path, F_OK) == 0;
}

static void
only_directories_that_nobody_holds_are_swept(void **state)
{
	static const char *const kept[] = { PREFIX "mixed1/notes", PREFIX "open00/0",
		PREFIX "longer7/0", "other-aaaaaa/0" };
	char rm[PATH_MAX];
	struct scratch mine;

	(void)state;
	assert_non_null(mkdtemp(base));
	make(PREFIX "killed", 0700, "0");
	make(PREFIX "mixed1", 0700, "notes");
	make(PREFIX "open00", 0755, "0");
	make(PREFIX "longer7", 0700, "0");
	make("other-aaaaaa", 0700, "0");
	snprintf(rm, sizeof(rm), "%s/%s", base, PREFIX "alink0");
	assert_int_equal(symlink("other-aaaaaa", rm), 0);
	assert_int_equal(scratch_make(base, PREFIX, &mine, NULL), 0);
	assert_int_equal(scratch_sweep(base, PREFIX), 1);
	assert_false(is_there(PREFIX "killed"));
	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
		assert_true(is_there(kept[i]));
	assert_int_equal(access(mine.path, F_OK), 0);
	close(mine.fd); /* as if killed */
	assert_int_equal(scratch_sweep(base, PREFIX), 1);
	assert_int_not_equal(access(mine.path, F_OK), 0);
	snprintf(rm, sizeof(rm), "rm -r %s", base);
	assert_int_equal(system(rm), 0);
	assert_int_equal(scratch_sweep("/nowhere/at/all", PREFIX), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_directories_that_nobody_holds_are_swept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
