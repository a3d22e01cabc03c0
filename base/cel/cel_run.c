/*
 * cel_run.c - the machine: a handler for each instruction, values on a stack.
 *
 * Every instruction takes one step of the budget, and long work takes more, so a
 * budget of 0 also ends an evaluation that failed for another reason (p->fatal).
 */
#include <stdarg.h>
#include <stdio.h>

#include "base/cel/cel_internal.h"

struct cel_value
cel_fault(const struct cel_program *p, enum cel_fault f)
{
	return (struct cel_value){ .kind = CEL_ERROR,
		.aux = p->folding ? p->fold_at : p->places[p->pc - 1],
		.as.i = f };
}

void
cel_stop(struct cel_program *p, int code, const char *fmt, ...)
{
	va_list ap;
	char text[200];

	if (p->fatal != 0)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	p->fatal = err_set(p->ei, code, "%s", text);
}

void *
cel_scratch(struct cel_program *p, size_t size)
{
	void *mem = arena_alloc(&p->scratch, size);

	if (mem != NULL)
		return mem;
	if (size > p->scratch.max - p->scratch.used)
		cel_stop(p, ERR_LIMIT,
		    "the expression makes more than %zu MiB of lists and texts",
		    CEL_SCRATCH_MAX >> 20);
	else
		cel_stop(p, ERR_NOMEM, "out of memory");
	return NULL;
}

void
cel_charge(struct cel_program *p, uint64_t steps)
{
	p->steps -= steps < p->steps ? steps : p->steps;
}

/* --- values in and out --- */

static void
op_const(struct cel_program *p, const struct cel_insn *i)
{
	*p->top++ = p->consts[i->c];
}

static void
ask(struct cel_program *p, const struct cel_value *object, uint32_t field,
    struct cel_value *ret)
{
	struct cel_value got = { .kind = CEL_NULL };
	int rc = p->resolve(p->ctx, object, field, &p->scratch, &got);

	if (rc == ERR_NOMEM && p->scratch.max - p->scratch.used < CEL_SCRATCH_MAX / 2)
		cel_stop(p, ERR_LIMIT,
		    "the expression reads more than %zu MiB of lists and texts",
		    CEL_SCRATCH_MAX >> 20);
	else if (rc != 0)
		cel_stop(p, rc, "%s", err_name(rc));
	*ret = got;
}

static void
op_var(struct cel_program *p, const struct cel_insn *i)
{
	ask(p, NULL, i->c, p->top++);
}

static void
op_field(struct cel_program *p, const struct cel_insn *i)
{
	struct cel_value object = p->top[-1];

	if (object.kind == CEL_NULL)
		object = (struct cel_value){ .kind = CEL_OBJECT };
	if (object.kind == CEL_OBJECT)
		ask(p, &object, i->c, &p->top[-1]);
	else if (object.kind != CEL_ERROR)
		p->top[-1] = cel_fault(p, CEL_F_OVERLOAD);
}

static void
op_select(struct cel_program *p, const struct cel_insn *i)
{
	const struct cel_value *v = &p->top[-1], *found;

	if (v->kind == CEL_ERROR)
		return;
	if (v->kind != CEL_MAP) {
		p->top[-1] = cel_fault(p, CEL_F_OVERLOAD);
		return;
	}
	found = cel_map_get(p, v, &p->consts[i->c]);
	p->top[-1] = found != NULL ? *found : cel_fault(p, CEL_F_KEY);
}

static void
op_has_key(struct cel_program *p, const struct cel_insn *i)
{
	const struct cel_value *v = &p->top[-1];

	if (v->kind == CEL_MAP)
		p->top[-1] = cel_bool(cel_map_get(p, v, &p->consts[i->c]) != NULL);
	else if (v->kind != CEL_ERROR)
		p->top[-1] = cel_fault(p, CEL_F_OVERLOAD);
}

/* A field is set when it is not null, empty, 0 or false. */
static void
op_is_set(struct cel_program *p, const struct cel_insn *i)
{
	struct cel_value *v = &p->top[-1];
	bool set = true;

	(void)i;
	switch ((enum cel_kind)v->kind) {
	case CEL_ERROR:
		return;
	case CEL_NULL:
		set = false;
		break;
	case CEL_BOOL:
		set = v->as.truth;
		break;
	case CEL_INT:
	case CEL_UINT:
	case CEL_DURATION:
		set = v->as.i != 0;
		break;
	case CEL_DOUBLE:
		set = v->as.d != 0;
		break;
	case CEL_STRING:
	case CEL_BYTES:
	case CEL_LIST:
	case CEL_MAP:
		set = v->aux != 0;
		break;
	case CEL_OBJECT:
		set = v->as.object != NULL;
		break;
	case CEL_TIMESTAMP:
	case CEL_DYN:
		break;
	}
	*v = cel_bool(set);
}

