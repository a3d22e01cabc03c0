/* What is wanted is there, or not, however the server spells it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sprvsr/match.h"

static bool
fits(const char *want, const char *have)
{
	json_t *a = json_loads(want, JSON_DECODE_ANY, NULL);
	json_t *b = json_loads(have, JSON_DECODE_ANY, NULL);
	bool got;

	assert_non_null(a);
	assert_non_null(b);
	got = match_subset(a, b);
	json_decref(a);
	json_decref(b);
	return got;
}

static void
what_the_server_adds_does_not_matter(void **state)
{
	(void)state;
	assert_true(fits("{\"a\":1}", "{\"a\":1,\"b\":2}"));
	assert_true(fits("{\"e\":{}}", "{}"));
	assert_true(fits("{\"c\":[{\"name\":\"x\",\"i\":1}]}",
	    "{\"c\":[{\"name\":\"y\"},{\"name\":\"x\",\"i\":1,\"more\":true}]}"));
}

static void
what_is_missing_or_other_does(void **state)
{
	(void)state;
	assert_false(fits("{\"a\":1}", "{\"a\":2}"));
	assert_false(fits("{\"a\":1}", "{}"));
	assert_false(fits("[\"a\",\"b\"]", "[\"b\",\"a\"]"));
	assert_false(fits("[\"a\"]", "[\"a\",\"b\"]"));
	assert_false(fits("[{\"name\":\"x\",\"i\":1}]", "[{\"name\":\"x\",\"i\":2}]"));
	assert_false(fits("{\"a\":{\"b\":1}}", "{\"a\":[1]}"));
}

static void
lists_are_told_apart_by_what_each_element_has_of_its_own(void **state)
{
	static const char twice[] = "[{\"name\":\"v\",\"mountPath\":\"/a\"},"
				    "{\"name\":\"v\",\"mountPath\":\"/b\"}]";

	(void)state;
	assert_true(fits(twice, twice));
	assert_true(fits(twice,
	    "[{\"name\":\"v\",\"mountPath\":\"/b\"},{\"name\":\"v\",\"mountPath\":\"/a\"}]"));
	assert_false(fits(twice, "[{\"name\":\"v\",\"mountPath\":\"/a\"}]"));
	assert_true(fits("[{\"name\":\"a\"},{\"b\":1}]", "[{\"name\":\"a\"},{\"b\":1}]"));
	assert_true(fits("{\"sizeLimit\":\"9e999\"}", "{\"sizeLimit\":\"9e999\"}"));
}

static void
what_an_apply_replaces_whole_holds_nothing_else(void **state)
{
	(void)state;
	assert_true(fits("{\"selector\":{\"app\":\"a\"}}", "{\"selector\":{\"app\":\"a\"}}"));
	assert_false(fits("{\"selector\":{\"app\":\"a\"}}",
	    "{\"selector\":{\"app\":\"a\",\"track\":\"b\"}}"));
	assert_false(fits("{\"items\":[{\"key\":\"a\",\"path\":\"p\"}]}",
	    "{\"items\":[{\"key\":\"a\",\"path\":\"p\"},{\"key\":\"b\",\"path\":\"q\"}]}"));
	assert_true(
	    fits("{\"items\":[{\"key\":\"a\"}]}", "{\"items\":[{\"key\":\"a\"}],\"x\":1}"));
}

static void
quantities_are_compared_by_amount(void **state)
{
	double v;

	(void)state;
	assert_true(fits("{\"limits\":{\"cpu\":\"1000m\",\"memory\":\"1Gi\"}}",
	    "{\"limits\":{\"cpu\":\"1\",\"memory\":\"1024Mi\"}}"));
	assert_false(
	    fits("{\"limits\":{\"memory\":\"1Gi\"}}", "{\"limits\":{\"memory\":\"1G\"}}"));
	assert_true(fits("{\"sizeLimit\":\"4Gi\"}", "{\"sizeLimit\":\"4096Mi\"}"));
	assert_false(match_quantity("", &v));
	assert_false(match_quantity("4Q", &v));
	assert_false(match_quantity("-1", &v));
	assert_false(match_quantity("0x40000000", &v));
	assert_true(match_quantity("1e3", &v) && v > 999 && v < 1001);
	assert_true(match_quantity("1Ei", &v) && v > 1e18);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_the_server_adds_does_not_matter),
		cmocka_unit_test(what_is_missing_or_other_does),
		cmocka_unit_test(lists_are_told_apart_by_what_each_element_has_of_its_own),
		cmocka_unit_test(what_an_apply_replaces_whole_holds_nothing_else),
		cmocka_unit_test(quantities_are_compared_by_amount),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
