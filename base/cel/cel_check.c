/*
 * cel_check.c - types and meanings: names become fields and loop variables, operators
 * and calls are looked up by the types of their operands, and every node gets a cost.
 */
#include <stdio.h>

#include "base/cel/cel_internal.h"

#define COST_STEP 2
#define COST_LOOP 8 /* elements that a list is taken to have */
#define COST_MAX ((uint32_t)1 << 24)
#define QUALIFIED_MAX 256 /* bytes of a variable's name with points in it */

struct checker {
	struct slice text;
	const struct cel_env *env;
	struct arena *arena;
	struct err_info *ei;
	struct {
		struct slice name;
		const struct cel_type *type;
	} loops[CEL_LOOPS_MAX];
	uint32_t loop_count;
};

static int check(struct checker *c, struct cel_node *n);

static int
failed(
    struct checker *c, const struct cel_node *n, const char *fmt, const char *a, const char *b)
{
	char text[320];

	/* NOLINTNEXTLINE(clang-diagnostic-format-nonliteral): one of ours */
	snprintf(text, sizeof(text), "%s%s%s", fmt, a, b);
	return cel_fail(c->text, n->at, ERR_INVAL, c->ei, "%s", text);
}

static void
set_type(struct checker *c, struct cel_node *n, const struct cel_type *t)
{
	n->type = c->env->unchecked ? &cel_type_dyn : t;
}

static int
new_type(struct checker *c, enum cel_kind kind, const struct cel_type *key,
    const struct cel_type *elem, const struct cel_type **ret)
{
	struct cel_type *t = arena_alloc(c->arena, sizeof(*t));

	if (t == NULL)
		return ERR_NOMEM;
	*t = (struct cel_type){ .kind = kind, .key = key, .elem = elem };
	*ret = t;
	return 0;
}

/* --- names --- */

static const struct cel_field *
find_field(const struct cel_object *o, struct slice name)
{
	for (size_t i = 0; i < o->field_count; i++) {
		const struct cel_field *f = &o->fields[i];

		if (slice_is(name, f->name) || (f->alias != NULL && slice_is(name, f->alias)))
			return f;
	}
	return NULL;
}

static int
check_ident(struct checker *c, struct cel_node *n)
{
	for (uint32_t i = c->loop_count; i > 0; i--) {
		if (slice_eq(c->loops[i - 1].name, n->name)) {
			n->loop = i - 1;
			n->type = c->loops[i - 1].type;
			n->cost = COST_STEP;
			return 0;
		}
	}
	n->field = find_field(c->env->vars, n->name);
	if (n->field == NULL)
		return cel_fail(c->text, n->at, ERR_INVAL, c->ei,
		    "undeclared reference to '%.*s'",
		    (int)(n->name.len < 100 ? n->name.len : 100), n->name.ptr);
	set_type(c, n, n->field->type);
	n->cost = n->field->cost;
	return 0;
}

/* "a.b.c" of a chain of names; false if it is something else, or too long. */
static bool
qualified(const struct cel_node *n, char out[QUALIFIED_MAX])
{
	size_t len;

	if (n->kind == NODE_SELECT) {
		if (!qualified(n->first, out))
			return false;
		len = strlen(out);
		if (len + 1 + n->name.len + 1 > QUALIFIED_MAX)
			return false;
		out[len++] = '.';
	} else if (n->kind == NODE_IDENT && n->name.len < QUALIFIED_MAX) {
		len = 0;
	} else {
		return false;
	}
	memcpy(out + len, n->name.ptr, n->name.len);
	out[len + n->name.len] = '\0';
	return true;
}

/* A variable may have points in its name; then it goes before fields. */
static bool
is_qualified_variable(struct checker *c, struct cel_node *n)
{
	char name[QUALIFIED_MAX];
	const struct cel_field *f;

	if (!qualified(n, name))
		return false;
	f = find_field(c->env->vars, slice_str(name));
	if (f == NULL)
		return false;
	n->kind = NODE_IDENT;
	n->field = f;
	set_type(c, n, f->type);
	n->cost = f->cost;
	return true;
}