static void
op_local(struct cel_program *p, const struct cel_insn *i)
{
	*p->top++ = p->loops[i->a].var;
}

/* --- operators --- */

static void
op_not(struct cel_program *p, const struct cel_insn *i)
{
	struct cel_value *v = &p->top[-1];

	(void)i;
	if (v->kind == CEL_BOOL)
		v->as.truth = !v->as.truth;
	else if (v->kind != CEL_ERROR)
		*v = cel_fault(p, CEL_F_OVERLOAD);
}

static void
op_neg(struct cel_program *p, const struct cel_insn *i)
{
	(void)i;
	if (p->top[-1].kind != CEL_ERROR)
		p->top[-1] = cel_negate(p, &p->top[-1]);
}

/* Pop the right operand; false when one is an error, which is then the result. */
static bool
two_operands(struct cel_program *p, struct cel_value **a, struct cel_value **b)
{
	*b = --p->top;
	*a = *b - 1;
	if ((*a)->kind == CEL_ERROR)
		return false;
	if ((*b)->kind == CEL_ERROR) {
		**a = **b;
		return false;
	}
	return true;
}

static void
op_equal(struct cel_program *p, const struct cel_insn *i)
{
	struct cel_value *a, *b;

	if (two_operands(p, &a, &b))
		*a = cel_bool(cel_equal(p, a, b) == (i->op == OP_EQ));
}

static void
op_order(struct cel_program *p, const struct cel_insn *i)
{
	struct cel_value *a, *b;
	int order;

	if (!two_operands(p, &a, &b))
		return;
	if (!cel_compare(a, b, &order)) {
		*a = cel_fault(p, CEL_F_OVERLOAD);
		return;
	}
	if (a->kind == CEL_STRING)
		cel_charge(p, (a->aux < b->aux ? a->aux : b->aux) / 32);
	*a = cel_bool(i->op == OP_LT   ? order == -1
		      : i->op == OP_LE ? order == -1 || order == 0
		      : i->op == OP_GT ? order == 1
				       : order == 1 || order == 0);
}

static void
op_arith(struct cel_program *p, const struct cel_insn *i)
{
	struct cel_value *a, *b;

	if (two_operands(p, &a, &b))
		*a = cel_arith(p, (enum cel_op)i->op, a, b);
}

static void
op_in(struct cel_program *p, const struct cel_insn *i)
{
	struct cel_value *a, *b;

	(void)i;
	if (two_operands(p, &a, &b))
		*a = cel_in(p, a, b);
}

static void
op_index(struct cel_program *p, const struct cel_insn *i)
{
	struct cel_value *a, *b;

	(void)i;
	if (two_operands(p, &a, &b))
		*a = cel_index(p, a, b);
}

static void
op_call(struct cel_program *p, const struct cel_insn *i)
{
	struct cel_value *args = p->top - i->a;

	p->top = args + 1;
	for (uint32_t n = 0; n < i->a; n++) {
		if (args[n].kind == CEL_ERROR) {
			args[0] = args[n];
			return;
		}
	}
	cel_funcs[i->c].run(p, args, i->a);
}

static void
op_match(struct cel_program *p, const struct cel_insn *i)
{
	struct cel_value *v = &p->top[-1];

	if (v->kind == CEL_STRING)
		*v = cel_pattern_match(p, p->patterns[i->c], cel_text(v));
	else if (v->kind != CEL_ERROR)
		*v = cel_fault(p, CEL_F_OVERLOAD);
}

/* Move `count` values from the stack into scratch; the first error is the result. */
static void
gather(struct cel_program *p, enum cel_kind kind, uint32_t aux, uint32_t count)
{
	struct cel_value *from = p->top - count, *items;

	p->top = from + 1;
	items = cel_scratch(p, (count + (size_t)1) * sizeof(*items));
	if (items == NULL)
		return;
	for (uint32_t n = 0; n < count; n++) {
		if (from[n].kind == CEL_ERROR) {
			from[0] = from[n];
			return;
		}
		items[n] = from[n];
	}
	from[0] = (struct cel_value){ .kind = kind, .aux = aux, .as.items = items };
}

static void
op_list(struct cel_program *p, const struct cel_insn *i)
{
	gather(p, CEL_LIST, i->c, i->c);
}

