/* cel_internal.h - what the stages of base/cel share; for its own files only. */
#pragma once

#include "base/cel/cel.h"

/* --- tokens --- */

enum cel_token_kind {
	TOK_END,
	TOK_IDENT,
	TOK_LITERAL, /* a number, text or bytes: in `value` */
	TOK_TRUE,
	TOK_FALSE,
	TOK_NULL,
	TOK_IN,
	TOK_EQ,
	TOK_NE,
	TOK_LE,
	TOK_GE,
	TOK_AND,
	TOK_OR,
	TOK_CHAR, /* a sign of one character: in `sign` */
};

struct cel_token {
	enum cel_token_kind kind;
	char sign;
	uint32_t at;  /* where it begins, in bytes */
	uint32_t end; /* one past it */
	struct cel_value value;
};

struct cel_lexer {
	struct slice text;
	struct err_info *ei;
	/* What literals stand for; as long as the text, since no escape is shorter. */
	char *texts;
	size_t texts_len;
	struct cel_token tok; /* the one not yet taken */
	/* the sign before is a minus: an integer may then be the smallest one */
	bool negative;
};

/* Read the next token into lx->tok. */
int cel_lex(struct cel_lexer *lx);
/* The token's text. */
struct slice cel_token_text(const struct cel_lexer *lx);
/* ERR_INVAL, or `code`, with "line L, column C: " and the text. */
int cel_fail(struct slice text, uint32_t at, int code, struct err_info *ei, const char *fmt,
    ...) __attribute__((format(printf, 5, 6)));
/* A text or bytes literal at lx->tok.at whose opening quotes begin at `at`. */
int cel_lex_text(struct cel_lexer *lx, size_t at, bool raw, bool bytes);
int cel_lex_number(struct cel_lexer *lx);

/* --- the tree --- */

enum cel_op {
	OP_CONST,
	OP_VAR,    /* c: field id, asked of the variables */
	OP_FIELD,  /* c: field id, asked of the object on top */
	OP_SELECT, /* c: constant with the name, in a map */
	OP_HAS_KEY,
	OP_IS_SET,
	OP_LOCAL, /* a: loop */
	OP_NOT,
	OP_NEG,
	OP_EQ,
	OP_NE,
	OP_LT,
	OP_LE,
	OP_GT,
	OP_GE,
	OP_ADD,
	OP_SUB,
	OP_MUL,
	OP_DIV,
	OP_MOD,
	OP_IN,
	OP_INDEX,
	OP_CALL,  /* a: arguments, c: function */
	OP_MATCH, /* c: compiled pattern */
	OP_LIST,  /* c: elements */
	OP_MAP,   /* c: pairs */
	OP_AND,
	OP_OR,
	OP_AND_JUMP, /* c: where to go if the top decides */
	OP_OR_JUMP,
	OP_COND, /* b: else, c: end */
	OP_JUMP,
	OP_LOOP,      /* a: loop, b: macro, c: end */
	OP_LOOP_NEXT, /* a: loop, c: when there is no more */
	OP_LOOP_TAKE, /* a: loop, b: macro, c: where to go on */
	OP_LOOP_KEEP, /* a: loop, c: where to go on if not; of map with a condition */
	OP_LOOP_END,  /* a: loop, b: macro */
	OP_COUNT,
};

enum cel_macro {
	MACRO_ALL,
	MACRO_EXISTS,
	MACRO_EXISTS_ONE,
	MACRO_FILTER,
	MACRO_MAP,
};

enum cel_node_kind {
	NODE_CONST,
	NODE_IDENT,
	NODE_SELECT,
	NODE_HAS,
	NODE_OP, /* `op` says which; one or two operands */
	NODE_CALL,
	NODE_LIST,
	NODE_MAP,
	NODE_COND,
	NODE_AND, /* any number of operands */
	NODE_OR,
	NODE_MACRO, /* range, then one or two expressions in `name` */
};

struct cel_func;

struct cel_node {
	enum cel_node_kind kind;
	unsigned op;   /* enum cel_op or enum cel_macro */
	uint32_t at;   /* in the text, bytes */
	uint32_t size; /* children */
	uint32_t depth;
	uint32_t cost;
	bool receiver; /* of a call: the first child stands before the point */
	struct slice name;
	struct cel_node *first, *next; /* children; the next sibling */
	struct cel_value value;
	const struct cel_type *type;
	const struct cel_field *field; /* what a name or selection means */
	uint32_t loop;                 /* of a macro or its variable; UINT32_MAX = none */
	const struct cel_func *func;
};

/* Parse the whole text. */
int cel_parse(struct slice text, struct arena *a, struct cel_node **ret, struct err_info *ei);

/* Give every node its type, meaning and cost; order the operands of && and ||. */
int cel_check(struct slice text, const struct cel_env *env, struct arena *a,
    struct cel_node *root, struct err_info *ei);

bool cel_same_type(const struct cel_type *a, const struct cel_type *b);
/* May a value of one be given where the other is wanted? */
bool cel_fits(const struct cel_type *a, const struct cel_type *b);
/* The type of something that is one or the other; NULL if they do not go together. */
const struct cel_type *cel_join(const struct cel_type *a, const struct cel_type *b);

