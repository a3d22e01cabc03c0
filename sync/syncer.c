/* syncer.c - the order of a round, checkpoints, and what the status says of it. */
#include "sync/syncer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "sync/syncer_internal.h"

#define REFS_EVERY 10 /* polls: labels, milestones and the like change seldom */
#define CHECKPOINT_BYTES ((uint64_t)16 << 20)
#define CHECKPOINT_MS INT64_C(60000) /* in a long round */
#define PROGRESS_MS INT64_C(10000)

void
syncer_init(struct syncer *s, const struct syncer_opts *o)
{
	*s = (struct syncer){ .mirror = o->mirror,
		.gh = o->gh,
		.status = o->status,
		.tombs = o->tombs,
		.owner = o->owner,
		.repo = o->repo,
		.relist_ms = o->relist_ms,
		.relist_now = o->relist_now,
		.hub_now_ms = TIME_NONE,
		.flushed_ms = clock_mono_ms() };
	snprintf(s->hub_owner, sizeof(s->hub_owner), "%s", o->owner);
	snprintf(s->hub_name, sizeof(s->hub_name), "%s", o->repo);
	buf_init(&s->relist.seen, SIZE_MAX / 2);
}

void
syncer_clear(struct syncer *s)
{
	buf_clear(&s->relist.seen);
}

/* --- status --- */

static void
update_counts(struct syncer *s)
{
	struct snap_view *v;
	struct snap_repo r;

	if (mirror_view(s->mirror, &v) != 0)
		return;
	if (snap_repo_get(v, &r) == 0) {
		pthread_mutex_lock(&s->status->lock);
		s->status->families[STATUS_ISSUES].done =
		    r.counts[0] + r.counts[1] + r.counts[2] + r.counts[3];
		s->status->families[STATUS_COMMENTS].done = r.comments;
		s->status->families[STATUS_EVENTS].done = r.events;
		s->status->families[STATUS_REVIEWS].done = r.reviews;
		s->status->families[STATUS_PULLS].done = r.counts[1] + r.counts[3];
		s->status->families[STATUS_REVIEW_COMMENTS].done = r.review_comments;
		s->status->github = *gh_stats(s->gh);
		s->status->records = mirror_records(s->mirror);
		pthread_mutex_unlock(&s->status->lock);
	}
	snap_writer_view_end(v);
}

static void
report_progress(struct syncer *s)
{
	struct status *st = s->status;
	int64_t now = clock_mono_ms();

	if (now - s->reported_ms < PROGRESS_MS)
		return;
	s->reported_ms = now;
	log_info("progress", LOG_S("phase", st->phase),
	    LOG_I("issues", st->families[STATUS_ISSUES].done),
	    LOG_I("comments", st->families[STATUS_COMMENTS].done),
	    LOG_I("events", st->families[STATUS_EVENTS].done),
	    LOG_I("reviews", st->families[STATUS_REVIEWS].done),
	    LOG_I("requests", st->github.requests),
	    LOG_I("rate_remaining", st->github.rate_remaining), LOG_END);
}

/* Every family's state as the sync table has it, for the status. */
static int
update_families(struct syncer *s)
{
	bool complete = true;

	for (int f = 0; f < STATUS_FAMILIES; f++) {
		struct family_state st;
		int rc = family_load(s, (enum status_family)f, &st);

		if (rc != 0)
			return rc;
		complete = complete && (st.complete || f == STATUS_RELIST);
		pthread_mutex_lock(&s->status->lock);
		s->status->families[f].synced_at_ms =
		    st.complete ? st.server_date_ms : TIME_NONE;
		pthread_mutex_unlock(&s->status->lock);
	}
	pthread_mutex_lock(&s->status->lock);
	s->status->complete = complete;
	pthread_mutex_unlock(&s->status->lock);
	return 0;
}

/* --- checkpoints --- */

struct checkpoint {
	struct syncer *s;
	struct family_state families[STATUS_LOGGED];
};

/* One record for all families: a rebuilt snapshot knows from it what is missing. */
static int
add_sync_states(struct mirror_txn *t, void *ctx)
{
	const struct checkpoint *c = ctx;
	struct diff d;
	int rc = 0;

	txn_diff(c->s, t, &d);
	for (int f = 0; f < STATUS_LOGGED && rc == 0; f++) {
		const struct family_state *st = &c->families[f];
		Maintpb__Mutation *m;

		if (!st->complete && st->watermark_ms == TIME_NONE)
			continue; /* not begun */
		m = diff_sync_state(
		    &d, status_family_names[f], st->watermark_ms, st->complete, st->position);
		rc = m == NULL ? ERR_NOMEM : mirror_add(t, m);
		/* Applying the record has overwritten the row: the local one knows more. */
		family_store(t->snap, (enum status_family)f, st);
	}
	diff_clear(&d);
	return rc;
}

