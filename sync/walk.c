/*
 * walk.c - repository-wide listings of issues, comments and events.
 *
 * The first walk goes in the order of creation, which no change disturbs, and can be
 * taken up at any page.  Afterwards each poll asks a stable URL, newest change first,
 * with its validator, and reads on until what it sees is older than the last poll's.
 */
#include <string.h>

#include "base/log.h"
#include "sync/syncer_internal.h"

/* How far a poll reads on past what it knows: listings may lag behind a little. */
#define OVERLAP_MS INT64_C(60000)

struct listing {
	const char *first; /* path below /repos/O/R of the first walk */
	const char *poll;
	const char *time; /* the member that the poll's order follows */
};

static const struct listing listings[] = {
	[STATUS_ISSUES] = { "issues?state=all&sort=created&direction=asc&per_page=100",
	    "issues?state=all&sort=updated&direction=desc&per_page=100", "updated_at" },
	[STATUS_COMMENTS] = { "issues/comments?sort=created&direction=asc&per_page=100",
	    "issues/comments?sort=updated&direction=desc&per_page=100", "updated_at" },
	/* No order can be asked for: newest first. */
	[STATUS_EVENTS] = { "issues/events?per_page=100", "issues/events?per_page=100",
	    "created_at" },
};

/* One page on its way into the snapshot. */
struct page_job {
	struct syncer *s;
	enum status_family f;
	const json_t *items;
	const struct family_state *st; /* stored with the page; NULL = not yet */
	int64_t synced_ms;             /* for the issues' own sync status, or TIME_NONE */
	struct err_info *ei;
};

static int
add_issues(struct mirror_txn *t, struct diff *d, struct page_job *job)
{
	json_t *issue;
	size_t i;

	json_array_foreach(job->items, i, issue)
	{
		int rc = add_issue(t, d, issue, job->ei);

		if (rc != 0)
			return rc;
	}
	return 0;
}

/* The issue that a comment or event belongs to; 0 if it does not say. */
static uint32_t
owner_of(enum status_family f, const json_t *item)
{
	const char *url;
	json_int_t n;

	if (f == STATUS_COMMENTS) {
		url = json_string_value(json_object_get(item, "issue_url"));
		return url != NULL ? diff_number_of_url(url) : 0;
	}
	n = json_integer_value(json_object_get(json_object_get(item, "issue"), "number"));
	return n > 0 && n <= INT32_MAX ? (uint32_t)n : 0;
}

/* The items from `from` on that belong to the same issue as it, as an array. */
static json_t *
same_owner(const struct page_job *job, size_t from, uint32_t number)
{
	json_t *group = json_array(), *item;
	size_t i;

	json_array_foreach(job->items, i, item)
	{
		if (i >= from && owner_of(job->f, item) == number)
			json_array_append(group, item);
	}
	return group;
}

static bool
seen_before(const struct page_job *job, size_t at, uint32_t number)
{
	for (size_t i = 0; i < at; i++) {
		if (owner_of(job->f, json_array_get(job->items, i)) == number)
			return true;
	}
	return false;
}

/* Records about a tombstoned issue would bring it back: only the issue itself may. */
static bool
may_have_children(struct snap_view *v, uint32_t number)
{
	struct snap_issue i;

	return snap_issue_get(v, number, &i) == 0 && (i.flags & SNAP_ISSUE_SEEN) != 0 &&
	       (i.flags & SNAP_ISSUE_NOT_EXIST) == 0;
}

static int
add_group(struct mirror_txn *t, struct diff *d, const struct page_job *job, uint32_t number,
    const json_t *group)
{
	Maintpb__Mutation *m = NULL;
	int rc;

	if (job->f == STATUS_COMMENTS)
		rc = diff_comments(d, number, group, false, TIME_NONE, &m, job->ei);
	else
		rc = diff_events(d, number, group, TIME_NONE, &m, job->ei);
	if (rc != 0 || m == NULL)
		return rc;
	if (job->synced_ms != TIME_NONE && job->f == STATUS_COMMENTS)
		rc = diff_comments(d, number, group, false, job->synced_ms, &m, job->ei);
	else if (job->synced_ms != TIME_NONE)
		rc = diff_events(d, number, group, job->synced_ms, &m, job->ei);
	return rc != 0 ? rc : mirror_add(t, m);
}

