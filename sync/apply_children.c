/* apply_children.c - what comments, events and reviews in a mutation mean. */
#include <string.h>

#include "sync/apply_internal.h"

/* What the comment says already, where this mutation is silent. */
static void
merge_comment(struct snap_comment_in *in, const struct snap_child *old, bool keep_body)
{
	in->user = old->actor;
	in->created_ms = old->created_ms;
	in->updated_ms = old->updated_ms;
	in->association = snap_member_text(old->members, "authorAssociation");
	in->other = snap_member_text(old->members, "otherJson");
	(void)snap_member_find(old->members, "reactions", &in->reactions);
	if (keep_body)
		in->body = snap_member_text(old->last, "body");
}

/* A comment merges field by field with the one that is there. */
static void
apply_comment(struct apply *a, const Maintpb__GithubIssueCommentMutation *c)
{
	struct snap_comment_in in = {
		.id = c->id, .created_ms = TIME_NONE, .updated_ms = TIME_NONE
	};
	struct snap_child old;
	int64_t user;
	int rc;

	if (!apply_id_ok(a, c->id))
		return;
	user = apply_user(a, c->user);
	rc = snap_child_get(snap_txn_view(a->txn), SNAP_COMMENT, a->edit.number, c->id, &old);
	if (rc == 0) {
		merge_comment(&in, &old, c->body[0] == '\0' && c->empty_body == 0);
	} else if (rc != ERR_NOENT) {
		snap_txn_fail(a->txn, rc);
		return;
	}
	if (c->body[0] != '\0')
		in.body = apply_escape(a, c->body);
	if (c->author_association[0] != '\0')
		in.association = apply_escape(a, c->author_association);
	if (c->reactions != NULL)
		in.reactions = apply_reactions(a, c->reactions, false);
	in.other = apply_other_text(a, c->other_json, in.other);
	if (user != 0)
		in.user = user;
	if (c->created != NULL)
		in.created_ms = apply_time(c->created);
	if (c->updated != NULL)
		in.updated_ms = apply_time(c->updated);
	snap_comment_put(a->txn, &a->edit, &in);
}

void
apply_comments(struct apply *a, const Maintpb__GithubIssueMutation *m)
{
	for (size_t i = 0; i < m->n_comment; i++)
		apply_comment(a, m->comment[i]);
	for (size_t i = 0; i < m->n_deleted_comment; i++)
		snap_child_delete(a->txn, &a->edit, SNAP_COMMENT, m->deleted_comment[i]);
}

/* --- events --- */

static void
event_names(struct apply *a, const Maintpb__GithubIssueEvent *e, struct snap_event_in *in)
{
	in->type = apply_escape(a, e->event_type);
	in->rename_from = apply_escape(a, e->rename_from);
	in->rename_to = apply_escape(a, e->rename_to);
	if (e->label != NULL)
		in->label = apply_escape(a, e->label->name);
	if (e->milestone != NULL)
		in->milestone = apply_escape(a, e->milestone->title);
	if (e->team_reviewer != NULL)
		in->team = apply_escape(a, e->team_reviewer->slug);
	if (e->commit != NULL) {
		in->commit = apply_escape(a, e->commit->commit_id);
		in->commit_owner = apply_escape(a, e->commit->owner);
		in->commit_repo = apply_escape(a, e->commit->repo);
	}
	if (e->dismissed_review != NULL) {
		in->dismissed_review = e->dismissed_review->review_id;
		in->dismissed_message = apply_escape(a, e->dismissed_review->dismissal_message);
		in->dismissed_state = apply_escape(a, e->dismissed_review->state);
	}
}

/* An event replaces one with the same id. */
static void
apply_event(struct apply *a, const Maintpb__GithubIssueEvent *e)
{
	struct snap_event_in in = {
		.id = e->id,
		.actor = e->actor_id,
		.created_ms = apply_time(e->created),
		.assignee = e->assignee_id,
		.assigner = e->assigner_id,
		.reviewer = e->reviewer_id,
		.requester = e->review_requester_id,
	};

	if (!apply_id_ok(a, e->id))
		return;
	event_names(a, e, &in);
	/* other_json is JSON already; as a text it can be shown whatever it holds. */
	if (e->other_json.len > 0)
		in.other = apply_escape_bytes(a, e->other_json);
	snap_event_put(a->txn, &a->edit, &in);
}