static int
check_select(struct checker *c, struct cel_node *n)
{
	struct cel_node *of = n->first;
	char name[64];
	int rc;

	if (n->kind == NODE_SELECT && is_qualified_variable(c, n))
		return 0;
	rc = check(c, of);
	if (rc != 0)
		return rc;
	n->cost = of->cost + COST_STEP;
	switch (of->type->kind) {
	case CEL_DYN:
		set_type(c, n, &cel_type_dyn);
		break;
	case CEL_MAP:
		set_type(c, n, of->type->elem);
		break;
	case CEL_OBJECT:
		n->field = find_field(of->type->object, n->name);
		if (n->field == NULL)
			return cel_fail(c->text, n->at, ERR_INVAL, c->ei,
			    "%s has no field '%.*s'", of->type->object->name,
			    (int)(n->name.len < 100 ? n->name.len : 100), n->name.ptr);
		n->cost += n->field->cost;
		set_type(c, n, n->field->type);
		break;
	default:
		return failed(c, n, "a value of type ",
		    cel_type_name(of->type, name, sizeof(name)), " has no fields");
	}
	if (n->kind == NODE_HAS)
		set_type(c, n, &cel_type_bool);
	return 0;
}

/* --- operators --- */

/* Operands and results of arithmetic; comparisons have rules of their own. */
static const struct arith_rule {
	enum cel_op op;
	enum cel_kind a, b;
	const struct cel_type *result;
} arith[] = {
	{ OP_ADD, CEL_INT, CEL_INT, &cel_type_int },
	{ OP_ADD, CEL_UINT, CEL_UINT, &cel_type_uint },
	{ OP_ADD, CEL_DOUBLE, CEL_DOUBLE, &cel_type_double },
	{ OP_ADD, CEL_STRING, CEL_STRING, &cel_type_string },
	{ OP_ADD, CEL_BYTES, CEL_BYTES, &cel_type_bytes },
	{ OP_ADD, CEL_TIMESTAMP, CEL_DURATION, &cel_type_timestamp },
	{ OP_ADD, CEL_DURATION, CEL_TIMESTAMP, &cel_type_timestamp },
	{ OP_ADD, CEL_DURATION, CEL_DURATION, &cel_type_duration },
	{ OP_SUB, CEL_INT, CEL_INT, &cel_type_int },
	{ OP_SUB, CEL_UINT, CEL_UINT, &cel_type_uint },
	{ OP_SUB, CEL_DOUBLE, CEL_DOUBLE, &cel_type_double },
	{ OP_SUB, CEL_TIMESTAMP, CEL_TIMESTAMP, &cel_type_duration },
	{ OP_SUB, CEL_TIMESTAMP, CEL_DURATION, &cel_type_timestamp },
	{ OP_SUB, CEL_DURATION, CEL_DURATION, &cel_type_duration },
	{ OP_MUL, CEL_INT, CEL_INT, &cel_type_int },
	{ OP_MUL, CEL_UINT, CEL_UINT, &cel_type_uint },
	{ OP_MUL, CEL_DOUBLE, CEL_DOUBLE, &cel_type_double },
	{ OP_DIV, CEL_INT, CEL_INT, &cel_type_int },
	{ OP_DIV, CEL_UINT, CEL_UINT, &cel_type_uint },
	{ OP_DIV, CEL_DOUBLE, CEL_DOUBLE, &cel_type_double },
	{ OP_MOD, CEL_INT, CEL_INT, &cel_type_int },
	{ OP_MOD, CEL_UINT, CEL_UINT, &cel_type_uint },
	{ OP_NEG, CEL_INT, CEL_DYN, &cel_type_int },
	{ OP_NEG, CEL_DOUBLE, CEL_DYN, &cel_type_double },
	{ OP_NOT, CEL_BOOL, CEL_DYN, &cel_type_bool },
};

static bool
is_kind(const struct cel_type *t, enum cel_kind kind)
{
	return t->kind == kind || t->kind == CEL_DYN || kind == CEL_DYN;
}

/* NULL when there is none; dyn when it depends on what comes. */
static const struct cel_type *
arith_result(enum cel_op op, const struct cel_type *a, const struct cel_type *b)
{
	const struct cel_type *found = NULL;

	if (op == OP_ADD && a->kind == CEL_LIST && b->kind == CEL_LIST)
		return cel_fits(a->elem, b->elem) && cel_join(a->elem, b->elem) != NULL
			   ? (a->elem->kind == CEL_DYN ? b : a)
			   : &cel_type_dyn;
	if (op == OP_ADD && (a->kind == CEL_LIST || b->kind == CEL_LIST))
		return a->kind == CEL_DYN || b->kind == CEL_DYN ? &cel_type_dyn : NULL;
	for (size_t i = 0; i < sizeof(arith) / sizeof(arith[0]); i++) {
		const struct arith_rule *r = &arith[i];

		if (r->op != op || !is_kind(a, r->a) || !is_kind(b, r->b))
			continue;
		if (found != NULL && found != r->result)
			return &cel_type_dyn;
		found = r->result;
	}
	return found;
}

