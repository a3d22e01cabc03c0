/*
 * fuzz_cel.c - expressions from anybody: what compiles runs within its budget, gives a
 * value of the type that was told, and gives the same again.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cel/cel.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum field {
	FIELD_TITLE = 1,
	FIELD_NUMBER,
	FIELD_CLOSED,
	FIELD_CREATED,
	FIELD_LABELS,
	FIELD_USER,
	FIELD_LOGIN,
	FIELD_ISSUE,
	FIELD_NOW,
};

static const struct cel_field user_fields[] = {
	{ "login", NULL, &cel_type_string, FIELD_LOGIN, CEL_COST_JOIN },
};
static const struct cel_object user = { "user", user_fields, 1 };
static const struct cel_type user_type = { .kind = CEL_OBJECT, .object = &user };
static const struct cel_field issue_fields[] = {
	{ "title", NULL, &cel_type_string, FIELD_TITLE, CEL_COST_ROW },
	{ "number", NULL, &cel_type_int, FIELD_NUMBER, CEL_COST_HEAD },
	{ "closed", NULL, &cel_type_bool, FIELD_CLOSED, CEL_COST_HEAD },
	{ "created_at", "createdAt", &cel_type_timestamp, FIELD_CREATED, CEL_COST_HEAD },
	{ "labels", NULL, &cel_type_strings, FIELD_LABELS, CEL_COST_ROW },
	{ "user", NULL, &user_type, FIELD_USER, CEL_COST_HEAD },
};
static const struct cel_object issue = { "issue", issue_fields, 6 };
static const struct cel_type issue_type = { .kind = CEL_OBJECT, .object = &issue };
static const struct cel_field var_fields[] = {
	{ "issue", NULL, &issue_type, FIELD_ISSUE, CEL_COST_HEAD },
	{ "now", NULL, &cel_type_timestamp, FIELD_NOW, CEL_COST_HEAD },
};
static const struct cel_object vars = { "vars", var_fields, 2 };

static int
resolve(void *ctx, const struct cel_value *object, uint32_t field, struct arena *scratch,
    struct cel_value *ret)
{
	static const struct cel_value labels[] = {
		{ .kind = CEL_STRING, .aux = 3, .as.text = "bug" },
		{ .kind = CEL_STRING, .aux = 2, .as.text = "p1" },
	};

	(void)scratch;
	switch ((enum field)field) {
	case FIELD_TITLE:
		*ret = cel_string(SLICE("Crash on start \xc3\xa9"));
		break;
	case FIELD_NUMBER:
		*ret = cel_int(7);
		break;
	case FIELD_CLOSED:
		*ret = cel_bool(*(bool *)ctx);
		break;
	case FIELD_CREATED:
	case FIELD_NOW:
		*ret = (struct cel_value){ .kind = CEL_TIMESTAMP, .as.i = 1577836800 };
		break;
	case FIELD_LABELS:
		*ret = (struct cel_value){ .kind = CEL_LIST, .aux = 2, .as.items = labels };
		break;
	case FIELD_LOGIN:
		*ret = cel_string(
		    object != NULL && object->as.object != NULL ? SLICE("ann") : SLICE(""));
		break;
	case FIELD_USER:
	case FIELD_ISSUE:
		*ret = (struct cel_value){ .kind = CEL_OBJECT, .as.object = &user };
		break;
	}
	return 0;
}

/* What is known of `closed` alone must be what comes out. */
static void
check_given(const struct cel_program *p, bool closed, const struct cel_value *got)
{
	const struct cel_known known = { FIELD_CLOSED, closed };
	enum cel_truth t = cel_given(p, &known, 1);

	if (t == CEL_TRUE && got->kind == CEL_BOOL && !got->as.truth)
		abort();
	if (t == CEL_FALSE && cel_is_true(got))
		abort();
}

static void
run(struct cel_program *p, bool closed)
{
	const struct cel_type *type = cel_result_type(p);
	struct err_info ei = { .text = "" };
	struct cel_value first, second;
	int rc = cel_eval(p, resolve, &closed, &first, &ei);
	uint32_t kind;

	if (rc != 0) {
		if (rc != ERR_LIMIT && rc != ERR_NOMEM)
			abort();
		return;
	}
	kind = first.kind;
	if (kind == CEL_ERROR)
		cel_error_text(p, &first, &ei);
	else if (type->kind != CEL_DYN && kind != (uint32_t)type->kind && kind != CEL_NULL)
		abort();
	check_given(p, closed, &first);
	if (cel_eval(p, resolve, &closed, &second, &ei) == 0 && second.kind != kind)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* The first byte says whether types are compared beforehand. */
	struct cel_env env = { .vars = &vars, .unchecked = size > 0 && data[0] == '?' };
	struct slice text = { (const char *)data + env.unchecked, size - env.unchecked };
	struct cel_program *p = NULL;
	struct err_info ei = { .text = "" };
	int rc = cel_compile(text, &env, &p, &ei);

	if (rc == ERR_INVAL && strncmp(ei.text, "line ", 5) != 0)
		abort();
	if (rc != 0)
		return 0;
	cel_set_budget(p, 200000);
	run(p, false);
	run(p, true);
	cel_free(p);
	return 0;
}