void
apply_events(struct apply *a, const Maintpb__GithubIssueMutation *m)
{
	for (size_t i = 0; i < m->n_event; i++)
		apply_event(a, m->event[i]);
	for (size_t i = 0; i < m->n_deleted_event; i++)
		snap_child_delete(a->txn, &a->edit, SNAP_EVENT, m->deleted_event[i]);
}

/* --- reviews --- */

/* A review replaces one with the same id. */
static void
apply_review(struct apply *a, const Maintpb__GithubReview *r)
{
	struct snap_review_in in = { .id = r->id,
		.actor = r->actor_id,
		.created_ms = apply_time(r->created),
		.updated_ms = apply_time(r->updated) };

	if (!apply_id_ok(a, r->id))
		return;
	in.body = apply_escape(a, r->body);
	in.state = apply_escape(a, r->state);
	in.commit = apply_escape(a, r->commit_id);
	in.association = apply_escape(a, r->actor_association);
	in.other = apply_other_text(a, r->other_json, (struct slice){ 0 });
	snap_review_put(a->txn, &a->edit, &in);
}

void
apply_reviews(struct apply *a, const Maintpb__GithubIssueMutation *m)
{
	for (size_t i = 0; i < m->n_review; i++)
		apply_review(a, m->review[i]);
	for (size_t i = 0; i < m->n_deleted_review; i++)
		snap_child_delete(a->txn, &a->edit, SNAP_REVIEW, m->deleted_review[i]);
}

/* --- comments on lines of a diff --- */

static uint32_t
line(int32_t n)
{
	return n > 0 ? (uint32_t)n : 0;
}

static void
review_comment_texts(
    struct apply *a, const Maintpb__GithubReviewComment *c, struct snap_review_comment_in *in)
{
	in->path = apply_escape(a, c->path);
	in->side = apply_escape(a, c->side);
	in->start_side = apply_escape(a, c->start_side);
	in->subject_type = apply_escape(a, c->subject_type);
	in->commit = apply_escape(a, c->commit_id);
	in->original_commit = apply_escape(a, c->original_commit_id);
	in->diff_hunk = apply_escape(a, c->diff_hunk);
	in->body = apply_escape(a, c->body);
	in->association = apply_escape(a, c->author_association);
	in->other = apply_other_text(a, c->other_json, (struct slice){ 0 });
	in->reactions = apply_reactions(a, c->reactions, false);
}

/* One of these replaces one with the same id. */
static void
apply_review_comment(struct apply *a, const Maintpb__GithubReviewComment *c)
{
	struct snap_review_comment_in in = { .id = c->id,
		.created_ms = apply_time(c->created),
		.updated_ms = apply_time(c->updated),
		.review = c->review_id > 0 ? c->review_id : 0,
		.in_reply_to = c->in_reply_to_id > 0 ? c->in_reply_to_id : 0,
		.line = line(c->line),
		.original_line = line(c->original_line),
		.start_line = line(c->start_line),
		.original_start_line = line(c->original_start_line) };

	if (!apply_id_ok(a, c->id))
		return;
	if (c->user != NULL)
		in.user = apply_user(a, c->user);
	review_comment_texts(a, c, &in);
	snap_review_comment_put(a->txn, &a->edit, &in);
}

void
apply_review_comments(struct apply *a, const Maintpb__GithubIssueMutation *m)
{
	for (size_t i = 0; i < m->n_review_comment; i++)
		apply_review_comment(a, m->review_comment[i]);
	for (size_t i = 0; i < m->n_deleted_review_comment; i++)
		snap_child_delete(
		    a->txn, &a->edit, SNAP_REVIEW_COMMENT, m->deleted_review_comment[i]);
}
