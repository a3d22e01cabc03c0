/* Settings: flags, environment, their order, and what is refused with which text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/conf.h"
#include "base/mem.h"

struct settings {
	const char *dir, *url;
	int64_t count;
	bool loud;
};

static const char *const variables[] = { "MAINTNER_DIR", "MAINTNER_SOME_URL", "OTHER_URL",
	"MAINTNER_COUNT", "MAINTNER_LOUD" };

static int
setup(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++)
		unsetenv(variables[i]);
	return 0;
}

/* Read `line`, a command line in words, into `s`. */
static int
read_line(struct settings *s, const char *line, bool operands, enum conf_next *next,
    int *operand, struct err_info *ei)
{
	const struct conf_option options[] = {
		{ .name = "dir",
		    .target = &s->dir,
		    .required = true,
		    .value = "DIR",
		    .help = "a directory" },
		{ .name = "some-url",
		    .target = &s->url,
		    .other_env = "OTHER_URL",
		    .help = "x" },
		{ .name = "count",
		    .type = CONF_NUMBER,
		    .target = &s->count,
		    .low = -5,
		    .high = 10,
		    .help = "x" },
		{ .name = "loud", .type = CONF_SWITCH, .target = &s->loud, .help = "x" },
		{ .name = NULL },
	};
	const struct conf_program p = { "prog", "Does things.", operands ? "X ..." : NULL,
		options };
	static char words[256];
	char *argv[16] = { (char *)(uintptr_t) "prog" }, *rest = words, *word;
	int argc = 1;

	snprintf(words, sizeof(words), "%s", line);
	while ((word = strsep(&rest, " ")) != NULL && argc < 15) {
		if (*word != '\0')
			argv[argc++] = strcmp(word, "''") == 0 ? word + 2 : word;
	}
	return conf_read(&p, argc, argv, next, operand, ei);
}

static int
read_words(struct settings *s, const char *line, struct err_info *ei)
{
	enum conf_next next;
	int operand;

	return read_line(s, line, false, &next, &operand, ei);
}

static void
flags_fill_their_targets(void **state)
{
	struct settings s = { .count = 3 };

	(void)state;
	assert_int_equal(read_words(&s, "--dir /x --some-url=u --count -4 --loud", NULL), 0);
	assert_string_equal(s.dir, "/x");
	assert_string_equal(s.url, "u");
	assert_int_equal(s.count, -4);
	assert_true(s.loud);
}

static void
what_is_not_given_keeps_its_default(void **state)
{
	struct settings s = { .url = "default", .count = 3, .loud = true };

	(void)state;
	assert_int_equal(read_words(&s, "--dir /x", NULL), 0);
	assert_string_equal(s.url, "default");
	assert_int_equal(s.count, 3);
	assert_true(s.loud);
}

static void
the_environment_is_read_and_a_flag_wins(void **state)
{
	struct settings s = { .count = 3 };

	(void)state;
	setenv("MAINTNER_DIR", "/env", 1);
	setenv("MAINTNER_SOME_URL", "env-url", 1);
	setenv("OTHER_URL", "other-url", 1);
	setenv("MAINTNER_COUNT", "7", 1);
	setenv("MAINTNER_LOUD", "true", 1);
	assert_int_equal(read_words(&s, "", NULL), 0);
	assert_string_equal(s.dir, "/env");
	assert_string_equal(s.url, "env-url");
	assert_int_equal(s.count, 7);
	assert_true(s.loud);
	assert_int_equal(read_words(&s, "--dir /flag --count 1", NULL), 0);
	assert_string_equal(s.dir, "/flag");
	assert_int_equal(s.count, 1);
	unsetenv("MAINTNER_SOME_URL");
	assert_int_equal(read_words(&s, "", NULL), 0);
	assert_string_equal(s.url, "other-url");
	setenv("MAINTNER_DIR", "", 1); /* as good as unset: not required any more */
	s.dir = NULL;
	assert_int_equal(read_words(&s, "", NULL), ERR_INVAL);
}

static void
switches_in_the_environment_are_words(void **state)
{
	static const struct {
		const char *word;
		int rc;
		bool want;
	} cases[] = { { "1", 0, true }, { "true", 0, true }, { "0", 0, false },
		{ "false", 0, false }, { "yes", ERR_INVAL, false },
		{ "TRUE", ERR_INVAL, false } };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct settings s = { .loud = !cases[i].want };
		struct err_info ei = { .text = "" };

		setenv("MAINTNER_LOUD", cases[i].word, 1);
		assert_int_equal(read_words(&s, "--dir x", &ei), cases[i].rc);
		if (cases[i].rc == 0)
			assert_int_equal(s.loud, cases[i].want);
		else
			assert_non_null(strstr(ei.text, "MAINTNER_LOUD"));
	}
}

