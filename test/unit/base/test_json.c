/* Checked getters: what is missing, null or of another type, each by its name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/json.h"

static const char document[] =
    "{\"n\":7,\"big\":9223372036854775807,\"s\":\"text\",\"e\":\"\",\"t\":true,\"f\":false,"
    "\"null\":null,\"time\":\"1970-01-01T00:00:01Z\",\"a\":[1],\"o\":{\"x\":1},\"r\":1.5}";

static json_t *
parse(const char *text)
{
	json_t *doc = NULL;

	assert_int_equal(json_in_parse(slice_str(text), "test", &doc, NULL), 0);
	return doc;
}

static void
members_that_are_there_are_given(void **state)
{
	json_t *d = parse(document);
	struct json_in in = { .what = "test" };

	(void)state;
	assert_int_equal(json_in_i64(&in, d, "n"), 7);
	assert_true(json_in_i64(&in, d, "big") == INT64_MAX);
	assert_string_equal(json_in_str(&in, d, "s"), "text");
	assert_string_equal(json_in_str(&in, d, "e"), "");
	assert_true(json_in_bool(&in, d, "t"));
	assert_false(json_in_bool(&in, d, "f"));
	assert_int_equal(json_in_time(&in, d, "time"), 1000);
	assert_int_equal(json_array_size(json_in_array(&in, d, "a")), 1);
	assert_int_equal(json_in_opt_i64(&in, d, "n"), 7);
	assert_string_equal(json_in_opt_str(&in, d, "s"), "text");
	assert_true(json_in_opt_bool(&in, d, "t"));
	assert_int_equal(json_in_opt_time(&in, d, "time"), 1000);
	assert_int_equal(json_array_size(json_in_opt_array(&in, d, "a")), 1);
	assert_non_null(json_in_opt_object(&in, d, "o"));
	assert_int_equal(in.err, 0);
	json_decref(d);
}

static void
optional_members_have_defaults(void **state)
{
	static const char *const names[] = { "null", "absent" };
	json_t *d = parse(document);
	struct json_in in = { .what = "test" };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(json_in_opt_i64(&in, d, names[i]), 0);
		assert_string_equal(json_in_opt_str(&in, d, names[i]), "");
		assert_false(json_in_opt_bool(&in, d, names[i]));
		assert_true(json_in_opt_time(&in, d, names[i]) == TIME_NONE);
		assert_null(json_in_opt_array(&in, d, names[i]));
		assert_null(json_in_opt_object(&in, d, names[i]));
	}
	assert_int_equal(in.err, 0);
	json_decref(d);
}

/* Each getter by a number, so that a table can name it. */
static void
get(int getter, struct json_in *in, const json_t *d, const char *member)
{
	switch (getter) {
	case 0:
		assert_int_equal(json_in_i64(in, d, member), 0);
		break;
	case 1:
		assert_string_equal(json_in_str(in, d, member), "");
		break;
	case 2:
		assert_false(json_in_bool(in, d, member));
		break;
	case 3:
		assert_true(json_in_time(in, d, member) == TIME_NONE);
		break;
	case 4:
		assert_null(json_in_array(in, d, member));
		break;
	case 5:
		assert_int_equal(json_in_opt_i64(in, d, member), 0);
		break;
	case 6:
		assert_string_equal(json_in_opt_str(in, d, member), "");
		break;
	case 7:
		assert_false(json_in_opt_bool(in, d, member));
		break;
	case 8:
		assert_true(json_in_opt_time(in, d, member) == TIME_NONE);
		break;
	case 9:
		assert_null(json_in_opt_array(in, d, member));
		break;
	default:
		assert_null(json_in_opt_object(in, d, member));
		break;
	}
}

