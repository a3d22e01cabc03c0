/*
 * cel-eval - evaluates cases of the expression language: a JSON object a line on
 * standard input, a result a line on standard output.
 *
 *   {"name":.., "expr":.., "bindings":{NAME:VALUE}, "types":{NAME:TEXT}, "disable_check":BOOL}
 *   {"name":.., "value":VALUE}  or  {"name":.., "error":TEXT}
 *
 * VALUE is {"type":.., "value":..}; numbers are texts, a map is a list of pairs.  A map
 * that is bound without a type "map(..)" is an object with just these fields.  "filter"
 * may stand for "expr"; an empty one is true, and false where "nil_message" is.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/cel/cel.h"
#include "base/digest.h"

#define FIELDS_MAX 1000
#define DEPTH_MAX 100

/* What is bound in one case: every field of every object by its id. */
struct bound {
	struct arena arena;
	json_t *values[FIELDS_MAX];
	const struct cel_type *types[FIELDS_MAX];
	uint32_t count;
};

static const struct cel_type list_of_dyn = { .kind = CEL_LIST, .elem = &cel_type_dyn };
static const struct cel_type map_of_dyn = {
	.kind = CEL_MAP, .key = &cel_type_dyn, .elem = &cel_type_dyn
};

static const char *
text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text != NULL ? text : "";
}

static struct slice
slice_of(const json_t *string)
{
	return (struct slice){ json_string_value(string), json_string_length(string) };
}

/* --- values in --- */

static bool read_value(struct arena *a, const json_t *v, struct cel_value *ret);

static bool
read_items(struct arena *a, const json_t *from, uint32_t width, struct cel_value *ret)
{
	size_t count = json_array_size(from);
	struct cel_value *items = arena_alloc(a, (count * width + 1) * sizeof(*items));

	for (size_t i = 0; i < count * width; i++) {
		const json_t *item = json_array_get(from, i / width);

		if (width == 2)
			item = json_array_get(item, i % 2);
		if (items == NULL || !read_value(a, item, &items[i]))
			return false;
	}
	ret->kind = width == 2 ? CEL_MAP : CEL_LIST;
	ret->aux = (uint32_t)count;
	ret->as.items = items;
	return true;
}

static bool
read_number(const char *type, const char *text, struct cel_value *ret)
{
	char *end = NULL;

	if (strcmp(type, "int") == 0)
		*ret = cel_int(strtoll(text, &end, 10));
	else if (strcmp(type, "uint") == 0)
		*ret = (struct cel_value){ .kind = CEL_UINT, .as.u = strtoull(text, &end, 10) };
	else if (strcmp(type, "double") == 0)
		*ret = (struct cel_value){ .kind = CEL_DOUBLE, .as.d = strtod(text, &end) };
	else
		return false;
	return end != text && *end == '\0';
}

static bool
read_bytes(struct arena *a, struct slice text, struct cel_value *ret)
{
	char *out = arena_alloc(a, text.len + 1);
	size_t len;

	while (text.len > 0 && text.ptr[text.len - 1] == '=')
		text.len--;
	len = base64url_decode(text, out, text.len);
	*ret = cel_string((struct slice){ out, len });
	ret->kind = CEL_BYTES;
	return len != SIZE_MAX;
}

static bool
read_value(struct arena *a, const json_t *v, struct cel_value *ret)
{
	const char *type = text_of(v, "type");
	const json_t *value = json_object_get(v, "value");

	memset(ret, 0, sizeof(*ret));
	ret->kind = CEL_NULL;
	if (strcmp(type, "null") == 0)
		return true;
	if (strcmp(type, "bool") == 0)
		*ret = cel_bool(json_is_true(value));
	else if (strcmp(type, "list") == 0)
		return read_items(a, value, 1, ret);
	else if (strcmp(type, "map") == 0)
		return read_items(a, value, 2, ret);
	else if (!json_is_string(value))
		return false;
	else if (strcmp(type, "string") == 0)
		*ret = cel_string(slice_of(value));
	else if (strcmp(type, "bytes") == 0)
		return read_bytes(a, slice_of(value), ret);
	else if (strcmp(type, "timestamp") == 0)
		return cel_parse_timestamp(slice_of(value), ret);
	else if (strcmp(type, "duration") == 0)
		return cel_parse_duration(slice_of(value), ret);
	else
		return read_number(type, json_string_value(value), ret);
	return true;
}

