/* cel_compare.c - equality and order of values; numbers compare whatever their types. */
#include <math.h>

#include "base/cel/cel_internal.h"

static bool
is_number(const struct cel_value *v)
{
	return v->kind == CEL_INT || v->kind == CEL_UINT || v->kind == CEL_DOUBLE;
}

static int
order_of(bool less, bool more)
{
	return less ? -1 : more ? 1 : 0;
}

/* Exactly, also where the double has no neighbour among the ints. */
static int
compare_int_double(int64_t i, double d)
{
	int64_t whole;

	if (isnan(d))
		return 2;
	if (d < -9223372036854775808.0)
		return 1;
	if (d >= 9223372036854775808.0)
		return -1;
	whole = (int64_t)d; /* towards zero */
	if (i != whole)
		return order_of(i < whole, true);
	return order_of((double)whole<d, (double)whole> d);
}

static int
compare_uint_double(uint64_t u, double d)
{
	uint64_t whole;

	if (isnan(d))
		return 2;
	if (d < 0)
		return 1;
	if (d >= 18446744073709551616.0)
		return -1;
	whole = (uint64_t)d;
	if (u != whole)
		return order_of(u < whole, true);
	return order_of((double)whole < d, false);
}

static int
compare_int_uint(int64_t i, uint64_t u)
{
	return i < 0 ? -1 : order_of((uint64_t)i<u, (uint64_t)i> u);
}

static int
reversed(int order)
{
	return order == 2 ? 2 : -order;
}

static int
compare_doubles(double a, double b)
{
	return isnan(a) || isnan(b) ? 2 : order_of(a<b, a> b);
}

static int
compare_numbers(const struct cel_value *a, const struct cel_value *b)
{
	if (a->kind == CEL_INT)
		return b->kind == CEL_INT    ? order_of(a->as.i<b->as.i, a->as.i> b->as.i)
		       : b->kind == CEL_UINT ? compare_int_uint(a->as.i, b->as.u)
					     : compare_int_double(a->as.i, b->as.d);
	if (a->kind == CEL_UINT)
		return b->kind == CEL_UINT  ? order_of(a->as.u<b->as.u, a->as.u> b->as.u)
		       : b->kind == CEL_INT ? reversed(compare_int_uint(b->as.i, a->as.u))
					    : compare_uint_double(a->as.u, b->as.d);
	return b->kind == CEL_INT    ? reversed(compare_int_double(b->as.i, a->as.d))
	       : b->kind == CEL_UINT ? reversed(compare_uint_double(b->as.u, a->as.d))
				     : compare_doubles(a->as.d, b->as.d);
}

/* By bytes, which for UTF-8 is by code points. */
static int
compare_texts(const struct cel_value *a, const struct cel_value *b)
{
	size_t n = a->aux < b->aux ? a->aux : b->aux;
	int c = n == 0 ? 0 : memcmp(a->as.text, b->as.text, n);

	return c != 0 ? order_of(c < 0, true) : order_of(a->aux<b->aux, a->aux> b->aux);
}

bool
cel_compare(const struct cel_value *a, const struct cel_value *b, int *ret)
{
	if (is_number(a) && is_number(b)) {
		*ret = compare_numbers(a, b);
		return true;
	}
	if (a->kind != b->kind)
		return false;
	switch ((enum cel_kind)a->kind) {
	case CEL_BOOL:
		*ret = order_of(!a->as.truth && b->as.truth, a->as.truth && !b->as.truth);
		return true;
	case CEL_STRING:
	case CEL_BYTES:
		*ret = compare_texts(a, b);
		return true;
	case CEL_TIMESTAMP:
		*ret = a->as.i != b->as.i ? order_of(a->as.i < b->as.i, true)
					  : order_of(a->aux<b->aux, a->aux> b->aux);
		return true;
	case CEL_DURATION:
		*ret = order_of(a->as.i<b->as.i, a->as.i> b->as.i);
		return true;
	default:
		return false;
	}
}

