/* test_path.c - what a raw request target names, and what must not be passed on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "router/path.h"

static void
routes_are_told_apart(void **state)
{
	static const struct {
		const char *target;
		enum path_route route;
		const char *owner, *repo;
	} cases[] = {
		{ "/api/v1/golang/go/issues?x=/../;", PATH_REPOSITORY, "golang", "go" },
		{ "/api/v1/GoLang/Go", PATH_REPOSITORY, "GoLang", "Go" },
		{ "/api/v1/golang/go/", PATH_REPOSITORY, "golang", "go" },
		{ "/api/v1/%67o%4Cang/g%6f/x", PATH_REPOSITORY, "goLang", "go" },
		{ "/api/v1/foo.com/..bar/x", PATH_REPOSITORY, "foo.com", "..bar" },
		{ "/api/v1/a/b/%20/%E2%80%A8", PATH_REPOSITORY, "a", "b" },
		{ "/api/v1/a/b/%252F", PATH_REPOSITORY, "a", "b" },
		{ "/api/v1/owners/a/repositories", PATH_REPOSITORIES, "a", "" },
		{ "/api/v1/owners/-/repositories?pageSize=1", PATH_REPOSITORIES, "-", "" },
		{ "/api/v1/owners/a/issues", PATH_REPOSITORY, "owners", "a" },
		{ "/api/v1/owners/a/repositories/", PATH_REPOSITORY, "owners", "a" },
		{ "/api/v1/update", PATH_UPDATE, "", "" },
		{ "/api/v1/webhook?", PATH_WEBHOOK, "", "" },
		{ "/_healthz", PATH_HEALTH, "", "" },
		{ "/metrics?x", PATH_METRICS, "", "" },
		{ "/", PATH_UNKNOWN, NULL, NULL },
		{ "/api/v1/golang", PATH_UNKNOWN, NULL, NULL },
		{ "/api/v1/golang/", PATH_UNKNOWN, NULL, NULL },
		{ "/api/v2/golang/go", PATH_UNKNOWN, NULL, NULL },
		{ "/%61pi/v1/golang/go", PATH_UNKNOWN, NULL, NULL },
		{ "/api/v1/a%20b/c", PATH_UNKNOWN, NULL, NULL },
		{ "/api/v1/update/", PATH_UNKNOWN, NULL, NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct path p = { .route = PATH_METRICS };
		struct err_info ei = { .text = "" };

		if (path_parse(slice_str(cases[i].target), &p, &ei) != 0)
			fail_msg("%s: %s", cases[i].target, ei.text);
		if (p.route != cases[i].route)
			fail_msg("%s: route %d", cases[i].target, (int)p.route);
		if (cases[i].owner == NULL)
			continue;
		assert_string_equal(p.owner, cases[i].owner);
		assert_string_equal(p.repo, cases[i].repo);
	}
}

static void
the_log_route_is_known_as_one_that_waits(void **state)
{
	struct path p;

	(void)state;
	assert_int_equal(path_parse(SLICE("/api/v1/a/b/logs?waitsizenot=1"), &p, NULL), 0);
	assert_true(p.log_route);
	assert_true(slice_is(p.whole, "/api/v1/a/b/logs"));
	assert_int_equal(path_parse(SLICE("/api/v1/a/b/issues"), &p, NULL), 0);
	assert_false(p.log_route);
}

static void
what_two_readers_could_read_differently_is_refused(void **state)
{
	static const char *const targets[] = { "", "*", "api/v1/a/b", "http://h/api/v1/a/b",
		"//api/v1/a/b", "/api//v1/a/b", "/api/v1/a//b", "/api/v1/a/b//",
		"/api/v1/a/./b", "/api/v1/a/../b", "/api/v1/a/b/..", "/api/v1/a/b/%2e",
		"/api/v1/a/b/.%2E/c", "/api/v1/a/%2e%2e", "/api/v1/a%2Fb/c", "/api/v1/a/b%2f",
		"/api/v1/a/b/%5C", "/api/v1/a/b\\c", "/api/v1/a/b;c", "/api/v1/a/b%3Bc",
		"/api/v1/a/b%00", "/api/v1/a/b%0A", "/api/v1/a/b%7f", "/api/v1/a/b%",
		"/api/v1/a/b%4", "/api/v1/a/b%4/", "/api/v1/a/b%zz", "/api/v1/a/b c",
		"/api/v1/a/b#c", "/api/v1/a/b\tc",
		"/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17/18/19/20/21/22/23/24/25/26/27/28/"
		"29/30/"
		"31/32/33" };

	(void)state;
	for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
		struct path p = { .route = PATH_METRICS };
		struct err_info ei = { .text = "" };

		if (path_parse(slice_str(targets[i]), &p, &ei) != ERR_INVAL)
			fail_msg("taken: %s", targets[i]);
		assert_int_equal(p.route, PATH_METRICS);
		assert_memory_equal(ei.text, "the path ", 9);
	}
}

static void
long_paths_and_names_have_limits(void **state)
{
	char text[PATH_MAX_BYTES + 2];
	struct path p;

	(void)state;
	memset(text, 'x', sizeof(text));
	text[0] = '/';
	assert_int_equal(
	    path_parse((struct slice){ text, PATH_MAX_BYTES + 1 }, &p, NULL), ERR_LIMIT);
	assert_int_equal(path_parse((struct slice){ text, PATH_MAX_BYTES }, &p, NULL), 0);
	memcpy(text, "/api/v1/", 8);
	memcpy(text + 8 + REPO_PART_MAX, "/b", 2);
	assert_int_equal(
	    path_parse((struct slice){ text, 8 + REPO_PART_MAX + 2 }, &p, NULL), 0);
	assert_int_equal(p.route, PATH_REPOSITORY);
	memset(text + 8, 'x', REPO_PART_MAX + 1);
	memcpy(text + 8 + REPO_PART_MAX + 1, "/b", 2);
	assert_int_equal(
	    path_parse((struct slice){ text, 8 + REPO_PART_MAX + 3 }, &p, NULL), 0);
	assert_int_equal(p.route, PATH_UNKNOWN);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(routes_are_told_apart),
		cmocka_unit_test(the_log_route_is_known_as_one_that_waits),
		cmocka_unit_test(what_two_readers_could_read_differently_is_refused),
		cmocka_unit_test(long_paths_and_names_have_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
