/*
 * per_issue.c - what no repository-wide listing gives: reviews, comments that
 * vanished, events beyond a capped listing, single issues.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/log.h"
#include "base/mem.h"
#include "sync/syncer_internal.h"

#define LISTINGS_MAX 3 /* tries to see the same long list twice */
#define PAGES_MAX 1000 /* of one issue's children */

void
txn_diff(const struct syncer *s, struct mirror_txn *t, struct diff *ret)
{
	diff_init(ret, snap_txn_arena(t->snap), snap_txn_view(t->snap), s->owner, s->repo);
}

/* --- single issues --- */

/* GitHub's comment count is no part of the log; it is what pass_comments() checks. */
static int
note_hub_comments(struct snap_txn *t, uint32_t number, int64_t count)
{
	struct snap_issue i;
	struct snap_issue_edit *e;
	int rc;

	if (count < 0 || count >= SNAP_HUB_UNKNOWN)
		return 0;
	rc = snap_issue_get(snap_txn_view(t), number, &i);
	if (rc != 0 || snap_issue_hub_comments(&i) == (uint32_t)count)
		return rc;
	e = arena_alloc(snap_txn_arena(t), sizeof(*e));
	rc = e == NULL ? ERR_NOMEM : snap_issue_edit_begin(t, number, e);
	if (rc != 0)
		return rc;
	e->hub_comments = (uint32_t)count;
	snap_issue_edit_end(t, e);
	return 0;
}

int
add_issue(struct mirror_txn *t, struct diff *d, const json_t *issue, struct err_info *ei)
{
	struct json_in in = { .what = "issue", .ei = ei };
	Maintpb__Mutation *m = NULL;
	int rc = diff_issue(d, issue, &m, ei);

	if (rc == 0)
		rc = mirror_add(t, m);
	if (rc == 0 && snap_txn_err(t->snap) == 0)
		rc = note_hub_comments(t->snap, (uint32_t)json_in_i64(&in, issue, "number"),
		    json_in_opt_i64(&in, issue, "comments"));
	return rc != 0 ? rc : in.err;
}

struct issue_job {
	struct syncer *s;
	const json_t *doc;
	struct err_info *ei;
};

static int
commit_issue(struct mirror_txn *t, void *ctx)
{
	struct issue_job *job = ctx;
	struct diff d;
	int rc;

	txn_diff(job->s, t, &d);
	rc = add_issue(t, &d, job->doc, job->ei);
	diff_clear(&d);
	return rc;
}

bool
view_has_live(struct snap_view *v, uint32_t number)
{
	struct snap_issue i;

	return snap_issue_get(v, number, &i) == 0 && (i.flags & SNAP_ISSUE_SEEN) != 0 &&
	       (i.flags & SNAP_ISSUE_NOT_EXIST) == 0;
}

bool
issue_is_live(struct syncer *s, uint32_t number)
{
	struct snap_view *v;
	bool live;

	if (mirror_view(s->mirror, &v) != 0)
		return false;
	live = view_has_live(v, number);
	snap_writer_view_end(v);
	return live;
}

/* An issue that moved to another repository has another number or repository there. */
static bool
is_this_issue(const struct syncer *s, uint32_t number, const struct gh_page *page)
{
	const char *repo = json_string_value(json_object_get(page->doc, "repository_url"));
	const char *tail = repo != NULL ? strstr(repo, "/repos/") : NULL;
	char ours[512], hubs[512];

	if (json_integer_value(json_object_get(page->doc, "number")) != number)
		return false;
	if (page->moved_to[0] == '\0' || tail == NULL)
		return true;
	snprintf(ours, sizeof(ours), "/repos/%s/%s", s->owner, s->repo);
	snprintf(hubs, sizeof(hubs), "/repos/%s/%s", s->hub_owner, s->hub_name);
	return strcasecmp(tail, ours) == 0 || strcasecmp(tail, hubs) == 0;
}

/* "owner/repo/7" of an issue's own words, or else the URL that led there. */
static void
destination_of(const struct gh_page *page, char *out, size_t size)
{
	const char *repo = json_string_value(json_object_get(page->doc, "repository_url"));
	const char *tail = repo != NULL ? strstr(repo, "/repos/") : NULL;
	json_int_t number = json_integer_value(json_object_get(page->doc, "number"));

	if (tail != NULL && number > 0)
		snprintf(out, size, "%s/%lld", tail + strlen("/repos/"), (long long)number);
	else
		snprintf(out, size, "%s", page->moved_to);
}

