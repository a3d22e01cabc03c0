/*
 * children.c - lists by id: what belongs to an issue (comments, reviews, line comments,
 * events), and a repository's labels and milestones.  Pages as in the list of issues.
 */
#include "fcgi/filter/filter.h"
#include "fcgi/json_child.h"
#include "fcgi/page_token.h"
#include "fcgi/responder.h"

/* A list being walked, and the object that it stands at. */
struct list_walk {
	struct snap_view *view;
	enum snap_child_kind kind;
	struct snap_walk children;
	struct snap_child child;
	struct snap_label label;
	struct snap_milestone milestone;
	int64_t id; /* of the object; before the first one, what it must be above */
	/* of a filtered list */
	struct filter *filter; /* NULL: every object matches */
	struct filter_row row;
	bool counting; /* the first page: the total is not known yet */
	uint64_t total;
};

struct list_kind {
	const char *key; /* of the array in the answer */
	/* Step to the next object; ERR_NOENT behind the last. */
	int (*next)(struct list_walk *w);
	/* Append the object as JSON. */
	int (*render)(const struct list_walk *w, struct buf *out);
};

static int
next_child(struct list_walk *w)
{
	int rc = snap_walk_next(&w->children, &w->child);

	w->id = rc == 0 ? w->child.id : w->id;
	return rc;
}

static int
render_child(const struct list_walk *w, struct buf *out)
{
	return json_child(w->view, w->kind, &w->child, out);
}

static int
next_label(struct list_walk *w)
{
	int rc = snap_label_next(w->view, w->id, &w->label);

	w->id = rc == 0 ? w->label.id : w->id;
	return rc;
}

static int
render_label(const struct list_walk *w, struct buf *out)
{
	json_label(&w->label, out);
	return 0;
}

static int
next_milestone(struct list_walk *w)
{
	int rc = snap_milestone_next(w->view, w->id, &w->milestone);

	w->id = rc == 0 ? w->milestone.id : w->id;
	return rc;
}

static int
render_milestone(const struct list_walk *w, struct buf *out)
{
	return json_milestone(w->view, &w->milestone, out);
}

static const struct list_kind child_lists[SNAP_CHILD_KINDS] = {
	[SNAP_COMMENT] = { "comments", next_child, render_child },
	[SNAP_REVIEW] = { "reviews", next_child, render_child },
	[SNAP_EVENT] = { "events", next_child, render_child },
	[SNAP_REVIEW_COMMENT] = { "reviewComments", next_child, render_child },
};
static const struct list_kind label_list = { "labels", next_label, render_label };
static const struct list_kind milestone_list = { "milestones", next_milestone,
	render_milestone };

/* The next object that matches; ERR_NOENT behind the last. */
static int
next_match(struct exchange *x, const struct list_kind *kind, struct list_walk *w)
{
	bool matches = w->filter == NULL;
	int rc;

	do {
		rc = kind->next(w);
		if (rc == 0 && w->filter != NULL)
			rc = filter_matches(w->filter, &w->row, &matches, &x->ei);
	} while (rc == 0 && !matches);
	return rc;
}

/* Fill the page; *ret_last is the id of the last object in it, *ret_more if others follow. */
static int
add_objects(struct exchange *x, const struct list_kind *kind, struct list_walk *w,
    int64_t *ret_last, bool *ret_more)
{
	struct buf *out = x->req->out;
	uint32_t count = 0;
	int rc;

	*ret_more = false;
	while ((rc = next_match(x, kind, w)) == 0) {
		w->total += w->counting;
		if (*ret_more)
			continue;
		if (count == x->params.page_size || out->len >= RESPONDER_PAGE_BYTES) {
			*ret_more = true;
			if (!w->counting)
				return 0;
			continue;
		}
		if (count++ > 0)
			buf_char(out, ',');
		rc = kind->render(w, out);
		if (rc != 0)
			return rc;
		*ret_last = w->id;
	}
	return rc == ERR_NOENT ? 0 : rc;
}

/* What these lists do not have must not be passed over in silence. */
static int
check_params(struct exchange *x, bool filtered)
{
	const struct params *p = &x->params;

	if (p->order != SNAP_BY_NUMBER || p->descending)
		return err_set(&x->ei, ERR_INVAL, "orderBy: this list is ordered by id alone");
	if (p->filter.len > 0 && !filtered)
		return err_set(&x->ei, ERR_INVAL, "filter: this list takes none");
	if (p->mask_given)
		return err_set(&x->ei, ERR_INVAL, "fieldMask: this list takes none");
	return 0;
}