static void
a_wrong_member_is_named_with_its_document(void **state)
{
	static const struct {
		int getter;
		const char *member, *problem;
	} cases[] = {
		{ 0, "absent", "is missing" },
		{ 1, "absent", "is missing" },
		{ 2, "absent", "is missing" },
		{ 3, "absent", "is missing" },
		{ 4, "absent", "is missing" },
		{ 0, "null", "is null" },
		{ 1, "null", "is null" },
		{ 2, "null", "is null" },
		{ 3, "null", "is null" },
		{ 4, "null", "is null" },
		{ 0, "s", "is not an integer" },
		{ 0, "r", "is not an integer" },
		{ 0, "t", "is not an integer" },
		{ 1, "n", "is not a string" },
		{ 1, "o", "is not a string" },
		{ 2, "n", "is not true or false" },
		{ 2, "s", "is not true or false" },
		{ 3, "s", "is not an RFC 3339 time" },
		{ 3, "e", "is not an RFC 3339 time" },
		{ 3, "n", "is not an RFC 3339 time" },
		{ 4, "o", "is not an array" },
		{ 5, "s", "is not an integer" },
		{ 6, "n", "is not a string" },
		{ 7, "n", "is not true or false" },
		{ 8, "e", "is not an RFC 3339 time" },
		{ 8, "n", "is not an RFC 3339 time" },
		{ 9, "o", "is not an array" },
		{ 10, "a", "is not an object" },
		{ 10, "s", "is not an object" },
	};
	json_t *d = parse(document);

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct err_info ei = { .text = "" };
		struct json_in in = { .what = "issue", .ei = &ei };
		char want[128];

		get(cases[i].getter, &in, d, cases[i].member);
		snprintf(
		    want, sizeof(want), "issue: \"%s\" %s", cases[i].member, cases[i].problem);
		assert_int_equal(in.err, ERR_PROTO);
		assert_string_equal(ei.text, want);
	}
	json_decref(d);
}

static void
the_first_problem_is_kept_and_later_getters_give_defaults(void **state)
{
	json_t *d = parse(document);
	struct err_info ei = { .text = "" };
	struct json_in in = { .what = "test", .ei = &ei };

	(void)state;
	json_in_i64(&in, d, "first");
	for (int getter = 0; getter <= 10; getter++) {
		static const char *const good[] = { "n", "s", "t", "time", "a", "n", "s", "t",
			"time", "a", "o" };

		get(getter, &in, d, good[getter]);
	}
	json_in_fail(&in, "last", "is bad");
	assert_string_equal(ei.text, "test: \"first\" is missing");
	json_decref(d);
}

static void
what_is_no_object_has_no_members(void **state)
{
	static const char *const texts[] = { "[1]", "[]" };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		json_t *d = parse(texts[i]);

		for (int getter = 0; getter <= 10; getter++) {
			struct json_in in = { .what = "test" };

			get(getter, &in, d, "x");
			assert_int_equal(in.err, ERR_PROTO);
			in.err = 0;
			get(getter, &in, NULL, "x");
			assert_int_equal(in.err, ERR_PROTO);
		}
		json_decref(d);
	}
}

static void
damaged_documents_tell_line_and_column(void **state)
{
	static const struct {
		const char *text, *place;
	} cases[] = {
		{ "", "line 1" },
		{ "{", "line 1" },
		{ "[1,]", "line 1" },
		{ "{\n\"a\":1,\n\"a\":2}", "line 3" }, /* a member twice */
		{ "[1] x", "line 1" },
		{ "[18446744073709551616]", "line 1" },
		{ "[\"\xff\"]", "line 1" },
		{ "[\"\\ud800\"]", "line 1" },
		{ "nonsense", "line 1" },
		{ "5", "line 1" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct err_info ei = { .text = "" };
		json_t *doc = NULL;

		assert_int_equal(
		    json_in_parse(slice_str(cases[i].text), "answer", &doc, &ei), ERR_PROTO);
		assert_null(doc);
		assert_non_null(strstr(ei.text, "answer is not JSON"));
		assert_non_null(strstr(ei.text, cases[i].place));
		assert_non_null(strstr(ei.text, "column"));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(members_that_are_there_are_given),
		cmocka_unit_test(optional_members_have_defaults),
		cmocka_unit_test(a_wrong_member_is_named_with_its_document),
		cmocka_unit_test(the_first_problem_is_kept_and_later_getters_give_defaults),
		cmocka_unit_test(what_is_no_object_has_no_members),
		cmocka_unit_test(damaged_documents_tell_line_and_column),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
