/*
 * issues.c - GET /api/v1/{owner}/{repo}/issues: one page of a list.
 *
 * A filter that closed and isPr decide only chooses among the indexes.  Any other is
 * asked about row after row.  The first page goes on to the end to count; the total then
 * travels in the page token.  Such a scan renews its view when that is some 100 ms old, and
 * goes on behind the last row seen, as the next page would: what holds for a walk over
 * pages holds for it.
 */
#include "base/clock.h"
#include "fcgi/filter/filter.h"
#include "fcgi/json_issue.h"
#include "fcgi/page_token.h"
#include "fcgi/responder.h"

#define SCAN_MS 10000 /* how long a request may scan */

struct listing {
	struct exchange *x;
	struct snap_repo repo; /* its name outlives the view */
	struct filter *filter; /* NULL: every row matches */
	unsigned classes;
	bool resumed;                  /* `at` is where to go on */
	struct snap_list_pos at, last; /* the last row seen, the last on the page */
	uint32_t count;                /* rows on the page */
	bool more;                     /* rows follow the page */
	uint64_t total;
	/* of a scan */
	uint32_t looked; /* rows since the clock was read */
	int64_t view_ms, end_ms;
};

static uint64_t
total_of(const struct snap_repo *repo, unsigned classes)
{
	uint64_t total = 0;

	for (unsigned c = 0; c < SNAP_CLASS_COUNT; c++)
		total += (classes & (1U << c)) != 0 ? repo->counts[c] : 0;
	return total;
}

static bool
page_is_full(const struct listing *l)
{
	return l->count == l->x->params.page_size ||
	       l->x->req->out->len >= RESPONDER_PAGE_BYTES;
}

static int
add_row(struct listing *l, const struct snap_issue *issue, struct snap_list_pos pos)
{
	struct exchange *x = l->x;

	if (l->count++ > 0)
		buf_char(x->req->out, ',');
	l->last = pos;
	return json_issue(x->view, issue, x->params.fields, x->req->arena, x->req->out);
}

/* --- without looking at rows --- */

static int
add_page(struct listing *l)
{
	struct snap_list_pos pos;
	struct snap_issue issue;
	const struct params *p = &l->x->params;
	struct snap_list list;
	int rc = snap_list_begin(
	    l->x->view, p->order, p->descending, l->classes, l->resumed ? &l->at : NULL, &list);

	if (rc != 0)
		return rc;
	while ((rc = snap_list_next_issue(&list, &pos, &issue)) == 0) {
		if (page_is_full(l)) {
			l->more = true;
			return 0;
		}
		rc = add_row(l, &issue, pos);
		if (rc != 0)
			return rc;
	}
	return rc == ERR_NOENT ? 0 : rc;
}

/* --- row by row --- */

/* Begin behind the last row seen. */
static int
begin_scan(struct listing *l, struct snap_scan *ret)
{
	const struct params *p = &l->x->params;

	return snap_scan_begin(
	    l->x->view, p->order, p->descending, l->classes, l->resumed ? &l->at : NULL, ret);
}

/* A row that matches; ERR_NOENT when no more are needed. */
static int
take_match(struct listing *l, const struct snap_issue *issue, bool counting)
{
	int rc = 0;

	l->total += counting;
	if (l->more || page_is_full(l)) {
		l->more = true;
		return counting ? 0 : ERR_NOENT;
	}
	rc = snap_issue_check(issue);
	return rc == 0 ? add_row(l, issue, l->at) : rc;
}

/* Rows until the end (ERR_NOENT), or until the clock should be read (0). */
static int
scan_rows(struct listing *l, struct snap_scan *scan, bool counting)
{
	struct filter_row row = { .view = l->x->view, .repo = &l->repo };
	struct snap_issue issue;
	bool matches;
	int rc = 0;

	row.issue = &issue;
	for (l->looked = 0; rc == 0 && l->looked < l->x->r->scan_rows; l->looked++) {
		rc = snap_scan_next(scan, &l->at, &issue);
		if (rc != 0)
			return rc;
		l->resumed = true;
		row.unchecked = true;
		rc = filter_matches(l->filter, &row, &matches, &l->x->ei);
		if (rc == 0 && matches)
			rc = take_match(l, &issue, counting);
	}
	return rc;
}