static void
op_map(struct cel_program *p, const struct cel_insn *i)
{
	const struct cel_value *items;

	gather(p, CEL_MAP, i->c, 2 * i->c);
	if (p->fatal != 0 || p->top[-1].kind != CEL_MAP)
		return;
	items = p->top[-1].as.items;
	for (uint32_t n = 0; n < i->c; n++) {
		struct cel_value before = { .kind = CEL_MAP, .aux = n, .as.items = items };

		if (cel_map_get(p, &before, &items[2 * (size_t)n]) != NULL) {
			p->top[-1] = cel_fault(p, CEL_F_REPEATED);
			return;
		}
	}
}

/* --- logic --- */

/*
 * What decides has jumped already, unless it is the right operand.  Of two errors the
 * one that stands first in the text is kept, whatever order they ran in.
 */
static void
combine(struct cel_program *p, bool decides)
{
	struct cel_value *b = --p->top, *a = b - 1;

	if (b->kind != CEL_BOOL && b->kind != CEL_ERROR)
		*b = cel_fault(p, CEL_F_OVERLOAD);
	if (b->kind == CEL_BOOL && b->as.truth == decides)
		*a = *b; /* NOLINT(bugprone-branch-clone): the order of the cases is the rule */
	else if (a->kind != CEL_BOOL && a->kind != CEL_ERROR)
		*a = cel_fault(p, CEL_F_OVERLOAD);
	else if (b->kind == CEL_ERROR && (a->kind == CEL_BOOL || b->aux < a->aux))
		*a = *b;
}

static void
op_and(struct cel_program *p, const struct cel_insn *i)
{
	(void)i;
	combine(p, false);
}

static void
op_or(struct cel_program *p, const struct cel_insn *i)
{
	(void)i;
	combine(p, true);
}

static void
op_and_jump(struct cel_program *p, const struct cel_insn *i)
{
	if (p->top[-1].kind == CEL_BOOL && !p->top[-1].as.truth)
		p->pc = i->c;
}

static void
op_or_jump(struct cel_program *p, const struct cel_insn *i)
{
	if (cel_is_true(&p->top[-1]))
		p->pc = i->c;
}

static void
op_cond(struct cel_program *p, const struct cel_insn *i)
{
	struct cel_value *v = p->top - 1;

	if (v->kind == CEL_BOOL) {
		p->top--;
		if (!v->as.truth)
			p->pc = i->b;
		return;
	}
	if (v->kind != CEL_ERROR)
		*v = cel_fault(p, CEL_F_OVERLOAD);
	p->pc = i->c; /* the error stays as the result */
}

static void
op_jump(struct cel_program *p, const struct cel_insn *i)
{
	p->pc = i->c;
}

/* --- macros --- */

static struct cel_value
loop_start(enum cel_macro macro)
{
	if (macro == MACRO_ALL || macro == MACRO_EXISTS)
		return cel_bool(macro == MACRO_ALL);
	return cel_int(0);
}

/* The range on top becomes the value that the loop gathers. */
static void
op_loop(struct cel_program *p, const struct cel_insn *i)
{
	struct cel_value *v = &p->top[-1];
	struct cel_loop *l = &p->loops[i->a];

	if (v->kind != CEL_LIST && v->kind != CEL_MAP) {
		if (v->kind != CEL_ERROR)
			*v = cel_fault(p, CEL_F_OVERLOAD);
		p->pc = i->c;
		return;
	}
	l->items = v->as.items;
	l->count = v->aux;
	l->step = v->kind == CEL_MAP ? 2 : 1;
	l->at = l->kept = 0;
	l->out = NULL;
	if (i->b == MACRO_FILTER || i->b == MACRO_MAP) {
		l->out = cel_scratch(p, (l->count + (size_t)1) * sizeof(*l->out));
		if (l->out == NULL)
			return;
	}
	*v = loop_start((enum cel_macro)i->b);
}

static void
op_loop_next(struct cel_program *p, const struct cel_insn *i)
{
	struct cel_loop *l = &p->loops[i->a];

	if (l->at == l->count) {
		p->pc = i->c;
		return;
	}
	l->var = l->items[l->at++ * (size_t)l->step];
}

static void
finish(struct cel_program *p, struct cel_loop *l, struct cel_value result)
{
	p->top[-1] = result;
	l->at = l->count;
}

/* all and exists: like && and || over the elements. */
static void
take_logic(struct cel_program *p, struct cel_loop *l, bool decides, const struct cel_value *v)
{
	struct cel_value *sum = &p->top[-1];

	if (v->kind == CEL_BOOL && v->as.truth == decides)
		finish(p, l, *v);
	else if (v->kind == CEL_ERROR && sum->kind != CEL_ERROR)
		*sum = *v;
}

