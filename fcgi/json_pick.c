/*
 * json_pick.c - taking members out of rendered JSON.
 *
 * In place: what is kept moves towards the beginning and never past what is still to be
 * read, since only bytes that stood there are written, in their order, and fewer.
 */
#include "fcgi/json_pick.h"

struct pick {
	unsigned field;
	uint64_t paths;
	char *to; /* end of what is kept */
};

enum choice {
	DROP,
	KEEP,
	LOOK_INSIDE
};

static void
keep(struct pick *p, const char *from, size_t len)
{
	memmove(p->to, from, len);
	p->to += len;
}

/* What to do with member `key` of the object that is member `parent` ("" = the value). */
static enum choice
choose(const struct pick *p, struct slice parent, struct slice key)
{
	enum choice choice = DROP;
	const char *path;

	for (unsigned n = 0; (path = field_path(p->field, n)) != NULL; n++) {
		if ((p->paths >> n & 1) == 0)
			continue;
		if (parent.len > 0) {
			if (strncmp(path, parent.ptr, parent.len) != 0 ||
			    path[parent.len] != '.')
				continue;
			path += parent.len + 1;
		}
		if (strncmp(path, key.ptr, key.len) != 0)
			continue;
		if (path[key.len] == '\0')
			return KEEP;
		if (path[key.len] == '.')
			choice = LOOK_INSIDE;
	}
	return choice;
}

static int pick_value(struct pick *p, struct slice parent, struct slice value);

static int
pick_members(struct pick *p, struct slice parent, struct slice rest)
{
	struct slice key, value;
	bool first = true;

	while (snap_member_next(&rest, &key, &value)) {
		enum choice choice = choose(p, parent, key);
		char name[32];
		int rc = 0;

		if (choice == DROP)
			continue;
		if (key.len > sizeof(name))
			return ERR_CORRUPT;     /* longer than any that is known */
		memcpy(name, key.ptr, key.len); /* its place may be written to */
		if (!first)
			keep(p, ",", 1);
		first = false;
		keep(p, key.ptr - 1, key.len + 3); /* quotation marks and colon */
		if (choice == KEEP)
			keep(p, value.ptr, value.len);
		else
			rc = pick_value(p, (struct slice){ name, key.len }, value);
		if (rc != 0)
			return rc;
	}
	return rest.len == 0 ? 0 : ERR_CORRUPT;
}

static int
pick_elements(struct pick *p, struct slice parent, struct slice rest)
{
	struct slice value;
	bool first = true;

	while (snap_element_next(&rest, &value)) {
		int rc;

		if (!first)
			keep(p, ",", 1);
		first = false;
		rc = pick_value(p, parent, value);
		if (rc != 0)
			return rc;
	}
	return rest.len == 0 ? 0 : ERR_CORRUPT;
}

static int
pick_value(struct pick *p, struct slice parent, struct slice value)
{
	char open = value.len >= 2 ? value.ptr[0] : '\0', close;
	struct slice inside = { value.ptr + 1, value.len - 2 };
	int rc;

	if (open != '{' && open != '[') {
		keep(p, value.ptr, value.len);
		return 0;
	}
	close = open == '{' ? '}' : ']';
	if (value.ptr[value.len - 1] != close)
		return ERR_CORRUPT;
	keep(p, &open, 1);
	rc = open == '{' ? pick_members(p, parent, inside) : pick_elements(p, parent, inside);
	keep(p, &close, 1);
	return rc;
}

int
json_pick(struct buf *out, size_t from, unsigned f, uint64_t paths)
{
	struct pick p = { f, paths, NULL };
	int rc;

	if (buf_err(out) != 0) /* latched; there may be nothing behind `from` */
		return 0;
	p.to = out->ptr + from;
	rc = pick_value(&p, SLICE(""), (struct slice){ out->ptr + from, out->len - from });
	out->len = (size_t)(p.to - out->ptr);
	return rc;
}
