/* fields.c - field masks. */
#include "fcgi/fields.h"

#include <ctype.h>
#include <string.h>

const char *
field_key(unsigned f)
{
	static const char *const joined[] = { "body", "closedBy", "assignees", "reporter",
		"mergedBy", "requestedReviewers", "comments", "reviews", "reviewComments" };

	return f < SNAP_M_COUNT ? snap_member_key((enum snap_member)f)
				: joined[f - SNAP_M_COUNT];
}

/* Equal, when every "_x" of `path` is read as "X". */
static bool
names(struct slice path, const char *key)
{
	size_t i = 0;

	for (; i < path.len && *key != '\0'; i++, key++) {
		char c = path.ptr[i];

		if (c == '_' && i + 1 < path.len)
			c = (char)toupper((unsigned char)path.ptr[++i]);
		if (c != *key)
			return false;
	}
	return i == path.len && *key == '\0';
}

static int
parse_path(struct slice path, uint64_t *fields, struct err_info *ei)
{
	for (unsigned f = 0; f < FIELD_COUNT; f++) {
		if (names(path, field_key(f))) {
			*fields |= FIELD_BIT(f);
			return 0;
		}
	}
	return err_set(ei, ERR_INVAL, "fieldMask: an issue has no field \"%.*s\"",
	    (int)(path.len < 100 ? path.len : 100), path.ptr);
}

int
fields_parse(struct slice mask, uint64_t *ret, struct err_info *ei)
{
	const char *at = mask.ptr, *end;
	uint64_t fields = 0;

	if (mask.len == 0) {
		*ret = FIELDS_DEFAULT;
		return 0;
	}
	end = mask.ptr + mask.len;
	while (at <= end) {
		const char *comma = memchr(at, ',', (size_t)(end - at));
		const char *stop = comma != NULL ? comma : end;
		int rc = parse_path((struct slice){ at, (size_t)(stop - at) }, &fields, ei);

		if (rc != 0)
			return rc;
		at = stop + 1;
	}
	*ret = fields;
	return 0;
}