/* --- functions --- */

#define CEL_ARGS_MAX 3

/* One overload; those of one name share `run`, which looks at what it gets. */
struct cel_func {
	const char *name;
	bool receiver, global; /* may be called so */
	uint8_t argc;
	uint8_t args[CEL_ARGS_MAX]; /* enum cel_kind; CEL_DYN takes anything */
	const struct cel_type *result;
	uint32_t cost;
	/* Replaces args[0] by the result. */
	void (*run)(struct cel_program *p, struct cel_value *args, uint32_t argc);
};

extern const struct cel_func cel_funcs[];
extern const size_t cel_func_count;

/* --- the program --- */

struct cel_insn {
	uint8_t op, a;
	uint16_t b;
	uint32_t c;
};

struct cel_loop {
	const struct cel_value *items;
	uint32_t count, at, step; /* step: 2 to walk the keys of a map */
	uint32_t kept;
	struct cel_value *out; /* of filter and map */
	struct cel_value var;
};

struct cel_pattern;

struct cel_program {
	struct arena arena; /* holds everything but compiled patterns */
	struct slice text;
	const struct cel_env *env;
	struct cel_node *root;
	struct cel_insn *code;
	uint32_t *places; /* of each instruction, in the text */
	uint32_t code_len;
	struct cel_value *consts;
	uint32_t const_count;
	struct cel_pattern **patterns; /* constant ones */
	uint32_t pattern_count;
	struct cel_pattern *last_pattern; /* the last one that was made while running */
	struct cel_value constant_error;  /* of the first constant part that fails */
	bool folding;                     /* nothing runs yet: errors are at fold_at */
	uint32_t fold_at;

	/* while it runs */
	struct arena scratch;
	struct cel_value *stack, *top; /* top: one past the uppermost */
	uint32_t pc;
	uint64_t steps;
	int fatal;
	struct err_info *ei;
	cel_resolve resolve;
	void *ctx;
	struct cel_loop loops[CEL_LOOPS_MAX];
};

/* Evaluate what is constant, so that it is done once. */
void cel_fold(struct cel_program *p, struct cel_node *n);

/* Turn the checked tree into code; fills code, places, consts, patterns, stack. */
int cel_emit(struct cel_program *p, struct err_info *ei);

/* --- while it runs --- */

/* The error value of the running instruction. */
struct cel_value cel_fault(const struct cel_program *p, enum cel_fault f);
/* End the evaluation. */
void cel_stop(struct cel_program *p, int code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* Scratch memory; NULL after cel_stop(). */
void *cel_scratch(struct cel_program *p, size_t size);

bool cel_equal(struct cel_program *p, const struct cel_value *a, const struct cel_value *b);
/* -1, 0, 1, or 2 when neither is (NaN); false when the two cannot be compared. */
bool cel_compare(const struct cel_value *a, const struct cel_value *b, int *ret);
/* +, -, *, /, %. */
struct cel_value cel_arith(struct cel_program *p, enum cel_op op, const struct cel_value *a,
    const struct cel_value *b);
struct cel_value cel_negate(struct cel_program *p, const struct cel_value *v);
struct cel_value cel_in(
    struct cel_program *p, const struct cel_value *item, const struct cel_value *in);
struct cel_value cel_index(
    struct cel_program *p, const struct cel_value *of, const struct cel_value *at);
/* The map's value for the key; NULL if it has none. */
const struct cel_value *cel_map_get(
    struct cel_program *p, const struct cel_value *map, const struct cel_value *key);

/* Timestamps and durations with their ranges. */
#define CEL_SECOND_MIN INT64_C(-62135596800) /* 0001-01-01T00:00:00Z */
#define CEL_SECOND_MAX INT64_C(253402300799) /* 9999-12-31T23:59:59Z */
#define CEL_NS INT64_C(1000000000)
bool cel_time_add(const struct cel_value *t, int64_t ns, struct cel_value *ret);
bool cel_time_diff(const struct cel_value *a, const struct cel_value *b, struct cel_value *ret);

/* Functions' bodies. */
typedef void cel_body(struct cel_program *p, struct cel_value *args, uint32_t argc);
cel_body cel_run_size, cel_run_contains, cel_run_starts, cel_run_ends, cel_run_matches;
cel_body cel_run_to_int, cel_run_to_uint, cel_run_to_double, cel_run_to_string,
    cel_run_to_bytes, cel_run_to_bool, cel_run_to_timestamp, cel_run_to_duration,
    cel_run_to_dyn;
cel_body cel_run_year, cel_run_month, cel_run_date, cel_run_day_of_month, cel_run_day_of_week,
    cel_run_day_of_year, cel_run_hours, cel_run_minutes, cel_run_seconds, cel_run_milliseconds;

/* Regular expressions. */
int cel_pattern_new(
    struct slice text, struct cel_pattern **ret, size_t *ret_at, char *why, size_t why_size);
void cel_pattern_free(struct cel_pattern *m);
/* A bool, or an error; a limit ends the evaluation. */
struct cel_value cel_pattern_match(
    struct cel_program *p, struct cel_pattern *m, struct slice subject);
bool cel_pattern_is(const struct cel_pattern *m, struct slice text);
