/* csv.c - cells out of stored members, without a parser of JSON: only texts are decoded. */
#include "fcgi/csv.h"

#include <string.h>

#include "base/json_text.h"

/* Where the cells of one row go. */
struct row {
	struct snap_view *view;
	const struct snap_issue *issue;
	struct buf *scratch, *out;
	bool raw;
};

static bool
is_formula(struct slice text)
{
	return text.len > 0 && strchr("=+-@\t\r", text.ptr[0]) != NULL && text.ptr[0] != '\0';
}

static bool
needs_quotes(struct slice text)
{
	return memchr(text.ptr, ',', text.len) != NULL ||
	       memchr(text.ptr, '"', text.len) != NULL ||
	       memchr(text.ptr, '\n', text.len) != NULL ||
	       memchr(text.ptr, '\r', text.len) != NULL;
}

static void
add_doubling_quotes(struct buf *out, struct slice text)
{
	while (text.len > 0) {
		const char *quote = memchr(text.ptr, '"', text.len);
		size_t n = quote != NULL ? (size_t)(quote - text.ptr) + 1 : text.len;

		buf_add(out, text.ptr, n);
		if (quote != NULL)
			buf_char(out, '"');
		text = (struct slice){ text.ptr + n, text.len - n };
	}
}

/* A text of somebody's. */
static void
add_cell(struct row *r, struct slice text)
{
	bool formula = !r->raw && is_formula(text);
	bool quotes = text.len > 0 && needs_quotes(text);

	if (quotes)
		buf_char(r->out, '"');
	if (formula)
		buf_char(r->out, '\'');
	if (quotes)
		add_doubling_quotes(r->out, text);
	else
		buf_slice(r->out, text);
	if (quotes)
		buf_char(r->out, '"');
}

/* What was gathered in scratch. */
static int
end_cell(struct row *r)
{
	add_cell(r, r->scratch->len > 0 ? buf_view(r->scratch) : SLICE(""));
	return buf_err(r->scratch);
}

/* The text of a JSON string; `json` begins behind its quotation mark.  Its escaped length. */
static size_t
string_len(struct slice json)
{
	size_t i = 0;

	while (i < json.len && json.ptr[i] != '"')
		i += json.ptr[i] == '\\' ? 2 : 1;
	return i < json.len ? i : json.len;
}

/* The texts of an array of texts, joined. */
static int
add_texts(struct row *r, struct slice array)
{
	size_t i = 1;
	int rc = 0;

	buf_reset(r->scratch);
	while (rc == 0 && i < array.len && array.ptr[i] == '"') {
		struct slice rest = { array.ptr + i + 1, array.len - i - 1 };
		size_t len = string_len(rest);

		if (r->scratch->len > 0)
			buf_str(r->scratch, ", ");
		rc = json_text_unescape(r->scratch, (struct slice){ rest.ptr, len });
		i += len + 3; /* both quotation marks and the comma */
	}
	return rc == 0 ? end_cell(r) : rc;
}

/* Of an object the member that stands for it. */
static struct slice
of_object(enum snap_member m, struct slice object)
{
	static const struct {
		enum snap_member member;
		const char *key;
	} shown[] = { { SNAP_M_MILESTONE, "title" }, { SNAP_M_REACTIONS, "totalCount" },
		{ SNAP_M_BASE, "ref" }, { SNAP_M_HEAD, "ref" } };
	struct slice members = { object.ptr + 1, object.len - 2 }, value = { 0 };

	for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++) {
		if (shown[i].member == m && snap_member_find(members, shown[i].key, &value))
			return value;
	}
	return SLICE("null");
}

static int
add_value(struct row *r, struct slice json)
{
	int rc;

	if (json.len == 0 || slice_is(json, "null"))
		return 0;
	if (json.ptr[0] == '[')
		return add_texts(r, json);
	if (json.ptr[0] != '"') { /* a number, true or false */
		buf_slice(r->out, json);
		return 0;
	}
	if (json.len < 2)
		return ERR_CORRUPT;
	buf_reset(r->scratch);
	rc = json_text_unescape(r->scratch, (struct slice){ json.ptr + 1, json.len - 2 });
	return rc == 0 ? end_cell(r) : rc;
}

static int
add_stored(struct row *r, enum snap_member m)
{
	struct slice json = snap_issue_value(r->issue, m);

	if (json.len > 1 && json.ptr[0] == '{')
		json = of_object(m, json);
	return add_value(r, json);
}

/* --- what is joined --- */

static int
gather_login(struct row *r, int64_t id)
{
	struct slice login;
	int rc;

	if (id == 0)
		return 0;
	rc = snap_user_login(r->view, id, &login);
	if (rc == ERR_NOENT)
		return 0;
	if (rc == 0 && r->scratch->len > 0)
		buf_str(r->scratch, ", ");
	return rc == 0 ? json_text_unescape(r->scratch, login) : rc;
}

static int
add_users(struct row *r, uint32_t count, int64_t (*at)(const struct snap_issue *, uint32_t))
{
	int rc = 0;

	buf_reset(r->scratch);
	for (uint32_t n = 0; n < count && rc == 0; n++)
		rc = gather_login(r, at(r->issue, n));
	return rc == 0 ? end_cell(r) : rc;
}

static int
add_user(struct row *r, int64_t id)
{
	int rc;

	buf_reset(r->scratch);
	rc = gather_login(r, id);
	return rc == 0 ? end_cell(r) : rc;
}

static int
add_joined(struct row *r, unsigned f)
{
	const struct snap_issue *i = r->issue;
	struct slice body = { 0 };
	int rc;

	switch (f) {
	case FIELD_BODY:
		rc = snap_body_get(r->view, i->number, &body);
		return rc == 0 ? add_value(r, body) : rc;
	case FIELD_CLOSED_BY:
		return add_user(r, snap_issue_closed_by(i));
	case FIELD_ASSIGNEES:
		return add_users(r, i->assignee_count, snap_issue_assignee);
	case FIELD_REPORTER:
		return add_user(r, snap_issue_reporter(i));
	case FIELD_MERGED_BY:
		return add_user(r, snap_issue_merged_by(i));
	case FIELD_REQUESTED_REVIEWERS:
		return add_users(r, i->reviewer_count, snap_issue_reviewer);
	default:
		return 0;
	}
}

/* --- rows --- */

void
csv_head(uint64_t fields, struct buf *out)
{
	bool first = true;

	for (unsigned f = 0; f < FIELD_COUNT; f++) {
		if ((fields & FIELD_BIT(f)) == 0)
			continue;
		if (!first)
			buf_char(out, ',');
		first = false;
		buf_str(out, field_key(f));
	}
	buf_str(out, "\r\n");
}

int
csv_row(struct snap_view *v, const struct snap_issue *i, uint64_t fields, bool raw,
    struct buf *scratch, struct buf *out)
{
	struct row r = { v, i, scratch, out, raw };
	bool first = true;
	int rc = 0;

	for (unsigned f = 0; f < FIELD_COUNT && rc == 0; f++) {
		if ((fields & FIELD_BIT(f)) == 0)
			continue;
		if (!first)
			buf_char(out, ',');
		first = false;
		rc = f < SNAP_M_COUNT ? add_stored(&r, (enum snap_member)f) : add_joined(&r, f);
	}
	buf_str(out, "\r\n");
	return rc;
}
