/*
 * cel_parse.c - the grammar, by recursive descent: an expression becomes a tree.
 *
 * Macros are recognised here, by name and number of arguments.  && and || of any
 * length are one node each, so that their operands can be ordered.
 */
#include <stdio.h>

#include "base/cel/cel_internal.h"

struct parser {
	struct cel_lexer lx;
	struct arena *arena;
	uint32_t depth, nodes;
};

static int parse_expr(struct parser *p, struct cel_node **ret);

/* --- tokens --- */

static int
next(struct parser *p)
{
	p->lx.negative = false;
	return cel_lex(&p->lx);
}

static bool
at_sign(const struct parser *p, char sign)
{
	return p->lx.tok.kind == TOK_CHAR && p->lx.tok.sign == sign;
}

static int
fail_at(struct parser *p, uint32_t at, const char *what)
{
	return cel_fail(p->lx.text, at, ERR_INVAL, p->lx.ei, "%s", what);
}

/* "expected X, but found Y" at the present token. */
static int
expected(struct parser *p, const char *what)
{
	struct slice found = cel_token_text(&p->lx);
	char text[48];

	if (p->lx.tok.kind == TOK_END)
		snprintf(text, sizeof(text), "the end");
	else
		snprintf(text, sizeof(text), "'%.*s'%s", (int)(found.len < 32 ? found.len : 32),
		    found.ptr, found.len < 32 ? "" : "...");
	return cel_fail(p->lx.text, p->lx.tok.at, ERR_INVAL, p->lx.ei,
	    "expected %s, but found %s", what, text);
}

static int
take_sign(struct parser *p, char sign, const char *what)
{
	return at_sign(p, sign) ? next(p) : expected(p, what);
}

static int
enter(struct parser *p)
{
	if (++p->depth > CEL_DEPTH_MAX)
		return cel_fail(p->lx.text, p->lx.tok.at, ERR_LIMIT, p->lx.ei,
		    "the expression is nested more than %u deep", CEL_DEPTH_MAX);
	return 0;
}

/* --- nodes --- */

static int
new_node(struct parser *p, enum cel_node_kind kind, uint32_t at, struct cel_node **ret)
{
	struct cel_node *n = NULL;

	if (++p->nodes > CEL_NODES_MAX)
		return cel_fail(p->lx.text, at, ERR_LIMIT, p->lx.ei,
		    "the expression has more than %u operands and operators", CEL_NODES_MAX);
	n = arena_alloc(p->arena, sizeof(*n));
	if (n == NULL)
		return ERR_NOMEM;
	n->kind = kind;
	n->at = at;
	n->depth = 1;
	n->loop = UINT32_MAX;
	*ret = n;
	return 0;
}

/* Put `child` behind the others. */
static int
add_child(struct parser *p, struct cel_node *n, struct cel_node *child)
{
	struct cel_node **link = &n->first;

	while (*link != NULL)
		link = &(*link)->next;
	*link = child;
	n->size++;
	if (child->depth + 1 > n->depth)
		n->depth = child->depth + 1;
	if (n->depth > CEL_DEPTH_MAX)
		return cel_fail(p->lx.text, n->at, ERR_LIMIT, p->lx.ei,
		    "the expression is nested more than %u deep", CEL_DEPTH_MAX);
	return 0;
}

static int
op_node(struct parser *p, enum cel_op op, uint32_t at, struct cel_node *a, struct cel_node *b,
    struct cel_node **ret)
{
	struct cel_node *n = NULL;
	int rc = new_node(p, NODE_OP, at, &n);

	if (rc != 0)
		return rc;
	n->op = op;
	rc = add_child(p, n, a);
	if (rc == 0 && b != NULL)
		rc = add_child(p, n, b);
	*ret = n;
	return rc;
}

static int
const_node(struct parser *p, struct cel_value value, struct cel_node **ret)
{
	int rc = new_node(p, NODE_CONST, p->lx.tok.at, ret);

	if (rc != 0)
		return rc;
	(*ret)->value = value;
	return next(p);
}

/* --- names --- */

static bool
is_reserved(struct slice name)
{
	static const char *const words[] = { "as", "break", "const", "continue", "else", "for",
		"function", "if", "import", "let", "loop", "package", "namespace", "return",
		"var", "void", "while" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (slice_is(name, words[i]))
			return true;
	}
	return false;
}

