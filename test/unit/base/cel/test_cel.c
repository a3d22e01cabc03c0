/*
 * The library's own promises: laziness, the order of costs, budgets, memory.  What
 * expressions give is in test/data/cel_cases.json.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "base/cel/cel.h"
#include "base/mem.h"

enum field {
	FIELD_ROW = 1,
	FIELD_CHEAP,
	FIELD_DEAR,
	FIELD_DEAREST,
	FIELD_COUNT,
	FIELD_LIST,
	FIELD_NOW,
	FIELD_BAD,
	FIELD_TEXT,
	FIELDS,
};

static const struct cel_field row_fields[] = {
	{ "cheap", NULL, &cel_type_bool, FIELD_CHEAP, CEL_COST_HEAD },
	{ "dear", NULL, &cel_type_bool, FIELD_DEAR, CEL_COST_JOIN },
	{ "dearest", "dearestOfAll", &cel_type_bool, FIELD_DEAREST, CEL_COST_MANY },
	{ "count", NULL, &cel_type_int, FIELD_COUNT, CEL_COST_HEAD },
	{ "list", NULL, &cel_type_strings, FIELD_LIST, CEL_COST_ROW },
	{ "bad", NULL, &cel_type_int, FIELD_BAD, CEL_COST_ROW },
	{ "text", NULL, &cel_type_string, FIELD_TEXT, CEL_COST_ROW },
};
static const struct cel_object row = { "row", row_fields, 7 };
static const struct cel_type row_type = { .kind = CEL_OBJECT, .object = &row };
static const struct cel_field var_fields[] = {
	{ "row", NULL, &row_type, FIELD_ROW, CEL_COST_HEAD },
	{ "now", NULL, &cel_type_timestamp, FIELD_NOW, CEL_COST_HEAD },
};
static const struct cel_object vars = { "vars", var_fields, 2 };
static const struct cel_env env = { .vars = &vars };

/* What was asked for, in order: a letter each. */
struct asked {
	char order[64];
	bool cheap, dear, dearest;
	struct slice text;
};

static int
resolve(void *ctx, const struct cel_value *object, uint32_t field, struct arena *scratch,
    struct cel_value *ret)
{
	static const char letters[FIELDS] = { '?', 'r', 'c', 'd', 'e', 'n', 'l', 't', 'b',
		'x' };
	struct asked *a = ctx;
	size_t len = strlen(a->order);

	(void)object;
	if (len + 1 < sizeof(a->order))
		a->order[len] = letters[field];
	switch ((enum field)field) {
	case FIELD_CHEAP:
	case FIELD_DEAR:
	case FIELD_DEAREST:
		*ret = cel_bool(field == FIELD_CHEAP  ? a->cheap
				: field == FIELD_DEAR ? a->dear
						      : a->dearest);
		return 0;
	case FIELD_COUNT:
		*ret = cel_int(3);
		return 0;
	case FIELD_LIST: {
		struct cel_value *items = arena_alloc(scratch, 1000 * sizeof(*items));

		if (items == NULL)
			return ERR_NOMEM;
		for (int i = 0; i < 1000; i++)
			items[i] = cel_string(SLICE("item"));
		*ret = (struct cel_value){ .kind = CEL_LIST, .aux = 1000, .as.items = items };
		return 0;
	}
	case FIELD_TEXT:
		*ret = cel_string(a->text);
		return 0;
	default:
		return ERR_CORRUPT;
	}
}

static struct cel_program *
compiled(const char *text)
{
	struct cel_program *p = NULL;
	struct err_info ei = { .text = "" };

	if (cel_compile(slice_str(text), &env, &p, &ei) != 0)
		fail_msg("%s: %s", text, ei.text);
	return p;
}

