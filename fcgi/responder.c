/* responder.c - routes, and the view that a route needs. */
#include "fcgi/responder.h"

#include <string.h>
#include <strings.h>

#include "base/log.h"
#include "fcgi/filter/filter.h"

#define REOPEN_MS 200         /* at most so often is a missing snapshot looked for */
#define REOPEN_BROKEN_MS 5000 /* and one that cannot be opened tried again */

struct route {
	const char *pattern; /* "{o}", "{r}", "{n}" stand for one part each */
	void (*handle)(struct exchange *x);
	bool needs_view;
};

static const struct route routes[] = {
	{ "/_healthz", handle_health, false },
	{ "/metrics", handle_metrics, false },
	{ "/api/v1/owners/{o}/repositories", handle_repositories, true },
	{ "/api/v1/{o}/{r}", handle_repository, true },
	{ "/api/v1/{o}/{r}/issues", handle_issues, true },
	{ "/api/v1/{o}/{r}/issues/{n}", handle_issue, true },
	{ "/api/v1/{o}/{r}/issues/{n}/comments", handle_comments, true },
	{ "/api/v1/{o}/{r}/issues/{n}/reviews", handle_reviews, true },
	{ "/api/v1/{o}/{r}/issues/{n}/reviewComments", handle_review_comments, true },
	{ "/api/v1/{o}/{r}/issues/{n}/events", handle_events, true },
	{ "/api/v1/{o}/{r}/labels", handle_labels, true },
	{ "/api/v1/{o}/{r}/milestones", handle_milestones, true },
	{ "/api/v1/{o}/{r}/slo", handle_slo, true },
	{ "/api/v1/{o}/{r}/logs", handle_logs, true },
	{ "/api/v1/{o}/{r}/logs/{n}", handle_log_segment, true },
};

void
responder_init(struct responder *r, const char *snapshot_dir)
{
	memset(r, 0, sizeof(*r));
	r->snapshot_dir = snapshot_dir;
	r->filter_steps = FILTER_STEPS_MAX;
	r->scan_rows = 64;
	r->scan_turn_ms = 20;
	pthread_mutex_init(&r->lock, NULL);
}

void
responder_clear(struct responder *r)
{
	snap_close(atomic_load(&r->snap));
	segment_reader_free(r->segments);
	for (size_t i = 0; i < RESPONDER_THREADS_MAX; i++)
		answer_cache_free(r->caches[i]);
	pthread_mutex_destroy(&r->lock);
}

/* Under the lock: look for the snapshot, but not at every request. */
static int
open_snapshot(struct responder *r, struct snap **ret, struct err_info *ei)
{
	struct snap *s = atomic_load(&r->snap);
	int rc;

	if (s == NULL && clock_mono_ms() < r->retry_ms)
		return err_set(ei, ERR_UNAVAILABLE, "nothing is mirrored yet");
	if (s == NULL) {
		rc = snap_open(r->snapshot_dir, &s, ei);
		r->retry_ms = clock_mono_ms() +
			      (rc == 0 || rc == ERR_NOENT ? REOPEN_MS : REOPEN_BROKEN_MS);
		if (rc == ERR_NOENT)
			return err_set(ei, ERR_UNAVAILABLE, "nothing is mirrored yet");
		if (rc != 0) {
			log_error(
			    "snapshot cannot be opened", LOG_S("error", ei->text), LOG_END);
			return rc;
		}
		atomic_store(&r->snap, s);
	}
	*ret = s;
	return 0;
}

int
responder_view(struct responder *r, struct snap_view **ret, struct err_info *ei)
{
	struct snap *s = atomic_load_explicit(&r->snap, memory_order_acquire);
	int rc = 0;

	if (s == NULL) {
		pthread_mutex_lock(&r->lock);
		rc = open_snapshot(r, &s, ei);
		pthread_mutex_unlock(&r->lock);
	}
	return rc == 0 ? snap_view_begin(s, ret) : rc;
}

bool
parse_decimal(struct slice text, uint64_t max, uint64_t *ret)
{
	uint64_t n = 0;

	if (text.len == 0 || text.len > 19 || (text.ptr[0] == '0' && text.len > 1))
		return false;
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] < '0' || text.ptr[i] > '9')
			return false;
		n = n * 10 + (uint64_t)(text.ptr[i] - '0');
	}
	*ret = n;
	return n <= max;
}

/* The next '/'-separated part of a path behind *at; false at the end. */
static bool
next_part(struct slice path, size_t *at, struct slice *ret)
{
	const char *start = path.ptr + *at, *slash;

	if (*at >= path.len || *start != '/')
		return false;
	start++;
	slash = memchr(start, '/', (size_t)(path.ptr + path.len - start));
	*ret = (struct slice){ start,
		(size_t)((slash != NULL ? slash : path.ptr + path.len) - start) };
	*at = (size_t)(ret->ptr + ret->len - path.ptr);
	return true;
}

static struct slice *
variable(struct route_match *m, struct slice part)
{
	if (part.len != 3 || part.ptr[0] != '{')
		return NULL;
	return part.ptr[1] == 'o' ? &m->owner : part.ptr[1] == 'r' ? &m->repo : &m->number;
}