static bool
equal_lists(struct cel_program *p, const struct cel_value *a, const struct cel_value *b)
{
	if (a->aux != b->aux)
		return false;
	cel_charge(p, a->aux);
	for (uint32_t i = 0; i < a->aux; i++) {
		if (!cel_equal(p, &a->as.items[i], &b->as.items[i]))
			return false;
	}
	return true;
}

static bool
equal_maps(struct cel_program *p, const struct cel_value *a, const struct cel_value *b)
{
	if (a->aux != b->aux)
		return false;
	for (uint32_t i = 0; i < a->aux && p->steps > 0; i++) {
		const struct cel_value *pair = &a->as.items[2 * (size_t)i];
		const struct cel_value *other = cel_map_get(p, b, pair);

		if (other == NULL || !cel_equal(p, &pair[1], other))
			return false;
	}
	return true;
}

bool
cel_equal(struct cel_program *p, const struct cel_value *a, const struct cel_value *b)
{
	int order;

	if (a->kind == CEL_STRING && b->kind == CEL_STRING) {
		cel_charge(p, a->aux / 32);
		return slice_eq(cel_text(a), cel_text(b));
	}
	if (cel_compare(a, b, &order))
		return order == 0;
	if (a->kind == CEL_LIST && b->kind == CEL_LIST)
		return equal_lists(p, a, b);
	if (a->kind == CEL_MAP && b->kind == CEL_MAP)
		return equal_maps(p, a, b);
	if (a->kind == CEL_OBJECT && b->kind == CEL_OBJECT)
		return a->as.object == b->as.object;
	/* An object that is not set is null. */
	if (a->kind == CEL_OBJECT && b->kind == CEL_NULL)
		return a->as.object == NULL;
	if (a->kind == CEL_NULL && b->kind == CEL_OBJECT)
		return b->as.object == NULL;
	return a->kind == CEL_NULL && b->kind == CEL_NULL;
}

const struct cel_value *
cel_map_get(struct cel_program *p, const struct cel_value *map, const struct cel_value *key)
{
	cel_charge(p, map->aux);
	for (uint32_t i = 0; i < map->aux; i++) {
		if (cel_equal(p, &map->as.items[2 * (size_t)i], key))
			return &map->as.items[2 * (size_t)i + 1];
	}
	return NULL;
}

struct cel_value
cel_in(struct cel_program *p, const struct cel_value *item, const struct cel_value *in)
{
	if (in->kind == CEL_MAP)
		return cel_bool(cel_map_get(p, in, item) != NULL);
	if (in->kind != CEL_LIST)
		return cel_fault(p, CEL_F_OVERLOAD);
	cel_charge(p, in->aux);
	for (uint32_t i = 0; i < in->aux; i++) {
		if (cel_equal(p, item, &in->as.items[i]))
			return cel_bool(true);
	}
	return cel_bool(false);
}

/* A number that is whole, whatever its type. */
static bool
whole_number(const struct cel_value *v, int64_t *ret)
{
	if (v->kind == CEL_INT)
		*ret = v->as.i;
	else if (v->kind == CEL_UINT && v->as.u <= INT64_MAX)
		*ret = (int64_t)v->as.u;
	else if (v->kind == CEL_DOUBLE && fabs(v->as.d) < 9007199254740992.0 &&
		 v->as.d == trunc(v->as.d))
		*ret = (int64_t)v->as.d;
	else
		return false;
	return true;
}

struct cel_value
cel_index(struct cel_program *p, const struct cel_value *of, const struct cel_value *at)
{
	const struct cel_value *found;
	int64_t i;

	if (of->kind == CEL_MAP) {
		found = cel_map_get(p, of, at);
		return found != NULL ? *found : cel_fault(p, CEL_F_KEY);
	}
	if (of->kind != CEL_LIST || !is_number(at))
		return cel_fault(p, CEL_F_OVERLOAD);
	if (!whole_number(at, &i) || i < 0 || i >= of->aux)
		return cel_fault(p, CEL_F_INDEX);
	return of->as.items[i];
}
