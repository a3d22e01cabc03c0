/*
 * json_issue.c - stored members are copied in one run when all are wanted; users
 * are joined by id, comments, reviews and line comments come from their own tables.
 */
#include "fcgi/json_issue.h"

#include <stdlib.h>

static int
add_user(struct snap_view *v, int64_t id, struct buf *out)
{
	int rc;

	if (id == 0) {
		buf_str(out, "null");
		return 0;
	}
	rc = snap_user_add(v, id, out);
	if (rc == ERR_NOENT) /* known by id only */
		buf_fmt(out, "{\"id\":%lld,\"login\":\"\"}", (long long)id);
	return rc == ERR_NOENT ? 0 : rc;
}

static void
add_key(struct buf *out, bool *first, const char *key)
{
	if (!*first)
		buf_char(out, ',');
	*first = false;
	buf_char(out, '"');
	buf_str(out, key);
	buf_str(out, "\":");
}

/* Appends what is stored, and takes out of *fields what needs no more. */
static void
add_stored(const struct snap_issue *i, uint64_t *all, bool *first, struct buf *out)
{
	const uint64_t run = FIELDS_STORED | FIELD_BIT(FIELD_BODY);
	uint64_t fields = *all;
	struct slice both;

	*all &= ~FIELDS_STORED;
	if ((fields & run) == run && snap_issue_members_and_body(i, &both)) {
		buf_slice(out, both);
		*all &= ~FIELD_BIT(FIELD_BODY);
		*first = false;
		return;
	}
	if ((fields & FIELDS_STORED) == FIELDS_STORED) {
		buf_slice(out, snap_issue_members(i));
		*first = false;
		return;
	}
	for (unsigned m = 0; m < SNAP_M_COUNT; m++) {
		if ((fields & FIELD_BIT(m)) == 0)
			continue;
		if (!*first)
			buf_char(out, ',');
		*first = false;
		buf_slice(out, snap_issue_member(i, (enum snap_member)m));
	}
}

static int
add_users(struct snap_view *v, const struct snap_issue *i, uint32_t count,
    int64_t (*at)(const struct snap_issue *, uint32_t), struct buf *out)
{
	int rc = 0;

	buf_char(out, '[');
	for (uint32_t n = 0; n < count && rc == 0; n++) {
		if (n > 0)
			buf_char(out, ',');
		rc = add_user(v, at(i, n), out);
	}
	buf_char(out, ']');
	return rc;
}

/* --- comments and reviews --- */

static int
add_child(
    struct snap_view *v, enum snap_child_kind kind, const struct snap_child *c, struct buf *out)
{
	int rc;

	buf_char(out, '{');
	buf_slice(out, c->members);
	buf_str(out, kind == SNAP_REVIEW ? ",\"actor\":" : ",\"user\":");
	rc = add_user(v, c->actor, out);
	buf_char(out, '}');
	return rc;
}

static int
compare_children(const void *a, const void *b)
{
	const struct snap_child *x = a, *y = b;

	if (x->created_ms != y->created_ms)
		return x->created_ms < y->created_ms ? -1 : 1;
	return x->id < y->id ? -1 : x->id > y->id;
}

/* Ids and times disagree (imported comments): gather, sort, render. */
static int
add_sorted(struct snap_view *v, enum snap_child_kind kind, uint32_t count, struct snap_walk *w,
    struct arena *a, struct buf *out)
{
	struct snap_child *all = arena_alloc(a, ((size_t)count + 1) * sizeof(*all));
	uint32_t n = 0;
	int rc = 0;

	if (all == NULL)
		return ERR_NOMEM;
	while (n < count && (rc = snap_walk_next(w, &all[n])) == 0)
		n++;
	if (rc != 0 && rc != ERR_NOENT)
		return rc;
	qsort(all, n, sizeof(*all), compare_children);
	rc = 0;
	for (uint32_t i = 0; i < n && rc == 0; i++) {
		if (i > 0)
			buf_char(out, ',');
		rc = add_child(v, kind, &all[i], out);
	}
	return rc;
}

static int
add_in_id_order(
    struct snap_view *v, enum snap_child_kind kind, struct snap_walk *w, struct buf *out)
{
	struct snap_child c;
	bool first = true;
	int rc;

	while ((rc = snap_walk_next(w, &c)) == 0) {
		if (!first)
			buf_char(out, ',');
		first = false;
		rc = add_child(v, kind, &c, out);
		if (rc != 0)
			return rc;
	}
	return rc == ERR_NOENT ? 0 : rc;
}

static int
add_children(struct snap_view *v, const struct snap_issue *i, enum snap_child_kind kind,
    struct arena *a, struct buf *out)
{
	uint32_t unsorted = kind == SNAP_COMMENT  ? SNAP_ISSUE_COMMENTS_UNSORTED
			    : kind == SNAP_REVIEW ? SNAP_ISSUE_REVIEWS_UNSORTED
						  : SNAP_ISSUE_REVIEW_COMMENTS_UNSORTED;
	uint32_t count = kind == SNAP_COMMENT  ? snap_issue_comment_count(i)
			 : kind == SNAP_REVIEW ? snap_issue_review_count(i)
					       : snap_issue_review_comment_count(i);
	struct snap_walk w;
	int rc = 0;

	buf_char(out, '[');
	if (count > 0)
		rc = snap_walk_begin(v, kind, i->number, &w);
	if (rc == 0 && count > 0)
		rc = (i->flags & unsorted) != 0 ? add_sorted(v, kind, count, &w, a, out)
						: add_in_id_order(v, kind, &w, out);
	buf_char(out, ']');
	return rc;
}

static int
add_joined(struct snap_view *v, const struct snap_issue *i, enum field f, struct arena *a,
    struct buf *out)
{
	struct slice body;
	int rc;

	switch (f) {
	case FIELD_BODY:
		rc = snap_issue_body(v, i, &body);
		if (rc == 0)
			buf_slice(out, body);
		return rc;
	case FIELD_CLOSED_BY:
		return add_user(v, snap_issue_closed_by(i), out);
	case FIELD_ASSIGNEES:
		return add_users(v, i, i->assignee_count, snap_issue_assignee, out);
	case FIELD_REPORTER:
		return add_user(v, snap_issue_reporter(i), out);
	case FIELD_MERGED_BY:
		return add_user(v, snap_issue_merged_by(i), out);
	case FIELD_REQUESTED_REVIEWERS:
		return add_users(v, i, i->reviewer_count, snap_issue_reviewer, out);
	case FIELD_COMMENTS:
		return add_children(v, i, SNAP_COMMENT, a, out);
	case FIELD_REVIEWS:
		return add_children(v, i, SNAP_REVIEW, a, out);
	case FIELD_REVIEW_COMMENTS:
		return add_children(v, i, SNAP_REVIEW_COMMENT, a, out);
	case FIELD_COUNT:
		break;
	}
	return ERR_INVAL;
}

int
json_issue(struct snap_view *v, const struct snap_issue *i, uint64_t fields, struct arena *a,
    struct buf *out)
{
	bool first = true;
	int rc = 0;

	buf_char(out, '{');
	add_stored(i, &fields, &first, out);
	for (unsigned f = FIELD_BODY; f < FIELD_COUNT && rc == 0; f++) {
		if ((fields & FIELD_BIT(f)) == 0)
			continue;
		add_key(out, &first, field_key(f));
		rc = add_joined(v, i, (enum field)f, a, out);
	}
	buf_char(out, '}');
	return rc;
}
