/*
 * details.c - events and reviews, for which GitHub has no listing (reviews) or a capped
 * one (events): by GraphQL for many issues in a query, by REST for each where GraphQL
 * is missing, says less, or an issue has more than a page of them.
 */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "sync/github/gh_graphql.h"
#include "sync/graph_json.h"
#include "sync/syncer_internal.h"

#define BATCH_FIRST 50U /* issues in a query: GitHub gives one ten seconds */
#define BATCH_MAX 100U
#define GRAPHQL_REST_MS INT64_C(3600000) /* how long a server without it is not asked again */
#define QUERY_MAX ((size_t)256 << 10)

bool
graphql_ready(struct syncer *s)
{
	return gh_has_token(s->gh) && clock_mono_ms() >= s->graphql_off_until_ms;
}

static void
graphql_off(struct syncer *s, const struct err_info *ei)
{
	log_warning("GraphQL is of no use here; REST is asked instead",
	    LOG_S("error", ei->text), LOG_END);
	s->graphql_off_until_ms = clock_mono_ms() + GRAPHQL_REST_MS;
}

/* --- one batch --- */

struct batch {
	struct syncer *s;
	const struct graph_item *items;
	size_t count;
	struct gh_graph answer;
	const json_t *repository; /* data.repository */
	char home[256];           /* "owner/name" as GitHub has it */
	struct buf rest;          /* struct graph_item: what is left to REST */
	struct err_info *ei;
};

static int
ask(struct batch *b)
{
	json_t *variables =
	    json_pack("{s:s,s:s}", "owner", b->s->hub_owner, "name", b->s->hub_name);
	struct buf query;
	int rc;

	buf_init(&query, QUERY_MAX);
	graph_query(b->items, b->count, &query);
	rc = variables == NULL ? ERR_NOMEM : buf_err(&query);
	if (rc == 0)
		rc = gh_graphql(b->s->gh, buf_cstr(&query), variables, &b->answer, b->ei);
	json_decref(variables);
	buf_clear(&query);
	if (rc != 0)
		return rc;
	b->repository = json_object_get(b->answer.data, "repository");
	if (!json_is_object(b->repository)) /* renamed, perhaps: REST follows that */
		return err_set(b->ei, ERR_UNSUPPORTED, "GraphQL does not find %s/%s",
		    b->s->hub_owner, b->s->hub_name);
	return 0;
}

static int
add_part(struct mirror_txn *t, struct diff *d, struct batch *b, uint32_t number,
    enum graph_want what, json_t *list)
{
	Maintpb__Mutation *m = NULL;
	int64_t date = b->answer.server_date_ms;
	int rc = what == GRAPH_EVENTS ? diff_events(d, number, list, date, &m, b->ei)
				      : diff_reviews(d, number, list, date, &m, b->ei);

	return rc == 0 ? mirror_add(t, m) : rc;
}

/* struct graph_people */
static int
known_login(void *ctx, int64_t id, char *out, size_t size)
{
	struct slice login;
	int rc = snap_user_login(ctx, id, &login);

	if (rc == 0 && (login.len == 0 || login.len >= size))
		rc = ERR_NOENT;
	if (rc == 0)
		snprintf(out, size, "%.*s", (int)login.len, login.ptr);
	return rc;
}

/* One issue's share of the answer; what cannot be used is noted for REST. */
static int
add_item(struct mirror_txn *t, struct diff *d, struct batch *b, const struct graph_item *item)
{
	static const enum graph_want parts[] = { GRAPH_EVENTS, GRAPH_REVIEWS };
	const struct graph_people people = { known_login, d->view };
	struct graph_item left = { .number = item->number };
	char alias[GRAPH_ALIAS_SIZE];
	const json_t *node;
	int rc = 0;

	graph_alias(item->number, alias);
	node = json_object_get(b->repository, alias);
	if (gh_graph_error(&b->answer, "repository", alias) != NULL)
		node = NULL; /* part of it may be missing, and who knows which */
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]) && rc == 0; i++) {
		json_t *list = NULL;

		if ((item->want & parts[i]) == 0)
			continue;
		rc = parts[i] == GRAPH_EVENTS ? graph_events(node, b->home, &people, &list)
					      : graph_reviews(node, &people, &list);
		if (rc == 0 && view_has_live(d->view, item->number))
			rc = add_part(t, d, b, item->number, parts[i], list);
		json_decref(list);
		if (rc == ERR_UNSUPPORTED) {
			left.want |= parts[i];
			rc = 0;
		}
	}
	if (left.want != 0)
		buf_add(&b->rest, &left, sizeof(left));
	return rc;
}

