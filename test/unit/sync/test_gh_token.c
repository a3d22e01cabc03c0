/* Lists of tokens, which one is used when, and files that change. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "sync/github/gh_token.h"

#define NOW INT64_C(1700000000000)

static struct gh_tokens
parsed(const char *text, const char *repository)
{
	struct gh_tokens list;

	assert_int_equal(gh_tokens_parse(slice_str(text), repository, &list, NULL), 0);
	return list;
}

/* Where a token stands in a list; SIZE_MAX if it does not. */
static size_t
place_of(const struct gh_tokens *list, const char *token)
{
	for (size_t i = 0; i < list->count; i++) {
		if (strcmp(list->items[i].authorize + strlen("Bearer "), token) == 0)
			return i;
	}
	return SIZE_MAX;
}

static void
a_file_has_a_token_a_line_and_comments(void **state)
{
	static const struct {
		const char *text;
		size_t count;
	} cases[] = {
		{ "one", 1 },
		{ "one\n", 1 },
		{ "one\r\ntwo\r\n", 2 },
		{ "# of bot A\none\n\n  \t\n# of bot B\n\ttwo  \n", 2 },
		{ "one\ntwo\none\n", 2 },
		{ "#one\ntwo", 1 },
		{ "a#b", 1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct gh_tokens list = parsed(cases[i].text, "o/r");

		assert_int_equal(list.count, cases[i].count);
		for (size_t j = 1; j < list.count; j++)
			assert_true(list.items[j - 1].rank >= list.items[j].rank);
		gh_tokens_clear(&list);
	}
}

static void
a_bad_line_is_told_by_its_number_and_never_by_its_text(void **state)
{
	char longest[GH_TOKEN_MAX + 2], many[(GH_TOKENS_MAX + 1) * 8];
	struct {
		struct slice text;
		int rc;
		const char *told;
	} cases[] = {
		{ SLICE(""), ERR_INVAL, "no token" },
		{ SLICE("# only\n\n"), ERR_INVAL, "no token" },
		{ SLICE("good\nse cret\n"), ERR_INVAL, "line 2" },
		{ SLICE("good\n#\nse\tcret"), ERR_INVAL, "line 3" },
		{ SLICE("se\001cret"), ERR_INVAL, "line 1" },
		{ SLICE("se\0cret"), ERR_INVAL, "line 1" },
		{ SLICE("secret\0"), ERR_INVAL, "line 1" },
		{ SLICE("se\177cret"), ERR_INVAL, "line 1" },
		{ SLICE("s\303\251cret"), ERR_INVAL, "line 1" },
		{ { longest, sizeof(longest) - 1 }, ERR_LIMIT, "1024" },
		{ { many, 0 }, ERR_LIMIT, "more than 100" },
	};

	(void)state;
	memset(longest, 'x', sizeof(longest));
	for (int i = 0; i <= GH_TOKENS_MAX; i++)
		cases[10].text.len += (size_t)sprintf(many + cases[10].text.len, "t%d\n", i);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct err_info ei = { .text = "" };
		struct gh_tokens list = { NULL, 99 };

		assert_int_equal(gh_tokens_parse(cases[i].text, NULL, &list, &ei), cases[i].rc);
		assert_int_equal(list.count, 99);
		assert_non_null(strstr(ei.text, cases[i].told));
		assert_null(strstr(ei.text, "cret"));
	}
	cases[9].text.len--; /* as long as one may be */
	{
		struct gh_tokens list;

		assert_int_equal(gh_tokens_parse(cases[9].text, NULL, &list, NULL), 0);
		gh_tokens_clear(&list);
	}
}

static void
repositories_spread_over_the_tokens_and_stay_with_theirs(void **state)
{
	int used[4] = { 0 }, moved = 0;

	(void)state;
	for (int i = 0; i < 400; i++) {
		static const char *const names[] = { "one", "two", "three", "four" };
		char repository[32], again[32];
		struct gh_tokens list, other, less;

		snprintf(repository, sizeof(repository), "Owner/repo-%d", i);
		snprintf(again, sizeof(again), "oWNER/REPO-%d", i);
		list = parsed("one\ntwo\nthree\nfour\n", repository);
		other =
		    parsed("four\nthree\n#\ntwo\none\n", again); /* order and case are alike */
		less = parsed("one\ntwo\nfour\n", repository);
		for (int n = 0; n < 4; n++) {
			used[n] += place_of(&list, names[n]) == 0;
			assert_int_equal(place_of(&list, names[n]), place_of(&other, names[n]));
		}
		/* only those move whose token went */
		if (strcmp(list.items[0].digest, less.items[0].digest) != 0) {
			assert_int_equal(place_of(&list, "three"), 0);
			moved++;
		}
		gh_tokens_clear(&list);
		gh_tokens_clear(&other);
		gh_tokens_clear(&less);
	}
	assert_int_equal(moved, used[2]);
	for (int n = 0; n < 4; n++)
		assert_in_range(used[n], 60, 140);
}

