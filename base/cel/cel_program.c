/* cel_program.c - a program's life: compiled, asked about, freed. */
#include "base/cel/cel_internal.h"
#include "base/mem.h"

#define PROGRAM_BYTES_MAX ((size_t)4 << 20)

/* --- constant parts --- */

static bool
all_constant(const struct cel_node *n)
{
	for (const struct cel_node *i = n->first; i != NULL; i = i->next) {
		if (i->kind != NODE_CONST)
			return false;
	}
	return n->first != NULL;
}

static struct cel_value
fold_value(struct cel_program *p, const struct cel_node *n)
{
	struct cel_value args[CEL_ARGS_MAX];
	uint32_t count = 0;

	for (const struct cel_node *i = n->first; i != NULL; i = i->next)
		args[count++] = i->value;
	if (n->kind == NODE_OP && n->op == OP_NEG)
		return cel_negate(p, &args[0]);
	if (n->kind == NODE_OP)
		return cel_arith(p, (enum cel_op)n->op, &args[0], &args[1]);
	n->func->run(p, args, count);
	return args[0];
}

static bool
is_foldable(const struct cel_node *n)
{
	if (!all_constant(n))
		return false;
	if (n->kind == NODE_CALL)
		return n->func->run != cel_run_matches;
	return n->kind == NODE_OP && (n->op == OP_NEG || (n->op >= OP_ADD && n->op <= OP_MOD));
}

static void
become(struct cel_node *n, struct cel_value v)
{
	n->kind = NODE_CONST;
	n->value = v;
	n->first = NULL;
	n->size = 0;
}

/* A list of constants is made once, not in every evaluation. */
static void
fold_list(struct cel_program *p, struct cel_node *n)
{
	struct cel_value *items =
	    arena_alloc(&p->arena, (n->size + (size_t)1) * sizeof(*items));
	uint32_t count = 0;

	if (items == NULL)
		return;
	for (const struct cel_node *i = n->first; i != NULL; i = i->next)
		items[count++] = i->value;
	become(n, (struct cel_value){ .kind = CEL_LIST, .aux = count, .as.items = items });
}

void
cel_fold(struct cel_program *p, struct cel_node *n)
{
	struct cel_value v;

	for (struct cel_node *i = n->first; i != NULL; i = i->next)
		cel_fold(p, i);
	if (n->kind == NODE_LIST && (n->size == 0 || all_constant(n)))
		fold_list(p, n);
	if (!is_foldable(n))
		return;
	p->fold_at = n->at;
	v = fold_value(p, n);
	if (v.kind == CEL_ERROR && p->constant_error.kind == CEL_NULL)
		p->constant_error = v;
	/* What lives in scratch memory does not last. */
	if (v.kind != CEL_ERROR && v.kind != CEL_STRING && v.kind != CEL_BYTES &&
	    v.kind != CEL_LIST && p->fatal == 0)
		become(n, v);
}

/* --- life --- */

static int
compile(struct cel_program *p, struct slice text, struct err_info *ei)
{
	char *copy = arena_dup(&p->arena, text);
	int rc;

	if (copy == NULL)
		return ERR_NOMEM;
	p->text = (struct slice){ copy, text.len };
	rc = cel_parse(p->text, &p->arena, &p->root, ei);
	if (rc == 0)
		rc = cel_check(p->text, p->env, &p->arena, p->root, ei);
	if (rc != 0)
		return rc;
	p->folding = true;
	cel_fold(p, p->root);
	p->folding = false;
	p->fatal = 0;
	return cel_emit(p, ei);
}

int
cel_compile(
    struct slice text, const struct cel_env *env, struct cel_program **ret, struct err_info *ei)
{
	struct cel_program *p;
	int rc;

	if (text.len > CEL_BYTES_MAX)
		return err_set(
		    ei, ERR_LIMIT, "the expression is longer than %zu bytes", CEL_BYTES_MAX);
	p = mem_zalloc(sizeof(*p));
	if (p == NULL)
		return ERR_NOMEM;
	arena_init(&p->arena, PROGRAM_BYTES_MAX);
	arena_init(&p->scratch, CEL_SCRATCH_MAX);
	p->env = env;
	p->steps = UINT64_MAX;
	p->constant_error.kind = CEL_NULL;
	rc = compile(p, text, ei);
	if (rc == 0) {
		*ret = p;
		p = NULL;
	}
	cel_free(p);
	return rc;
}

void
cel_free(struct cel_program *p)
{
	if (p == NULL)
		return;
	for (uint32_t i = 0; i < p->pattern_count; i++)
		cel_pattern_free(p->patterns[i]);
	cel_pattern_free(p->last_pattern);
	arena_clear(&p->scratch);
	arena_clear(&p->arena);
	mem_free(p);
}

const struct cel_type *
cel_result_type(const struct cel_program *p)
{
	return p->root->type;
}

static bool
node_uses(const struct cel_node *n, uint32_t variable)
{
	if (n->kind == NODE_IDENT && n->field != NULL && n->field->id == variable)
		return true;
	for (const struct cel_node *i = n->first; i != NULL; i = i->next) {
		if (node_uses(i, variable))
			return true;
	}
	return false;
}

bool
cel_uses(const struct cel_program *p, uint32_t variable)
{
	return node_uses(p->root, variable);
}

void
cel_set_budget(struct cel_program *p, uint64_t steps)
{
	p->steps = steps;
}

uint64_t
cel_budget_left(const struct cel_program *p)
{
	return p->steps;
}

void
cel_error_text(const struct cel_program *p, const struct cel_value *error, struct err_info *ei)
{
	static const char *const texts[] = {
		[CEL_F_OVERFLOW] = "the number is too large (overflow)",
		[CEL_F_DIVIDE] = "division by zero",
		[CEL_F_OVERLOAD] = "no such overload for these values",
		[CEL_F_KEY] = "no such key",
		[CEL_F_INDEX] = "the index is out of range",
		[CEL_F_CONVERT] = "the value cannot be converted",
		[CEL_F_RANGE] = "the time or duration is not valid or out of range",
		[CEL_F_PATTERN] = "the regular expression is not valid",
		[CEL_F_ZONE] =
		    "the time zone is neither \"UTC\" nor an offset such as \"+02:00\"",
		[CEL_F_REPEATED] = "a key of the map is repeated",
	};

	cel_fail(p->text, error->aux, ERR_INVAL, ei, "%s", texts[error->as.i]);
}

int
cel_constant_error(const struct cel_program *p, struct err_info *ei)
{
	if (p->constant_error.kind != CEL_ERROR)
		return 0;
	cel_error_text(p, &p->constant_error, ei);
	return ERR_INVAL;
}