/*
 * Parts are split before they are decoded, so an encoded slash stays inside one.
 * ERR_NOENT if the path is another, ERR_NOMEM.
 */
static int
match(struct slice pattern, struct slice path, struct arena *a, struct route_match *ret)
{
	size_t p = 0, q = 0;
	struct slice want, got;

	while (next_part(pattern, &p, &want)) {
		struct slice *var = variable(ret, want);
		int rc = 0;

		if (!next_part(path, &q, &got))
			return ERR_NOENT;
		if (var == NULL && !slice_eq(want, got))
			return ERR_NOENT;
		if (var != NULL)
			rc = params_decode(got, false, a, var);
		if (rc == ERR_INVAL || (rc == 0 && var != NULL && var->len == 0))
			return ERR_NOENT;
		if (rc != 0)
			return rc;
	}
	return q == path.len ? 0 : ERR_NOENT;
}

static int
find_route(struct exchange *x, const struct route **ret)
{
	int rc = ERR_NOENT;

	for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]) && rc == ERR_NOENT; i++) {
		rc =
		    match(slice_str(routes[i].pattern), x->req->path, x->req->arena, &x->match);
		*ret = &routes[i];
	}
	return rc;
}

static void
refuse_method(struct exchange *x)
{
	static const struct request_field allow[] = { { "Allow", SLICE_INIT("GET, HEAD") },
		{ NULL, { 0 } } };

	answer_status(x, 405, 12, "only GET and HEAD are allowed here", allow);
}

/* This thread's cache of answers; NULL without one. */
static struct answer_cache *
cache_of(struct responder *r, unsigned thread)
{
	if (r->cache_bytes == 0 || thread >= RESPONDER_THREADS_MAX)
		return NULL;
	if (r->caches[thread] == NULL)
		r->caches[thread] = answer_cache_new(r->cache_bytes);
	return r->caches[thread];
}

static void
serve(struct exchange *x, const struct route *route, unsigned thread)
{
	int rc = 0;

	if (!request_has_state(x->req)) /* else the handler has kept them */
		rc = params_parse(x->req->query, x->req->arena, &x->params, &x->ei);
	if (rc == 0 && route->needs_view)
		rc = responder_view(x->r, &x->view, &x->ei);
	x->cache = cache_of(x->r, thread);
	if (rc != 0)
		answer_error(x, rc);
	else
		route->handle(x);
	snap_view_end(x->view);
}

void
responder_handle(void *ctx, unsigned thread, struct request *req)
{
	struct exchange x = { .r = ctx, .req = req };
	const struct route *route = NULL;
	int rc = find_route(&x, &route);

	if (rc == ERR_NOENT)
		answer_status(&x, 404, 5, "no such resource", NULL);
	else if (rc != 0)
		answer_error(&x, rc);
	else if (!slice_is(req->method, "GET") && !slice_is(req->method, "HEAD"))
		refuse_method(&x);
	else
		serve(&x, route, thread);
}

bool
exchange_is_ours(struct exchange *x, struct snap_repo *repo)
{
	size_t owner = x->match.owner.len;
	int rc = snap_repo_get(x->view, repo);

	if (rc != 0) {
		answer_error(x, rc);
		return false;
	}
	if (repo->name.len == owner + 1 + x->match.repo.len && repo->name.ptr[owner] == '/' &&
	    strncasecmp(repo->name.ptr, x->match.owner.ptr, owner) == 0 &&
	    strncasecmp(repo->name.ptr + owner + 1, x->match.repo.ptr, x->match.repo.len) == 0)
		return true;
	answer_status(x, 404, 5, "this repository is not mirrored here", NULL);
	return false;
}

bool
exchange_unchanged(struct exchange *x, const struct snap_repo *repo)
{
	struct slice known = request_header(x->req, "If-None-Match"), kept;

	etag_of_log(repo, x->req->path, x->req->query, SLICE("json"), x->etag);
	if (etag_matches(known, x->etag))
		answer_not_modified(x);
	else if (answer_cache_find(
		     x->cache, snap_view_stamp(x->view), x->req->path, x->req->query, &kept))
		answer_kept(x, kept);
	else
		return false;
	return true;
}

bool
exchange_issue(struct exchange *x, const struct snap_repo *repo, struct snap_issue *ret)
{
	uint64_t number;
	int rc;

	if (!parse_decimal(x->match.number, INT32_MAX, &number) || number == 0) {
		answer_status(x, 400, 3, "an issue's number is a whole number from 1", NULL);
		return false;
	}
	rc = snap_issue_get(x->view, (uint32_t)number, ret);
	if (rc == 0 && (ret->flags & SNAP_ISSUE_NOT_EXIST) != 0)
		rc = ERR_NOENT;
	if (rc == ERR_NOENT)
		err_set(&x->ei, rc, "%.*s has no issue %u", (int)repo->name.len, repo->name.ptr,
		    (unsigned)number);
	if (rc != 0)
		answer_error(x, rc);
	return rc == 0;
}
