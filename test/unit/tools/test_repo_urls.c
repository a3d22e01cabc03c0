/* Templates are looked at for all repositories before anything is done to one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "tools/repo_urls.h"

static int
setup(void **state)
{
	static struct repo_list list;
	const char *text = "{\"repos\":[{\"repo\":\"o/a\",\"is_tracking_issues\":true},"
			   "{\"repo\":\"o/b\",\"is_tracking_issues\":true},"
			   "{\"repo\":\"p/a\",\"is_tracking_issues\":true}]}";

	*state = &list;
	return repo_list_parse(slice_str(text), NULL, NULL, &list, NULL);
}

static int
teardown(void **state)
{
	repo_list_clear(*state);
	return 0;
}

static void
two_repositories_with_one_place_are_named(void **state)
{
	struct err_info ei = { 0 };

	assert_int_equal(repo_urls_check("to", "file:///x/{owner}/{repo}", *state, &ei), 0);
	assert_int_equal(repo_urls_check("to", "gs://mtr-{sha}", *state, &ei), 0);
	assert_int_equal(repo_urls_check("to", "file:///x/{owner}", *state, &ei), ERR_INVAL);
	assert_string_equal(ei.text, "--to: o/a and o/b would both be at file:///x/o");
	assert_int_equal(repo_urls_check("to", "file:///x/{repo}/", *state, &ei), ERR_INVAL);
	assert_non_null(strstr(ei.text, "o/a and p/a would both be at file:///x/a"));
	assert_int_equal(repo_urls_check("to", "file:///{x}/{sha}", *state, &ei), ERR_INVAL);
	assert_non_null(strstr(ei.text, "only {sha}, {owner} and {repo} are filled in"));
}

static void
a_place_is_no_source_and_destination_at_once(void **state)
{
	static const struct {
		const char *from, *to;
		int want;
	} cases[] = {
		{ "file:///x/{owner}/{repo}", "file:///x/{owner}/{repo}", ERR_INVAL },
		{ "file:///x/{owner}/{repo}/", "file:///x//{owner}/{repo}", ERR_INVAL },
		{ "file:///x/{owner}/{repo}", "file:///y/{owner}/{repo}", 0 },
		{ "gs://b/{sha}//", "gs://b/{sha}", ERR_INVAL },
		{ "gs://b-{sha}", "gs://c-{sha}", 0 },
		{ "file:///x/{owner}/a", "file:///x/p/{repo}", ERR_INVAL }, /* another's */
	};
	struct err_info ei = { 0 };

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(repo_urls_check_apart(cases[i].from, cases[i].to, *state, &ei),
		    cases[i].want);
	assert_string_equal(
	    ei.text, "file:///x/p/a is where o/a is to go, and where p/a comes from");
}

static void
urls_are_compared_without_slashes_that_mean_nothing(void **state)
{
	static const char *const cases[][2] = { { "file:///", "file:///" },
		{ "file:////a//b///", "file:///a/b" }, { "gs://b/", "gs://b" },
		{ "gs://b/p//q/", "gs://b/p//q" } };
	struct buf b;

	(void)state;
	buf_init(&b, 100);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		buf_reset(&b);
		assert_int_equal(repo_url_normalize(cases[i][0], &b), 0);
		assert_string_equal(buf_cstr(&b), cases[i][1]);
	}
	buf_clear(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    two_repositories_with_one_place_are_named, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    a_place_is_no_source_and_destination_at_once, setup, teardown),
		cmocka_unit_test(urls_are_compared_without_slashes_that_mean_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
