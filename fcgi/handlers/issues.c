/*
 * issues.c - GET /api/v1/{owner}/{repo}/issues: one page of a list.
 *
 * A filter that closed and isPr decide only chooses among the indexes.  Any other is
 * asked about row after row.  The first page goes on to the end to count; the total then
 * travels in the page token.  Such a scan lets others have their turn after a while, and
 * goes on in a new view behind the last row seen, as the next page would: what holds for
 * a walk over pages holds for it.
 */
#include <string.h>

#include "base/clock.h"
#include "fcgi/filter/filter.h"
#include "fcgi/json_issue.h"
#include "fcgi/page_token.h"
#include "fcgi/responder.h"

#define PAUSE_MS 1    /* what it leaves to others */
#define SCAN_MS 10000 /* how long a request may scan */

struct listing {
	struct exchange *x;
	struct params params;  /* for the next turn's exchange */
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
	int64_t end_ms;
	struct buf done;      /* what was answered in the turns before */
	char etag[ETAG_TEXT]; /* of the place of the log that all turns have seen */
};

/* Ends what a listing holds; its memory is the request's. */
static void
drop(void *state)
{
	struct listing *l = state;

	filter_free(l->filter);
	buf_clear(&l->done);
}

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
	return json_issue_picked(
	    x->view, issue, x->params.fields, &x->params.paths, x->req->arena, x->req->out);
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
	int rc;

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

/* Rows until the end (0), or until it is others' turn (ERR_BUSY). */
static int
add_matches(struct listing *l, bool counting)
{
	int64_t now = clock_mono_ms(), turn_end = now + l->x->r->scan_turn_ms;
	struct snap_scan rows;
	int rc = begin_scan(l, &rows);

	while (rc == 0 && (rc = scan_rows(l, &rows, counting)) == 0) {
		now = clock_mono_ms();
		if (now > l->end_ms)
			return err_set(&l->x->ei, ERR_TIMEOUT,
			    "filter: not done after %d seconds; ask for fewer rows with closed "
			    "or pullRequest, or look at fewer texts",
			    SCAN_MS / 1000);
		if (now >= turn_end)
			return ERR_BUSY;
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
		rc = filter_new(
		    p->filter, FILTER_ISSUES, x->r->filter_steps, &l->filter, &x->ei);
	if (rc == 0 && l->filter != NULL)
		l->classes = filter_classes(l->filter, p->classes, &decided);
	*ret_scan = !decided;
	return rc;
}

static void
finish(struct listing *l, bool scanned)
{
	struct exchange *x = l->x;
	char token[PAGE_TOKEN_TEXT] = "";

	if (!scanned)
		l->total = total_of(&l->repo, l->classes);
	if (l->more)
		page_token_make_counted(
		    &x->params, l->repo.name, l->last, scanned ? l->total : 0, token);
	buf_fmt(x->req->out, "],\"nextPageToken\":\"%s\",\"total\":%llu}", token,
	    (unsigned long long)l->total);
	answer_json(x);
}

/* Keep what is done for the next turn. */
static int
pause_scan(struct listing *l)
{
	struct exchange *x = l->x;

	buf_reset(&l->done);
	buf_slice(&l->done, buf_view(x->req->out));
	memcpy(l->etag, x->etag, sizeof(l->etag));
	if (buf_err(&l->done) != 0 || buf_err(x->req->out) != 0)
		return ERR_NOMEM;
	request_again_with(x->req, PAUSE_MS, l, drop);
	return 0;
}

/* A turn of a scan, from its first on; 1 when another one follows. */
static int
scan_turn(struct listing *l)
{
	int rc = add_matches(l, l->x->params.page_token.len == 0);

	if (rc == ERR_BUSY) {
		rc = pause_scan(l);
		return rc == 0 ? 1 : rc;
	}
	if (rc == 0)
		finish(l, true);
	return rc;
}

/* Answer; or say why not, and nothing is answered; or 1: not done yet. */
static int
list_issues(struct listing *l)
{
	struct exchange *x = l->x;
	bool scans;
	int rc = prepare(l, &scans);

	if (rc != 0)
		return rc;
	if ((l->filter == NULL || !filter_uses_now(l->filter)) &&
	    exchange_unchanged(x, &l->repo))
		return 0;
	buf_str(x->req->out, "{\"issues\":[");
	if (scans) {
		l->end_ms = clock_mono_ms() + SCAN_MS;
		return scan_turn(l);
	}
	rc = add_page(l);
	if (rc == 0)
		finish(l, false);
	return rc;
}

/* The next turn of a scan, in a view of its own. */
static int
go_on(struct listing *l, struct exchange *x)
{
	struct snap_repo repo;
	int rc = snap_repo_get(x->view, &repo);

	if (rc != 0)
		return rc;
	l->x = x;
	x->params = l->params;
	if (repo.log_segment == l->repo.log_segment && repo.log_offset == l->repo.log_offset)
		memcpy(x->etag, l->etag, sizeof(x->etag));
	else
		l->etag[0] = '\0'; /* no longer a function of one place of the log */
	repo.name = l->repo.name;
	l->repo = repo;
	buf_slice(x->req->out, buf_view(&l->done));
	return scan_turn(l);
}

/* A new listing; its repository's name outlives the view. */
static struct listing *
new_listing(struct exchange *x, const struct snap_repo *repo)
{
	struct listing *l = arena_alloc(x->req->arena, sizeof(*l));

	if (l == NULL)
		return NULL;
	l->x = x;
	l->params = x->params;
	l->repo = *repo;
	l->repo.name.ptr = arena_dup(x->req->arena, repo->name);
	buf_init(&l->done, 2 * RESPONDER_PAGE_BYTES + x->req->out->max);
	return l->repo.name.ptr != NULL ? l : NULL;
}

static void
begin_listing(struct exchange *x, const struct snap_repo *repo)
{
	struct listing *l = new_listing(x, repo);
	int rc = l != NULL ? list_issues(l) : ERR_NOMEM;

	if (rc != 1 && l != NULL)
		drop(l);
	if (rc < 0)
		answer_error(x, rc);
}

void
handle_issues(struct exchange *x)
{
	struct listing *l = request_take_state(x->req);
	struct snap_repo repo;
	int rc;

	x->varies = true;
	if (l != NULL) {
		rc = go_on(l, x);
		if (rc != 1)
			drop(l);
		if (rc < 0)
			answer_error(x, rc);
		return;
	}
	if (!exchange_is_ours(x, &repo))
		return;
	if (!x->params.format_given)
		x->params.format = accept_format(request_header(x->req, "Accept"));
	if (x->params.format == FORMAT_JSON)
		begin_listing(x, &repo);
	else
		export_issues(x, &repo);
}
