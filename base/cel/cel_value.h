/*
 * cel_value.h - values and types of the Common Expression Language.
 *
 * A value is 16 bytes and owns nothing: texts and lists are borrowed from the
 * expression, from the caller's data, or from the scratch memory of one evaluation.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

enum cel_kind {
	CEL_ERROR, /* an evaluation failed: as.i is an enum cel_fault, aux the place */
	CEL_NULL,
	CEL_BOOL,
	CEL_INT,
	CEL_UINT,
	CEL_DOUBLE,
	CEL_STRING, /* valid UTF-8; aux bytes at as.text */
	CEL_BYTES,
	CEL_TIMESTAMP, /* as.i seconds since 1970 and aux nanoseconds, 0001 to 9999 */
	CEL_DURATION,  /* as.i nanoseconds */
	CEL_LIST,      /* aux values at as.items */
	CEL_MAP,       /* aux pairs of key and value at as.items */
	CEL_OBJECT,    /* as.object is the resolver's; NULL is an unset object */
	CEL_DYN,       /* of types alone: known when it runs */
};

enum cel_fault {
	CEL_F_OVERFLOW,
	CEL_F_DIVIDE,
	CEL_F_OVERLOAD,
	CEL_F_KEY,
	CEL_F_INDEX,
	CEL_F_CONVERT,
	CEL_F_RANGE,
	CEL_F_PATTERN,
	CEL_F_ZONE,
	CEL_F_REPEATED,
};

struct cel_value {
	uint32_t kind; /* enum cel_kind */
	uint32_t aux;
	union {
		bool truth;
		int64_t i;
		uint64_t u;
		double d;
		const char *text;
		const struct cel_value *items;
		const void *object;
	} as;
};

static inline struct cel_value
cel_bool(bool v)
{
	return (struct cel_value){ .kind = CEL_BOOL, .as.truth = v };
}

static inline struct cel_value
cel_int(int64_t v)
{
	return (struct cel_value){ .kind = CEL_INT, .as.i = v };
}

/* `s` is shorter than 4 GiB. */
static inline struct cel_value
cel_string(struct slice s)
{
	return (
	    struct cel_value){ .kind = CEL_STRING, .aux = (uint32_t)s.len, .as.text = s.ptr };
}

static inline struct slice
cel_text(const struct cel_value *v)
{
	return (struct slice){ v->as.text, v->aux };
}

static inline bool
cel_is_true(const struct cel_value *v)
{
	return v->kind == CEL_BOOL && v->as.truth;
}

/* --- types --- */

struct cel_object;

struct cel_type {
	enum cel_kind kind;
	const struct cel_type *key;      /* of a map */
	const struct cel_type *elem;     /* of a list, and a map's values */
	const struct cel_object *object; /* of an object */
};

extern const struct cel_type cel_type_null, cel_type_bool, cel_type_int, cel_type_uint,
    cel_type_double, cel_type_string, cel_type_bytes, cel_type_timestamp, cel_type_duration,
    cel_type_dyn, cel_type_strings;

/* What reading a field costs, roughly in nanoseconds: cheap operands run first. */
enum cel_cost {
	CEL_COST_HEAD = 2,    /* at a fixed place of a record that is at hand */
	CEL_COST_ROW = 15,    /* to be looked for in that record */
	CEL_COST_JOIN = 150,  /* one more record */
	CEL_COST_TEXT = 400,  /* one more record, and a long text in it */
	CEL_COST_MANY = 5000, /* any number of records */
};

struct cel_field {
	const char *name;
	const char *alias; /* another spelling; NULL = none */
	const struct cel_type *type;
	uint32_t id;   /* what the resolver is asked for */
	uint32_t cost; /* enum cel_cost or any number of that scale */
};

/* A record with declared fields; also the set of an expression's variables. */
struct cel_object {
	const char *name;
	const struct cel_field *fields;
	size_t field_count;
};