static bool
is_ordered(const struct cel_type *t)
{
	return (t->kind >= CEL_BOOL && t->kind <= CEL_DURATION) || t->kind == CEL_DYN;
}

static const struct cel_type *
in_result(const struct cel_type *item, const struct cel_type *in)
{
	const struct cel_type *held = in->kind == CEL_LIST  ? in->elem
				      : in->kind == CEL_MAP ? in->key
							    : NULL;

	if (in->kind != CEL_DYN && (held == NULL || !cel_fits(item, held)))
		return NULL;
	return &cel_type_bool;
}

static const struct cel_type *
index_result(const struct cel_type *of, const struct cel_type *at)
{
	if (of->kind == CEL_DYN)
		return of;
	if (of->kind == CEL_LIST)
		return cel_fits(at, &cel_type_int) ? of->elem : NULL;
	if (of->kind == CEL_MAP)
		return cel_fits(at, of->key) ? of->elem : NULL;
	return NULL;
}

static const struct cel_type *
op_result(enum cel_op op, const struct cel_type *a, const struct cel_type *b)
{
	switch (op) {
	case OP_EQ:
	case OP_NE:
		return cel_fits(a, b) ? &cel_type_bool : NULL;
	case OP_LT:
	case OP_LE:
	case OP_GT:
	case OP_GE:
		return is_ordered(a) && is_ordered(b) && cel_fits(a, b) ? &cel_type_bool : NULL;
	case OP_IN:
		return in_result(a, b);
	case OP_INDEX:
		return index_result(a, b);
	default:
		return arith_result(op, a, b);
	}
}

static const char *
op_sign(unsigned op)
{
	static const char *const signs[OP_COUNT] = { [OP_NOT] = "!",
		[OP_NEG] = "-",
		[OP_EQ] = "==",
		[OP_NE] = "!=",
		[OP_LT] = "<",
		[OP_LE] = "<=",
		[OP_GT] = ">",
		[OP_GE] = ">=",
		[OP_ADD] = "+",
		[OP_SUB] = "-",
		[OP_MUL] = "*",
		[OP_DIV] = "/",
		[OP_MOD] = "%",
		[OP_IN] = "in",
		[OP_INDEX] = "[]" };

	return signs[op];
}

static int
check_children(struct checker *c, struct cel_node *n)
{
	int rc = 0;

	for (struct cel_node *i = n->first; i != NULL && rc == 0; i = i->next) {
		rc = check(c, i);
		n->cost += rc == 0 ? i->cost : 0;
	}
	if (n->cost > COST_MAX)
		n->cost = COST_MAX;
	return rc;
}

static int
check_op(struct checker *c, struct cel_node *n)
{
	struct cel_node *a = n->first, *b = a->next;
	const struct cel_type *right, *t;
	char left_name[80], right_name[80], text[200];
	int rc = check_children(c, n);

	if (rc != 0)
		return rc;
	right = b != NULL ? b->type : &cel_type_dyn;
	t = op_result((enum cel_op)n->op, a->type, right);
	n->cost += COST_STEP;
	if (t != NULL) {
		set_type(c, n, t);
		return 0;
	}
	cel_type_name(a->type, left_name, sizeof(left_name));
	cel_type_name(right, right_name, sizeof(right_name));
	if (b == NULL)
		snprintf(text, sizeof(text), "%s%s", op_sign(n->op), left_name);
	else if (n->op == OP_INDEX)
		snprintf(text, sizeof(text), "%s[%s]", left_name, right_name);
	else
		snprintf(text, sizeof(text), "%s %s %s", left_name, op_sign(n->op), right_name);
	return failed(c, n, "no such overload: ", text, "");
}

/* Stable, so that equals stay as they were written. */
static void
sort_by_cost(struct cel_node *n)
{
	struct cel_node *sorted = NULL, *i = n->first;

	while (i != NULL) {
		struct cel_node *after = i->next, **link = &sorted;

		while (*link != NULL && (*link)->cost <= i->cost)
			link = &(*link)->next;
		i->next = *link;
		*link = i;
		i = after;
	}
	n->first = sorted;
}

