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
snap_member_find(struct slice members, const char *key, struct slice *ret)
{
	size_t at = 0;

	*ret = (struct slice){ 0 };
	while (at < members.len && members.ptr[at] == '"') {
		size_t colon = skip_text(members, at), end;
		struct slice name = { members.ptr + at + 1, colon - at - 2 };

		if (colon == 0 || colon >= members.len || members.ptr[colon] != ':')
			return false;
		end = skip_value(members, colon + 1);
		if (end == 0)
			return false;
		if (slice_is(name, key)) {
			*ret = (struct slice){ members.ptr + colon + 1, end - colon - 1 };
			return true;
		}
		at = end + 1; /* behind the comma */
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