static void
op_loop_take(struct cel_program *p, const struct cel_insn *i)
{
	struct cel_loop *l = &p->loops[i->a];
	struct cel_value v = *--p->top;

	p->pc = i->c;
	if (i->b != MACRO_MAP && v.kind != CEL_BOOL && v.kind != CEL_ERROR) {
		p->pc = (uint32_t)(i - p->code) + 1; /* for the error's place */
		v = cel_fault(p, CEL_F_OVERLOAD);
		p->pc = i->c;
	}
	if (i->b == MACRO_ALL || i->b == MACRO_EXISTS)
		take_logic(p, l, i->b == MACRO_EXISTS, &v);
	else if (v.kind == CEL_ERROR)
		finish(p, l, v);
	else if (i->b == MACRO_MAP)
		l->out[l->kept++] = v;
	else if (i->b == MACRO_FILTER && v.as.truth)
		l->out[l->kept++] = l->var;
	else if (i->b == MACRO_EXISTS_ONE && v.as.truth)
		p->top[-1].as.i++;
}

static void
op_loop_keep(struct cel_program *p, const struct cel_insn *i)
{
	struct cel_value v = *--p->top;

	if (v.kind == CEL_BOOL && v.as.truth)
		return;
	if (v.kind != CEL_BOOL)
		finish(
		    p, &p->loops[i->a], v.kind == CEL_ERROR ? v : cel_fault(p, CEL_F_OVERLOAD));
	p->pc = i->c;
}

static void
op_loop_end(struct cel_program *p, const struct cel_insn *i)
{
	const struct cel_loop *l = &p->loops[i->a];
	struct cel_value *v = &p->top[-1];

	if (v->kind == CEL_ERROR)
		return;
	if (i->b == MACRO_EXISTS_ONE)
		*v = cel_bool(v->as.i == 1);
	else if (i->b == MACRO_FILTER || i->b == MACRO_MAP)
		*v = (struct cel_value){ .kind = CEL_LIST, .aux = l->kept, .as.items = l->out };
}

/* --- the machine --- */

static void (*const handlers[OP_COUNT])(struct cel_program *p, const struct cel_insn *i) = {
	[OP_CONST] = op_const,
	[OP_VAR] = op_var,
	[OP_FIELD] = op_field,
	[OP_SELECT] = op_select,
	[OP_HAS_KEY] = op_has_key,
	[OP_IS_SET] = op_is_set,
	[OP_LOCAL] = op_local,
	[OP_NOT] = op_not,
	[OP_NEG] = op_neg,
	[OP_EQ] = op_equal,
	[OP_NE] = op_equal,
	[OP_LT] = op_order,
	[OP_LE] = op_order,
	[OP_GT] = op_order,
	[OP_GE] = op_order,
	[OP_ADD] = op_arith,
	[OP_SUB] = op_arith,
	[OP_MUL] = op_arith,
	[OP_DIV] = op_arith,
	[OP_MOD] = op_arith,
	[OP_IN] = op_in,
	[OP_INDEX] = op_index,
	[OP_CALL] = op_call,
	[OP_MATCH] = op_match,
	[OP_LIST] = op_list,
	[OP_MAP] = op_map,
	[OP_AND] = op_and,
	[OP_OR] = op_or,
	[OP_AND_JUMP] = op_and_jump,
	[OP_OR_JUMP] = op_or_jump,
	[OP_COND] = op_cond,
	[OP_JUMP] = op_jump,
	[OP_LOOP] = op_loop,
	[OP_LOOP_NEXT] = op_loop_next,
	[OP_LOOP_TAKE] = op_loop_take,
	[OP_LOOP_KEEP] = op_loop_keep,
	[OP_LOOP_END] = op_loop_end,
};

int
cel_eval(struct cel_program *p, cel_resolve resolve, void *ctx, struct cel_value *ret,
    struct err_info *ei)
{
	p->resolve = resolve;
	p->ctx = ctx;
	p->ei = ei;
	p->fatal = 0;
	p->top = p->stack;
	p->pc = 0;
	if (p->scratch.used > 0)
		arena_reset(&p->scratch);
	while (p->pc < p->code_len) {
		const struct cel_insn *i = &p->code[p->pc++];

		if (p->steps == 0)
			cel_stop(p, ERR_LIMIT, "the expression takes more work than allowed");
		if (p->fatal != 0)
			return p->fatal;
		p->steps--;
		handlers[i->op](p, i);
	}
	if (p->fatal != 0)
		return p->fatal;
	*ret = p->stack[0];
	return 0;
}
