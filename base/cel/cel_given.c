/*
 * cel_given.c - what an expression gives when only some bools are known: logic with
 * three values over the tree.  An operand that may fail is unknown, which is right
 * because an error never makes && true or || false.
 */
#include "base/cel/cel_internal.h"

struct given {
	const struct cel_known *known;
	size_t count;
};

static enum cel_truth truth(const struct given *g, const struct cel_node *n);

static enum cel_truth
truth_of(bool v)
{
	return v ? CEL_TRUE : CEL_FALSE;
}

static enum cel_truth
negate(enum cel_truth t)
{
	return t == CEL_UNKNOWN ? t : t == CEL_TRUE ? CEL_FALSE : CEL_TRUE;
}

static enum cel_truth
known_field(const struct given *g, const struct cel_node *n)
{
	if (n->field == NULL || n->first->kind != NODE_IDENT || n->first->field == NULL)
		return CEL_UNKNOWN;
	for (size_t i = 0; i < g->count; i++) {
		if (g->known[i].field == n->field->id)
			return truth_of(g->known[i].value);
	}
	return CEL_UNKNOWN;
}

static enum cel_truth
equality(const struct given *g, const struct cel_node *n)
{
	enum cel_truth a, b;

	if (n->first->type->kind != CEL_BOOL || n->first->next->type->kind != CEL_BOOL)
		return CEL_UNKNOWN;
	a = truth(g, n->first);
	b = truth(g, n->first->next);
	if (a == CEL_UNKNOWN || b == CEL_UNKNOWN)
		return CEL_UNKNOWN;
	return truth_of((a == b) == (n->op == OP_EQ));
}

/* `decides` is what one operand is enough for. */
static enum cel_truth
logic(const struct given *g, const struct cel_node *n, enum cel_truth decides)
{
	bool unknown = false;

	for (const struct cel_node *i = n->first; i != NULL; i = i->next) {
		enum cel_truth t = truth(g, i);

		if (t == decides)
			return t;
		unknown = unknown || t == CEL_UNKNOWN;
	}
	return unknown ? CEL_UNKNOWN : negate(decides);
}

static enum cel_truth
conditional(const struct given *g, const struct cel_node *n)
{
	const struct cel_node *yes = n->first->next;
	enum cel_truth cond = truth(g, n->first), a, b;

	if (cond != CEL_UNKNOWN)
		return truth(g, cond == CEL_TRUE ? yes : yes->next);
	a = truth(g, yes);
	b = truth(g, yes->next);
	return a == b && a == CEL_FALSE ? a : CEL_UNKNOWN;
}

static enum cel_truth
truth(const struct given *g, const struct cel_node *n)
{
	switch (n->kind) {
	case NODE_CONST:
		return n->value.kind == CEL_BOOL ? truth_of(n->value.as.truth) : CEL_UNKNOWN;
	case NODE_SELECT:
	case NODE_HAS: /* a bool is set when it is true */
		return known_field(g, n);
	case NODE_AND:
		return logic(g, n, CEL_FALSE);
	case NODE_OR:
		return logic(g, n, CEL_TRUE);
	case NODE_COND:
		return conditional(g, n);
	case NODE_OP:
		if (n->op == OP_NOT)
			return negate(truth(g, n->first));
		return n->op == OP_EQ || n->op == OP_NE ? equality(g, n) : CEL_UNKNOWN;
	default:
		return CEL_UNKNOWN;
	}
}

enum cel_truth
cel_given(const struct cel_program *p, const struct cel_known *known, size_t count)
{
	const struct given g = { known, count };

	return truth(&g, p->root);
}
