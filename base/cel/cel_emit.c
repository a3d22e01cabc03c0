/*
 * cel_emit.c - from the tree to code for a machine with a stack.
 *
 * An error is a value like others, so && and || need no second path: they jump when
 * one operand decides, and else combine two values into one.
 */
#include "base/cel/cel_internal.h"

struct emitter {
	struct cel_program *p;
	struct err_info *ei;
	uint32_t code_max, const_max;
	uint32_t depth, max_depth; /* values on the stack */
};

static int emit(struct emitter *e, const struct cel_node *n);

/* `change` is what the instruction does to the number of values on the stack. */
static uint32_t
put(struct emitter *e, const struct cel_node *n, enum cel_op op, unsigned a, uint32_t c,
    int change)
{
	uint32_t at = e->p->code_len++;

	e->p->code[at] = (struct cel_insn){ .op = (uint8_t)op, .a = (uint8_t)a, .c = c };
	e->p->places[at] = n->at;
	e->depth = (uint32_t)((int)e->depth + change);
	if (e->depth > e->max_depth)
		e->max_depth = e->depth;
	return at;
}

static uint32_t
constant(struct emitter *e, struct cel_value v)
{
	e->p->consts[e->p->const_count] = v;
	return e->p->const_count++;
}

static int
emit_children(struct emitter *e, const struct cel_node *n)
{
	int rc = 0;

	for (const struct cel_node *i = n->first; i != NULL && rc == 0; i = i->next)
		rc = emit(e, i);
	return rc;
}

static bool
is_variable(const struct cel_node *n)
{
	return n->kind == NODE_IDENT && n->field != NULL;
}

static int
emit_select(struct emitter *e, const struct cel_node *n)
{
	bool has = n->kind == NODE_HAS;
	int rc = 0;

	if (n->field != NULL && is_variable(n->first)) {
		put(e, n, OP_VAR, 0, n->field->id, 1);
	} else {
		rc = emit(e, n->first);
		if (n->field != NULL)
			put(e, n, OP_FIELD, 0, n->field->id, 0);
		else
			put(e, n, has ? OP_HAS_KEY : OP_SELECT, 0,
			    constant(e, cel_string(n->name)), 0);
	}
	if (has && n->field != NULL)
		put(e, n, OP_IS_SET, 0, 0, 0);
	return rc;
}

static int
emit_logic(struct emitter *e, const struct cel_node *n)
{
	bool and = n->kind == NODE_AND;
	uint32_t first_jump = UINT32_MAX;
	int rc = emit(e, n->first);

	for (const struct cel_node *i = n->first->next; i != NULL && rc == 0; i = i->next) {
		/* Jumps to the end form a chain through their targets until it is known. */
		uint32_t jump = put(e, n, and? OP_AND_JUMP : OP_OR_JUMP, 0, first_jump, 0);

		first_jump = jump;
		rc = emit(e, i);
		put(e, n, and? OP_AND : OP_OR, 0, 0, -1);
	}
	while (first_jump != UINT32_MAX) {
		uint32_t before = e->p->code[first_jump].c;

		e->p->code[first_jump].c = e->p->code_len;
		first_jump = before;
	}
	return rc;
}

static int
emit_cond(struct emitter *e, const struct cel_node *n)
{
	const struct cel_node *yes = n->first->next;
	uint32_t cond, jump = 0;
	int rc = emit(e, n->first);

	cond = put(e, n, OP_COND, 0, 0, -1);
	if (rc == 0)
		rc = emit(e, yes);
	jump = put(e, n, OP_JUMP, 0, 0, -1);
	e->p->code[cond].b = (uint16_t)e->p->code_len;
	if (rc == 0)
		rc = emit(e, yes->next);
	e->p->code[cond].c = e->p->code_len;
	e->p->code[jump].c = e->p->code_len;
	return rc;
}