/* Expressions up to `close`, which is taken; a trailing comma only where `trailing`. */
static int
parse_list(struct parser *p, char close, bool trailing, struct cel_node *into)
{
	char what[24];
	int rc = 0;

	snprintf(what, sizeof(what), "',' or '%c'", close);
	while (!at_sign(p, close)) {
		struct cel_node *item = NULL;

		rc = parse_expr(p, &item);
		if (rc == 0)
			rc = add_child(p, into, item);
		if (rc != 0)
			return rc;
		if (at_sign(p, close))
			break;
		rc = take_sign(p, ',', what);
		if (rc != 0)
			return rc;
		if (!trailing && at_sign(p, close))
			return expected(p, "an expression");
	}
	return next(p);
}

/* --- macros --- */

/* has(a.b): the selection becomes a test. */
static int
make_has(struct parser *p, struct cel_node *call, struct cel_node **ret)
{
	struct cel_node *arg = call->first;

	if (call->size != 1 || arg->kind != NODE_SELECT)
		return fail_at(
		    p, call->at, "has() takes one field selection, as has(issue.milestone)");
	arg->kind = NODE_HAS;
	*ret = arg;
	return 0;
}

static const struct {
	const char *name;
	uint32_t args;
	enum cel_macro macro;
} macros[] = {
	{ "all", 2, MACRO_ALL },
	{ "exists", 2, MACRO_EXISTS },
	{ "exists_one", 2, MACRO_EXISTS_ONE },
	{ "existsOne", 2, MACRO_EXISTS_ONE },
	{ "filter", 2, MACRO_FILTER },
	{ "map", 2, MACRO_MAP },
	{ "map", 3, MACRO_MAP },
};

/* The call's children are range, variable, and one or two expressions. */
static int
make_macro(struct parser *p, struct cel_node *call)
{
	struct cel_node *var = call->first->next;

	for (size_t i = 0; i < sizeof(macros) / sizeof(macros[0]); i++) {
		if (!slice_is(call->name, macros[i].name) || call->size != macros[i].args + 1)
			continue;
		if (var->kind != NODE_IDENT)
			return fail_at(p, var->at, "expected the name of a variable");
		call->kind = NODE_MACRO;
		call->op = macros[i].macro;
		call->name = var->name;
		call->first->next = var->next;
		call->size--;
		return 0;
	}
	return 0;
}

/* --- primaries --- */

static int
parse_name(struct parser *p, struct cel_node **ret)
{
	struct slice name = cel_token_text(&p->lx);
	uint32_t at = p->lx.tok.at;
	int rc;

	if (is_reserved(name))
		return cel_fail(p->lx.text, at, ERR_INVAL, p->lx.ei,
		    "'%.*s' is a reserved word", (int)name.len, name.ptr);
	rc = new_node(p, NODE_IDENT, at, ret);
	if (rc == 0)
		rc = next(p);
	if (rc != 0)
		return rc;
	(*ret)->name = name;
	if (!at_sign(p, '('))
		return 0;
	(*ret)->kind = NODE_CALL;
	rc = next(p);
	if (rc == 0)
		rc = parse_list(p, ')', false, *ret);
	if (rc == 0 && slice_is(name, "has"))
		rc = make_has(p, *ret, ret);
	return rc;
}

static int
parse_map(struct parser *p, struct cel_node **ret)
{
	int rc = new_node(p, NODE_MAP, p->lx.tok.at, ret);

	if (rc == 0)
		rc = next(p);
	while (rc == 0 && !at_sign(p, '}')) {
		struct cel_node *key = NULL, *value = NULL;

		rc = parse_expr(p, &key);
		if (rc == 0)
			rc = take_sign(p, ':', "':'");
		if (rc == 0)
			rc = parse_expr(p, &value);
		if (rc == 0)
			rc = add_child(p, *ret, key);
		if (rc == 0)
			rc = add_child(p, *ret, value);
		if (rc == 0 && !at_sign(p, '}'))
			rc = take_sign(p, ',', "',' or '}'");
	}
	return rc == 0 ? next(p) : rc;
}

static int
parse_parens(struct parser *p, struct cel_node **ret)
{
	int rc = next(p);

	if (rc == 0)
		rc = parse_expr(p, ret);
	return rc == 0 ? take_sign(p, ')', "')' or an operator") : rc;
}