static int
add_children(struct mirror_txn *t, struct diff *d, struct page_job *job)
{
	json_t *item;
	size_t i;

	json_array_foreach(job->items, i, item)
	{
		uint32_t number = owner_of(job->f, item);
		json_t *group;
		int rc;

		if (number == 0)
			return err_set(job->ei, ERR_PROTO,
			    "%s: an item does not name its issue", status_family_names[job->f]);
		if (seen_before(job, i, number) || !may_have_children(d->view, number))
			continue;
		group = same_owner(job, i, number);
		rc = add_group(t, d, job, number, group);
		/* What the mutation borrowed is packed and applied: the group can go. */
		json_decref(group);
		if (rc != 0)
			return rc;
	}
	return 0;
}

static int
add_page(struct mirror_txn *t, void *ctx)
{
	struct page_job *job = ctx;
	struct diff d;
	int rc;

	txn_diff(job->s, t, &d);
	rc = job->f == STATUS_ISSUES ? add_issues(t, &d, job) : add_children(t, &d, job);
	diff_clear(&d);
	if (rc == 0 && job->st != NULL)
		family_store(t->snap, job->f, job->st);
	return rc;
}

/* Issues that a page refers to and the snapshot does not know: ask for them first. */
static int
fetch_owners(struct syncer *s, const struct page_job *job, struct err_info *ei)
{
	json_t *item;
	size_t i;

	if (job->f == STATUS_ISSUES)
		return 0;
	json_array_foreach(job->items, i, item)
	{
		uint32_t number = owner_of(job->f, item);
		struct snap_view *v;
		bool known;
		int rc;

		if (number == 0 || seen_before(job, i, number))
			continue;
		rc = mirror_view(s->mirror, &v);
		if (rc != 0)
			return rc;
		known = may_have_children(v, number);
		snap_writer_view_end(v);
		rc = known ? 0 : fetch_issue(s, number, ei);
		if (rc != 0 && rc != ERR_NOENT)
			return rc;
	}
	return 0;
}

static int
commit_page(struct page_job *job)
{
	int rc = fetch_owners(job->s, job, job->ei);

	if (rc == 0)
		rc = mirror_commit(job->s->mirror, add_page, job, job->ei);
	if (rc != 0)
		return err_wrap(job->ei, rc, "page of %s", status_family_names[job->f]);
	return after_page(job->s, job->ei);
}

static int
listing_url(const struct syncer *s, const char *path, char out[GH_URL_MAX])
{
	return gh_url(s->gh, out, "/repos/%s/%s/%s", s->owner, s->repo, path);
}

/*
 * A listing that ends in 422 has a window that is full.  For issues it means that the
 * place to go on is no longer valid, so the walk starts again.
 */
static int
end_of_window(enum status_family f, struct family_state *st)
{
	if (st->position[0] == '\0')
		return ERR_LIMIT;
	if (f == STATUS_ISSUES) {
		st->position[0] = '\0';
		return 0;
	}
	log_warning("the listing is capped, the rest is asked for issue by issue",
	    LOG_S("family", status_family_names[f]), LOG_END);
	st->complete = true; /* with its position left: see after_cap() */
	return 0;
}

/*
 * A walk that a cap ended: older events are asked for issue by issue.  Comments that
 * it did not reach show as a difference in counts and need nothing more here.
 */
static int
after_cap(struct syncer *s, enum status_family f, struct family_state *st, struct err_info *ei)
{
	int rc = f == STATUS_EVENTS ? pass_events(s, ei) : 0;

	if (rc != 0)
		return rc;
	st->position[0] = '\0';
	st->server_date_ms = st->watermark_ms;
	return family_save(s, f, st, ei);
}