static int
emit_macro(struct emitter *e, const struct cel_node *n)
{
	const struct cel_node *body = n->first->next;
	uint32_t loop, again;
	int rc = emit(e, n->first);

	loop = put(e, n, OP_LOOP, n->loop, 0, 0);
	again = put(e, n, OP_LOOP_NEXT, n->loop, 0, 0);
	if (rc == 0)
		rc = emit(e, body);
	if (rc == 0 && body->next != NULL) {
		put(e, body, OP_LOOP_KEEP, n->loop, again, -1);
		rc = emit(e, body->next);
	}
	e->p->code[put(e, n, OP_LOOP_TAKE, n->loop, again, -1)].b = (uint16_t)n->op;
	e->p->code[again].c = e->p->code_len;
	e->p->code[put(e, n, OP_LOOP_END, n->loop, 0, 0)].b = (uint16_t)n->op;
	e->p->code[loop].b = (uint16_t)n->op;
	e->p->code[loop].c = e->p->code_len;
	return rc;
}

static int
emit_pattern(struct emitter *e, const struct cel_node *n)
{
	const struct cel_node *pattern = n->first->next;
	char why[160];
	size_t at;
	int rc = emit(e, n->first);

	if (rc != 0)
		return rc;
	rc = cel_pattern_new(cel_text(&pattern->value), &e->p->patterns[e->p->pattern_count],
	    &at, why, sizeof(why));
	if (rc == ERR_NOMEM)
		return rc;
	if (rc != 0)
		return cel_fail(e->p->text, pattern->at, rc, e->ei,
		    "regular expression, byte %zu: %s", at + 1, why);
	put(e, n, OP_MATCH, 0, e->p->pattern_count++, 0);
	return 0;
}

static int
emit_call(struct emitter *e, const struct cel_node *n)
{
	int rc;

	if (n->func->run == cel_run_matches && n->first->next->kind == NODE_CONST &&
	    n->first->next->value.kind == CEL_STRING)
		return emit_pattern(e, n);
	rc = emit_children(e, n);
	put(e, n, OP_CALL, n->size, (uint32_t)(n->func - cel_funcs), 1 - (int)n->size);
	return rc;
}

static int
emit(struct emitter *e, const struct cel_node *n)
{
	int rc = 0;

	switch (n->kind) {
	case NODE_CONST:
		put(e, n, OP_CONST, 0, constant(e, n->value), 1);
		return 0;
	case NODE_IDENT:
		if (n->field == NULL)
			put(e, n, OP_LOCAL, n->loop, 0, 1);
		else
			put(e, n, OP_VAR, 0, n->field->id, 1);
		return 0;
	case NODE_SELECT:
	case NODE_HAS:
		return emit_select(e, n);
	case NODE_OP:
		rc = emit_children(e, n);
		put(e, n, (enum cel_op)n->op, 0, 0, 1 - (int)n->size);
		return rc;
	case NODE_CALL:
		return emit_call(e, n);
	case NODE_LIST:
		rc = emit_children(e, n);
		put(e, n, OP_LIST, 0, n->size, 1 - (int)n->size);
		return rc;
	case NODE_MAP:
		rc = emit_children(e, n);
		put(e, n, OP_MAP, 0, n->size / 2, 1 - (int)n->size);
		return rc;
	case NODE_COND:
		return emit_cond(e, n);
	case NODE_AND:
	case NODE_OR:
		return emit_logic(e, n);
	case NODE_MACRO:
		return emit_macro(e, n);
	}
	return ERR_INVAL;
}

static uint32_t
count_nodes(const struct cel_node *n)
{
	uint32_t count = 1;

	for (const struct cel_node *i = n->first; i != NULL; i = i->next)
		count += count_nodes(i);
	return count;
}

int
cel_emit(struct cel_program *p, struct err_info *ei)
{
	/* A macro makes five instructions, every other node at most three. */
	uint32_t nodes = count_nodes(p->root), most = 5 * nodes;
	struct emitter e = { .p = p, .ei = ei };
	int rc;

	p->code = arena_alloc(&p->arena, most * sizeof(*p->code));
	p->places = arena_alloc(&p->arena, most * sizeof(*p->places));
	p->consts = arena_alloc(&p->arena, nodes * sizeof(*p->consts));
	p->patterns = arena_alloc(&p->arena, nodes * sizeof(struct cel_pattern *));
	if (p->code == NULL || p->places == NULL || p->consts == NULL || p->patterns == NULL)
		return ERR_NOMEM;
	rc = emit(&e, p->root);
	if (rc == 0)
		p->stack = arena_alloc(&p->arena, (e.max_depth + 1) * sizeof(*p->stack));
	return rc == 0 && p->stack == NULL ? ERR_NOMEM : rc;
}