/* The token is bound to the path: x->req->path names the list. */
static int
begin(struct exchange *x, struct list_walk *w, bool filtered)
{
	struct snap_list_pos at = { 0 };
	int rc = check_params(x, filtered);

	if (rc == 0 && x->params.page_token.len > 0)
		rc = page_token_parse_counted(
		    x->params.page_token, &x->params, x->req->path, &at, &w->total, &x->ei);
	if (rc == 0 && at.key > INT64_MAX)
		rc = err_set(&x->ei, ERR_INVAL, "pageToken is damaged; start again without it");
	w->id = (int64_t)at.key;
	return rc;
}

static void
answer_list(
    struct exchange *x, const struct list_kind *kind, struct list_walk *w, uint64_t total)
{
	char token[PAGE_TOKEN_TEXT] = "";
	int64_t last = 0;
	bool more;
	int rc;

	buf_fmt(x->req->out, "{\"%s\":[", kind->key);
	rc = add_objects(x, kind, w, &last, &more);
	if (rc != 0) {
		answer_error(x, rc);
		return;
	}
	if (w->filter != NULL)
		total = w->total;
	if (more)
		page_token_make_counted(&x->params, x->req->path,
		    (struct snap_list_pos){ .key = (uint64_t)last },
		    w->filter != NULL ? total : 0, token);
	buf_fmt(x->req->out, "],\"nextPageToken\":\"%s\",\"total\":%llu}", token,
	    (unsigned long long)total);
	answer_json(x);
}

static uint32_t
count_of(const struct snap_issue *i, enum snap_child_kind kind)
{
	return kind == SNAP_COMMENT  ? snap_issue_comment_count(i)
	       : kind == SNAP_REVIEW ? snap_issue_review_count(i)
	       : kind == SNAP_EVENT  ? snap_issue_event_count(i)
				     : snap_issue_review_comment_count(i);
}

static int
begin_filter(struct exchange *x, struct list_walk *w)
{
	static const enum filter_rows rows[SNAP_CHILD_KINDS] = {
		[SNAP_COMMENT] = FILTER_COMMENTS,
		[SNAP_REVIEW] = FILTER_REVIEWS,
		[SNAP_EVENT] = FILTER_EVENTS,
		[SNAP_REVIEW_COMMENT] = FILTER_REVIEW_COMMENTS,
	};

	if (x->params.filter.len == 0)
		return 0;
	w->row.view = x->view;
	w->row.child = &w->child;
	w->counting = x->params.page_token.len == 0;
	return filter_new(
	    x->params.filter, rows[w->kind], x->r->filter_steps, &w->filter, &x->ei);
}

static void
list_children(struct exchange *x, enum snap_child_kind kind)
{
	struct list_walk w = { .view = x->view, .kind = kind };
	struct snap_issue issue;
	struct snap_repo repo;
	int rc;

	if (!exchange_is_ours(x, &repo) || !exchange_issue(x, &repo, &issue))
		return;
	rc = begin(x, &w, true);
	if (rc == 0)
		rc = begin_filter(x, &w);
	if (rc == 0)
		rc = snap_walk_begin(x->view, kind, issue.number, &w.children);
	w.children.after = w.id;
	w.row.repo = &repo;
	w.row.issue = &issue;
	if (rc != 0)
		answer_error(x, rc);
	else if ((w.filter != NULL && filter_uses_now(w.filter)) ||
		 !exchange_unchanged(x, &repo))
		answer_list(x, &child_lists[kind], &w, count_of(&issue, kind));
	filter_free(w.filter);
}

static void
list_refs(
    struct exchange *x, const struct list_kind *kind, uint64_t (*count)(struct snap_view *))
{
	struct list_walk w = { .view = x->view };
	struct snap_repo repo;
	int rc;

	if (!exchange_is_ours(x, &repo))
		return;
	rc = begin(x, &w, false);
	if (rc != 0)
		answer_error(x, rc);
	else if (!exchange_unchanged(x, &repo))
		answer_list(x, kind, &w, count(x->view));
}

void
handle_comments(struct exchange *x)
{
	list_children(x, SNAP_COMMENT);
}

void
handle_reviews(struct exchange *x)
{
	list_children(x, SNAP_REVIEW);
}

void
handle_review_comments(struct exchange *x)
{
	list_children(x, SNAP_REVIEW_COMMENT);
}

void
handle_events(struct exchange *x)
{
	list_children(x, SNAP_EVENT);
}

void
handle_labels(struct exchange *x)
{
	list_refs(x, &label_list, snap_label_count);
}

void
handle_milestones(struct exchange *x)
{
	list_refs(x, &milestone_list, snap_milestone_count);
}