static void
spend(struct gh_token *t, enum gh_resource r, int64_t remaining, int64_t reset_ms)
{
	t->budget[r].limit = 5000;
	t->budget[r].remaining = remaining;
	t->budget[r].reset_ms = reset_ms;
}

static void
a_refused_token_is_passed_over_for_ten_minutes(void **state)
{
	struct gh_tokens list = parsed("one\ntwo\nthree\n", "o/r");

	(void)state;
	assert_int_equal(gh_tokens_choose(&list, GH_CORE, false, NOW), 0);
	list.items[0].rejected_ms = NOW;
	assert_int_equal(gh_tokens_choose(&list, GH_CORE, false, NOW), 1);
	list.items[1].rejected_ms = NOW + 1000;
	assert_int_equal(gh_tokens_choose(&list, GH_GRAPHQL, false, NOW + 1000), 2);
	/* all of them: the one refused longest ago */
	list.items[2].rejected_ms = NOW + 2000;
	assert_int_equal(gh_tokens_choose(&list, GH_CORE, false, NOW + 2000), 0);
	list.items[0].rejected_ms = NOW + 3000;
	assert_int_equal(gh_tokens_choose(&list, GH_CORE, false, NOW + 3000), 1);
	assert_int_equal(
	    gh_tokens_choose(&list, GH_CORE, false, NOW + 3000 + GH_REJECTED_MS), 0);
	gh_tokens_clear(&list);
}

static void
a_spent_token_is_left_until_its_reset(void **state)
{
	struct gh_tokens list = parsed("one\ntwo\nthree\n", "o/r");

	(void)state;
	spend(&list.items[0], GH_CORE, 0, NOW + 600000);
	assert_int_equal(gh_tokens_choose(&list, GH_CORE, false, NOW), 1);
	assert_int_equal(gh_tokens_choose(&list, GH_GRAPHQL, false, NOW), 0); /* apart */
	assert_int_equal(gh_tokens_choose(&list, GH_CORE, false, NOW + 599999), 1);
	assert_int_equal(gh_tokens_choose(&list, GH_CORE, false, NOW + 600000), 0);
	/* what can wait leaves a reserve, and goes where there is more */
	spend(&list.items[0], GH_CORE, 500, NOW + 600000);
	assert_int_equal(gh_tokens_choose(&list, GH_CORE, false, NOW), 0);
	assert_int_equal(gh_tokens_choose(&list, GH_CORE, true, NOW), 1);
	/* a secondary limit is no reason to go to another */
	spend(&list.items[0], GH_CORE, 4000, NOW + 600000);
	list.items[0].budget[GH_CORE].hold_until_ms = NOW + 60000;
	assert_int_equal(gh_tokens_choose(&list, GH_CORE, false, NOW), 0);
	/* all spent: the one that is full again first; rather than one that was refused */
	spend(&list.items[0], GH_CORE, 0, NOW + 600000);
	spend(&list.items[1], GH_CORE, 0, NOW + 300000);
	list.items[2].rejected_ms = NOW;
	assert_int_equal(gh_tokens_choose(&list, GH_CORE, false, NOW), 1);
	gh_tokens_clear(&list);
}

static void
a_list_read_again_keeps_budgets_and_forgets_refusals(void **state)
{
	struct gh_tokens old = parsed("one\ntwo\n", "o/r"),
			 fresh = parsed("three\ntwo\n", "o/r");
	struct gh_token *was = &old.items[place_of(&old, "two")],
			*is = &fresh.items[place_of(&fresh, "two")];

	(void)state;
	spend(was, GH_CORE, 17, NOW);
	was->rejected_ms = NOW;
	gh_tokens_inherit(&fresh, &old);
	assert_int_equal(is->budget[GH_CORE].remaining, 17);
	assert_true(gh_token_usable(is, NOW));
	assert_int_equal(fresh.items[place_of(&fresh, "three")].budget[GH_CORE].remaining, -1);
	gh_tokens_clear(&old);
	gh_tokens_clear(&fresh);
}

