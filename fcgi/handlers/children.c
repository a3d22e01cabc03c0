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
	int64_t id;            /* of the object; before the first one, what it must be above */
	struct filter *filter; /* of children; NULL: all */
	struct snap_repo repo; /* what they are in */
	struct snap_issue issue;
	bool counting;  /* the first page of a filtered list */
	uint64_t total; /* of a filtered list */
};

struct list_kind {
	const char *key;       /* of the array in the answer */
	enum filter_rows rows; /* what a filter sees; FILTER_ROWS = it takes none */
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
	[SNAP_COMMENT] = { "comments", FILTER_COMMENTS, next_child, render_child },
	[SNAP_REVIEW] = { "reviews", FILTER_REVIEWS, next_child, render_child },
	[SNAP_EVENT] = { "events", FILTER_EVENTS, next_child, render_child },
	[SNAP_REVIEW_COMMENT] = { "reviewComments", FILTER_REVIEW_COMMENTS, next_child,
	    render_child },
};
static const struct list_kind label_list = { "labels", FILTER_ROWS, next_label, render_label };
static const struct list_kind milestone_list = { "milestones", FILTER_ROWS, next_milestone,
	render_milestone };

static int
is_wanted(struct exchange *x, const struct list_walk *w, bool *ret)
{
	const struct filter_row row = { w->view, &w->repo, &w->issue, &w->child };

	*ret = true;
	return w->filter != NULL ? filter_matches(w->filter, &row, ret, &x->ei) : 0;
}

/*
 * Fill the page; *ret_last is the id of the last object in it, *ret_more if others follow.
 * The first page of a filtered list goes on to the end to count.
 */
static int
add_objects(struct exchange *x, const struct list_kind *kind, struct list_walk *w,
    int64_t *ret_last, bool *ret_more)
{
	struct buf *out = x->req->out;
	uint32_t count = 0;
	int rc;

	*ret_more = false;
	while ((rc = kind->next(w)) == 0) {
		bool wanted;

		rc = is_wanted(x, w, &wanted);
		if (rc != 0)
			return rc;
		if (!wanted)
			continue;
		w->total += w->counting;
		if (count == x->params.page_size || out->len >= RESPONDER_PAGE_BYTES)
			*ret_more = true;
		if (*ret_more && !w->counting)
			return 0;
		if (*ret_more)
			continue;
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
check_params(struct exchange *x, const struct list_kind *kind)
{
	const struct params *p = &x->params;

	if (p->order != SNAP_BY_NUMBER || p->descending)
		return err_set(&x->ei, ERR_INVAL, "orderBy: this list is ordered by id alone");
	if (p->filter.len > 0 && kind->rows == FILTER_ROWS)
		return err_set(&x->ei, ERR_INVAL, "filter: this list takes none");
	return 0;
}

/* The token is bound to the path: x->req->path names the list. */
static int
begin(struct exchange *x, const struct list_kind *kind, struct list_walk *w)
{
	const struct params *p = &x->params;
	struct snap_list_pos at = { 0 };
	int rc = check_params(x, kind);

	if (rc == 0 && p->page_token.len > 0)
		rc = page_token_parse_counted(
		    p->page_token, p, x->req->path, &at, &w->total, &x->ei);
	if (rc == 0 && at.key > INT64_MAX)
		rc = err_set(&x->ei, ERR_INVAL, "pageToken is damaged; start again without it");
	if (rc == 0 && p->filter.len > 0)
		rc = filter_new(p->filter, kind->rows, &w->filter, &x->ei);
	w->id = (int64_t)at.key;
	w->counting = w->filter != NULL && p->page_token.len == 0;
	return rc;
}

/* `all` is how many there are without a filter. */
static void
answer_list(struct exchange *x, const struct list_kind *kind, struct list_walk *w, uint64_t all)
{
	char token[PAGE_TOKEN_TEXT] = "";
	int64_t last = 0;
	bool more;
	int rc;

	if ((w->filter == NULL || !filter_uses_now(w->filter)) &&
	    exchange_unchanged(x, &w->repo))
		return;
	buf_fmt(x->req->out, "{\"%s\":[", kind->key);
	rc = add_objects(x, kind, w, &last, &more);
	if (rc != 0) {
		answer_error(x, rc);
		return;
	}
	if (more)
		page_token_make_counted(&x->params, x->req->path,
		    (struct snap_list_pos){ .key = (uint64_t)last }, w->total, token);
	buf_fmt(x->req->out, "],\"nextPageToken\":\"%s\",\"total\":%llu}", token,
	    (unsigned long long)(w->filter != NULL ? w->total : all));
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

static void
list_children(struct exchange *x, enum snap_child_kind kind)
{
	struct list_walk w = { .view = x->view, .kind = kind };
	int rc;

	if (!exchange_is_ours(x, &w.repo) || !exchange_issue(x, &w.repo, &w.issue))
		return;
	rc = begin(x, &child_lists[kind], &w);
	if (rc == 0)
		rc = snap_walk_begin(x->view, kind, w.issue.number, &w.children);
	w.children.after = w.id;
	if (rc == 0)
		answer_list(x, &child_lists[kind], &w, count_of(&w.issue, kind));
	else
		answer_error(x, rc);
	filter_free(w.filter);
}

static void
list_refs(
    struct exchange *x, const struct list_kind *kind, uint64_t (*count)(struct snap_view *))
{
	struct list_walk w = { .view = x->view };
	int rc;

	if (!exchange_is_ours(x, &w.repo))
		return;
	rc = begin(x, kind, &w);
	if (rc == 0)
		answer_list(x, kind, &w, count(x->view));
	else
		answer_error(x, rc);
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
