/* cel_type.c - types: their names, and which go together. */
#include <stdio.h>

#include "base/cel/cel_internal.h"

const struct cel_type cel_type_null = { .kind = CEL_NULL };
const struct cel_type cel_type_bool = { .kind = CEL_BOOL };
const struct cel_type cel_type_int = { .kind = CEL_INT };
const struct cel_type cel_type_uint = { .kind = CEL_UINT };
const struct cel_type cel_type_double = { .kind = CEL_DOUBLE };
const struct cel_type cel_type_string = { .kind = CEL_STRING };
const struct cel_type cel_type_bytes = { .kind = CEL_BYTES };
const struct cel_type cel_type_timestamp = { .kind = CEL_TIMESTAMP };
const struct cel_type cel_type_duration = { .kind = CEL_DURATION };
const struct cel_type cel_type_dyn = { .kind = CEL_DYN };
const struct cel_type cel_type_strings = { .kind = CEL_LIST, .elem = &cel_type_string };

const char *
cel_type_name(const struct cel_type *t, char *out, size_t size)
{
	static const char *const names[] = { "error", "null", "bool", "int", "uint", "double",
		"string", "bytes", "timestamp", "duration", "list", "map", "object", "dyn" };
	char elem[64], key[64];

	if (t->kind == CEL_LIST)
		snprintf(out, size, "list(%s)", cel_type_name(t->elem, elem, sizeof(elem)));
	else if (t->kind == CEL_MAP)
		snprintf(out, size, "map(%s, %s)", cel_type_name(t->key, key, sizeof(key)),
		    cel_type_name(t->elem, elem, sizeof(elem)));
	else
		snprintf(
		    out, size, "%s", t->kind == CEL_OBJECT ? t->object->name : names[t->kind]);
	return out;
}

bool
cel_same_type(const struct cel_type *a, const struct cel_type *b)
{
	if (a == b)
		return true;
	if (a->kind != b->kind || a->object != b->object)
		return false;
	if (a->kind == CEL_LIST)
		return cel_same_type(a->elem, b->elem);
	if (a->kind == CEL_MAP)
		return cel_same_type(a->key, b->key) && cel_same_type(a->elem, b->elem);
	return true;
}

static bool
is_number(const struct cel_type *t)
{
	return t->kind == CEL_INT || t->kind == CEL_UINT || t->kind == CEL_DOUBLE;
}

/* What may be null: a field of such a type is null when it is not set. */
static bool
may_be_null(const struct cel_type *t)
{
	return t->kind == CEL_OBJECT || t->kind == CEL_TIMESTAMP || t->kind == CEL_DURATION;
}

bool
cel_fits(const struct cel_type *a, const struct cel_type *b)
{
	if (a->kind == CEL_DYN || b->kind == CEL_DYN)
		return true;
	if ((a->kind == CEL_NULL && may_be_null(b)) || (b->kind == CEL_NULL && may_be_null(a)))
		return true;
	if (is_number(a) && is_number(b)) /* numbers compare whatever their types */
		return true;
	if (a->kind != b->kind || a->object != b->object)
		return false;
	if (a->kind == CEL_LIST)
		return cel_fits(a->elem, b->elem);
	if (a->kind == CEL_MAP)
		return cel_fits(a->key, b->key) && cel_fits(a->elem, b->elem);
	return true;
}

const struct cel_type *
cel_join(const struct cel_type *a, const struct cel_type *b)
{
	if (cel_same_type(a, b))
		return a;
	if (a->kind == CEL_NULL && may_be_null(b))
		return b;
	if (b->kind == CEL_NULL && may_be_null(a))
		return a;
	if (!cel_fits(a, b) || (is_number(a) && is_number(b)))
		return NULL;
	return a->kind == CEL_DYN ? a : b->kind == CEL_DYN ? b : a;
}