static int
gone_or_missing(struct syncer *s, uint32_t number, int rc, struct err_info *ei)
{
	if (rc == ERR_GONE)
		rc = note_gone(s, number, "", ei);
	else if (rc == ERR_NOENT)
		rc = note_missing(s, number, ei);
	else
		return rc;
	return rc == 0 ? ERR_NOENT : rc;
}

int
fetch_issue(struct syncer *s, uint32_t number, struct err_info *ei)
{
	struct issue_job job = { .s = s, .ei = ei };
	char url[GH_URL_MAX], moved[GH_URL_MAX];
	struct gh_page page;
	int rc = gh_url(s->gh, url, "/repos/%s/%s/issues/%u", s->owner, s->repo, number);

	if (rc == 0)
		rc = gh_get(s->gh, url, NULL, false, &page, ei);
	if (rc != 0)
		return gone_or_missing(s, number, rc, ei);
	if (!is_this_issue(s, number, &page)) {
		destination_of(&page, moved, sizeof(moved));
		gh_page_clear(&page);
		rc = note_gone(s, number, moved, ei);
		return rc == 0 ? ERR_NOENT : rc;
	}
	job.doc = page.doc;
	rc = mirror_commit(s->mirror, commit_issue, &job, ei);
	gh_page_clear(&page);
	return rc == 0 ? note_found(s, number, ei) : rc;
}

/* --- lists below one issue --- */

/* All pages of a listing as one array. */
static int
list_all(struct syncer *s, const char *first, json_t **ret, int64_t *ret_date_ms,
    unsigned *ret_pages, struct err_info *ei)
{
	json_t *all = json_array();
	char url[GH_URL_MAX];
	unsigned pages = 0;
	int rc = 0;

	snprintf(url, sizeof(url), "%s", first);
	while (rc == 0 && url[0] != '\0') {
		struct gh_page page;

		if (++pages > PAGES_MAX)
			rc = err_set(ei, ERR_LIMIT, "%s: more than %d pages", first, PAGES_MAX);
		else
			rc = gh_get(s->gh, url, NULL, true, &page, ei);
		if (rc != 0)
			break;
		if (pages == 1)
			*ret_date_ms = page.server_date_ms;
		json_array_extend(all, page.doc);
		memcpy(url, page.next, sizeof(url));
		gh_page_clear(&page);
	}
	if (rc != 0) {
		json_decref(all);
		return rc;
	}
	*ret = all;
	*ret_pages = pages;
	return 0;
}

static bool
same_ids(const json_t *a, const json_t *b)
{
	const json_t *o;
	size_t i;

	if (json_array_size(a) != json_array_size(b))
		return false;
	json_array_foreach(a, i, o)
	{
		if (!json_equal(
			json_object_get(o, "id"), json_object_get(json_array_get(b, i), "id")))
			return false;
	}
	return true;
}

int
list_surely(
    struct syncer *s, const char *url, json_t **ret, int64_t *ret_date_ms, struct err_info *ei)
{
	json_t *before = NULL, *now = NULL;
	unsigned pages = 0;
	int rc = list_all(s, url, &now, ret_date_ms, &pages, ei);

	for (int i = 1; rc == 0 && pages > 1 && i < LISTINGS_MAX; i++) {
		json_decref(before);
		before = now;
		now = NULL;
		rc = list_all(s, url, &now, ret_date_ms, &pages, ei);
		if (rc == 0 && same_ids(before, now))
			break;
	}
	json_decref(before);
	if (rc == 0)
		*ret = now;
	return rc;
}

struct list_job {
	struct syncer *s;
	enum status_family f;
	uint32_t number;
	const json_t *items;
	int64_t date_ms;
	struct err_info *ei;
};

