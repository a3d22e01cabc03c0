/* made_record.c - issues, comments, events and reviews as the sync daemon writes them. */
#include "test/bench/made_record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "test/bench/made_text.h"

#define FIRST_S INT64_C(1420070400)     /* 2015-01-01, when the made repository began */
#define SPAN_S (INT64_C(10) * 31556952) /* ten years */
#define USER_ID INT64_C(1000000)
#define LABEL_ID INT64_C(500000)
#define MILESTONE_ID INT64_C(800000)
#define BODY_MEAN 850.0
#define COMMENT_MEAN 420.0
#define REVIEW_MEAN 160.0
#define NEW(m, type, init) new_message(m, sizeof(type), &(type)init)

/* Of the record at hand; without memory a bench has nothing left to do. */
static void *
take(struct made_records *m, size_t size)
{
	void *p = arena_alloc(&m->arena, size);

	if (p == NULL)
		abort();
	return p;
}

static void *
new_message(struct made_records *m, size_t size, const void *init)
{
	return memcpy(take(m, size), init, size);
}

static char *
copy(struct made_records *m, struct slice s)
{
	char *p = take(m, s.len + 1); /* zeroed */

	memcpy(p, s.ptr, s.len);
	return p;
}

/* protobuf-c's fields are not const, though nothing writes through them. */
static char *
fixed(const char *literal)
{
	return (char *)(uintptr_t)literal;
}

static char *
text(struct made_records *m, struct made_rng *r, double mean)
{
	char out[MADE_TEXT_MAX];
	size_t len = made_text(r, mean, out);

	return copy(m, (struct slice){ out, len });
}

static char *
title(struct made_records *m, struct made_rng *r)
{
	char out[256];
	size_t len = made_title(r, 4 + made_below(r, 8), out);

	return copy(m, (struct slice){ out, len });
}

static char *
commit_id(struct made_records *m, struct made_rng *r)
{
	char out[41];

	made_commit(r, out);
	return copy(m, slice_str(out));
}

static Maintpb__Timestamp *
moment(struct made_records *m, uint32_t when, uint32_t nth)
{
	Maintpb__Timestamp *t = NEW(m, Maintpb__Timestamp, MAINTPB__TIMESTAMP__INIT);

	t->seconds = FIRST_S + when * (SPAN_S / m->shape.issues) + nth * 2;
	return t;
}

static Maintpb__BoolChange *
change(struct made_records *m, bool val)
{
	Maintpb__BoolChange *c = NEW(m, Maintpb__BoolChange, MAINTPB__BOOL_CHANGE__INIT);

	c->val = val;
	return c;
}

static int64_t
pick_user(struct made_records *m, struct made_rng *r)
{
	return USER_ID + made_skewed(r, m->users);
}

static Maintpb__GithubUser *
user(struct made_records *m, int64_t id)
{
	Maintpb__GithubUser *u = NEW(m, Maintpb__GithubUser, MAINTPB__GITHUB_USER__INIT);
	char login[40];
	int len = snprintf(login, sizeof(login), "made-user-%lld", (long long)(id - USER_ID));

	u->id = id;
	u->login = copy(m, (struct slice){ login, (size_t)len });
	m->known_users[id - USER_ID] = true;
	return u;
}

static Maintpb__GithubLabel *
label(struct made_records *m, uint32_t n)
{
	static const char *const kinds[] = { "area", "api", "type", "kind", "status" };
	static const char *const known[] = { "priority: p0", "priority: p1", "priority: p2",
		"priority: p3", "type: bug", "type: feature request", "type: question",
		"type: cleanup", "type: process", "release blocking", "blocked" };
	Maintpb__GithubLabel *l = NEW(m, Maintpb__GithubLabel, MAINTPB__GITHUB_LABEL__INIT);
	char name[64];

	if (n < sizeof(known) / sizeof(known[0]))
		snprintf(name, sizeof(name), "%s", known[n]);
	else
		snprintf(name, sizeof(name), "%s: made-%u", kinds[n % 5], n);
	l->id = LABEL_ID + n;
	l->name = copy(m, slice_str(name));
	return l;
}

static char *
milestone_title(struct made_records *m, uint32_t n)
{
	char name[32];

	snprintf(name, sizeof(name), "release 1.%u", n);
	return copy(m, slice_str(name));
}

static void *
list(struct made_records *m, size_t count)
{
	return take(m, (count + 1) * sizeof(void *));
}

/* --- what a record says --- */