static void
cheap_operands_are_asked_first(void **state)
{
	static const struct {
		const char *text, *order;
		bool cheap, dear, dearest, value;
	} cases[] = {
		{ "row.dearest && row.dear && row.cheap", "c", false, true, true, false },
		{ "row.dearest && row.dear && row.cheap", "cd", true, false, true, false },
		{ "row.dearest && row.dear && row.cheap", "cde", true, true, true, true },
		{ "row.dearestOfAll || row.cheap", "c", true, false, false, true },
		{ "row.dearest || (row.dear || row.cheap)", "cd", false, true, false, true },
		{ "(row.dearest || row.dear) && row.cheap", "c", false, true, true, false },
		{ "!(row.dearest && row.cheap)", "c", false, false, true, true },
		{ "row.cheap ? row.cheap : row.dearest", "cc", true, false, false, true },
		/* an error does not stop it, and what decides does */
		{ "1 / (row.count - 3) == 1 && row.dearest", "ne", true, true, false, false },
		{ "row.dear && row.cheap == row.cheap", "ccd", true, true, true, true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct asked a = { "", cases[i].cheap, cases[i].dear, cases[i].dearest, { 0 } };
		struct cel_program *p = compiled(cases[i].text);
		struct cel_value v;

		assert_int_equal(cel_eval(p, resolve, &a, &v, NULL), 0);
		if (strcmp(a.order, cases[i].order) != 0 || v.kind != CEL_BOOL ||
		    v.as.truth != cases[i].value)
			fail_msg("%s: asked %s", cases[i].text, a.order);
		cel_free(p);
	}
}

static void
an_error_of_the_resolver_ends_the_evaluation(void **state)
{
	struct cel_program *p = compiled("row.bad == 1 || true == row.cheap || row.dearest");
	struct asked a = { .order = "" };
	struct err_info ei = { .text = "" };
	struct cel_value v;

	(void)state;
	assert_int_equal(cel_eval(p, resolve, &a, &v, &ei), ERR_CORRUPT);
	assert_string_equal(a.order, "cb");
	a.cheap = true; /* decides before it */
	assert_int_equal(cel_eval(p, resolve, &a, &v, &ei), 0);
	assert_true(cel_is_true(&v));
	cel_free(p);
}

static void
a_budget_is_for_all_evaluations_together(void **state)
{
	struct cel_program *p = compiled("row.cheap && row.dear");
	struct asked a = { .order = "" };
	struct err_info ei = { .text = "" };
	struct cel_value v;
	int good = 0;

	(void)state;
	cel_set_budget(p, 100);
	while (cel_eval(p, resolve, &a, &v, &ei) == 0)
		good++;
	assert_in_range(good, 20, 60);
	assert_int_equal(cel_budget_left(p), 0);
	assert_string_equal(ei.text, "the expression takes more work than allowed");
	cel_set_budget(p, 100);
	assert_int_equal(cel_eval(p, resolve, &a, &v, &ei), 0);
	cel_charge(p, 1000);
	assert_int_equal(cel_budget_left(p), 0);
	cel_free(p);
}

static void
a_slow_pattern_costs_more_than_its_text_is_long(void **state)
{
	/* One line, in which each "error" is followed to the end. */
	static const char piece[] = "some error text here ";
	static char line[600 * sizeof(piece)];
	struct cel_program *p = compiled("row.text.matches('(?i)error.*timeout')");
	struct asked a = { .order = "" };
	struct err_info ei = { .text = "" };
	struct cel_value v;
	int good = 0;

	(void)state;
	for (size_t i = 0; i + sizeof(piece) <= sizeof(line); i += sizeof(piece) - 1)
		memcpy(line + i, piece, sizeof(piece) - 1);
	a.text = (struct slice){ line, strlen(line) };
	cel_set_budget(p, 10000000); /* by length alone, enough for some 3,000 */
	while (good < 500 && cel_eval(p, resolve, &a, &v, &ei) == 0)
		good++;
	assert_in_range(good, 1, 499);
	assert_string_equal(ei.text, "the expression takes more work than allowed");
	cel_free(p);
}

/* Neither scalars nor lists that fit the kept block. */
static void
evaluating_allocates_nothing(void **state)
{
	struct cel_program *p = compiled("row.list.exists(s, s.startsWith('x')) || "
					 "('a' + 'b').matches('b$') && row.count in [1, 2, 3]");
	struct asked a = { .order = "" };
	struct cel_value v;

	(void)state;
	assert_int_equal(cel_eval(p, resolve, &a, &v, NULL), 0);
	for (int i = 0; i < 10; i++) {
		mem_fail_after(0);
		assert_int_equal(cel_eval(p, resolve, &a, &v, NULL), 0);
		mem_fail_after(MEM_NEVER);
		assert_true(cel_is_true(&v));
	}
	cel_free(p);
}

static void
every_allocation_may_fail(void **state)
{
	static const char text[] = "row.list.map(s, s + 'x').size() == 1000 && "
				   "'abc'.matches('b') && 'abc'.matches('a' + 'b')";
	struct asked a = { .order = "" };
	int rc = ERR_NOMEM;

	(void)state;
	for (long n = 0; rc != 0; n++) {
		struct cel_program *p = NULL;
		struct cel_value v = { .kind = CEL_NULL };

		mem_fail_after(n);
		rc = cel_compile(slice_str(text), &env, &p, NULL);
		if (rc == 0)
			rc = cel_eval(p, resolve, &a, &v, NULL);
		mem_fail_after(MEM_NEVER);
		assert_true(rc == 0 || rc == ERR_NOMEM);
		if (rc == 0)
			assert_true(cel_is_true(&v));
		cel_free(p);
		assert_in_range(n, 0, 1000);
	}
}

static void
a_text_of_any_length_up_to_the_limit_compiles(void **state)
{
	char *text = malloc(CEL_BYTES_MAX + 2);
	struct err_info ei = { .text = "" };
	struct cel_program *p = NULL;

	(void)state;
	memset(text, ' ', CEL_BYTES_MAX + 2);
	memcpy(text, "true", 4);
	assert_int_equal(cel_compile((struct slice){ text, CEL_BYTES_MAX }, &env, &p, &ei), 0);
	cel_free(p);
	assert_int_equal(
	    cel_compile((struct slice){ text, CEL_BYTES_MAX + 1 }, &env, &p, &ei), ERR_LIMIT);
	free(text);
}

static void
what_is_used_is_known(void **state)
{
	struct cel_program *p = compiled("row.count == 3 && [now].exists(t, t > now)");

	(void)state;
	assert_true(cel_uses(p, FIELD_NOW));
	assert_true(cel_uses(p, FIELD_ROW));
	cel_free(p);
	p = compiled("[1].exists(now, now == 1)");
	assert_false(cel_uses(p, FIELD_NOW));
	cel_free(p);
}

static void
a_constant_part_that_fails_is_told(void **state)
{
	struct cel_program *p = compiled("row.cheap && now > timestamp('tomorrow')");
	struct err_info ei = { .text = "" };

	(void)state;
	assert_int_equal(cel_constant_error(p, &ei), ERR_INVAL);
	assert_non_null(strstr(ei.text, "line 1, column 20:"));
	cel_free(p);
	p = compiled("row.cheap && now > timestamp('2020-01-01T00:00:00Z')");
	assert_int_equal(cel_constant_error(p, &ei), 0);
	cel_free(p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_slow_pattern_costs_more_than_its_text_is_long),
		cmocka_unit_test(cheap_operands_are_asked_first),
		cmocka_unit_test(an_error_of_the_resolver_ends_the_evaluation),
		cmocka_unit_test(a_budget_is_for_all_evaluations_together),
		cmocka_unit_test(evaluating_allocates_nothing),
		cmocka_unit_test(every_allocation_may_fail),
		cmocka_unit_test(a_text_of_any_length_up_to_the_limit_compiles),
		cmocka_unit_test(what_is_used_is_known),
		cmocka_unit_test(a_constant_part_that_fails_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