static int
commit_list(struct mirror_txn *t, void *ctx)
{
	struct list_job *job = ctx;
	Maintpb__Mutation *m = NULL;
	struct diff d;
	int rc;

	txn_diff(job->s, t, &d);
	if (!view_has_live(d.view, job->number))
		rc = 0;
	else if (job->f == STATUS_REVIEWS)
		rc = diff_reviews(&d, job->number, job->items, job->date_ms, &m, job->ei);
	else if (job->f == STATUS_EVENTS)
		rc = diff_events(&d, job->number, job->items, job->date_ms, &m, job->ei);
	else if (job->f == STATUS_REVIEW_COMMENTS)
		rc = diff_review_comments(&d, job->number, job->items, true, &m, job->ei);
	else
		rc =
		    diff_comments(&d, job->number, job->items, true, job->date_ms, &m, job->ei);
	if (rc == 0)
		rc = mirror_add(t, m);
	diff_clear(&d);
	if (rc == 0 && job->f == STATUS_COMMENTS && snap_txn_err(t->snap) == 0)
		rc = note_hub_comments(
		    t->snap, job->number, (int64_t)json_array_size(job->items));
	return rc;
}

int
relist(struct syncer *s, enum status_family f, uint32_t number, struct err_info *ei)
{
	static const char *const paths[STATUS_FAMILIES] = {
		[STATUS_COMMENTS] = "issues/%u/comments?per_page=100",
		[STATUS_EVENTS] = "issues/%u/events?per_page=100",
		[STATUS_REVIEWS] = "pulls/%u/reviews?per_page=100",
		[STATUS_REVIEW_COMMENTS] = "pulls/%u/comments?per_page=100",
	};
	struct list_job job = {
		.s = s, .f = f, .number = number, .date_ms = TIME_NONE, .ei = ei
	};
	char path[128], url[GH_URL_MAX];
	json_t *items = NULL;
	int rc;

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	snprintf(path, sizeof(path), paths[f], number);
#pragma GCC diagnostic pop
	rc = gh_url(s->gh, url, "/repos/%s/%s/%s", s->owner, s->repo, path);
	if (rc == 0)
		rc = list_surely(s, url, &items, &job.date_ms, ei);
	if (rc == ERR_GONE || rc == ERR_NOENT) { /* of the issue, or a lagging replica */
		rc = fetch_issue(s, number, ei);
		return rc == ERR_NOENT ? 0 : rc;
	}
	if (rc != 0)
		return rc;
	job.items = items;
	rc = mirror_commit(s->mirror, commit_list, &job, ei);
	json_decref(items);
	return rc == 0 ? after_page(s, ei) : rc;
}

/* --- which issues --- */

int
pick_issues(struct syncer *s, pick_issue test, const void *ctx, struct buf *ret)
{
	struct snap_list_pos pos;
	struct snap_list list;
	struct snap_view *v;
	struct snap_issue i;
	int rc = mirror_view(s->mirror, &v), picked;

	if (rc != 0)
		return rc;
	rc = snap_list_begin(v, SNAP_BY_NUMBER, false, SNAP_CLASS_ALL, NULL, &list);
	while (rc == 0 && (rc = snap_list_next(&list, &pos)) == 0) {
		rc = snap_issue_get(v, pos.number, &i);
		picked = rc == 0 ? test(v, &i, ctx) : rc;
		if (picked > 0)
			buf_le32(ret, pos.number);
		rc = picked < 0 ? picked : 0;
	}
	snap_writer_view_end(v);
	return rc == ERR_NOENT ? buf_err(ret) : rc;
}

static int
comments_differ(struct snap_view *v, const struct snap_issue *i, const void *ctx)
{
	(void)v, (void)ctx;
	return snap_issue_hub_comments(i) != SNAP_HUB_UNKNOWN &&
	       snap_issue_hub_comments(i) != snap_issue_comment_count(i);
}

int
relist_picked(struct syncer *s, pick_issue test, enum status_family f, struct err_info *ei)
{
	struct buf numbers;
	int rc;

	buf_init(&numbers, SIZE_MAX / 2);
	rc = pick_issues(s, test, NULL, &numbers);
	for (size_t at = 0; rc == 0 && at < numbers.len; at += 4)
		rc = relist(s, f, get_le32(numbers.ptr + at), ei);
	buf_clear(&numbers);
	return rc;
}

int
pass_comments(struct syncer *s, struct err_info *ei)
{
	return relist_picked(s, comments_differ, STATUS_COMMENTS, ei);
}
