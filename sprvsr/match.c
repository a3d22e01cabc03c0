/* match.c - see match.h; the server adds defaults and spells quantities its own way. */
#include "sprvsr/match.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define KEYED_MAX 256 /* elements; ours are some tens, and each is compared with all */

bool
match_quantity(const char *text, double *ret)
{
	static const struct {
		const char *suffix;
		double factor;
	} suffixes[] = { { "", 1 }, { "n", 1e-9 }, { "u", 1e-6 }, { "m", 1e-3 }, { "k", 1e3 },
		{ "M", 1e6 }, { "G", 1e9 }, { "T", 1e12 }, { "P", 1e15 }, { "E", 1e18 },
		{ "Ki", 1024 }, { "Mi", 1048576 }, { "Gi", 1073741824 },
		{ "Ti", 1099511627776.0 }, { "Pi", 1125899906842624.0 },
		{ "Ei", 1152921504606846976.0 } };
	size_t digits = strspn(text, "0123456789.");
	char *end;
	double v;

	if (digits == 0 || digits > 30)
		return false;
	v = strtod(text, &end);
	if (end != text + digits) { /* an exponent, unless it is less, or hexadecimal */
		*ret = v;
		return end > text + digits && tolower(text[digits]) == 'e' && *end == '\0';
	}
	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		if (strcmp(end, suffixes[i].suffix) == 0) {
			*ret = v * suffixes[i].factor;
			return true;
		}
	}
	return false;
}

static bool
quantity_equal(const json_t *want, const json_t *have)
{
	double a, b;

	if (json_equal(want, have))
		return true;
	if (!json_is_string(want) || !json_is_string(have) ||
	    !match_quantity(json_string_value(want), &a) ||
	    !match_quantity(json_string_value(have), &b))
		return false;
	return fabs(a - b) <= fabs(a) * 1e-9;
}

static bool
quantities_match(const json_t *want, const json_t *have)
{
	const char *key;
	json_t *v;

	json_object_foreach((json_t *)(uintptr_t)want, key, v)
	{
		const json_t *its = json_object_get(have, key);

		if (its == NULL || !quantity_equal(v, its))
			return false;
	}
	return true;
}

static const json_t *
find(const json_t *list, const char *key, const json_t *value)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *one = json_array_get(list, i);

		if (json_equal(json_object_get(one, key), value))
			return one;
	}
	return NULL;
}

/* Has each element its own value of `key`? */
static bool
is_key(const json_t *list, const char *key)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *one = json_array_get(list, i), *value = json_object_get(one, key);

		if (!json_is_string(value) || find(list, key, value) != one)
			return false;
	}
	return json_array_size(list) > 0;
}

/* What tells the elements of a list apart, or NULL: then their place does. */
static const char *
key_of(const json_t *list)
{
	static const char *const keys[] = { "name", "mountPath", "key" };

	if (json_array_size(list) > KEYED_MAX)
		return NULL;
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (is_key(list, keys[i]))
			return keys[i];
	}
	return NULL;
}

static bool
lists_match(const json_t *want, const json_t *have)
{
	const char *key = key_of(want);

	if (!json_is_array(have) ||
	    (key == NULL && json_array_size(want) != json_array_size(have)))
		return false;
	for (size_t i = 0; i < json_array_size(want); i++) {
		const json_t *one = json_array_get(want, i);
		const json_t *its = key == NULL ? json_array_get(have, i)
						: find(have, key, json_object_get(one, key));

		if (its == NULL || !match_subset(one, its))
			return false;
	}
	return true;
}

/* What an apply replaces whole: more than is wanted in it is a difference. */
static bool
is_atomic(const char *key)
{
	return strcmp(key, "selector") == 0 || strcmp(key, "items") == 0;
}

static bool
objects_match(const json_t *want, const json_t *have)
{
	const char *key;
	json_t *v;

	json_object_foreach((json_t *)(uintptr_t)want, key, v)
	{
		const json_t *its = json_object_get(have, key);

		if (its == NULL && json_is_object(v) && json_object_size(v) == 0)
			continue;
		if (its == NULL)
			return false;
		if (is_atomic(key)) {
			if (!json_equal(v, its))
				return false;
		} else if (strcmp(key, "limits") == 0 || strcmp(key, "requests") == 0) {
			if (!quantities_match(v, its))
				return false;
		} else if (strcmp(key, "sizeLimit") == 0) {
			if (!quantity_equal(v, its))
				return false;
		} else if (!match_subset(v, its)) {
			return false;
		}
	}
	return true;
}

bool
match_subset(const json_t *want, const json_t *have)
{
	if (json_is_object(want))
		return json_is_object(have) && objects_match(want, have);
	if (json_is_array(want))
		return lists_match(want, have);
	return json_equal(want, have) != 0;
}