static int
add_batch(struct mirror_txn *t, void *ctx)
{
	struct batch *b = ctx;
	struct diff d;
	int rc = 0;

	buf_reset(&b->rest); /* a full map repeats the transaction */
	txn_diff(b->s, t, &d);
	for (size_t i = 0; i < b->count && rc == 0; i++)
		rc = add_item(t, &d, b, &b->items[i]);
	diff_clear(&d);
	return rc == 0 ? buf_err(&b->rest) : rc;
}

static int
by_rest(struct syncer *s, const struct graph_item *item, struct err_info *ei)
{
	int rc = 0;

	if ((item->want & GRAPH_EVENTS) != 0)
		rc = relist(s, STATUS_EVENTS, item->number, ei);
	if (rc == 0 && (item->want & GRAPH_REVIEWS) != 0)
		rc = relist(s, STATUS_REVIEWS, item->number, ei);
	return rc;
}

static int
run_batch(struct syncer *s, const struct graph_item *items, size_t count, struct err_info *ei)
{
	struct batch b = { .s = s, .items = items, .count = count, .ei = ei };
	int rc;

	snprintf(b.home, sizeof(b.home), "%s/%s", s->hub_owner, s->hub_name);
	buf_init(&b.rest, SIZE_MAX / 2);
	rc = ask(&b);
	if (rc == 0)
		rc = mirror_commit(s->mirror, add_batch, &b, ei);
	gh_graph_clear(&b.answer);
	if (rc == 0)
		rc = after_page(s, ei);
	for (size_t at = 0; rc == 0 && at < b.rest.len; at += sizeof(struct graph_item)) {
		struct graph_item item;

		memcpy(&item, b.rest.ptr + at, sizeof(item));
		rc = by_rest(s, &item, ei);
	}
	buf_clear(&b.rest);
	return rc;
}

/* --- all of them --- */

/* May a smaller query pass? */
static bool
is_too_large(int rc)
{
	return rc == ERR_TIMEOUT || rc == ERR_UNAVAILABLE || rc == ERR_LIMIT ||
	       rc == ERR_CLOSED || rc == ERR_PROTO;
}

static void
shrink(struct syncer *s, size_t count)
{
	s->batch = (unsigned)count / 2;
	log_info("a GraphQL query was too large", LOG_I("issues", count),
	    LOG_I("next", s->batch), LOG_END);
}

static void
grow(struct syncer *s)
{
	s->batch += (s->batch + 3) / 4;
	if (s->batch > BATCH_MAX)
		s->batch = BATCH_MAX;
}

/* With `by_graphql` it ends where GraphQL does: then there is a cheaper way than by_rest(). */
static int
ask_items(struct syncer *s, const struct graph_item *items, size_t count, bool by_graphql,
    struct err_info *ei)
{
	size_t at = 0;
	int rc = 0;

	if (s->batch == 0)
		s->batch = BATCH_FIRST;
	while (rc == 0 && at < count) {
		size_t n = count - at < s->batch ? count - at : s->batch;
		bool ready = graphql_ready(s);

		if (!ready && by_graphql)
			return 0;
		/* One alone costs the same either way, and REST says more. */
		if (!ready || count == 1) {
			rc = by_rest(s, &items[at++], ei);
			continue;
		}
		rc = run_batch(s, items + at, n, ei);
		if (rc == 0) {
			at += n;
			grow(s);
		} else if (rc == ERR_UNSUPPORTED) {
			graphql_off(s, ei);
			rc = 0;
		} else if (is_too_large(rc) && n > 1) {
			shrink(s, n);
			rc = 0;
		} else if (is_too_large(rc)) {
			rc = by_rest(s, &items[at++], ei);
		}
	}
	return rc;
}

/* The picked issues in `ret`, as struct graph_item that want `want`. */
static int
pick_items(struct syncer *s, pick_issue test, const void *ctx, uint32_t want, struct buf *ret)
{
	struct buf numbers;
	int rc;

	buf_init(&numbers, SIZE_MAX / 2);
	rc = pick_issues(s, test, ctx, &numbers);
	for (size_t at = 0; rc == 0 && at < numbers.len; at += 4) {
		struct graph_item item = { get_le32(numbers.ptr + at), want };

		buf_add(ret, &item, sizeof(item));
	}
	buf_clear(&numbers);
	return rc == 0 ? buf_err(ret) : rc;
}

static int
ask_picked(struct syncer *s, pick_issue test, const void *ctx, uint32_t want, bool by_graphql,
    struct err_info *ei)
{
	struct buf items;
	size_t count;
	int rc;