static int
check_logic(struct checker *c, struct cel_node *n)
{
	char name[80], text[120];
	int rc = check_children(c, n);

	if (rc != 0)
		return rc;
	for (struct cel_node *i = n->first; i != NULL; i = i->next) {
		if (is_kind(i->type, CEL_BOOL))
			continue;
		snprintf(text, sizeof(text), "expected a bool beside %s, but this is ",
		    n->kind == NODE_AND ? "&&" : "||");
		return failed(c, i, text, cel_type_name(i->type, name, sizeof(name)), "");
	}
	n->cost += COST_STEP;
	sort_by_cost(n);
	set_type(c, n, &cel_type_bool);
	return 0;
}

static int
check_cond(struct checker *c, struct cel_node *n)
{
	struct cel_node *cond = n->first, *yes = cond->next, *no = yes->next;
	char a[80], b[80], text[200];
	const struct cel_type *t;
	int rc = check_children(c, n);

	if (rc != 0)
		return rc;
	if (!is_kind(cond->type, CEL_BOOL))
		return failed(c, cond, "expected a bool before ?, but this is ",
		    cel_type_name(cond->type, a, sizeof(a)), "");
	t = cel_join(yes->type, no->type);
	if (t == NULL) {
		snprintf(text, sizeof(text), "%s and %s",
		    cel_type_name(yes->type, a, sizeof(a)),
		    cel_type_name(no->type, b, sizeof(b)));
		return failed(
		    c, n, "both results of ?: must be of one type, but they are ", text, "");
	}
	set_type(c, n, t);
	return 0;
}

/* --- lists, maps, macros --- */

/* The common type of every `step`th child from the `from`th; dyn if they differ. */
static const struct cel_type *
common_type(const struct cel_node *n, uint32_t from, uint32_t step)
{
	const struct cel_type *t = NULL;
	uint32_t at = 0;

	for (const struct cel_node *i = n->first; i != NULL; i = i->next, at++) {
		if (at % step != from)
			continue;
		t = t == NULL ? i->type : cel_join(t, i->type);
		if (t == NULL)
			return &cel_type_dyn;
	}
	return t == NULL ? &cel_type_dyn : t;
}

static int
check_list(struct checker *c, struct cel_node *n)
{
	const struct cel_type *t;
	int rc = check_children(c, n);

	if (rc == 0)
		rc = n->kind == NODE_LIST
			 ? new_type(c, CEL_LIST, NULL, common_type(n, 0, 1), &t)
			 : new_type(c, CEL_MAP, common_type(n, 0, 2), common_type(n, 1, 2), &t);
	if (rc == 0)
		set_type(c, n, t);
	return rc;
}

static int
check_macro_body(struct checker *c, struct cel_node *n)
{
	struct cel_node *range = n->first, *body = range->next, *second = body->next;
	bool wants_bool = n->op != MACRO_MAP || second != NULL;
	char name[80];
	int rc = check(c, body);

	if (rc == 0 && second != NULL)
		rc = check(c, second);
	if (rc != 0)
		return rc;
	if (wants_bool && !is_kind(body->type, CEL_BOOL))
		return failed(c, body, "expected a bool in this macro, but this is ",
		    cel_type_name(body->type, name, sizeof(name)), "");
	n->cost = range->cost + COST_LOOP * (body->cost + (second != NULL ? second->cost : 0));
	if (n->cost > COST_MAX)
		n->cost = COST_MAX;
	return 0;
}