/* A long scan must not keep the writer from using pages again. */
static int
renew_view(struct listing *l, struct snap_scan *scan, int64_t now)
{
	struct exchange *x = l->x;
	struct slice name = l->repo.name;
	int rc;

	snap_view_end(x->view);
	x->view = NULL;
	rc = responder_view(x->r, &x->view, &x->ei);
	if (rc == 0)
		rc = snap_repo_get(x->view, &l->repo);
	if (rc == 0)
		rc = begin_scan(l, scan);
	l->repo.name = name;
	l->view_ms = now;
	x->etag[0] = '\0'; /* no longer a function of one place of the log */
	return rc;
}

static int
add_matches(struct listing *l, bool counting)
{
	int64_t now = clock_mono_ms();
	struct snap_scan scan;
	int rc = begin_scan(l, &scan);

	l->view_ms = now;
	l->end_ms = now + SCAN_MS;
	while (rc == 0 && (rc = scan_rows(l, &scan, counting)) == 0) {
		now = clock_mono_ms();
		if (now > l->end_ms)
			return err_set(&l->x->ei, ERR_TIMEOUT,
			    "filter: not done after %d seconds; ask for fewer rows with closed "
			    "or "
			    "pullRequest, or look at fewer texts",
			    SCAN_MS / 1000);
		if (now - l->view_ms >= l->x->r->scan_view_ms)
			rc = renew_view(l, &scan, now);
	}
	return rc == ERR_NOENT ? 0 : rc;
}

/* --- the answer --- */

/* What is asked for; fills filter, classes and where to go on. */
static int
prepare(struct listing *l, bool *ret_scan)
{
	struct exchange *x = l->x;
	const struct params *p = &x->params;
	bool decided = true;
	int rc = 0;

	l->classes = p->classes;
	l->resumed = p->page_token.len > 0;
	if (l->resumed)
		rc = page_token_parse_counted(
		    p->page_token, p, l->repo.name, &l->at, &l->total, &x->ei);
	if (rc == 0 && p->filter.len > 0)
		rc = filter_new(p->filter, FILTER_ISSUES, &l->filter, &x->ei);
	if (rc == 0 && l->filter != NULL)
		l->classes = filter_classes(l->filter, p->classes, &decided);
	*ret_scan = !decided;
	return rc;
}

/* Answer; or say why not, and nothing is answered. */
static int
list_issues(struct listing *l)
{
	struct exchange *x = l->x;
	struct buf *out = x->req->out;
	char token[PAGE_TOKEN_TEXT] = "";
	bool scan, first = x->params.page_token.len == 0;
	int rc = prepare(l, &scan);

	if (rc != 0)
		return rc;
	if ((l->filter == NULL || !filter_uses_now(l->filter)) &&
	    exchange_unchanged(x, &l->repo))
		return 0;
	buf_str(out, "{\"issues\":[");
	rc = scan ? add_matches(l, first) : add_page(l);
	if (rc != 0)
		return rc;
	if (!scan)
		l->total = total_of(&l->repo, l->classes);
	if (l->more)
		page_token_make_counted(
		    &x->params, l->repo.name, l->last, scan ? l->total : 0, token);
	buf_fmt(out, "],\"nextPageToken\":\"%s\",\"total\":%llu}", token,
	    (unsigned long long)l->total);
	answer_json(x);
	return 0;
}

void
handle_issues(struct exchange *x)
{
	struct listing l = { .x = x };
	char *name;
	int rc;

	if (!exchange_is_ours(x, &l.repo))
		return;
	name = arena_dup(x->req->arena, l.repo.name);
	l.repo.name.ptr = name;
	rc = name != NULL ? list_issues(&l) : ERR_NOMEM;
	filter_free(l.filter);
	if (rc != 0)
		answer_error(x, rc);
}
