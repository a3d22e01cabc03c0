/*
 * json_issue.c - stored members are copied in one run when all are wanted; users
 * are joined by id, comments, reviews and line comments come from their own tables.
 */
#include "fcgi/json_issue.h"

#include <stdlib.h>

#include "fcgi/json_child.h"
#include "fcgi/json_pick.h"

/* What stands before a joined value; field_key() has the names. */
static const struct slice keys[FIELD_COUNT - FIELD_BODY] = {
	SLICE_INIT("\"body\":"),
	SLICE_INIT("\"closedBy\":"),
	SLICE_INIT("\"assignees\":"),
	SLICE_INIT("\"reporter\":"),
	SLICE_INIT("\"mergedBy\":"),
	SLICE_INIT("\"requestedReviewers\":"),
	SLICE_INIT("\"comments\":"),
	SLICE_INIT("\"reviews\":"),
	SLICE_INIT("\"reviewComments\":"),
};

/* An answer being gathered. */
struct gathering {
	struct snap_view *v;
	const struct snap_issue *i;
	const struct field_paths *paths;
	struct arena *arena;
	struct buf *out;
	bool first;
};

static void
add_comma(struct gathering *g)
{
	if (!g->first)
		buf_char(g->out, ',');
	g->first = false;
}

static int
add_member(struct gathering *g, unsigned m)
{
	add_comma(g);
	buf_slice(g->out, snap_issue_member(g->i, (enum snap_member)m));
	if ((g->paths->picked & FIELD_BIT(m)) == 0)
		return 0;
	return json_pick(g->out, g->out->len - snap_issue_value(g->i, (enum snap_member)m).len,
	    m, g->paths->of[m]);
}

/* Appends what is stored, and takes out of *fields what needs no more. */
static int
add_stored(struct gathering *g, uint64_t *fields)
{
	const uint64_t run = FIELDS_STORED | FIELD_BIT(FIELD_BODY);
	uint64_t whole = *fields & ~g->paths->picked;
	struct slice both;
	int rc = 0;

	if ((whole & run) == run && snap_issue_members_and_body(g->i, &both)) {
		add_comma(g);
		buf_slice(g->out, both);
		*fields &= ~run;
	} else if ((whole & FIELDS_STORED) == FIELDS_STORED) {
		add_comma(g);
		buf_slice(g->out, snap_issue_members(g->i));
		*fields &= ~FIELDS_STORED;
	}
	for (unsigned m = 0; m < SNAP_M_COUNT && rc == 0; m++) {
		if ((*fields & FIELDS_STORED & FIELD_BIT(m)) != 0)
			rc = add_member(g, m);
	}
	*fields &= ~FIELDS_STORED;
	return rc;
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
		rc = json_user(v, at(i, n), out);
	}
	buf_char(out, ']');
	return rc;
}

/* --- comments and reviews --- */

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
		rc = json_child(v, kind, &all[i], out);
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
		rc = json_child(v, kind, &c, out);
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
		return json_user(v, snap_issue_closed_by(i), out);
	case FIELD_ASSIGNEES:
		return add_users(v, i, i->assignee_count, snap_issue_assignee, out);
	case FIELD_REPORTER:
		return json_user(v, snap_issue_reporter(i), out);
	case FIELD_MERGED_BY:
		return json_user(v, snap_issue_merged_by(i), out);
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

static int
add_field(struct gathering *g, unsigned f)
{
	size_t from;
	int rc;

	add_comma(g);
	buf_slice(g->out, keys[f - FIELD_BODY]);
	from = g->out->len;
	rc = add_joined(g->v, g->i, (enum field)f, g->arena, g->out);
	if (rc == 0 && (g->paths->picked & FIELD_BIT(f)) != 0)
		rc = json_pick(g->out, from, f, g->paths->of[f]);
	return rc;
}

int
json_issue_picked(struct snap_view *v, const struct snap_issue *i, uint64_t fields,
    const struct field_paths *paths, struct arena *a, struct buf *out)
{
	struct gathering g = { v, i, paths, a, out, true };
	int rc;

	buf_char(out, '{');
	rc = add_stored(&g, &fields);
	for (unsigned f = FIELD_BODY; f < FIELD_COUNT && rc == 0; f++) {
		if ((fields & FIELD_BIT(f)) != 0)
			rc = add_field(&g, f);
	}
	buf_char(out, '}');
	return rc;
}

int
json_issue(struct snap_view *v, const struct snap_issue *i, uint64_t fields, struct arena *a,
    struct buf *out)
{
	static const struct field_paths all_whole;

	return json_issue_picked(v, i, fields, &all_whole, a, out);
}