static int
check_macro(struct checker *c, struct cel_node *n)
{
	struct cel_node *range = n->first;
	const struct cel_type *t = &cel_type_bool;
	char name[80];
	int rc = check(c, range);

	if (rc != 0)
		return rc;
	if (!is_kind(range->type, CEL_LIST) && range->type->kind != CEL_MAP)
		return failed(c, n, "this macro needs a list, but gets ",
		    cel_type_name(range->type, name, sizeof(name)), "");
	if (c->loop_count == CEL_LOOPS_MAX)
		return cel_fail(c->text, n->at, ERR_LIMIT, c->ei,
		    "more than %u macros inside each other", CEL_LOOPS_MAX);
	n->loop = c->loop_count++;
	c->loops[n->loop].name = n->name;
	c->loops[n->loop].type = range->type->kind == CEL_LIST  ? range->type->elem
				 : range->type->kind == CEL_MAP ? range->type->key
								: &cel_type_dyn;
	rc = check_macro_body(c, n);
	c->loop_count--;
	if (rc != 0)
		return rc;
	if (n->op == MACRO_FILTER)
		rc = new_type(c, CEL_LIST, NULL, c->loops[n->loop].type, &t);
	if (n->op == MACRO_MAP)
		rc = new_type(c, CEL_LIST, NULL,
		    (range->next->next != NULL ? range->next->next : range->next)->type, &t);
	if (rc == 0)
		set_type(c, n, t);
	return rc;
}

/* --- calls --- */

static bool
accepts(const struct cel_func *f, const struct cel_node *n)
{
	const struct cel_node *arg = n->first;

	if (f->argc != n->size || !(n->receiver ? f->receiver : f->global))
		return false;
	for (uint32_t i = 0; i < f->argc; i++, arg = arg->next) {
		if (!is_kind(arg->type, (enum cel_kind)f->args[i]))
			return false;
	}
	return true;
}

static int
no_overload(struct checker *c, const struct cel_node *n, bool known)
{
	char text[240], name[80];
	const struct cel_node *arg = n->first;
	size_t len = 0;

	if (!known)
		return cel_fail(c->text, n->at, ERR_INVAL, c->ei, "there is no function '%.*s'",
		    (int)(n->name.len < 100 ? n->name.len : 100), n->name.ptr);
	text[0] = '\0';
	for (; arg != NULL && len < sizeof(text) - 90; arg = arg->next) {
		const char *after = arg == n->first && n->receiver ? "." : ", ";

		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s",
		    cel_type_name(arg->type, name, sizeof(name)),
		    arg->next != NULL ? after : "");
	}
	return cel_fail(c->text, n->at, ERR_INVAL, c->ei, "no such overload: %.*s with %s",
	    (int)(n->name.len < 40 ? n->name.len : 40), n->name.ptr,
	    text[0] != '\0' ? text : "nothing");
}

static int
check_call(struct checker *c, struct cel_node *n)
{
	const struct cel_type *t = NULL;
	bool known = false;
	int rc = check_children(c, n);

	if (rc != 0)
		return rc;
	for (size_t i = 0; i < cel_func_count; i++) {
		const struct cel_func *f = &cel_funcs[i];

		if (!slice_is(n->name, f->name))
			continue;
		known = true;
		if (!accepts(f, n))
			continue;
		t = t == NULL || t == f->result ? f->result : &cel_type_dyn;
		n->func = f;
	}
	if (t == NULL)
		return no_overload(c, n, known);
	n->cost += n->func->cost;
	set_type(c, n, t);
	return 0;
}

static const struct cel_type *
const_type(const struct cel_value *v)
{
	static const struct cel_type *const types[] = { [CEL_NULL] = &cel_type_null,
		[CEL_BOOL] = &cel_type_bool,
		[CEL_INT] = &cel_type_int,
		[CEL_UINT] = &cel_type_uint,
		[CEL_DOUBLE] = &cel_type_double,
		[CEL_STRING] = &cel_type_string,
		[CEL_BYTES] = &cel_type_bytes };

	return types[v->kind];
}

static int
check(struct checker *c, struct cel_node *n)
{
	switch (n->kind) {
	case NODE_CONST:
		set_type(c, n, const_type(&n->value));
		return 0;
	case NODE_IDENT:
		return check_ident(c, n);
	case NODE_SELECT:
	case NODE_HAS:
		return check_select(c, n);
	case NODE_OP:
		return check_op(c, n);
	case NODE_CALL:
		return check_call(c, n);
	case NODE_LIST:
	case NODE_MAP:
		return check_list(c, n);
	case NODE_COND:
		return check_cond(c, n);
	case NODE_AND:
	case NODE_OR:
		return check_logic(c, n);
	case NODE_MACRO:
		return check_macro(c, n);
	}
	return ERR_INVAL;
}

int
cel_check(struct slice text, const struct cel_env *env, struct arena *a, struct cel_node *root,
    struct err_info *ei)
{
	struct checker c = { .text = text, .env = env, .arena = a, .ei = ei };

	return check(&c, root);
}