static void
lists_survive_every_allocation_failure(void **state)
{
	struct gh_tokens list = { NULL, 0 };
	int rc = ERR_NOMEM;

	(void)state;
	for (long n = 0; rc != 0; n++) {
		mem_fail_after(n);
		rc = gh_tokens_parse(SLICE("one\ntwo\none\n"), "o/r", &list, NULL);
		mem_fail_after(MEM_NEVER);
		assert_true(rc == 0 || (rc == ERR_NOMEM && list.items == NULL));
	}
	assert_int_equal(list.count, 2);
	gh_tokens_clear(&list);
}

/* --- files --- */

struct folder {
	char path[64], file[96];
};

static void
write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static int
make_folder(void **state)
{
	struct folder *fx = mem_zalloc(sizeof(*fx));

	strcpy(fx->path, "/tmp/gh_token.XXXXXX");
	assert_non_null(mkdtemp(fx->path));
	snprintf(fx->file, sizeof(fx->file), "%s/token", fx->path);
	write_file(fx->file, "one\n");
	*state = fx;
	return 0;
}

static int
remove_folder(void **state)
{
	struct folder *fx = *state;
	char command[128];

	snprintf(command, sizeof(command), "rm -r %s", fx->path);
	assert_int_equal(system(command), 0);
	mem_free(fx);
	return 0;
}

static void
a_change_is_told_once_and_looked_for_once_a_second(void **state)
{
	struct folder *fx = *state;
	struct gh_file f;
	int64_t now = 5000;

	gh_file_init(&f, fx->file);
	assert_false(gh_file_changed(&f, now));
	write_file(fx->file, "another\n");
	assert_false(gh_file_changed(&f, now + 999));
	assert_true(gh_file_changed(&f, now + 1000));
	assert_false(gh_file_changed(&f, now + 2000));
	assert_int_equal(unlink(fx->file), 0);
	assert_true(gh_file_changed(&f, now + 3000));
	assert_false(gh_file_changed(&f, now + 4000)); /* still away */
	write_file(fx->file, "again\n");
	assert_true(gh_file_changed(&f, now + 5000));
	assert_int_equal(chmod(fx->file, 0), 0); /* unreadable is a change, too */
	assert_true(gh_file_changed(&f, now + 6000));
	assert_false(gh_file_changed(&f, now + 7000));
}

/* A mounted secret: token -> ..data/token, ..data -> ..2026_01, swapped as a whole. */
static void
a_mounted_secret_that_is_swapped_is_a_change(void **state)
{
	struct folder *fx = *state;
	char name[160], data[160], next[160];
	struct gh_file f;

	for (int i = 1; i <= 2; i++) {
		snprintf(name, sizeof(name), "%s/..2026_0%d", fx->path, i);
		assert_int_equal(mkdir(name, 0700), 0);
		snprintf(name, sizeof(name), "%s/..2026_0%d/token", fx->path, i);
		write_file(name, "one\n"); /* the same size, perhaps the same second */
	}
	snprintf(data, sizeof(data), "%s/..data", fx->path);
	snprintf(next, sizeof(next), "%s/..data_tmp", fx->path);
	assert_int_equal(unlink(fx->file), 0);
	assert_int_equal(symlink("..2026_01", data), 0);
	assert_int_equal(symlink("..data/token", fx->file), 0);
	gh_file_init(&f, fx->file);
	assert_false(gh_file_changed(&f, 0));
	assert_int_equal(symlink("..2026_02", next), 0);
	assert_int_equal(rename(next, data), 0);
	assert_true(gh_file_changed(&f, 1000));
	assert_false(gh_file_changed(&f, 2000));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_has_a_token_a_line_and_comments),
		cmocka_unit_test(a_bad_line_is_told_by_its_number_and_never_by_its_text),
		cmocka_unit_test(repositories_spread_over_the_tokens_and_stay_with_theirs),
		cmocka_unit_test(a_refused_token_is_passed_over_for_ten_minutes),
		cmocka_unit_test(a_spent_token_is_left_until_its_reset),
		cmocka_unit_test(a_list_read_again_keeps_budgets_and_forgets_refusals),
		cmocka_unit_test(lists_survive_every_allocation_failure),
		cmocka_unit_test_setup_teardown(
		    a_change_is_told_once_and_looked_for_once_a_second, make_folder,
		    remove_folder),
		cmocka_unit_test_setup_teardown(
		    a_mounted_secret_that_is_swapped_is_a_change, make_folder, remove_folder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