int
syncer_checkpoint(struct syncer *s, struct err_info *ei)
{
	struct checkpoint c = { .s = s };
	int rc = 0;

	if (mirror_records(s->mirror) != s->flushed_records) {
		for (int f = 0; f < STATUS_LOGGED && rc == 0; f++)
			rc = family_load(s, (enum status_family)f, &c.families[f]);
		if (rc == 0)
			rc = mirror_commit(s->mirror, add_sync_states, &c, ei);
	}
	if (rc == 0)
		rc = mirror_flush(s->mirror, ei);
	if (rc != 0)
		return rc;
	s->flushed_ms = clock_mono_ms();
	s->flushed_records = mirror_records(s->mirror);
	pthread_mutex_lock(&s->status->lock);
	s->status->flushes++;
	pthread_mutex_unlock(&s->status->lock);
	return mirror_tend(s->mirror, ei);
}

int
after_page(struct syncer *s, struct err_info *ei)
{
	int rc = syncer_sweep(s, ei);

	update_counts(s);
	report_progress(s);
	if (rc != 0)
		return rc;
	if (mirror_unflushed_bytes(s->mirror) >= CHECKPOINT_BYTES ||
	    clock_mono_ms() - s->flushed_ms >= CHECKPOINT_MS)
		return syncer_checkpoint(s, ei);
	return 0;
}

/* --- the round --- */

/* The highest number tells how many issues there are at most: for progress only. */
static int
expect_issues(struct syncer *s, struct err_info *ei)
{
	char url[GH_URL_MAX];
	struct gh_page page;
	int rc = gh_url(s->gh, url,
	    "/repos/%s/%s/issues?state=all&sort=created&direction=desc"
	    "&per_page=1",
	    s->owner, s->repo);

	if (rc == 0)
		rc = gh_get(s->gh, url, NULL, true, &page, ei);
	if (rc != 0)
		return rc;
	pthread_mutex_lock(&s->status->lock);
	s->status->families[STATUS_ISSUES].expected = (uint64_t)json_integer_value(
	    json_object_get(json_array_get(page.doc, 0), "number"));
	pthread_mutex_unlock(&s->status->lock);
	gh_page_clear(&page);
	return 0;
}

/* Once all issues are known, so is how many comments there must be. */
static int
expect_comments(struct syncer *s)
{
	struct snap_list_pos pos;
	struct snap_list list;
	struct snap_view *v;
	struct snap_issue i;
	uint64_t sum = 0;
	int rc = mirror_view(s->mirror, &v);

	if (rc != 0)
		return rc;
	rc = snap_list_begin(v, SNAP_BY_NUMBER, false, SNAP_CLASS_ALL, NULL, &list);
	while (rc == 0 && (rc = snap_list_next(&list, &pos)) == 0) {
		rc = snap_issue_get(v, pos.number, &i);
		if (rc == 0 && snap_issue_hub_comments(&i) != SNAP_HUB_UNKNOWN)
			sum += snap_issue_hub_comments(&i);
	}
	snap_writer_view_end(v);
	pthread_mutex_lock(&s->status->lock);
	s->status->families[STATUS_COMMENTS].expected = sum;
	pthread_mutex_unlock(&s->status->lock);
	return rc == ERR_NOENT ? 0 : rc;
}

/* --- the families, in order --- */

static int
poll_pulls(struct syncer *s, struct err_info *ei)
{
	return walk_family(s, STATUS_PULLS, ei);
}

static int
poll_comments(struct syncer *s, struct err_info *ei)
{
	return walk_family(s, STATUS_COMMENTS, ei);
}

static int
poll_review_comments(struct syncer *s, struct err_info *ei)
{
	return walk_family(s, STATUS_REVIEW_COMMENTS, ei);
}

static int
poll_events(struct syncer *s, struct err_info *ei)
{
	return walk_family(s, STATUS_EVENTS, ei);
}

/*
 * Events, first: with GraphQL issue by issue, a hundred in a query, since the listing of
 * all is capped; without it the listing.
 */
static int
first_events(struct syncer *s, struct err_info *ei)
{
	struct family_state events, issues;
	int rc = family_load(s, STATUS_EVENTS, &events);

	if (rc == 0)
		rc = family_load(s, STATUS_ISSUES, &issues);
	if (rc != 0 || events.complete || events.position[0] != '\0' || !graphql_ready(s))
		return rc;
	status_set_phase(s->status, "events");
	rc = pass_first_details(s, ei);
	if (rc != 0 || !graphql_ready(s)) /* given up meanwhile: the listing, then */
		return rc;
	events.complete = true;
	/* What happened since the issues were first asked for is the poll's to find. */
	events.watermark_ms = events.server_date_ms = issues.watermark_ms;
	return family_save(s, STATUS_EVENTS, &events, ei);
}