/* Pages until the listing's end; st->position is where to go on. */
static int
first_walk(struct syncer *s, enum status_family f, struct family_state *st, struct err_info *ei)
{
	char first[GH_URL_MAX];
	int rc = listing_url(s, listings[f].first, first);

	while (rc == 0 && !st->complete) {
		struct gh_page page;
		struct page_job job = {
			.s = s, .f = f, .st = st, .synced_ms = TIME_NONE, .ei = ei
		};

		rc = gh_get(s->gh, st->position[0] != '\0' ? st->position : first, NULL, true,
		    &page, ei);
		if (rc == ERR_LIMIT) {
			rc = end_of_window(f, st);
			if (rc == 0 && st->complete)
				rc = family_save(s, f, st, ei);
			continue;
		}
		if (rc != 0)
			break;
		if (st->watermark_ms ==
		    TIME_NONE) /* changes from now on are the polls' business */
			st->watermark_ms = page.server_date_ms;
		memcpy(st->position, page.next, sizeof(st->position));
		st->complete = page.next[0] == '\0';
		if (st->complete)
			st->server_date_ms = st->watermark_ms;
		job.items = page.doc;
		rc = commit_page(&job);
		gh_page_clear(&page);
	}
	return rc;
}

/* The time of a page's item, or TIME_NONE. */
static int64_t
item_time(enum status_family f, const json_t *items, size_t at)
{
	const char *text =
	    json_string_value(json_object_get(json_array_get(items, at), listings[f].time));
	int64_t ms = TIME_NONE;

	if (text != NULL && time_parse(slice_str(text), &ms) != 0)
		return TIME_NONE;
	return ms;
}

/* Does the poll end with this page? */
static bool
reached_known(enum status_family f, const struct gh_page *page, int64_t watermark_ms)
{
	size_t n = json_array_size(page->doc);

	if (page->next[0] == '\0' || n == 0)
		return true;
	return watermark_ms != TIME_NONE &&
	       item_time(f, page->doc, n - 1) < watermark_ms - OVERLAP_MS;
}

/* Commit this page of a poll and those behind it that hold news. */
static int
poll_pages(struct syncer *s, enum status_family f, struct gh_page *page, int64_t watermark_ms,
    struct err_info *ei)
{
	bool last;
	int rc = 0;

	do {
		struct page_job job = { .s = s,
			.f = f,
			.items = page->doc,
			.synced_ms = page->server_date_ms,
			.ei = ei };
		char next[GH_URL_MAX];

		rc = commit_page(&job);
		last = reached_known(f, page, watermark_ms);
		memcpy(next, page->next, sizeof(next));
		gh_page_clear(page);
		if (rc == 0 && !last)
			rc = gh_get(s->gh, next, NULL, true, page, ei);
		if (rc == ERR_LIMIT && f != STATUS_ISSUES) {
			log_warning(
			    "the poll met the listing's cap; older changes may be missing",
			    LOG_S("family", status_family_names[f]), LOG_END);
			return 0; /* it will be there at the next try, too */
		}
	} while (rc == 0 && !last);
	return rc;
}

static int
poll_family(
    struct syncer *s, enum status_family f, struct family_state *st, struct err_info *ei)
{
	char url[GH_URL_MAX];
	struct gh_page page;
	struct family_state next = *st;
	int64_t newest;
	int rc = listing_url(s, listings[f].poll, url);

	if (rc == 0)
		rc = gh_get(s->gh, url, family_etag(s, st), true, &page, ei);
	if (rc != 0)
		return rc;
	next.server_date_ms = page.server_date_ms;
	if (page.not_modified)
		return family_save(s, f, &next, ei);
	family_set_etag(s, &next, page.etag);
	newest = item_time(f, page.doc, 0);
	if (newest != TIME_NONE && newest > next.watermark_ms)
		next.watermark_ms = newest;
	rc = poll_pages(s, f, &page, st->watermark_ms, ei);
	/* Validator and watermark only once everything before them is committed. */
	return rc == 0 ? family_save(s, f, &next, ei) : rc;
}

int
walk_family(struct syncer *s, enum status_family f, struct err_info *ei)
{
	struct family_state st;
	int rc = family_load(s, f, &st);

	status_set_phase(s->status, status_family_names[f]);
	if (rc == 0 && !st.complete)
		rc = first_walk(s, f, &st, ei);
	if (rc == 0 && st.position[0] != '\0')
		rc = after_cap(s, f, &st, ei);
	if (rc == 0)
		rc = poll_family(s, f, &st, ei);
	return rc;
}
