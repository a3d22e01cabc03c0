/*
 * relist.c - the slow pass over everything, for what no poll shows: issues deleted or
 * moved away, reactions, references from elsewhere, review comments deleted, reviews
 * edited.  A few pages after each round, until it is through; a restart begins it anew.
 *
 * What the listing lacks and the snapshot has is asked for singly: a page may have
 * skipped it because something before it was deleted meanwhile.
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "sync/syncer_internal.h"

#define PAGES_A_ROUND 20

enum stage {
	STAGE_NONE,
	STAGE_ISSUES,
	STAGE_REVIEW_COMMENTS,
	STAGE_REVIEWS,
	STAGE_END
};

static const char *const first_pages[] = {
	[STAGE_ISSUES] = "issues?state=all&sort=created&direction=asc&per_page=100",
	[STAGE_REVIEW_COMMENTS] = "pulls/comments?sort=created&direction=asc&per_page=100",
};

/* --- ids that were listed --- */

static int
compare_ids(const void *a, const void *b)
{
	uint64_t x = get_le64(a), y = get_le64(b);

	return x < y ? -1 : x > y;
}

static void
remember(struct buf *seen, const json_t *items, const char *member)
{
	const json_t *item;
	size_t i;

	json_array_foreach(items, i, item)
	    buf_le64(seen, (uint64_t)json_integer_value(json_object_get(item, member)));
}

static bool
was_listed(const struct buf *seen, uint64_t id)
{
	unsigned char key[8];

	put_le64(key, id);
	return seen->len > 0 && bsearch(key, seen->ptr, seen->len / 8, 8, compare_ids) != NULL;
}

/* --- what was not --- */

static bool
is_old_enough(const struct syncer *s, int64_t created_ms)
{
	return created_ms < s->relist.start_ms - SYNC_OVERLAP_MS;
}

/* pick_issue: live, and the listing lacks it. */
static int
is_unlisted(struct snap_view *v, const struct snap_issue *i, const void *ctx)
{
	const struct syncer *s = ctx;

	(void)v;
	return !was_listed(&s->relist.seen, i->number) &&
	       is_old_enough(s, snap_issue_created_ms(i));
}

/* pick_issue: it has a review comment that the listing lacks. */
static int
has_unlisted(struct snap_view *v, const struct snap_issue *i, const void *ctx)
{
	const struct syncer *s = ctx;
	struct snap_child c;
	struct snap_walk w;
	int rc;

	if (snap_issue_review_comment_count(i) == 0)
		return 0;
	rc = snap_walk_begin(v, SNAP_REVIEW_COMMENT, i->number, &w);
	while (rc == 0 && (rc = snap_walk_next(&w, &c)) == 0) {
		if (is_old_enough(s, c.created_ms) &&
		    !was_listed(&s->relist.seen, (uint64_t)c.id))
			return 1;
	}
	return rc == ERR_NOENT ? 0 : rc;
}

/* --- stages --- */

static int
end_listing(struct syncer *s, enum stage stage, struct err_info *ei)
{
	struct buf numbers;
	int rc;

	buf_init(&numbers, SIZE_MAX / 2);
	rc = buf_err(&s->relist.seen);
	if (rc == 0 && s->relist.seen.len > 0)
		qsort(s->relist.seen.ptr, s->relist.seen.len / 8, 8, compare_ids);
	if (rc == 0)
		rc = pick_issues(
		    s, stage == STAGE_ISSUES ? is_unlisted : has_unlisted, s, &numbers);
	for (size_t at = 0; rc == 0 && at < numbers.len; at += 4) {
		uint32_t number = get_le32(numbers.ptr + at);

		rc = stage == STAGE_ISSUES ? fetch_issue(s, number, ei)
					   : relist(s, STATUS_REVIEW_COMMENTS, number, ei);
		rc = rc == ERR_NOENT ? 0 : rc;
	}
	buf_clear(&numbers);
	buf_reset(&s->relist.seen);
	/* The listing told how many comments there are, of issues that no poll showed, too. */
	return rc == 0 && stage == STAGE_ISSUES ? pass_comments(s, ei) : rc;
}