static void
say_issue(struct made_records *m, Maintpb__GithubIssueMutation *i, struct made_rng *r)
{
	i->id = m->next_id++;
	i->user = user(m, pick_user(m, r));
	i->created = i->updated;
	i->title = title(m, r);
	i->body_change = NEW(m, Maintpb__StringChange, MAINTPB__STRING_CHANGE__INIT);
	i->body_change->val = text(m, r, BODY_MEAN);
	i->pull_request = made_is_pull(&m->shape, (uint32_t)i->number);
	i->author_association = fixed("CONTRIBUTOR");
	i->n_add_label = made_below(r, 5);
	i->add_label = list(m, i->n_add_label);
	for (uint32_t n = 0; n < i->n_add_label; n++)
		i->add_label[n] = label(m, (made_skewed(r, MADE_LABELS) + n) % MADE_LABELS);
	i->n_assignees = made_below(r, 2);
	i->assignees = list(m, 1);
	i->assignees[0] = user(m, pick_user(m, r));
	if (made_below(r, 4) == 0) {
		i->milestone_num = 1 + made_below(r, MADE_MILESTONES);
		i->milestone_id = MILESTONE_ID + i->milestone_num;
		i->milestone_title = milestone_title(m, (uint32_t)i->milestone_num);
	}
	m->counts.issues++;
}

static Maintpb__GithubIssueCommentMutation *
comment(struct made_records *m, const struct made_step *step, uint32_t nth, struct made_rng *r)
{
	Maintpb__GithubIssueCommentMutation *c = NEW(m, Maintpb__GithubIssueCommentMutation,
	    MAINTPB__GITHUB_ISSUE_COMMENT_MUTATION__INIT);

	c->id = m->next_id++;
	c->user = user(m, pick_user(m, r));
	c->body = text(m, r, COMMENT_MEAN);
	c->created = c->updated = moment(m, step->when, nth);
	return c;
}

static void
say_comments(struct made_records *m, Maintpb__GithubIssueMutation *i,
    const struct made_step *step, struct made_rng *r)
{
	i->n_comment = step->count;
	i->comment = list(m, step->count);
	for (uint32_t n = 0; n < step->count; n++)
		i->comment[n] = comment(m, step, n, r);
	i->comment_status =
	    NEW(m, Maintpb__GithubIssueSyncStatus, MAINTPB__GITHUB_ISSUE_SYNC_STATUS__INIT);
	i->comment_status->server_date = i->updated;
	m->counts.comments += step->count;
}

static void
detail_event(struct made_records *m, Maintpb__GithubIssueEvent *e, struct made_rng *r)
{
	static const char *const types[] = { "labeled", "labeled", "unlabeled", "assigned",
		"mentioned", "subscribed", "subscribed", "referenced", "renamed",
		"cross-referenced" };
	uint32_t n = made_below(r, sizeof(types) / sizeof(types[0]));

	e->event_type = fixed(types[n]);
	if (n <= 2)
		e->label = label(m, made_skewed(r, MADE_LABELS));
	if (n == 3)
		e->assignee_id = e->assigner_id = pick_user(m, r);
	if (n == 7) {
		e->commit = NEW(m, Maintpb__GithubCommit, MAINTPB__GITHUB_COMMIT__INIT);
		e->commit->owner = fixed(MADE_OWNER);
		e->commit->repo = fixed(MADE_REPO);
		e->commit->commit_id = commit_id(m, r);
	}
	if (n == 8) {
		e->rename_from = title(m, r);
		e->rename_to = title(m, r);
	}
}

static Maintpb__GithubIssueEvent *
event(struct made_records *m, const struct made_step *step, uint32_t nth, struct made_rng *r)
{
	Maintpb__GithubIssueEvent *e =
	    NEW(m, Maintpb__GithubIssueEvent, MAINTPB__GITHUB_ISSUE_EVENT__INIT);

	e->id = m->next_id++;
	e->actor_id = pick_user(m, r);
	e->created = moment(m, step->when, nth);
	if (step->closes && nth + 1 == step->count)
		e->event_type = fixed("closed");
	else
		detail_event(m, e, r);
	return e;
}

/* Actors are told the log the first time they are met. */
static void
say_actor(struct made_records *m, Maintpb__GithubIssueMutation *i, int64_t id)
{
	if (!m->known_users[id - USER_ID])
		i->known_user[i->n_known_user++] = user(m, id);
}

