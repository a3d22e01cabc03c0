/* json.c - checked access to parsed JSON; the error names document and member. */
#include "base/json.h"

int
json_in_parse(struct slice text, const char *what, json_t **ret, struct err_info *ei)
{
	json_error_t why;
	/* A NUL inside a text is let through: users of the text stop there. */
	json_t *doc = json_loadb(text.len > 0 ? text.ptr : "", text.len,
	    JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &why);

	if (doc == NULL)
		return err_set(ei, ERR_PROTO, "%s is not JSON: line %d column %d: %s", what,
		    why.line, why.column, why.text);
	*ret = doc;
	return 0;
}

void
json_in_fail(struct json_in *in, const char *member, const char *problem)
{
	if (in->err != 0)
		return;
	in->err = err_set(in->ei, ERR_PROTO, "%s: \"%s\" %s", in->what, member, problem);
}

/* The member, or NULL: absent or null is latched unless `optional`. */
static json_t *
member_of(struct json_in *in, const json_t *obj, const char *member, bool optional)
{
	json_t *v;

	if (in->err != 0)
		return NULL;
	if (!json_is_object(obj)) {
		json_in_fail(in, member, "is asked of something that is not an object");
		return NULL;
	}
	v = json_object_get(obj, member);
	if (v != NULL && !json_is_null(v))
		return v;
	if (!optional)
		json_in_fail(in, member, v == NULL ? "is missing" : "is null");
	return NULL;
}

static int64_t
get_i64(struct json_in *in, const json_t *obj, const char *member, bool optional)
{
	json_t *v = member_of(in, obj, member, optional);

	if (v == NULL)
		return 0;
	if (!json_is_integer(v)) {
		json_in_fail(in, member, "is not an integer");
		return 0;
	}
	return json_integer_value(v);
}

static const char *
get_str(struct json_in *in, const json_t *obj, const char *member, bool optional)
{
	json_t *v = member_of(in, obj, member, optional);

	if (v == NULL)
		return "";
	if (!json_is_string(v)) {
		json_in_fail(in, member, "is not a string");
		return "";
	}
	return json_string_value(v);
}

static bool
get_bool(struct json_in *in, const json_t *obj, const char *member, bool optional)
{
	json_t *v = member_of(in, obj, member, optional);

	if (v != NULL && !json_is_boolean(v))
		json_in_fail(in, member, "is not true or false");
	return v != NULL && json_is_true(v);
}

static int64_t
get_time(struct json_in *in, const json_t *obj, const char *member, bool optional)
{
	json_t *v = member_of(in, obj, member, optional);
	int64_t ms = TIME_NONE;

	if (v != NULL &&
	    (!json_is_string(v) || time_parse(slice_str(json_string_value(v)), &ms) != 0))
		json_in_fail(in, member, "is not an RFC 3339 time");
	return ms;
}

static json_t *
get_array(struct json_in *in, const json_t *obj, const char *member, bool optional)
{
	json_t *v = member_of(in, obj, member, optional);

	if (v != NULL && !json_is_array(v)) {
		json_in_fail(in, member, "is not an array");
		return NULL;
	}
	return v;
}

int64_t
json_in_i64(struct json_in *in, const json_t *obj, const char *member)
{
	return get_i64(in, obj, member, false);
}

const char *
json_in_str(struct json_in *in, const json_t *obj, const char *member)
{
	return get_str(in, obj, member, false);
}

bool
json_in_bool(struct json_in *in, const json_t *obj, const char *member)
{
	return get_bool(in, obj, member, false);
}

int64_t
json_in_time(struct json_in *in, const json_t *obj, const char *member)
{
	return get_time(in, obj, member, false);
}

json_t *
json_in_array(struct json_in *in, const json_t *obj, const char *member)
{
	return get_array(in, obj, member, false);
}

int64_t
json_in_opt_i64(struct json_in *in, const json_t *obj, const char *member)
{
	return get_i64(in, obj, member, true);
}

const char *
json_in_opt_str(struct json_in *in, const json_t *obj, const char *member)
{
	return get_str(in, obj, member, true);
}

bool
json_in_opt_bool(struct json_in *in, const json_t *obj, const char *member)
{
	return get_bool(in, obj, member, true);
}

int64_t
json_in_opt_time(struct json_in *in, const json_t *obj, const char *member)
{
	return get_time(in, obj, member, true);
}

json_t *
json_in_opt_array(struct json_in *in, const json_t *obj, const char *member)
{
	return get_array(in, obj, member, true);
}

json_t *
json_in_opt_object(struct json_in *in, const json_t *obj, const char *member)
{
	json_t *v = member_of(in, obj, member, true);

	if (v != NULL && !json_is_object(v)) {
		json_in_fail(in, member, "is not an object");
		return NULL;
	}
	return v;
}
