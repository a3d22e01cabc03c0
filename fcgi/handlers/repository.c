/*
 * repository.c - GET /api/v1/{owner}/{repo}, and /api/v1/owners/{owner}/repositories: a
 * pod knows one repository; the router gathers these answers from many pods.
 */
#include <strings.h>

#include "base/json_text.h"
#include "fcgi/filter/filter.h"
#include "fcgi/json_child.h"
#include "fcgi/responder.h"

static void
add_count(struct buf *out, const char *key, uint64_t count)
{
	buf_fmt(out, ",\"%s\":%llu", key, (unsigned long long)count);
}

static void
add_counts(const struct snap_repo *r, struct buf *out)
{
	const uint64_t *of = r->counts;

	add_count(out, "issueCount", of[SNAP_CLASS_OPEN_ISSUE] + of[SNAP_CLASS_CLOSED_ISSUE]);
	add_count(
	    out, "pullRequestCount", of[SNAP_CLASS_OPEN_PULL] + of[SNAP_CLASS_CLOSED_PULL]);
	add_count(out, "openIssueCount", of[SNAP_CLASS_OPEN_ISSUE]);
	add_count(out, "openPullRequestCount", of[SNAP_CLASS_OPEN_PULL]);
	add_count(out, "commentCount", r->comments);
	add_count(out, "reviewCount", r->reviews);
	add_count(out, "reviewCommentCount", r->review_comments);
	add_count(out, "eventCount", r->events);
}

/* GitHub's time at which each family was last known to be complete. */
static void
add_synced_at(struct snap_view *v, struct buf *out)
{
	static const struct {
		const char *key, *family;
	} families[] = { { "issues", "issues" }, { "comments", "comments" },
		{ "events", "events" }, { "reviews", "reviews" }, { "pulls", "pulls" },
		{ "reviewComments", "review_comments" }, { "labels", "labels" },
		{ "milestones", "milestones" } };

	buf_str(out, ",\"syncedAt\":{");
	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
		struct snap_sync s = { .server_date_ms = TIME_NONE };

		if (snap_sync_get(v, slice_str(families[i].family), &s) != 0 || !s.complete)
			s.server_date_ms = TIME_NONE;
		buf_fmt(out, "%s\"%s\":", i > 0 ? "," : "", families[i].key);
		json_time(s.server_date_ms, out);
	}
	buf_char(out, '}');
}

static void
add_note(struct snap_view *v, const char *key, const char *note, struct slice unless,
    struct buf *out)
{
	struct slice text = { 0 };

	buf_fmt(out, ",\"%s\":", key);
	if (snap_note_get(v, note, &text) != 0 || slice_eq(text, unless))
		text = (struct slice){ "", 0 };
	json_text_quote(out, text);
}

static void
add_repository(struct snap_view *v, const struct snap_repo *r, struct buf *out)
{
	buf_str(out, "{\"name\":");
	json_text_quote(out, r->name);
	add_counts(r, out);
	buf_fmt(out, ",\"complete\":%s", mirror_is_complete(v) ? "true" : "false");
	add_synced_at(v, out);
	add_note(v, "lastError", "last_error", SLICE(""), out);
	/* A repository that was renamed back has its own name there. */
	add_note(v, "renamedTo", "renamed_to", r->name, out);
	buf_fmt(out, ",\"log\":{\"segment\":%u,\"offset\":%llu}}", r->log_segment,
	    (unsigned long long)r->log_offset);
}

void
handle_repository(struct exchange *x)
{
	struct snap_repo r;

	if (!exchange_is_ours(x, &r))
		return;
	buf_str(x->req->out, "{\"repository\":");
	add_repository(x->view, &r, x->req->out);
	buf_char(x->req->out, '}');
	answer_json_hashed(x);
}

/* Owner "-" stands for all. */
static bool
is_owner(struct slice want, struct slice name)
{
	if (slice_is(want, "-"))
		return true;
	return name.len > want.len && name.ptr[want.len] == '/' &&
	       strncasecmp(want.ptr, name.ptr, want.len) == 0;
}

/* Is the repository among those asked for? */
static int
is_listed(struct exchange *x, const struct snap_repo *r, bool *ret)
{
	const struct filter_row row = { .view = x->view, .repo = r };
	struct filter *f = NULL;
	int rc = 0;

	if (x->params.filter.len > 0)
		rc = filter_new(
		    x->params.filter, FILTER_REPOSITORIES, x->r->filter_steps, &f, &x->ei);
	*ret = is_owner(x->match.owner, r->name);
	if (rc == 0 && f != NULL && *ret)
		rc = filter_matches(f, &row, ret, &x->ei);
	filter_free(f);
	return rc;
}

void
handle_repositories(struct exchange *x)
{
	struct buf *out = x->req->out;
	struct snap_repo r;
	bool listed;
	int rc = snap_repo_get(x->view, &r);

	if (rc == 0)
		rc = is_listed(x, &r, &listed);
	if (rc != 0) {
		answer_error(x, rc);
		return;
	}
	buf_str(out, "{\"repositories\":[");
	if (listed)
		add_repository(x->view, &r, out);
	buf_fmt(out, "],\"nextPageToken\":\"\",\"total\":%d}", listed ? 1 : 0);
	answer_json_hashed(x);
}
