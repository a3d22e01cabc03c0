/*
 * walk.c - repository-wide listings.
 *
 * The first walk goes in the order of creation, which no change disturbs, and can be
 * taken up at any page.  Afterwards each poll asks a stable URL, newest change first,
 * with its validator, and reads on until what it sees is older than the last poll's.
 *
 * What a page skips because something before it was deleted meanwhile shows elsewhere:
 * comments by their number, everything else in the slow relist.
 */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "sync/syncer_internal.h"

/*
 * Behind the URL of the next page in a walk's position: the time of the last item seen.
 * Where page numbers end (422), a listing by time of change can be taken up there.
 */
#define SEEN_MARK "#seen="
#define PAGE_ITEMS 100 /* per_page of every listing */

struct listing {
	const char *first; /* path below /repos/O/R of the first walk */
	const char *poll;
	const char *time;   /* the member that the poll's order follows */
	const char *window; /* where the first walk goes on behind a cap; %s = the time seen */
	const char *owner;  /* member with the URL of the issue that an item belongs to */
};

static const struct listing listings[STATUS_FAMILIES] = {
	[STATUS_ISSUES] = { "issues?state=all&sort=created&direction=asc&per_page=100",
	    "issues?state=all&sort=updated&direction=desc&per_page=100", "updated_at", NULL,
	    NULL },
	[STATUS_COMMENTS] = { "issues/comments?sort=created&direction=asc&per_page=100",
	    "issues/comments?sort=updated&direction=desc&per_page=100", "updated_at",
	    "issues/comments?sort=updated&direction=asc&per_page=100&since=", "issue_url" },
	/* No order can be asked for: newest first. */
	[STATUS_EVENTS] = { "issues/events?per_page=100", "issues/events?per_page=100",
	    "created_at", NULL, NULL },
	[STATUS_PULLS] = { "pulls?state=all&sort=created&direction=asc&per_page=100",
	    "pulls?state=all&sort=updated&direction=desc&per_page=100", "updated_at", NULL,
	    NULL },
	[STATUS_REVIEW_COMMENTS] = { "pulls/comments?sort=created&direction=asc&per_page=100",
	    "pulls/comments?sort=updated&direction=desc&per_page=100", "updated_at",
	    "pulls/comments?sort=updated&direction=asc&per_page=100&since=",
	    "pull_request_url" },
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

/* "https://github.com/O/R/pull/7#discussion_r12" */
static uint32_t
number_of_page(const char *url)
{
	char plain[512];

	snprintf(plain, sizeof(plain), "%.*s", (int)strcspn(url, "#"), url);
	return diff_number_of_url(plain);
}

/* The issue that an item belongs to; 0 if it does not say. */
static uint32_t
owner_of(enum status_family f, const json_t *item)
{
	const json_t *holder = f == STATUS_EVENTS ? json_object_get(item, "issue") : item;
	json_int_t n;

	if (listings[f].owner != NULL) {
		const char *api = json_string_value(json_object_get(item, listings[f].owner));
		const char *page = json_string_value(json_object_get(item, "html_url"));

		return api != NULL    ? diff_number_of_url(api)
		       : page != NULL ? number_of_page(page)
				      : 0;
	}
	n = json_integer_value(json_object_get(holder, "number"));
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

static int
diff_group(struct diff *d, const struct page_job *job, uint32_t number, const json_t *group,
    int64_t synced_ms, Maintpb__Mutation **ret)
{
	switch (job->f) {
	case STATUS_COMMENTS:
		return diff_comments(d, number, group, false, synced_ms, ret, job->ei);
	case STATUS_EVENTS:
		return diff_events(d, number, group, synced_ms, ret, job->ei);
	case STATUS_REVIEW_COMMENTS:
		return diff_review_comments(d, number, group, false, ret, job->ei);
	default:
		return diff_pull(d, json_array_get(group, 0), ret, job->ei);
	}
}

static int
add_group(struct mirror_txn *t, struct diff *d, const struct page_job *job, uint32_t number,
    const json_t *group)
{
	Maintpb__Mutation *m = NULL;
	int rc = diff_group(d, job, number, group, TIME_NONE, &m);

	if (rc != 0 || m == NULL)
		return rc;
	if (job->synced_ms != TIME_NONE)
		rc = diff_group(d, job, number, group, job->synced_ms, &m);
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
		/* Records about a tombstoned issue would bring it back: only itself may. */
		if (seen_before(job, i, number) || !view_has_live(d->view, number))
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
		int rc;

		if (number == 0 || seen_before(job, i, number) || issue_is_live(s, number))
			continue;
		rc = fetch_issue(s, number, ei);
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

/* --- the first walk --- */

/* Does the URL of a window's page say since=`time`?  Its colons may be percent-encoded. */
static bool
window_began_at(const char *url, const char *time)
{
	const char *at = strstr(url, "since=");

	if (at == NULL)
		return false;
	for (at += strlen("since="); *time != '\0'; time++) {
		bool encoded = *time == ':' && strncasecmp(at, "%3a", 3) == 0;

		if (!encoded && *at != *time)
			return false;
		at += encoded ? 3 : 1;
	}
	return true;
}

/* Go on behind a cap with what changed since the last item seen; false where that is no use. */
static bool
next_window(const struct syncer *s, enum status_family f, struct family_state *st)
{
	const char *mark = strstr(st->position, SEEN_MARK);
	char seen[32], path[160];

	if (mark == NULL || listings[f].window == NULL)
		return false;
	snprintf(seen, sizeof(seen), "%s", mark + strlen(SEEN_MARK));
	snprintf(path, sizeof(path), "%s%s", listings[f].window, seen);
	/* Did this window begin there?  Then more than it takes changed in one second. */
	if (window_began_at(st->position, seen))
		return false;
	return listing_url(s, path, st->position) == 0;
}

/*
 * A listing that ends in 422 has a window that is full.  For issues it means that the
 * place to go on is no longer valid, so the walk starts again.
 */
static int
end_of_window(const struct syncer *s, enum status_family f, struct family_state *st)
{
	if (st->position[0] == '\0')
		return ERR_LIMIT;
	if (f == STATUS_ISSUES) {
		st->position[0] = '\0';
		return 0;
	}
	if (next_window(s, f, st))
		return 0;
	log_warning("the listing is capped; the rest is asked for issue by issue, or comes "
		    "when it changes",
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

/* Where the walk goes on after a page, with the time of its last item. */
static void
set_position(enum status_family f, const struct gh_page *page, struct family_state *st)
{
	bool window = strstr(page->next, "sort=updated") != NULL;
	const json_t *last = json_array_get(page->doc, json_array_size(page->doc) - 1);
	const char *time =
	    json_string_value(json_object_get(last, window ? "updated_at" : "created_at"));
	size_t len = strlen(page->next);

	memcpy(st->position, page->next, len + 1);
	if (len > 0 && listings[f].window != NULL && time != NULL && strlen(time) < 32 &&
	    len + sizeof(SEEN_MARK) + 32 < sizeof(st->position))
		snprintf(st->position + len, sizeof(st->position) - len, SEEN_MARK "%s", time);
}

/*
 * There is no next page.  Behind a cap there is none either, so a last page that is full
 * ends only listings that have no cap: one with windows is looked at once more, and events
 * are asked for issue by issue.
 */
static void
end_walk(const struct syncer *s, enum status_family f, const char *url,
    const struct gh_page *page, struct family_state *st)
{
	bool full = json_array_size(page->doc) >= PAGE_ITEMS;
	const json_t *last = json_array_get(page->doc, json_array_size(page->doc) - 1);
	bool window = strstr(url, "sort=updated") != NULL;
	const char *time =
	    json_string_value(json_object_get(last, window ? "updated_at" : "created_at"));

	st->complete = true;
	if (!full || time == NULL)
		return;
	if (f == STATUS_EVENTS)
		snprintf(st->position, sizeof(st->position), "%s", url);
	if (listings[f].window == NULL)
		return;
	snprintf(st->position, sizeof(st->position), "%.*s" SEEN_MARK "%.31s",
	    (int)sizeof(st->position) - 64, url, time);
	st->complete = !next_window(s, f, st);
	if (st->complete)
		st->position[0] = '\0';
}

/* Pages until the listing's end; st->position is where to go on. */
static int
first_walk(struct syncer *s, enum status_family f, struct family_state *st, struct err_info *ei)
{
	char url[GH_URL_MAX];
	int rc = 0;

	while (rc == 0 && !st->complete) {
		struct gh_page page;
		struct page_job job = {
			.s = s, .f = f, .st = st, .synced_ms = TIME_NONE, .ei = ei
		};

		if (st->position[0] == '\0')
			rc = listing_url(s, listings[f].first, url);
		else
			snprintf(url, sizeof(url), "%.*s", (int)strcspn(st->position, "#"),
			    st->position);
		if (rc == 0)
			rc = gh_get(s->gh, url, NULL, true, &page, ei);
		if (rc == ERR_LIMIT) {
			rc = end_of_window(s, f, st);
			if (rc == 0)
				rc = family_save(s, f, st, ei);
			continue;
		}
		if (rc != 0)
			break;
		s->hub_now_ms = page.server_date_ms;
		s->was_moved = s->was_moved || page.moved_to[0] != '\0';
		if (st->watermark_ms ==
		    TIME_NONE) /* changes from now on are the polls' business */
			st->watermark_ms = page.server_date_ms;
		set_position(f, &page, st);
		if (page.next[0] == '\0')
			end_walk(s, f, url, &page, st);
		if (st->complete)
			st->server_date_ms = st->watermark_ms;
		job.items = page.doc;
		rc = commit_page(&job);
		gh_page_clear(&page);
	}
	return rc;
}

/* --- polls --- */

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
	       item_time(f, page->doc, n - 1) < watermark_ms - SYNC_OVERLAP_MS;
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
			log_warning("the poll met the listing's cap",
			    LOG_S("family", status_family_names[f]), LOG_END);
			/* It will be there at the next try, too. */
			return f == STATUS_EVENTS ? pass_events_since(s, watermark_ms, ei) : 0;
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
	s->hub_now_ms = next.server_date_ms = page.server_date_ms;
	s->was_moved = s->was_moved || page.moved_to[0] != '\0';
	if (page.not_modified)
		return family_save(s, f, &next, ei);
	family_set_etag(&next, &page);
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
	return rc == 0 ? poll_family(s, f, &st, ei) : rc;
}

int
commit_items(struct syncer *s, enum status_family f, const json_t *items, struct err_info *ei)
{
	struct page_job job = {
		.s = s, .f = f, .items = items, .synced_ms = TIME_NONE, .ei = ei
	};

	return commit_page(&job);
}