static int
resolve(void *ctx, const struct cel_value *object, uint32_t field, struct arena *scratch,
    struct cel_value *ret)
{
	struct bound *b = ctx;
	const json_t *v = b->values[field];

	if (b->types[field]->kind == CEL_OBJECT) {
		*ret = (struct cel_value){ .kind = CEL_OBJECT, .as.object = v };
		return 0;
	}
	(void)object; /* ids of fields are unique in all of them */
	(void)scratch;
	return read_value(&b->arena, v, ret) ? 0 : ERR_INVAL;
}

/* --- types --- */

static bool add_object(
    struct bound *b, const char *name, const json_t *pairs, int depth, struct cel_object **ret);

static const struct cel_type *
type_of(struct bound *b, const char *name, const json_t *v, const char *declared, int depth)
{
	static const struct {
		const char *name;
		const struct cel_type *type;
	} types[] = { { "bool", &cel_type_bool }, { "int", &cel_type_int },
		{ "uint", &cel_type_uint }, { "double", &cel_type_double },
		{ "string", &cel_type_string }, { "bytes", &cel_type_bytes },
		{ "timestamp", &cel_type_timestamp }, { "duration", &cel_type_duration },
		{ "list", &list_of_dyn }, { "null", &cel_type_null } };
	const char *type = text_of(v, "type");
	struct cel_object *object;
	struct cel_type *made;

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (strcmp(type, types[i].name) == 0)
			return types[i].type;
	}
	if (strncmp(declared, "map(", 4) == 0)
		return &map_of_dyn;
	made = arena_alloc(&b->arena, sizeof(*made));
	if (made == NULL || depth > DEPTH_MAX ||
	    !add_object(b, name, json_object_get(v, "value"), depth + 1, &object))
		return NULL;
	*made = (struct cel_type){ .kind = CEL_OBJECT, .object = object };
	return made;
}

static bool
add_field(struct bound *b, struct cel_object *o, const char *name, json_t *v,
    const char *declared, int depth)
{
	struct cel_field *f = (struct cel_field *)&o->fields[o->field_count];

	if (b->count == FIELDS_MAX)
		return false;
	*f = (struct cel_field){ .name = name, .id = b->count, .cost = CEL_COST_HEAD };
	b->values[b->count++] = v;
	f->type = type_of(b, name, v, declared, depth);
	b->types[f->id] = f->type;
	o->field_count++;
	return f->type != NULL;
}

static struct cel_object *
new_object(struct bound *b, const char *name, size_t fields)
{
	struct cel_object *o = arena_alloc(&b->arena, sizeof(*o));

	if (o != NULL) {
		o->name = name;
		o->fields = arena_alloc(&b->arena, (fields + 1) * sizeof(*o->fields));
	}
	return o != NULL && o->fields != NULL ? o : NULL;
}

static bool
add_object(
    struct bound *b, const char *name, const json_t *pairs, int depth, struct cel_object **ret)
{
	struct cel_object *o = new_object(b, name, json_array_size(pairs));
	size_t i;
	json_t *pair;

	if (o == NULL)
		return false;
	json_array_foreach(pairs, i, pair)
	{
		const json_t *key = json_array_get(pair, 0);

		if (!add_field(b, o, text_of(key, "value"), json_array_get(pair, 1), "", depth))
			return false;
	}
	*ret = o;
	return true;
}

static struct cel_object *
declare(struct bound *b, json_t *one)
{
	json_t *bindings = json_object_get(one, "bindings"), *value;
	const json_t *types = json_object_get(one, "types");
	struct cel_object *vars = new_object(b, "variables", json_object_size(bindings));
	const char *name;

	if (vars == NULL)
		return NULL;
	json_object_foreach(bindings, name, value)
	{
		if (!add_field(b, vars, name, value, text_of(types, name), 0))
			return NULL;
	}
	return vars;
}

/* --- values out --- */

static json_t *
show(const char *type, json_t *value)
{
	return json_pack("{s:s,s:o}", "type", type, "value", value);
}

static json_t *write_value(const struct cel_value *v);

static json_t *
write_list(const struct cel_value *v)
{
	json_t *out = json_array();

	for (uint32_t i = 0; i < v->aux; i++)
		json_array_append_new(out, write_value(&v->as.items[i]));
	return show("list", out);
}

