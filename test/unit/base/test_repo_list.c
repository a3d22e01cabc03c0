/* test_repo_list.c - the list of repositories, names in the cluster, address templates. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/repo_list.h"

struct notes {
	int count;
	size_t index[16];
	char text[16][160];
};

static void
on_note(void *ctx, size_t index, const char *name, const char *why)
{
	struct notes *n = ctx;

	assert_in_range(n->count, 0, 15);
	n->index[n->count] = index;
	snprintf(n->text[n->count++], sizeof(n->text[0]), "%s: %s", name, why);
}

static int
parse(const char *text, struct notes *n, struct repo_list *ret, struct err_info *ei)
{
	return repo_list_parse(slice_str(text), on_note, n, ret, ei);
}

static void
only_tracked_entries_count_and_they_are_sorted(void **state)
{
	struct repo_list l = { 0 };
	struct notes n = { 0 };

	(void)state;
	assert_int_equal(parse("{\"repos\":["
			       "{\"repo\":\"foo.com/bar.io\",\"is_tracking_issues\":true},"
			       "{\"repo\":\"a/untracked\",\"is_tracking_issues\":false},"
			       "{\"repo\":\"a/absent\"},"
			       "{\"repo\":\"Foo/Bar\",\"default_branch\":\"trunk\","
			       "\"is_tracking_issues\":true,\"is_tracking_samples\":true},"
			       "{\"repo\":\"a-b/z\",\"is_tracking_issues\":true}]}",
			     &n, &l, NULL),
	    0);
	assert_int_equal(n.count, 0);
	assert_int_equal(l.count, 3);
	assert_string_equal(l.items[0].name, "a-b/z");
	assert_string_equal(l.items[1].name, "foo.com/bar.io");
	assert_string_equal(
	    l.items[1].sha, "643d239d7e9b88b103a918eb67af7f276a1020538b101cc4bcbd0c1b");
	assert_int_equal(l.items[1].owner_len, 7);
	assert_string_equal(l.items[1].default_branch, "");
	assert_string_equal(l.items[2].name, "Foo/Bar");
	assert_string_equal(l.items[2].default_branch, "trunk");
	repo_list_clear(&l);
}

static void
malformed_entries_are_skipped_and_reported(void **state)
{
	static const char text[] =
	    "{\"repos\":[7,{},{\"repo\":7},{\"repo\":\"noslash\",\"is_tracking_issues\":true},"
	    "{\"repo\":\"a/b/c\",\"is_tracking_issues\":true},"
	    "{\"repo\":\"../b\",\"is_tracking_issues\":true},"
	    "{\"repo\":\"a/\",\"is_tracking_issues\":true},"
	    "{\"repo\":\"a/b c\",\"is_tracking_issues\":true},"
	    "{\"repo\":\"a/b\\u0000c\",\"is_tracking_issues\":true},"
	    "{\"repo\":\"a/b\",\"is_tracking_issues\":\"yes\"},"
	    "{\"repo\":\"a/b\",\"is_tracking_issues\":true,\"default_branch\":1},"
	    "{\"repo\":\"a/good\",\"is_tracking_issues\":true}],\"more\":1}";
	struct repo_list l = { 0 };
	struct notes n = { 0 };

	(void)state;
	assert_int_equal(parse(text, &n, &l, NULL), 0);
	assert_int_equal(l.count, 1);
	assert_string_equal(l.items[0].name, "a/good");
	assert_int_equal(n.count, 11);
	for (int i = 0; i < n.count; i++)
		assert_int_equal(n.index[i], i);
	assert_string_equal(n.text[3], "noslash: \"repo\" is not of the form owner/name");
	assert_string_equal(n.text[5], "../b: the owner is not a GitHub name");
	repo_list_clear(&l);
}

static void
of_entries_that_differ_in_case_the_first_wins(void **state)
{
	struct repo_list l = { 0 };
	struct notes n = { 0 };

	(void)state;
	assert_int_equal(parse("{\"repos\":["
			       "{\"repo\":\"golang/go\",\"is_tracking_issues\":true},"
			       "{\"repo\":\"GoLang/Go\",\"is_tracking_issues\":true},"
			       "{\"repo\":\"golang/go\",\"is_tracking_issues\":true}]}",
			     &n, &l, NULL),
	    0);
	assert_int_equal(l.count, 1);
	assert_string_equal(l.items[0].name, "golang/go");
	assert_int_equal(n.count, 2);
	assert_int_equal(n.index[0], 1);
	assert_int_equal(n.index[1], 2);
	repo_list_clear(&l);
}

static void
what_is_no_list_is_an_error_that_says_so(void **state)
{
	static const struct {
		const char *text;
		int want;
	} cases[] = { { "", ERR_PROTO }, { "[]", ERR_PROTO }, { "{}", ERR_PROTO },
		{ "{\"repos\":{}}", ERR_PROTO }, { "{\"repos\":[}", ERR_PROTO },
		{ "{\"repos\":[],\"repos\":[]}", ERR_PROTO }, { "{\"repos\":[]}", 0 } };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct repo_list l = { .count = 99 };
		struct err_info ei = { .text = "" };
		struct notes n = { 0 };

		assert_int_equal(parse(cases[i].text, &n, &l, &ei), cases[i].want);
		assert_int_equal(l.count, cases[i].want == 0 ? 0 : 99);
		if (cases[i].want == 0)
			repo_list_clear(&l);
		else
			assert_non_null(strstr(ei.text, "repository list"));
	}
}

static void
a_list_has_limits(void **state)
{
	struct repo_list l = { 0 };
	struct err_info ei = { .text = "" };
	struct buf b;

	(void)state;
	buf_init(&b, 2 * REPO_LIST_BYTES_MAX);
	buf_str(&b, "{\"repos\":[0");
	for (int i = 0; i < REPO_LIST_MAX; i++)
		buf_str(&b, ",0");
	buf_str(&b, "]}");
	assert_int_equal(repo_list_parse(buf_view(&b), NULL, NULL, &l, &ei), ERR_LIMIT);
	buf_reset(&b);
	while (b.len <= REPO_LIST_BYTES_MAX)
		buf_str(&b, "                                                                ");
	assert_int_equal(repo_list_parse(buf_view(&b), NULL, NULL, &l, &ei), ERR_LIMIT);
	buf_clear(&b);
}

static void
names_are_found_in_any_case(void **state)
{
	struct repo_list l = { 0 };
	const struct repo_entry *e;
	struct buf b;

	(void)state;
	buf_init(&b, REPO_LIST_BYTES_MAX);
	buf_str(&b, "{\"repos\":[{\"repo\":\"Owner/Name\",\"is_tracking_issues\":true}");
	for (int i = 0; i < 5000; i++)
		buf_fmt(&b, ",{\"repo\":\"o%d/R%d\",\"is_tracking_issues\":true}", i % 70, i);
	buf_str(&b, "]}");
	assert_int_equal(repo_list_parse(buf_view(&b), NULL, NULL, &l, NULL), 0);
	assert_int_equal(l.count, 5001);
	for (int i = 0; i < 5000; i++) {
		char owner[8], name[8];

		snprintf(owner, sizeof(owner), "O%d", i % 70);
		snprintf(name, sizeof(name), "r%d", i);
		e = repo_list_find(&l, slice_str(owner), slice_str(name));
		assert_non_null(e);
		assert_int_equal(atoi(strrchr(e->name, 'R') + 1), i);
	}
	assert_non_null(repo_list_find(&l, SLICE("OWNER"), SLICE("name")));
	assert_null(repo_list_find(&l, SLICE("owner"), SLICE("nam")));
	assert_null(repo_list_find(&l, SLICE("owner"), SLICE("name/")));
	assert_null(repo_list_find(&l, SLICE(""), SLICE("name")));
	assert_null(repo_list_find(&l, SLICE("o1"), SLICE("r2")));
	buf_clear(&b);
	repo_list_clear(&l);
}

static void
templates_are_filled_and_checked(void **state)
{
	struct repo_entry e = { .name = "Own/Rep", .owner_len = 3, .sha = "0123" };
	struct err_info ei = { .text = "" };
	struct buf b;

	(void)state;
	buf_init(&b, 1000);
	assert_int_equal(repo_template_fill("unix:/r/{owner}/{repo}-{sha}.{x}{sha", &e, &b), 0);
	assert_string_equal(buf_cstr(&b), "unix:/r/Own/Rep-0123.{x}{sha");
	buf_clear(&b);
	assert_int_equal(repo_template_check("mtr-s-{sha}:9000", &ei), 0);
	assert_int_equal(repo_template_check("unix:/run/{owner}/{repo}.sock", &ei), 0);
	assert_int_equal(repo_template_check("[::1]:9000", &ei), 0);
	assert_int_equal(repo_template_check("mtr-s-{digest}:9000", &ei), ERR_INVAL);
	assert_non_null(strstr(ei.text, "{sha}, {owner} and {repo}"));
	assert_int_equal(repo_template_check("mtr-s-{sha}", &ei), ERR_INVAL);
	assert_int_equal(repo_template_words("gs://mtr-p-{sha}/{owner}", &ei), 0);
	assert_int_equal(repo_template_words("gs://logs", &ei), 0);
	assert_int_equal(repo_template_words("gs://logs/{name}", &ei), ERR_INVAL);
	assert_int_equal(repo_template_words("gs://logs/{owner", &ei), ERR_INVAL);
	assert_int_equal(repo_template_words("gs://logs/repo}", &ei), ERR_INVAL);
}

static void
parsing_survives_every_allocation_failure(void **state)
{
	int rc = ERR_NOMEM;

	(void)state;
	for (long i = 0; rc != 0; i++) {
		struct repo_list l = { .count = 99 };
		struct notes n = { 0 };

		mem_fail_after(i);
		rc = parse("{\"repos\":[{\"repo\":\"a/b\",\"is_tracking_issues\":true},"
			   "{\"repo\":\"A/b\",\"is_tracking_issues\":true}]}",
		    &n, &l, NULL);
		mem_fail_after(MEM_NEVER);
		assert_true(rc == 0 || (rc == ERR_NOMEM && l.count == 99));
		if (rc == 0)
			repo_list_clear(&l);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_tracked_entries_count_and_they_are_sorted),
		cmocka_unit_test(malformed_entries_are_skipped_and_reported),
		cmocka_unit_test(of_entries_that_differ_in_case_the_first_wins),
		cmocka_unit_test(what_is_no_list_is_an_error_that_says_so),
		cmocka_unit_test(a_list_has_limits),
		cmocka_unit_test(names_are_found_in_any_case),
		cmocka_unit_test(templates_are_filled_and_checked),
		cmocka_unit_test(parsing_survives_every_allocation_failure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