static int
parse_primary(struct parser *p, struct cel_node **ret)
{
	int rc;

	switch (p->lx.tok.kind) {
	case TOK_LITERAL:
		return const_node(p, p->lx.tok.value, ret);
	case TOK_TRUE:
	case TOK_FALSE:
		return const_node(p, cel_bool(p->lx.tok.kind == TOK_TRUE), ret);
	case TOK_NULL:
		return const_node(p, (struct cel_value){ .kind = CEL_NULL }, ret);
	case TOK_IDENT:
		return parse_name(p, ret);
	default:
		break;
	}
	if (at_sign(p, '(')) {
		return parse_parens(p, ret);
	} else if (at_sign(p, '[')) {
		rc = new_node(p, NODE_LIST, p->lx.tok.at, ret);
		if (rc == 0)
			rc = next(p);
		return rc == 0 ? parse_list(p, ']', true, *ret) : rc;
	} else if (at_sign(p, '{')) {
		return parse_map(p, ret);
	} else if (at_sign(p, '.')) { /* a name of the outermost scope: there is only one */
		rc = next(p);
		if (rc == 0 && p->lx.tok.kind != TOK_IDENT)
			rc = expected(p, "a name");
		return rc == 0 ? parse_name(p, ret) : rc;
	}
	return expected(p, "an expression");
}

/* ".name" or ".name(...)" behind *ret. */
static int
parse_selection(struct parser *p, struct cel_node **ret)
{
	struct cel_node *n = NULL;
	int rc = next(p);

	if (rc == 0 && p->lx.tok.kind != TOK_IDENT)
		rc = expected(p, "the name of a field or method");
	if (rc == 0)
		rc = new_node(p, NODE_SELECT, p->lx.tok.at, &n);
	if (rc == 0)
		rc = add_child(p, n, *ret);
	if (rc != 0)
		return rc;
	n->name = cel_token_text(&p->lx);
	rc = next(p);
	*ret = n;
	if (rc != 0 || !at_sign(p, '('))
		return rc;
	n->kind = NODE_CALL;
	n->receiver = true;
	rc = next(p);
	if (rc == 0)
		rc = parse_list(p, ')', false, n);
	return rc == 0 && n->size > 1 ? make_macro(p, n) : rc;
}

static int
parse_member(struct parser *p, struct cel_node **ret)
{
	int rc = parse_primary(p, ret);

	while (rc == 0) {
		uint32_t at = p->lx.tok.at;
		struct cel_node *index = NULL;

		if (at_sign(p, '.')) {
			rc = parse_selection(p, ret);
		} else if (at_sign(p, '[')) {
			rc = next(p);
			if (rc == 0)
				rc = parse_expr(p, &index);
			if (rc == 0)
				rc = take_sign(p, ']', "']'");
			if (rc == 0)
				rc = op_node(p, OP_INDEX, at, *ret, index, ret);
		} else {
			break;
		}
	}
	return rc;
}

/* --- operators --- */

/* A minus and the number behind it are one literal, so that the least int can be written. */
static int
parse_unary(struct parser *p, struct cel_node **ret)
{
	uint32_t at = p->lx.tok.at;
	enum cel_op op = at_sign(p, '!') ? OP_NOT : OP_NEG;
	struct cel_node *n = NULL;
	int rc;

	if (!at_sign(p, '!') && !at_sign(p, '-'))
		return parse_member(p, ret);
	p->lx.negative = op == OP_NEG;
	rc = enter(p);
	if (rc == 0)
		rc = cel_lex(&p->lx);
	if (rc != 0)
		return rc;
	if (p->lx.negative && p->lx.tok.kind == TOK_LITERAL &&
	    (p->lx.tok.value.kind == CEL_INT || p->lx.tok.value.kind == CEL_DOUBLE)) {
		rc = parse_member(p, ret);
	} else {
		rc = parse_unary(p, &n);
		if (rc == 0)
			rc = op_node(p, op, at, n, NULL, ret);
	}
	p->depth--;
	return rc;
}

#define LEVEL_COMPARE 1
#define LEVEL_ADD 2
#define LEVEL_MULTIPLY 3

/* The operator that the token is, if it is one of the level. */
static bool
operator_at(const struct parser *p, int level, enum cel_op *ret)
{
	static const struct {
		enum cel_token_kind kind;
		char sign;
		int level;
		enum cel_op op;
	} ops[] = {
		{ TOK_EQ, 0, LEVEL_COMPARE, OP_EQ },
		{ TOK_NE, 0, LEVEL_COMPARE, OP_NE },
		{ TOK_LE, 0, LEVEL_COMPARE, OP_LE },
		{ TOK_GE, 0, LEVEL_COMPARE, OP_GE },
		{ TOK_IN, 0, LEVEL_COMPARE, OP_IN },
		{ TOK_CHAR, '<', LEVEL_COMPARE, OP_LT },
		{ TOK_CHAR, '>', LEVEL_COMPARE, OP_GT },
		{ TOK_CHAR, '+', LEVEL_ADD, OP_ADD },
		{ TOK_CHAR, '-', LEVEL_ADD, OP_SUB },
		{ TOK_CHAR, '*', LEVEL_MULTIPLY, OP_MUL },
		{ TOK_CHAR, '/', LEVEL_MULTIPLY, OP_DIV },
		{ TOK_CHAR, '%', LEVEL_MULTIPLY, OP_MOD },
	};

	for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
		if (ops[i].level == level && ops[i].kind == p->lx.tok.kind &&
		    ops[i].sign == p->lx.tok.sign) {
			*ret = ops[i].op;
			return true;
		}
	}
	return false;
}