static void
say_events(struct made_records *m, Maintpb__GithubIssueMutation *i,
    const struct made_step *step, struct made_rng *r)
{
	i->n_event = step->count;
	i->event = list(m, step->count);
	i->known_user = list(m, step->count);
	for (uint32_t n = 0; n < step->count; n++) {
		i->event[n] = event(m, step, n, r);
		say_actor(m, i, i->event[n]->actor_id);
	}
	i->event_status =
	    NEW(m, Maintpb__GithubIssueSyncStatus, MAINTPB__GITHUB_ISSUE_SYNC_STATUS__INIT);
	i->event_status->server_date = i->updated;
	m->counts.events += step->count;
	if (step->closes) {
		i->closed = change(m, true);
		i->closed_at = i->updated;
		i->closed_by = user(m, i->event[step->count - 1]->actor_id);
	}
}

static Maintpb__GithubReview *
review(struct made_records *m, const struct made_step *step, uint32_t nth, struct made_rng *r)
{
	Maintpb__GithubReview *v = NEW(m, Maintpb__GithubReview, MAINTPB__GITHUB_REVIEW__INIT);

	v->id = m->next_id++;
	v->actor_id = pick_user(m, r);
	v->created = moment(m, step->when, nth);
	v->body = text(m, r, REVIEW_MEAN);
	v->state = fixed(made_below(r, 2) == 0 ? "APPROVED" : "COMMENTED");
	v->commit_id = commit_id(m, r);
	v->actor_association = fixed("MEMBER");
	return v;
}

static void
say_reviews(struct made_records *m, Maintpb__GithubIssueMutation *i,
    const struct made_step *step, struct made_rng *r)
{
	i->n_review = step->count;
	i->review = list(m, step->count);
	i->known_user = list(m, step->count);
	for (uint32_t n = 0; n < step->count; n++) {
		i->review[n] = review(m, step, n, r);
		say_actor(m, i, i->review[n]->actor_id);
	}
	i->review_status =
	    NEW(m, Maintpb__GithubIssueSyncStatus, MAINTPB__GITHUB_ISSUE_SYNC_STATUS__INIT);
	i->review_status->server_date = i->updated;
	m->counts.reviews += step->count;
}

static void
say_change(struct made_records *m, Maintpb__GithubIssueMutation *i, struct made_rng *r)
{
	i->n_add_label = 1;
	i->add_label = list(m, 1);
	i->add_label[0] = label(m, made_skewed(r, MADE_LABELS));
	if (made_below(r, 2) == 0)
		i->title = title(m, r);
}

const Maintpb__Mutation *
made_record(struct made_records *m, const struct made_step *step)
{
	struct made_rng r =
	    made_rng(m->shape.seed, step->issue, ((uint64_t)step->when << 8) | step->kind);
	Maintpb__Mutation *out;
	Maintpb__GithubIssueMutation *i;

	arena_reset(&m->arena);
	out = NEW(m, Maintpb__Mutation, MAINTPB__MUTATION__INIT);
	i = NEW(m, Maintpb__GithubIssueMutation, MAINTPB__GITHUB_ISSUE_MUTATION__INIT);
	out->github_issue = i;
	i->owner = fixed(MADE_OWNER);
	i->repo = fixed(MADE_REPO);
	i->number = (int32_t)step->issue;
	i->updated = moment(m, step->when, step->count);
	if (step->kind == MADE_ISSUE)
		say_issue(m, i, &r);
	else if (step->kind == MADE_COMMENTS)
		say_comments(m, i, step, &r);
	else if (step->kind == MADE_EVENTS)
		say_events(m, i, step, &r);
	else if (step->kind == MADE_REVIEWS)
		say_reviews(m, i, step, &r);
	else
		say_change(m, i, &r);
	return out;
}

const Maintpb__Mutation *
made_repository(struct made_records *m)
{
	Maintpb__Mutation *out;
	Maintpb__GithubMutation *g;

	arena_reset(&m->arena);
	out = NEW(m, Maintpb__Mutation, MAINTPB__MUTATION__INIT);
	g = NEW(m, Maintpb__GithubMutation, MAINTPB__GITHUB_MUTATION__INIT);
	out->github = g;
	g->owner = fixed(MADE_OWNER);
	g->repo = fixed(MADE_REPO);
	g->n_labels = MADE_LABELS;
	g->labels = list(m, MADE_LABELS);
	for (uint32_t n = 0; n < MADE_LABELS; n++)
		g->labels[n] = label(m, n);
	return out;
}

int
made_records_init(struct made_records *m, const struct made_shape *s)
{
	*m = (struct made_records){ .shape = *s, .next_id = INT64_C(100000000) };
	m->users = s->issues / 20 + 10;
	arena_init(&m->arena, (size_t)64 << 20);
	m->known_users = mem_calloc(m->users, sizeof(bool));
	return m->known_users == NULL ? ERR_NOMEM : 0;
}

void
made_records_clear(struct made_records *m)
{
	arena_clear(&m->arena);
	mem_free(m->known_users);
}