	buf_init(&items, SIZE_MAX / 2);
	rc = pick_items(s, test, ctx, want, &items);
	count = items.len / sizeof(struct graph_item);
	if (rc == 0 && want == GRAPH_REVIEWS) {
		pthread_mutex_lock(&s->status->lock);
		s->status->families[STATUS_REVIEWS].expected =
		    s->status->families[STATUS_REVIEWS].done + count;
		pthread_mutex_unlock(&s->status->lock);
	}
	if (rc == 0)
		rc = ask_items(s, (const struct graph_item *)(const void *)items.ptr, count,
		    by_graphql, ei);
	buf_clear(&items);
	return rc;
}

/* --- which issues: tests for pick_issues() --- */

static int
reviews_are_stale(struct snap_view *v, const struct snap_issue *i, const void *ctx)
{
	(void)v, (void)ctx;
	return (i->flags & SNAP_ISSUE_PULL) != 0 &&
	       (snap_issue_reviews_ms(i) == TIME_NONE ||
		   snap_issue_reviews_ms(i) <= snap_issue_updated_ms(i));
}

/* Were there comments on lines?  Their deletion shows in no listing. */
static int
has_review_comments(struct snap_view *v, const struct snap_issue *i, const void *ctx)
{
	return reviews_are_stale(v, i, ctx) && snap_issue_reviews_ms(i) != TIME_NONE &&
	       snap_issue_review_comment_count(i) > 0;
}

/* Than the time at `ctx`. */
static int
reviews_older(struct snap_view *v, const struct snap_issue *i, const void *ctx)
{
	(void)v;
	return (i->flags & SNAP_ISSUE_PULL) != 0 &&
	       (snap_issue_reviews_ms(i) == TIME_NONE ||
		   snap_issue_reviews_ms(i) < *(const int64_t *)ctx);
}

static int
events_unknown(struct snap_view *v, const struct snap_issue *i, const void *ctx)
{
	(void)v, (void)ctx;
	return snap_issue_events_ms(i) == TIME_NONE;
}

/* The time at `ctx`. */
static int
changed_since(struct snap_view *v, const struct snap_issue *i, const void *ctx)
{
	int64_t ms = *(const int64_t *)ctx;

	(void)v;
	return ms == TIME_NONE || snap_issue_updated_ms(i) >= ms - SYNC_OVERLAP_MS;
}

static int
pull_without_both(struct snap_view *v, const struct snap_issue *i, const void *ctx)
{
	return events_unknown(v, i, ctx) && reviews_are_stale(v, i, ctx);
}

static int
issue_without_events(struct snap_view *v, const struct snap_issue *i, const void *ctx)
{
	return events_unknown(v, i, ctx) && !reviews_are_stale(v, i, ctx);
}

/* --- passes --- */

int
pass_first_details(struct syncer *s, struct err_info *ei)
{
	int rc = ask_picked(s, issue_without_events, NULL, GRAPH_EVENTS, true, ei);

	if (rc == 0)
		rc = ask_picked(
		    s, pull_without_both, NULL, GRAPH_EVENTS | GRAPH_REVIEWS, true, ei);
	return rc;
}

int
pass_events(struct syncer *s, struct err_info *ei)
{
	return ask_picked(s, events_unknown, NULL, GRAPH_EVENTS, false, ei);
}

int
pass_events_since(struct syncer *s, int64_t ms, struct err_info *ei)
{
	return ask_picked(s, changed_since, &ms, GRAPH_EVENTS, false, ei);
}

int
pass_reviews_since(struct syncer *s, int64_t ms, struct err_info *ei)
{
	return ask_picked(s, reviews_older, &ms, GRAPH_REVIEWS, true, ei);
}

int
pass_reviews(struct syncer *s, struct err_info *ei)
{
	struct family_state st;
	int64_t start = TIME_NONE;
	int rc = family_load(s, STATUS_ISSUES, &st);

	status_set_phase(s->status, "reviews");
	if (rc != 0)
		return rc;
	start = st.server_date_ms; /* reviews are as fresh as the listing that led to them */
	rc = relist_picked(s, has_review_comments, STATUS_REVIEW_COMMENTS, ei);
	if (rc == 0)
		rc = ask_picked(s, reviews_are_stale, NULL, GRAPH_REVIEWS, false, ei);
	if (rc == 0)
		rc = family_load(s, STATUS_REVIEWS, &st);
	if (rc != 0)
		return rc;
	st.complete = true;
	st.server_date_ms = st.watermark_ms = start;
	return family_save(s, STATUS_REVIEWS, &st, ei);
}