static int
parse_binary(struct parser *p, int level, struct cel_node **ret)
{
	enum cel_op op;
	int rc = level > LEVEL_MULTIPLY ? parse_unary(p, ret) : parse_binary(p, level + 1, ret);

	while (rc == 0 && level <= LEVEL_MULTIPLY && operator_at(p, level, &op)) {
		uint32_t at = p->lx.tok.at;
		struct cel_node *right = NULL;

		rc = next(p);
		if (rc == 0)
			rc = parse_binary(p, level + 1, &right);
		if (rc == 0)
			rc = op_node(p, op, at, *ret, right, ret);
	}
	return rc;
}

/* An operand of `n`; what is itself such a chain becomes part of it. */
static int
add_operand(struct parser *p, struct cel_node *n, struct cel_node *operand)
{
	struct cel_node *child = operand->first, *after;
	int rc = 0;

	if (operand->kind != n->kind)
		return add_child(p, n, operand);
	for (; child != NULL && rc == 0; child = after) {
		after = child->next;
		child->next = NULL;
		rc = add_child(p, n, child);
	}
	return rc;
}

static int
parse_logic(struct parser *p, enum cel_node_kind kind, struct cel_node **ret)
{
	enum cel_token_kind tok = kind == NODE_OR ? TOK_OR : TOK_AND;
	struct cel_node *n = NULL, *operand = NULL;
	int rc = kind == NODE_OR ? parse_logic(p, NODE_AND, ret)
				 : parse_binary(p, LEVEL_COMPARE, ret);

	if (rc != 0 || p->lx.tok.kind != tok)
		return rc;
	rc = new_node(p, kind, p->lx.tok.at, &n);
	if (rc == 0)
		rc = add_operand(p, n, *ret);
	while (rc == 0 && p->lx.tok.kind == tok) {
		rc = next(p);
		if (rc == 0)
			rc = kind == NODE_OR ? parse_logic(p, NODE_AND, &operand)
					     : parse_binary(p, LEVEL_COMPARE, &operand);
		if (rc == 0)
			rc = add_operand(p, n, operand);
	}
	*ret = n;
	return rc;
}

static int
parse_cond(struct parser *p, struct cel_node **ret)
{
	struct cel_node *n = NULL, *yes = NULL, *no = NULL;
	int rc = new_node(p, NODE_COND, p->lx.tok.at, &n);

	if (rc == 0)
		rc = next(p);
	if (rc == 0)
		rc = parse_logic(p, NODE_OR, &yes);
	if (rc == 0)
		rc = take_sign(p, ':', "':'");
	if (rc == 0)
		rc = parse_expr(p, &no);
	if (rc == 0)
		rc = add_child(p, n, *ret);
	if (rc == 0)
		rc = add_child(p, n, yes);
	if (rc == 0)
		rc = add_child(p, n, no);
	*ret = n;
	return rc;
}

static int
parse_expr(struct parser *p, struct cel_node **ret)
{
	int rc = enter(p);

	if (rc == 0)
		rc = parse_logic(p, NODE_OR, ret);
	if (rc == 0 && at_sign(p, '?'))
		rc = parse_cond(p, ret);
	p->depth--;
	return rc;
}

int
cel_parse(struct slice text, struct arena *a, struct cel_node **ret, struct err_info *ei)
{
	struct parser p = { .lx = { .text = text, .ei = ei }, .arena = a };
	int rc;

	p.lx.texts = arena_alloc(a, text.len + 1);
	if (p.lx.texts == NULL)
		return ERR_NOMEM;
	rc = next(&p);
	if (rc == 0)
		rc = parse_expr(&p, ret);
	if (rc == 0 && p.lx.tok.kind != TOK_END)
		rc = expected(&p, "an operator or the end");
	return rc;
}