/* Every tenth poll, and until it has succeeded once.  The count stands in the sync table. */
static int
poll_refs(struct syncer *s, struct err_info *ei)
{
	struct family_state st;
	int rc = family_load(s, STATUS_REPOSITORY, &st);
	long polls = rc == 0 ? strtol(st.position, NULL, 10) + 1 : 0;

	if (rc == 0 && (!st.complete || polls >= REFS_EVERY)) {
		rc = walk_refs(s, ei);
		if (rc == 0)
			rc = family_load(s, STATUS_REPOSITORY, &st);
		polls = 0;
	}
	if (rc != 0)
		return rc;
	snprintf(st.position, sizeof(st.position), "%ld", polls);
	return family_save(s, STATUS_REPOSITORY, &st, ei);
}

/* The repository may have been deleted, renamed or closed to us: say which. */
static int
explain(struct syncer *s, int rc, struct err_info *ei)
{
	struct err_info why = { 0 };
	int health;

	if (rc != ERR_NOENT && rc != ERR_GONE)
		return rc;
	health = walk_repository(s, false, &why);
	if (health == ERR_NOENT)
		return err_wrap(
		    ei, rc, "%s/%s: GitHub does not find the repository", s->owner, s->repo);
	if (health == 0 && s->issues_off)
		return err_wrap(
		    ei, rc, "%s/%s: issues are switched off there", s->owner, s->repo);
	return rc;
}

static int
poll_issues(struct syncer *s, struct err_info *ei)
{
	struct family_state st;
	int rc = family_load(s, STATUS_ISSUES, &st);
	bool first = rc == 0 && !st.complete;

	if (first && st.position[0] == '\0')
		rc = expect_issues(s, ei);
	if (rc == 0)
		rc = walk_family(s, STATUS_ISSUES, ei);
	if (rc != 0)
		return explain(s, rc, ei);
	if (s->was_moved && !s->rename_told)
		rc = walk_repository(s, false, ei);
	if (rc != 0)
		return rc;
	return first ? expect_comments(s) : 0;
}

static int
poll_families(struct syncer *s, struct err_info *ei)
{
	static int (*const steps[])(struct syncer * s, struct err_info * ei) = { poll_refs,
		poll_issues, poll_pulls, poll_comments, pass_comments, poll_review_comments,
		first_events, poll_events, pass_reviews, pass_missing };
	struct family_state st;
	int rc = family_load(s, STATUS_REVIEWS, &st);

	s->healthy = false;
	/* What can wait leaves room in the budget for those that cannot. */
	gh_set_background(s->gh, rc == 0 && !st.complete);
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]) && rc == 0; i++) {
		rc = syncer_sweep(s, ei);
		if (rc == 0)
			rc = steps[i](s, ei);
	}
	if (rc == 0)
		rc = relist_step(s, ei);
	gh_set_background(s->gh, false);
	return rc;
}

static void
end_round(struct syncer *s, int rc, const struct err_info *ei)
{
	struct status *st = s->status;

	update_counts(s);
	pthread_mutex_lock(&st->lock);
	st->rounds++;
	if (rc == 0)
		st->last_good_ms = clock_real_ms();
	else
		st->failed_rounds++;
	pthread_mutex_unlock(&st->lock);
	status_set_error(st, rc == 0 ? "" : ei != NULL ? ei->text : err_name(rc));
}

static int
save_last_error(struct mirror_txn *t, void *ctx)
{
	snap_note_put(t->snap, "last_error", slice_str(ctx));
	return 0;
}

/* The responder shows it; a write only when it changes. */
static int
note_last_error(struct syncer *s, const char *text)
{
	struct snap_view *v;
	struct slice old = { 0 };
	bool same;
	int rc = mirror_view(s->mirror, &v);

	if (rc != 0)
		return rc;
	same =
	    snap_note_get(v, "last_error", &old) == 0 ? slice_is(old, text) : text[0] == '\0';
	snap_writer_view_end(v);
	return same ? 0
		    : mirror_commit(s->mirror, save_last_error, (void *)(uintptr_t)text, NULL);
}

int
syncer_round(struct syncer *s, struct err_info *ei)
{
	int rc = poll_families(s, ei), last;

	if (rc != ERR_CANCELED)
		note_last_error(s, rc == 0 ? "" : ei->text);
	if (rc == 0 || rc == ERR_CANCELED || mirror_unflushed_bytes(s->mirror) > 0) {
		struct err_info flush_error = { 0 };

		last = rc == ERR_CANCELED ? mirror_flush(s->mirror, &flush_error)
					  : syncer_checkpoint(s, &flush_error);
		if (last != 0 && (rc == 0 || last == ERR_CONFLICT)) {
			rc = last;
			*ei = flush_error;
		}
	}
	if (rc == 0)
		rc = update_families(s);
	if (rc == 0)
		s->rounds++;
	end_round(s, rc, ei);
	return rc;
}
