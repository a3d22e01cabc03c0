/* cel_arith.c - arithmetic; a result that does not fit is an error. */
#include "base/cel/cel_internal.h"

static struct cel_value
int_arith(struct cel_program *p, enum cel_op op, int64_t a, int64_t b)
{
	int64_t r = 0;
	bool over = false;

	if ((op == OP_DIV || op == OP_MOD) && b == 0)
		return cel_fault(p, CEL_F_DIVIDE);
	if (op == OP_ADD)
		over = __builtin_add_overflow(a, b, &r);
	else if (op == OP_SUB)
		over = __builtin_sub_overflow(a, b, &r);
	else if (op == OP_MUL)
		over = __builtin_mul_overflow(a, b, &r);
	else if (b == -1) /* the least int has no opposite */
		over = a == INT64_MIN || (r = op == OP_DIV ? -a : 0, false);
	else
		r = op == OP_DIV ? a / b : a % b;
	return over ? cel_fault(p, CEL_F_OVERFLOW) : cel_int(r);
}

static struct cel_value
uint_arith(struct cel_program *p, enum cel_op op, uint64_t a, uint64_t b)
{
	struct cel_value r = { .kind = CEL_UINT };
	bool over = false;

	if ((op == OP_DIV || op == OP_MOD) && b == 0)
		return cel_fault(p, CEL_F_DIVIDE);
	if (op == OP_ADD)
		over = __builtin_add_overflow(a, b, &r.as.u);
	else if (op == OP_SUB)
		over = __builtin_sub_overflow(a, b, &r.as.u);
	else if (op == OP_MUL)
		over = __builtin_mul_overflow(a, b, &r.as.u);
	else
		r.as.u = op == OP_DIV ? a / b : a % b;
	return over ? cel_fault(p, CEL_F_OVERFLOW) : r;
}

/* IEEE 754: no error, but infinities and NaN.  There is no % of doubles. */
static struct cel_value
double_arith(struct cel_program *p, enum cel_op op, double a, double b)
{
	struct cel_value r = { .kind = CEL_DOUBLE };

	if (op == OP_MOD)
		return cel_fault(p, CEL_F_OVERLOAD);
	r.as.d = op == OP_ADD ? a + b : op == OP_SUB ? a - b : op == OP_MUL ? a * b : a / b;
	return r;
}

/* --- texts and lists: only + --- */

static struct cel_value
join_texts(struct cel_program *p, const struct cel_value *a, const struct cel_value *b)
{
	size_t len = (size_t)a->aux + b->aux;
	struct cel_value r = *a;
	char *out;

	if (len > CEL_STRING_MAX) {
		cel_stop(p, ERR_LIMIT, "the expression makes a text of more than %zu MiB",
		    CEL_STRING_MAX >> 20);
		return r;
	}
	cel_charge(p, len / 32);
	out = cel_scratch(p, len + 1);
	if (out == NULL)
		return r;
	if (a->aux > 0)
		memcpy(out, a->as.text, a->aux);
	if (b->aux > 0)
		memcpy(out + a->aux, b->as.text, b->aux);
	r.as.text = out;
	r.aux = (uint32_t)len;
	return r;
}

static struct cel_value
join_lists(struct cel_program *p, const struct cel_value *a, const struct cel_value *b)
{
	size_t count = (size_t)a->aux + b->aux;
	struct cel_value r = *a, *out;

	if (count > CEL_LIST_MAX) {
		cel_stop(p, ERR_LIMIT, "the expression makes a list of more than %u elements",
		    CEL_LIST_MAX);
		return r;
	}
	cel_charge(p, count);
	out = cel_scratch(p, (count + 1) * sizeof(*out));
	if (out == NULL)
		return r;
	if (a->aux > 0)
		memcpy(out, a->as.items, a->aux * sizeof(*out));
	if (b->aux > 0)
		memcpy(out + a->aux, b->as.items, b->aux * sizeof(*out));
	r.as.items = out;
	r.aux = (uint32_t)count;
	return r;
}

/* --- times --- */

static struct cel_value
time_arith(
    struct cel_program *p, enum cel_op op, const struct cel_value *a, const struct cel_value *b)
{
	struct cel_value r = { .kind = CEL_DURATION };
	bool fits;

	if (a->kind == CEL_DURATION && b->kind == CEL_DURATION)
		fits = op == OP_ADD ? !__builtin_add_overflow(a->as.i, b->as.i, &r.as.i)
				    : !__builtin_sub_overflow(a->as.i, b->as.i, &r.as.i);
	else if (a->kind == CEL_TIMESTAMP && b->kind == CEL_TIMESTAMP && op == OP_SUB)
		fits = cel_time_diff(a, b, &r);
	else if (a->kind == CEL_TIMESTAMP && b->kind == CEL_DURATION)
		fits = (op == OP_ADD || b->as.i != INT64_MIN) &&
		       cel_time_add(a, op == OP_ADD ? b->as.i : -b->as.i, &r);
	else if (a->kind == CEL_DURATION && b->kind == CEL_TIMESTAMP && op == OP_ADD)
		fits = cel_time_add(b, a->as.i, &r);
	else
		return cel_fault(p, CEL_F_OVERLOAD);
	return fits ? r : cel_fault(p, CEL_F_RANGE);
}

static bool
is_time(const struct cel_value *v)
{
	return v->kind == CEL_TIMESTAMP || v->kind == CEL_DURATION;
}

struct cel_value
cel_arith(
    struct cel_program *p, enum cel_op op, const struct cel_value *a, const struct cel_value *b)
{
	if (is_time(a) && is_time(b) && (op == OP_ADD || op == OP_SUB))
		return time_arith(p, op, a, b);
	if (a->kind != b->kind)
		return cel_fault(p, CEL_F_OVERLOAD);
	if (a->kind == CEL_INT)
		return int_arith(p, op, a->as.i, b->as.i);
	if (a->kind == CEL_UINT)
		return uint_arith(p, op, a->as.u, b->as.u);
	if (a->kind == CEL_DOUBLE)
		return double_arith(p, op, a->as.d, b->as.d);
	if (op == OP_ADD && (a->kind == CEL_STRING || a->kind == CEL_BYTES))
		return join_texts(p, a, b);
	if (op == OP_ADD && a->kind == CEL_LIST)
		return join_lists(p, a, b);
	return cel_fault(p, CEL_F_OVERLOAD);
}

struct cel_value
cel_negate(struct cel_program *p, const struct cel_value *v)
{
	if (v->kind == CEL_INT && v->as.i != INT64_MIN)
		return cel_int(-v->as.i);
	if (v->kind == CEL_DOUBLE)
		return (struct cel_value){ .kind = CEL_DOUBLE, .as.d = -v->as.d };
	return cel_fault(p, v->kind == CEL_INT ? CEL_F_OVERFLOW : CEL_F_OVERLOAD);
}