static void
what_is_refused_is_named(void **state)
{
	static const struct {
		const char *line, *named;
	} cases[] = {
		{ "", "--dir" },
		{ "--nothing", "--nothing" },
		{ "--dir", "--dir" },
		{ "--dir /x --count", "--count" },
		{ "--dir /x --count ten", "--count" },
		{ "--dir /x --count 1.5", "--count" },
		{ "--dir /x --count=", "--count" },
		{ "--dir /x --count 11", "-5..10" },
		{ "--dir /x --count -6", "-5..10" },
		{ "--dir /x --count 99999999999999999999", "--count" },
		{ "--dir ''", "--dir" },
		{ "--dir /x --loud=1", "--loud" },
		{ "--dir /x operand", "operand" },
		{ "--dir /x -- operand", "operand" },
		{ "--dir /x -x", "-x" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct settings s = { 0 };
		struct err_info ei = { .text = "" };

		if (read_words(&s, cases[i].line, &ei) != ERR_INVAL ||
		    strstr(ei.text, cases[i].named) == NULL)
			fail_msg("%s: %s", cases[i].line, ei.text);
	}
}

static void
operands_are_where_flags_end(void **state)
{
	struct settings s = { 0 };
	enum conf_next next;
	int operand = 0;

	(void)state;
	assert_int_equal(read_line(&s, "--dir /x one two", true, &next, &operand, NULL), 0);
	assert_int_equal(operand, 3);
	assert_int_equal(next, CONF_RUN);
	assert_int_equal(read_line(&s, "--dir /x", true, &next, &operand, NULL), 0);
	assert_int_equal(operand, 3); /* argc: there is none */
}

/* Run with standard output in a file; the answer is borrowed. */
static const char *
printed(const char *line, enum conf_next *next)
{
	static char text[4096];
	struct settings s = { 0 };
	int operand, saved = dup(STDOUT_FILENO), rc;
	FILE *f = tmpfile();
	size_t n;

	fflush(stdout);
	dup2(fileno(f), STDOUT_FILENO);
	rc = read_line(&s, line, true, next, &operand, NULL);
	fflush(stdout);
	dup2(saved, STDOUT_FILENO);
	close(saved);
	assert_int_equal(rc, 0);
	rewind(f);
	n = fread(text, 1, sizeof(text) - 1, f);
	text[n] = '\0';
	fclose(f);
	return text;
}

static void
help_and_version_need_nothing_else(void **state)
{
	enum conf_next next = CONF_RUN;
	const char *text = printed("--help", &next);

	(void)state;
	assert_int_equal(next, CONF_EXIT);
	assert_non_null(strstr(text, "Usage: prog [options] X ..."));
	assert_non_null(strstr(text, "Does things."));
	assert_non_null(strstr(text, "--dir DIR"));
	assert_non_null(strstr(text, "(required)"));
	assert_non_null(strstr(text, "OTHER_URL"));
	assert_non_null(strstr(text, "--version"));
	next = CONF_RUN;
	text = printed("--version", &next);
	assert_int_equal(next, CONF_EXIT);
	assert_int_equal(strncmp(text, "prog ", 5), 0);
}

/* --- secrets --- */

static int
read_secret_of(const char *bytes, size_t len, char **ret)
{
	char path[] = "/tmp/conf-test-XXXXXX";
	int fd = mkstemp(path), rc;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, len), len);
	close(fd);
	rc = conf_read_secret(path, ret, NULL);
	unlink(path);
	return rc;
}

static void
a_secret_is_the_file_without_the_white_space_at_its_end(void **state)
{
	static const struct {
		const char *bytes;
		int rc;
		const char *want;
	} cases[] = {
		{ "secret", 0, "secret" },
		{ "secret\n", 0, "secret" },
		{ "secret\r\n\n", 0, "secret" },
		{ " two words \n", 0, " two words" },
		{ "", ERR_INVAL, NULL },
		{ "\n \t\n", ERR_INVAL, NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *secret = NULL;

		assert_int_equal(
		    read_secret_of(cases[i].bytes, strlen(cases[i].bytes), &secret),
		    cases[i].rc);
		if (cases[i].rc == 0)
			assert_string_equal(secret, cases[i].want);
		else
			assert_null(secret);
		mem_free(secret);
	}
}

static void
a_secret_of_64_kib_is_the_largest(void **state)
{
	size_t max = (size_t)64 << 10;
	char *bytes = malloc(max + 1), *secret = NULL;

	(void)state;
	memset(bytes, 'x', max + 1);
	assert_int_equal(read_secret_of(bytes, max, &secret), 0);
	assert_int_equal(strlen(secret), max);
	mem_free(secret);
	secret = NULL;
	assert_int_equal(read_secret_of(bytes, max + 1, &secret), ERR_LIMIT);
	assert_null(secret);
	bytes[3] = '\0'; /* what stands behind it must not be lost without a word */
	assert_int_equal(read_secret_of(bytes, 8, &secret), ERR_INVAL);
	assert_null(secret);
	free(bytes);
}

static void
a_secret_file_that_cannot_be_read_is_named(void **state)
{
	struct err_info ei = { .text = "" };
	char *secret = NULL;

	(void)state;
	assert_int_equal(conf_read_secret("/no/such/file", &secret, &ei), ERR_NOENT);
	assert_non_null(strstr(ei.text, "/no/such/file"));
	assert_int_not_equal(conf_read_secret("/tmp", &secret, &ei), 0);
	assert_non_null(strstr(ei.text, "/tmp"));
	mem_fail_after(0);
	assert_int_equal(conf_read_secret("/etc/passwd", &secret, &ei), ERR_NOMEM);
	mem_fail_after(MEM_NEVER);
	assert_null(secret);
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(flags_fill_their_targets),
		TEST(what_is_not_given_keeps_its_default),
		TEST(the_environment_is_read_and_a_flag_wins),
		TEST(switches_in_the_environment_are_words),
		TEST(what_is_refused_is_named),
		TEST(operands_are_where_flags_end),
		TEST(help_and_version_need_nothing_else),
		TEST(a_secret_is_the_file_without_the_white_space_at_its_end),
		TEST(a_secret_of_64_kib_is_the_largest),
		TEST(a_secret_file_that_cannot_be_read_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