static json_t *
write_map(const struct cel_value *v)
{
	json_t *out = json_array();

	for (size_t i = 0; i < v->aux; i++)
		json_array_append_new(out, json_pack("[o,o]", write_value(&v->as.items[2 * i]),
					       write_value(&v->as.items[2 * i + 1])));
	return show("map", out);
}

static json_t *
write_bytes(const struct cel_value *v)
{
	char *out = malloc(4 * ((size_t)v->aux + 2) / 3 + 8);
	json_t *text;

	base64_encode(v->as.text, v->aux, out);
	text = json_string(out);
	free(out);
	return show("bytes", text);
}

static json_t *
write_value(const struct cel_value *v)
{
	char text[CEL_TEXT_MAX];

	switch ((enum cel_kind)v->kind) {
	case CEL_NULL:
		return show("null", json_null());
	case CEL_BOOL:
		return show("bool", json_boolean(v->as.truth));
	case CEL_INT:
		snprintf(text, sizeof(text), "%lld", (long long)v->as.i);
		return show("int", json_string(text));
	case CEL_UINT:
		snprintf(text, sizeof(text), "%llu", (unsigned long long)v->as.u);
		return show("uint", json_string(text));
	case CEL_DOUBLE:
		cel_format_double(v->as.d, text);
		return show("double", json_string(text));
	case CEL_STRING:
		return show("string", json_stringn(v->aux > 0 ? v->as.text : "", v->aux));
	case CEL_BYTES:
		return write_bytes(v);
	case CEL_TIMESTAMP:
		cel_format_timestamp(v, text);
		return show("timestamp", json_string(text));
	case CEL_DURATION:
		cel_format_duration(v, text);
		return show("duration", json_string(text));
	case CEL_LIST:
		return write_list(v);
	case CEL_MAP:
		return write_map(v);
	default:
		return show("object", json_null());
	}
}

/* --- a case --- */

static json_t *
run(struct bound *b, json_t *one, struct slice expr, struct err_info *ei)
{
	struct cel_env env = { .vars = declare(b, one),
		.unchecked = json_is_true(json_object_get(one, "disable_check")) };
	struct cel_program *p = NULL;
	struct cel_value v;
	json_t *value = NULL;

	if (env.vars == NULL) {
		err_set(ei, ERR_INVAL, "the bindings cannot be read");
		return NULL;
	}
	if (cel_compile(expr, &env, &p, ei) == 0) {
		cel_set_budget(p, 10000000);
		if (cel_eval(p, resolve, b, &v, ei) == 0) {
			if (v.kind == CEL_ERROR)
				cel_error_text(p, &v, ei);
			else
				value = write_value(&v);
		}
	}
	cel_free(p);
	return value;
}

static json_t *
answer(json_t *one)
{
	static struct bound b;
	const json_t *expr = json_object_get(one, "expr");
	struct err_info ei = { .text = "" };
	json_t *value = NULL;

	if (expr == NULL)
		expr = json_object_get(one, "filter");
	b.count = 0;
	arena_init(&b.arena, (size_t)64 << 20);
	if (!json_is_string(expr))
		err_set(&ei, ERR_INVAL, "the case has no expression");
	else if (json_is_true(json_object_get(one, "nil_message")))
		value = show("bool", json_false());
	else if (json_string_length(expr) == 0 && json_object_get(one, "filter") == expr)
		value = show("bool", json_true());
	else
		value = run(&b, one, slice_of(expr), &ei);
	arena_clear(&b.arena);
	return value != NULL ? json_pack("{s:O?,s:o}", "name", json_object_get(one, "name"),
				   "value", value)
			     : json_pack("{s:O?,s:s}", "name", json_object_get(one, "name"),
				   "error", ei.text[0] != '\0' ? ei.text : "failed");
}

int
main(void)
{
	char *line = NULL;
	size_t size = 0;
	ssize_t len;

	while ((len = getline(&line, &size, stdin)) >= 0) {
		json_error_t why;
		json_t *one = json_loadb(line, (size_t)len, JSON_ALLOW_NUL, &why), *out;

		if (one == NULL) {
			fprintf(stderr, "cel-eval: %s\n", why.text);
			free(line);
			return 2;
		}
		out = answer(one);
		json_dumpf(out, stdout, JSON_COMPACT);
		putchar('\n');
		fflush(stdout);
		json_decref(out);
		json_decref(one);
	}
	free(line);
	return 0;
}