static int
begin_stage(struct syncer *s, int stage)
{
	s->relist.stage = stage;
	s->relist.url[0] = '\0';
	buf_reset(&s->relist.seen);
	if (stage != STAGE_ISSUES && stage != STAGE_REVIEW_COMMENTS)
		return 0;
	return gh_url(
	    s->gh, s->relist.url, "/repos/%s/%s/%s", s->owner, s->repo, first_pages[stage]);
}

/* One page; *ret_end after the last. */
static int
list_page(struct syncer *s, bool *ret_end, struct err_info *ei)
{
	bool issues = s->relist.stage == STAGE_ISSUES;
	struct gh_page page;
	int rc = gh_get(s->gh, s->relist.url, NULL, true, &page, ei);

	if (rc == ERR_LIMIT) { /* capped: what is missing from it proves nothing */
		buf_reset(&s->relist.seen);
		s->relist.stage++;
		return begin_stage(s, s->relist.stage);
	}
	if (rc != 0)
		return rc;
	remember(&s->relist.seen, page.doc, issues ? "number" : "id");
	rc = commit_items(s, issues ? STATUS_ISSUES : STATUS_REVIEW_COMMENTS, page.doc, ei);
	memcpy(s->relist.url, page.next, sizeof(s->relist.url));
	*ret_end = page.next[0] == '\0';
	gh_page_clear(&page);
	return rc;
}

static int
list_pages(struct syncer *s, struct err_info *ei)
{
	int rc = 0;

	for (int i = 0; (i < PAGES_A_ROUND || s->relist_now) && rc == 0; i++) {
		enum stage stage = (enum stage)s->relist.stage;
		bool end = false;

		if (stage != STAGE_ISSUES && stage != STAGE_REVIEW_COMMENTS)
			return 0;
		rc = list_page(s, &end, ei);
		if (rc == 0 && end)
			rc = end_listing(s, stage, ei);
		if (rc == 0 && end)
			rc = begin_stage(s, (int)stage + 1);
	}
	return rc;
}

static int
finish(struct syncer *s, struct family_state *st, struct err_info *ei)
{
	s->relist.stage = STAGE_NONE;
	s->relist_now = false;
	st->complete = true;
	st->server_date_ms = st->watermark_ms = s->relist.start_ms;
	log_info("everything was listed again", LOG_END);
	return family_save(s, STATUS_RELIST, st, ei);
}

/* Is a pass due?  The first walk was one, so the clock begins to run with it. */
static int
begin_if_due(struct syncer *s, struct family_state *st, struct err_info *ei)
{
	if (!st->complete && !s->relist_now) {
		s->relist.start_ms = s->hub_now_ms;
		st->complete = true;
		st->server_date_ms = st->watermark_ms = s->hub_now_ms;
		return family_save(s, STATUS_RELIST, st, ei);
	}
	if (!s->relist_now && s->hub_now_ms - st->server_date_ms < s->relist_ms)
		return 0;
	s->relist.start_ms = s->hub_now_ms;
	return begin_stage(s, STAGE_ISSUES);
}

int
relist_step(struct syncer *s, struct err_info *ei)
{
	struct family_state st;
	int rc = family_load(s, STATUS_RELIST, &st);

	if (rc != 0 || (s->relist_ms == 0 && !s->relist_now) || s->hub_now_ms == TIME_NONE)
		return rc;
	if (s->relist.stage == STAGE_NONE)
		rc = begin_if_due(s, &st, ei);
	if (rc != 0 || s->relist.stage == STAGE_NONE)
		return rc;
	status_set_phase(s->status, "relisting");
	gh_set_background(s->gh, true);
	rc = list_pages(s, ei);
	if (rc == 0 && s->relist.stage == STAGE_REVIEWS) {
		/* Without GraphQL that is a request for each pull request: too dear. */
		rc = pass_reviews_since(s, s->relist.start_ms, ei);
		if (rc == 0)
			rc = finish(s, &st, ei);
	}
	return rc;
}
