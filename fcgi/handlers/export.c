/*
 * export.c - the whole of a list as CSV or as JSON lines, made while it is sent.
 *
 * Each piece is read in a view of its own, so that a slow client keeps no pages of the
 * snapshot.  What changes meanwhile is as with pages: under `number` and `created` nothing
 * is skipped or repeated.
 */
#include "fcgi/csv.h"
#include "fcgi/filter/filter.h"
#include "fcgi/json_issue.h"
#include "fcgi/responder.h"

#include <string.h>

#include "base/log.h"

#define PIECE_BYTES ((size_t)64 << 10)
#define PIECE_ISSUES 2000 /* looked at in one view */
#define ARENA_MAX ((size_t)64 << 20)

/* Lives in the request's arena until the stream ends. */
struct export
{
	struct responder *r;
	struct params params;
	struct snap_repo repo;
	struct filter *filter; /* NULL: every issue */
	unsigned classes;
	struct snap_list_pos after;
	bool begun;         /* the first piece was made */
	struct arena arena; /* of one issue */
	struct buf scratch;
	struct err_info ei;
};

static int
is_wanted(struct export *e, struct snap_view *v, const struct snap_issue *issue, bool *ret)
{
	const struct filter_row row = { .view = v, .repo = &e->repo, .issue = issue };

	return filter_matches(e->filter, &row, ret, &e->ei);
}

static int
add_issue(struct export *e, struct snap_view *v, uint32_t number, struct buf *out)
{
	struct snap_issue issue;
	int rc = snap_issue_get(v, number, &issue);
	bool wanted = true;

	if (rc == 0 && e->filter != NULL)
		rc = is_wanted(e, v, &issue, &wanted);
	if (rc != 0 || !wanted)
		return rc == ERR_NOENT ? ERR_CORRUPT : rc;
	if (e->params.format == FORMAT_CSV)
		return csv_row(
		    v, &issue, e->params.fields, e->params.csv_raw, &e->scratch, out);
	arena_reset(&e->arena);
	rc = json_issue_picked(v, &issue, e->params.fields, &e->params.paths, &e->arena, out);
	buf_char(out, '\n');
	return rc;
}

/* 1 when there is more to come. */
static int
add_issues(struct export *e, struct snap_view *v, struct buf *out)
{
	struct snap_list list;
	struct snap_list_pos pos;
	int rc = snap_list_begin(v, e->params.order, e->params.descending, e->classes,
	    e->begun ? &e->after : NULL, &list);

	for (unsigned n = 0; rc == 0; n++) {
		if (n == PIECE_ISSUES || out->len >= PIECE_BYTES)
			return 1;
		rc = snap_list_next(&list, &pos);
		if (rc == 0)
			rc = add_issue(e, v, pos.number, out);
		if (rc == 0)
			e->after = pos;
		e->begun = true;
	}
	return rc == ERR_NOENT ? 0 : rc;
}

static int
next_piece(void *ctx, struct buf *out)
{
	struct export *e = ctx;
	struct slice name = e->repo.name; /* outlives the view */
	struct snap_view *v = NULL;
	int rc = responder_view(e->r, &v, &e->ei);

	if (rc == 0)
		rc = snap_repo_get(v, &e->repo);
	e->repo.name = name;
	if (rc == 0) {
		if (!e->begun && e->params.format == FORMAT_CSV)
			csv_head(e->params.fields, out);
		rc = add_issues(e, v, out);
	}
	snap_view_end(v);
	if (rc < 0)
		log_error("a stream broke off", LOG_S("kind", err_name(rc)),
		    LOG_S("error", e->ei.text), LOG_END);
	return rc;
}

static void
end_export(void *ctx)
{
	struct export *e = ctx;

	filter_free(e->filter);
	arena_clear(&e->arena);
	buf_clear(&e->scratch);
}

static const char *
type_of(enum format f)
{
	return f == FORMAT_CSV ? "text/csv; charset=utf-8; header=present"
			       : "application/x-ndjson";
}

static void
reply(struct exchange *x, const struct snap_repo *repo, struct export *e)
{
	struct request_stream s = { next_piece, end_export, e };
	struct buf name;

	buf_init(&name, 512);
	buf_str(&name, "attachment; filename=\"");
	for (size_t i = 0; i < repo->name.len; i++)
		buf_char(&name, repo->name.ptr[i] == '/' ? '-' : repo->name.ptr[i]);
	buf_fmt(&name, "-issues.%s\"", e->params.format == FORMAT_CSV ? "csv" : "ndjson");
	{
		const struct request_field fields[] = {
			{ "Cache-Control", SLICE_INIT("no-cache") },
			{ "Vary", SLICE_INIT("Accept") },
			{ buf_err(&name) == 0 ? "Content-Disposition" : NULL, buf_view(&name) },
			{ NULL, { 0 } },
		};

		request_reply_stream(x->req, 200, type_of(e->params.format), fields, &s);
	}
	buf_clear(&name);
	atomic_fetch_add_explicit(&x->r->answers[2], 1, memory_order_relaxed);
}

/* What a whole list cannot have must not be passed over in silence. */
static int
check_params(struct exchange *x)
{
	const struct params *p = &x->params;

	if (p->page_token.len > 0)
		return err_set(&x->ei, ERR_INVAL,
		    "pageToken: CSV and JSON lines are whole lists, without pages");
	if (p->format == FORMAT_CSV && (p->fields & CSV_FIELDS_NONE) != 0)
		return err_set(&x->ei, ERR_INVAL,
		    "comments, reviews and reviewComments are no columns: ask for JSON lines");
	return 0;
}

static int
prepare(struct exchange *x, const struct snap_repo *repo, struct export *e)
{
	bool decided;
	int rc = check_params(x);

	e->r = x->r;
	e->params = x->params;
	e->repo = *repo;
	e->repo.name.ptr = arena_dup(x->req->arena, repo->name);
	e->classes = x->params.classes;
	arena_init(&e->arena, ARENA_MAX);
	buf_init(&e->scratch, ARENA_MAX);
	if (rc == 0 && e->repo.name.ptr == NULL)
		rc = ERR_NOMEM;
	if (rc == 0 && x->params.filter.len > 0)
		rc = filter_new(
		    x->params.filter, FILTER_ISSUES, x->r->filter_steps, &e->filter, &x->ei);
	if (rc == 0 && e->filter != NULL)
		e->classes = filter_classes(e->filter, e->classes, &decided);
	return rc;
}

void
export_issues(struct exchange *x, const struct snap_repo *repo)
{
	struct export *e = arena_alloc(x->req->arena, sizeof(*e));
	int rc = e != NULL ? prepare(x, repo, e) : ERR_NOMEM;

	if (rc == 0) {
		reply(x, repo, e);
		return;
	}
	if (e != NULL)
		filter_free(e->filter);
	answer_error(x, rc);
}
