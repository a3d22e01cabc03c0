/* test_table.c - backends over changes of the list. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "base/fcgi/server.h"
#include "base/mem.h"
#include "router/table.h"

struct fixture {
	struct fcgi_server *server;
	struct backend_opts opts;
	struct table table;
};

static void
nobody(void *ctx, struct fcgi_request *req)
{
	(void)ctx;
	fcgi_request_end(req, 0);
}

static int
set_up(void **state)
{
	struct fixture *fx = calloc(1, sizeof(*fx));

	if (fcgi_server_new(NULL, nobody, NULL, &fx->server) != 0)
		return -1;
	fx->opts = (struct backend_opts){ .loop = fcgi_server_loop(fx->server),
		.address = "unix:/nowhere/{sha}" };
	*state = fx;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *fx = *state;

	table_clear(&fx->table);
	fcgi_server_free(fx->server);
	free(fx);
	return 0;
}

static int
replace(struct fixture *fx, const char *text)
{
	struct repo_list list;
	int rc;

	assert_int_equal(repo_list_parse(slice_str(text), NULL, NULL, &list, NULL), 0);
	rc = table_replace(&fx->table, &list, NULL);
	repo_list_clear(&list);
	return rc;
}

static struct backend *
find(struct fixture *fx, const char *owner, const char *name)
{
	struct backend *b = NULL;

	return table_backend(
		   &fx->table, &fx->opts, slice_str(owner), slice_str(name), &b, NULL) == 0
		   ? b
		   : NULL;
}

#define ENTRY(name) "{\"repo\":\"" name "\",\"is_tracking_issues\":true}"

static void
backends_stay_while_their_repository_does(void **state)
{
	struct fixture *fx = *state;
	struct backend *a, *c;

	assert_int_equal(replace(fx, "{\"repos\":[" ENTRY("o/a") "," ENTRY("o/c") "]}"), 0);
	a = find(fx, "O", "A");
	c = find(fx, "o", "c");
	assert_non_null(a);
	assert_ptr_equal(find(fx, "o", "a"), a);
	assert_null(find(fx, "o", "b"));
	backend_hold(c); /* a request is under way */
	assert_int_equal(
	    replace(fx, "{\"repos\":[" ENTRY("o/b") "," ENTRY("o/a") "," ENTRY("a/z") "]}"), 0);
	assert_ptr_equal(find(fx, "o", "a"), a);
	assert_null(find(fx, "o", "c"));
	assert_string_equal(c->name, "o/c"); /* until the request ends */
	backend_release(c);
	assert_int_equal(replace(fx, "{\"repos\":[" ENTRY("O/a") "]}"), 0);
	assert_string_equal(find(fx, "o", "a")->name, "O/a"); /* another address */
}

static void
an_empty_list_does_not_replace_one_that_was_not(void **state)
{
	struct fixture *fx = *state;

	assert_int_equal(replace(fx, "{\"repos\":[]}"), 0);
	assert_true(fx->table.loaded);
	assert_int_equal(replace(fx, "{\"repos\":[" ENTRY("o/a") "]}"), 0);
	assert_int_equal(replace(fx, "{\"repos\":[]}"), ERR_INVAL);
	assert_non_null(find(fx, "o", "a"));
}

static void
making_a_backend_survives_every_allocation_failure(void **state)
{
	struct fixture *fx = *state;
	struct backend *b = NULL;
	int rc = ERR_NOMEM;

	assert_int_equal(replace(fx, "{\"repos\":[" ENTRY("o/a") "]}"), 0);
	for (long n = 0; rc != 0; n++) {
		mem_fail_after(n);
		rc = table_backend(&fx->table, &fx->opts, SLICE("o"), SLICE("a"), &b, NULL);
		mem_fail_after(MEM_NEVER);
		assert_true(rc == 0 || (rc == ERR_NOMEM && b == NULL));
	}
	assert_non_null(b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    backends_stay_while_their_repository_does, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    an_empty_list_does_not_replace_one_that_was_not, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    making_a_backend_survives_every_allocation_failure, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
