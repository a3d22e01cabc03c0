/* snap_member.c - finding one of the rendered members of a row. */
#include "lmdb-schema/snap_internal.h"

/* One past the closing quotation mark of the text that begins at `at`; 0 if it has none. */
static size_t
skip_text(struct slice s, size_t at)
{
	for (at++; at < s.len; at++) {
		if (s.ptr[at] == '\\')
			at++;
		else if (s.ptr[at] == '"')
			return at + 1;
	}
	return 0;
}

/* One past the value that begins at `at`; 0 when it does not end. */
static size_t
skip_value(struct slice s, size_t at)
{
	size_t depth = 0;

	while (at < s.len) {
		char c = s.ptr[at];

		if (depth == 0 && (c == ',' || c == '}' || c == ']'))
			return at;
		if (c == '"') {
			at = skip_text(s, at);
			if (at == 0)
				return 0;
			continue;
		}
		if (c == '{' || c == '[')
			depth++;
		else if (c == '}' || c == ']')
			depth--;
		at++;
	}
	return depth == 0 ? at : 0;
}

bool
snap_element_next(struct slice *rest, struct slice *ret_value)
{
	size_t end = skip_value(*rest, 0);
	bool last = end == rest->len;

	/* A comma is followed by something. */
	if (end == 0 || (!last && (rest->ptr[end] != ',' || end + 1 == rest->len)))
		return false;
	*ret_value = (struct slice){ rest->ptr, end };
	end += last ? 0 : 1;
	*rest = (struct slice){ rest->ptr + end, rest->len - end };
	return true;
}

bool
snap_member_next(struct slice *rest, struct slice *ret_key, struct slice *ret_value)
{
	struct slice behind;
	size_t colon;

	if (rest->len == 0 || rest->ptr[0] != '"')
		return false;
	colon = skip_text(*rest, 0);
	if (colon == 0 || colon >= rest->len || rest->ptr[colon] != ':')
		return false;
	behind = (struct slice){ rest->ptr + colon + 1, rest->len - colon - 1 };
	*ret_key = (struct slice){ rest->ptr + 1, colon - 2 };
	if (!snap_element_next(&behind, ret_value))
		return false;
	*rest = behind;
	return true;
}

bool
snap_member_find(struct slice members, const char *key, struct slice *ret)
{
	struct slice name, value;

	*ret = (struct slice){ 0 };
	while (snap_member_next(&members, &name, &value)) {
		if (slice_is(name, key)) {
			*ret = value;
			return true;
		}
	}
	return false;
}

struct slice
snap_member_text(struct slice members, const char *key)
{
	struct slice v;

	if (!snap_member_find(members, key, &v) || v.len < 2 || v.ptr[0] != '"')
		return (struct slice){ 0 };
	return (struct slice){ v.ptr + 1, v.len - 2 };
}
