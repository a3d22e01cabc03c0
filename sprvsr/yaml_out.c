/* yaml_out.c - see yaml_out.h.  A quoted JSON text is a double-quoted YAML text, too. */
#include "sprvsr/yaml_out.h"

#include "base/json_text.h"

static void value(struct buf *out, const json_t *v, unsigned depth, bool in_list);

static void
indent(struct buf *out, unsigned depth)
{
	for (unsigned i = 0; i < depth; i++)
		buf_str(out, "  ");
}

static void
members(struct buf *out, const json_t *v, unsigned depth, bool in_list)
{
	const char *key;
	bool first = in_list; /* the first stands behind the dash */
	json_t *one;

	json_object_foreach((json_t *)(uintptr_t)v, key, one)
	{
		if (!first)
			indent(out, depth);
		first = false;
		if (strspn(key,
			"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-./0123456789") ==
			strlen(key) &&
		    key[0] > '9')
			buf_str(out, key);
		else
			json_text_quote(out, slice_str(key));
		buf_char(out, ':');
		value(out, one, depth + 1, false);
	}
}

static void
elements(struct buf *out, const json_t *v, unsigned depth)
{
	for (size_t i = 0; i < json_array_size(v); i++) {
		indent(out, depth - 1);
		buf_str(out, "-");
		value(out, json_array_get(v, i), depth, true);
	}
}

static void
value(struct buf *out, const json_t *v, unsigned depth, bool in_list)
{
	if (json_is_object(v) && json_object_size(v) > 0) {
		buf_char(out, in_list ? ' ' : '\n');
		members(out, v, depth, in_list);
		return;
	}
	if (json_is_array(v) && json_array_size(v) > 0) {
		buf_char(out, '\n');
		elements(out, v, in_list ? depth + 1 : depth);
		return;
	}
	buf_char(out, ' ');
	if (json_is_string(v))
		json_text_quote(out, slice_str(json_string_value(v)));
	else if (json_is_integer(v))
		buf_i64(out, json_integer_value(v));
	else
		buf_str(out, json_is_object(v)  ? "{}"
			     : json_is_array(v) ? "[]"
			     : json_is_true(v)  ? "true"
			     : json_is_false(v) ? "false"
						: "null");
	buf_char(out, '\n');
}

void
yaml_document_out(struct buf *out, const json_t *v)
{
	buf_str(out, "---\n");
	members(out, v, 0, false);
}
