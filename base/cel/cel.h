/*
 * cel.h - the Common Expression Language: an expression is parsed, checked against
 * declared variables, compiled once, and evaluated as often as the caller likes.
 *
 * Evaluating allocates nothing from the heap in the usual case: lists and texts that
 * it makes live in a scratch arena that the next evaluation resets.  && and || take
 * their operands in the order of their cost; what they give is the same in any order,
 * because an error counts only when no operand decides.
 *
 * Nothing here knows where values come from: the caller's resolver is asked for a
 * field when the expression gets to it.
 */
#pragma once

#include "base/arena.h"
#include "base/cel/cel_value.h"
#include "base/err.h"

#define CEL_BYTES_MAX ((size_t)16 << 10)  /* of an expression */
#define CEL_DEPTH_MAX 128U                /* of nesting */
#define CEL_NODES_MAX 2000U               /* operands and operators */
#define CEL_LOOPS_MAX 8U                  /* macros inside each other */
#define CEL_LIST_MAX 100000U              /* elements of a list that is made */
#define CEL_STRING_MAX ((size_t)1 << 20)  /* bytes of a text that is made */
#define CEL_SCRATCH_MAX ((size_t)8 << 20) /* bytes made in one evaluation */
#define CEL_PATTERN_MAX 1000U             /* bytes of a regular expression */
#define CEL_MATCH_MAX 100000U             /* PCRE2's match limit */
#define CEL_MATCH_DEPTH 10000U            /* PCRE2's depth limit */

struct cel_program; /* one thread at a time */

struct cel_env {
	const struct cel_object *vars; /* its fields are the variables */
	/*
	 * Types are not compared before the expression runs, only then.  For tests of the
	 * language; a filter is always checked.
	 */
	bool unchecked;
};

/*
 * Give the field `field` of `object`, or of the variables when `object` is NULL.  A field
 * of a variable that is an object is asked for in one step, with `object` NULL: ids are
 * therefore unique among all of those.  What must be made is made in `scratch`.  Any
 * error ends the evaluation with that code.
 */
typedef int (*cel_resolve)(void *ctx, const struct cel_value *object, uint32_t field,
    struct arena *scratch, struct cel_value *ret);

/*
 * Compile.  The environment must outlive the program; the text need not.
 * ERR_INVAL with "line L, column C: ..." (code points, from 1), ERR_LIMIT with the limit
 * that the expression breaks, ERR_NOMEM.
 */
int cel_compile(struct slice text, const struct cel_env *env, struct cel_program **ret,
    struct err_info *ei);
void cel_free(struct cel_program *p); /* NULL is fine */

const struct cel_type *cel_result_type(const struct cel_program *p);

/* Does the expression use the variable with this id? */
bool cel_uses(const struct cel_program *p, uint32_t variable);

/*
 * A part without variables that always fails, such as timestamp('tomorrow'): ERR_INVAL
 * with its place and reason.  0 when there is none.
 */
int cel_constant_error(const struct cel_program *p, struct err_info *ei);

/*
 * How many steps all evaluations together may take from now on; at first UINT64_MAX.  The time
 * that regular expressions take counts, too (40 ns a step), so one that is slow may end sooner
 * on a busy machine.
 */
void cel_set_budget(struct cel_program *p, uint64_t steps);
uint64_t cel_budget_left(const struct cel_program *p);
/* Take `steps` for work outside; what is not there leaves 0. */
void cel_charge(struct cel_program *p, uint64_t steps);

/*
 * Evaluate.  0 with a value, which may be CEL_ERROR, and which ends with the next
 * evaluation.  ERR_LIMIT when work, memory or a regular expression's limit is used up,
 * or the resolver's error; both with a text.
 */
int cel_eval(struct cel_program *p, cel_resolve resolve, void *ctx, struct cel_value *ret,
    struct err_info *ei);

/* "line L, column C: division by zero" of a CEL_ERROR that `p` gave. */
void cel_error_text(
    const struct cel_program *p, const struct cel_value *error, struct err_info *ei);

/* A bool that is known beforehand. */
struct cel_known {
	uint32_t field; /* of a variable that is an object */
	bool value;
};

enum cel_truth {
	CEL_UNKNOWN,
	CEL_TRUE,
	CEL_FALSE,
};

/*
 * What the expression gives, whatever the other fields are: so a caller can leave out
 * what cannot match, or need not evaluate at all.
 */
enum cel_truth cel_given(
    const struct cel_program *p, const struct cel_known *known, size_t count);

/* --- for those who print values --- */

#define CEL_TEXT_MAX 48
size_t cel_format_double(double d, char out[CEL_TEXT_MAX]);
size_t cel_format_timestamp(const struct cel_value *v, char out[CEL_TEXT_MAX]);
size_t cel_format_duration(const struct cel_value *v, char out[CEL_TEXT_MAX]);
/* False when it is not RFC 3339, or out of range. */
bool cel_parse_timestamp(struct slice text, struct cel_value *ret);
/* "1h30m", "-1.5s"; false when it is not of that form, or out of range. */
bool cel_parse_duration(struct slice text, struct cel_value *ret);
/* "list(string)"; shortened to fit. */
const char *cel_type_name(const struct cel_type *t, char *out, size_t size);
