/* payload.c - following the nesting of JSON, no more: values are the parser's. */
#include "router/payload.h"

#include "base/json.h"

#define NO_MATCH SIZE_MAX

static const char key[] = "repository";

void
payload_init(struct payload *p)
{
	*p = (struct payload){ .matched = NO_MATCH };
	buf_init(&p->kept, PAYLOAD_KEPT_MAX);
}

void
payload_clear(struct payload *p)
{
	buf_clear(&p->kept);
}

/* A character inside a text. */
static void
text_char(struct payload *p, char c)
{
	if (p->escaped) {
		p->escaped = false;
	} else if (c == '\\') {
		p->escaped = true;
		p->matched = NO_MATCH;
	} else if (c == '"') {
		p->in_text = false;
		p->key_done = p->matched == sizeof(key) - 1;
	} else if (p->matched != NO_MATCH) {
		p->matched = p->matched < sizeof(key) - 1 && c == key[p->matched]
				 ? p->matched + 1
				 : NO_MATCH;
	}
}

static void
begin_text(struct payload *p)
{
	p->in_text = true;
	p->key_done = false;
	p->matched = p->depth == 1 && !p->keeping ? 0 : NO_MATCH;
}

/* The value has ended in front of what follows it: a comma, or the end of the whole. */
static void
end_value(struct payload *p)
{
	p->keeping = false;
	p->found = true;
}

static void
plain_char(struct payload *p, char c)
{
	if (c == '"')
		begin_text(p);
	else if (c == '{' || c == '[')
		p->depth++;
	else if ((c == '}' || c == ']') && p->depth > 0)
		p->depth--;
	if (p->keeping && ((c == ',' && p->depth == 1) || p->depth == 0)) {
		end_value(p);
		return;
	}
	if (c == ':' && p->key_done && p->depth == 1 && !p->found) {
		p->keeping = true;
		p->key_done = false;
		return;
	}
	if (c != ' ' && c != '\t' && c != '\n' && c != '\r' && c != '"')
		p->key_done = false;
}

void
payload_add(struct payload *p, struct slice piece)
{
	for (size_t i = 0; i < piece.len; i++) {
		bool before = p->keeping;
		char c = piece.ptr[i];

		if (p->in_text)
			text_char(p, c);
		else
			plain_char(p, c);
		if (before && p->keeping)
			buf_char(&p->kept, c);
	}
}

int
payload_name(const struct payload *p, char ret[REPO_NAME_MAX + 1], struct err_info *ei)
{
	struct json_in in = { .what = "webhook: repository", .ei = ei };
	struct slice text = buf_view(&p->kept), owner;
	json_t *doc = NULL;
	const char *name, *slash;
	int rc;

	if (!p->found)
		return err_set(ei, ERR_NOENT, "webhook: no repository in the payload");
	if (buf_err(&p->kept) != 0)
		return err_set(ei, buf_err(&p->kept), "webhook: repository is too long");
	rc = json_in_parse(text, "webhook: repository", &doc, ei);
	if (rc != 0)
		return rc;
	name = json_in_str(&in, doc, "full_name");
	slash = strchr(name, '/');
	owner = (struct slice){ name, slash != NULL ? (size_t)(slash - name) : 0 };
	if (in.err == 0 &&
	    (slash == NULL || !repo_part_ok(owner) || !repo_part_ok(slice_str(slash + 1))))
		in.err = err_set(ei, ERR_PROTO,
		    "webhook: repository.full_name is not of the form owner/name");
	if (in.err == 0)
		memcpy(ret, name, strlen(name) + 1);
	json_decref(doc);
	return in.err;
}
