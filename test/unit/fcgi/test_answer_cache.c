/* Answers that are kept: only while nothing was written, only so many, only asked twice. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "fcgi/answer_cache.h"

#define MAX ((size_t)1 << 16)

static const struct snap_stamp now = { 1, 10 };

static bool
has(struct answer_cache *c, struct snap_stamp stamp, const char *path, const char *query,
    const char *want)
{
	struct slice got = { 0 };

	if (!answer_cache_find(c, stamp, slice_str(path), slice_str(query), &got))
		return false;
	if (want != NULL)
		assert_true(slice_is(got, want));
	return true;
}

static void
put_twice(struct answer_cache *c, const char *path, const char *query, const char *answer)
{
	for (int i = 0; i < 2; i++)
		answer_cache_put(c, now, slice_str(path), slice_str(query), slice_str(answer));
}

static void
an_answer_is_kept_when_it_is_asked_for_again(void **state)
{
	struct answer_cache *c = answer_cache_new(MAX);

	(void)state;
	assert_false(has(c, now, "/a", "x=1", NULL));
	answer_cache_put(c, now, SLICE("/a"), SLICE("x=1"), SLICE("one"));
	assert_false(has(c, now, "/a", "x=1", NULL));
	answer_cache_put(c, now, SLICE("/a"), SLICE("x=1"), SLICE("one"));
	assert_true(has(c, now, "/a", "x=1", "one"));
	put_twice(c, "/a", "", "two");
	put_twice(c, "", "/a", "three");
	assert_true(has(c, now, "/a", "", "two"));
	assert_true(has(c, now, "", "/a", "three"));
	assert_true(has(c, now, "/a", "x=1", "one"));
	assert_false(has(c, now, "/a", "x=2", NULL));
	assert_false(has(c, now, "/ax=1", "", NULL));
	answer_cache_free(c);
}

static void
a_write_or_another_environment_forgets_everything(void **state)
{
	static const struct snap_stamp others[] = { { 1, 11 }, { 2, 10 }, { 1, 9 } };

	(void)state;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		struct answer_cache *c = answer_cache_new(MAX);

		put_twice(c, "/a", "", "one");
		assert_true(has(c, now, "/a", "", "one"));
		assert_false(has(c, others[i], "/a", "", NULL));
		assert_false(has(c, now, "/a", "", NULL)); /* nor does it come back */
		answer_cache_put(c, now, SLICE("/a"), SLICE(""), SLICE("one"));
		assert_false(has(c, now, "/a", "", NULL)); /* asked once under this stamp */
		answer_cache_free(c);
	}
}

/* Many sizes and requests: what is found is right, and memory stays within the limit. */
static void
the_oldest_answers_make_room(void **state)
{
	struct answer_cache *c = answer_cache_new(MAX);
	char path[32], answer[4096];
	size_t kept = 0, bytes = 0;

	(void)state;
	for (unsigned n = 0; n < 2000; n++) {
		struct slice got;

		snprintf(path, sizeof(path), "/%u", n);
		memset(answer, (int)('a' + n % 26), sizeof(answer));
		answer[1 + n * 7919 % 4094] = '\0';
		put_twice(c, path, "q", answer);
		assert_true(answer_cache_find(c, now, slice_str(path), SLICE("q"), &got));
		assert_true(slice_is(got, answer));
		if (n > 0) /* used all the time: it stays */
			assert_true(has(c, now, "/0", "q", "a"));
		else
			put_twice(c, "/0", "q", "a");
	}
	for (unsigned n = 0; n < 2000; n++) {
		struct slice got;

		snprintf(path, sizeof(path), "/%u", n);
		if (!answer_cache_find(c, now, slice_str(path), SLICE("q"), &got))
			continue;
		kept++;
		bytes += got.len;
		assert_true(got.len == 0 || got.ptr[0] == (char)('a' + n % 26));
	}
	assert_true(kept > 10 && bytes <= MAX);
	answer_cache_free(c);
}

static void
what_is_too_large_is_not_kept(void **state)
{
	struct answer_cache *c = answer_cache_new(MAX);
	static char large[MAX / 4 + 1], name[3000];

	(void)state;
	memset(large, 'x', sizeof(large) - 1);
	memset(name, 'n', sizeof(name) - 1);
	put_twice(c, "/a", "", large);
	put_twice(c, name, "", "one");
	assert_false(has(c, now, "/a", "", NULL));
	assert_false(has(c, now, name, "", NULL));
	answer_cache_free(c);
}

#ifdef MAINTNER_FAULTS
static void
without_memory_nothing_is_kept(void **state)
{
	struct answer_cache *c;

	(void)state;
	mem_fail_after(0);
	assert_null(answer_cache_new(MAX));
	mem_fail_after(MEM_NEVER);
	put_twice(NULL, "/a", "", "one");
	assert_false(has(NULL, now, "/a", "", NULL));
	c = answer_cache_new(MAX);
	mem_fail_after(0);
	put_twice(c, "/a", "", "one");
	mem_fail_after(MEM_NEVER);
	assert_false(has(c, now, "/a", "", NULL));
	put_twice(c, "/a", "", "one");
	assert_true(has(c, now, "/a", "", "one"));
	answer_cache_free(c);
	answer_cache_free(NULL);
}
#endif

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_answer_is_kept_when_it_is_asked_for_again),
		cmocka_unit_test(a_write_or_another_environment_forgets_everything),
		cmocka_unit_test(the_oldest_answers_make_room),
		cmocka_unit_test(what_is_too_large_is_not_kept),
#ifdef MAINTNER_FAULTS
		cmocka_unit_test(without_memory_nothing_is_kept),
#endif
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
