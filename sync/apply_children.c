/* apply_children.c - what comments, events and reviews in a mutation mean. */
#include <string.h>

#include "sync/apply_internal.h"

/* The text of a stored `"key":"text"`. */
static struct slice
member_text(struct slice member, size_t key_len)
{
	size_t around = key_len + 5; /* "":"" */

	if (member.len < around)
		return (struct slice){ 0 };
	return (struct slice){ member.ptr + key_len + 4, member.len - around };
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
	if (c->body[0] != '\0')
		in.body = apply_escape(a, c->body);
	rc = snap_child_get(snap_txn_view(a->txn), SNAP_COMMENT, a->edit.number, c->id, &old);
	if (rc == 0) {
		in.user = old.actor;
		in.created_ms = old.created_ms;
		in.updated_ms = old.updated_ms;
		if (c->body[0] == '\0' && c->empty_body == 0)
			in.body = member_text(old.last, sizeof("body") - 1);
	} else if (rc != ERR_NOENT) {
		snap_txn_fail(a->txn, rc);
		return;
	}
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
	if (e->other_json.len > 0) {
		char *copy = arena_dup(snap_txn_arena(a->txn),
		    (struct slice){ (const char *)e->other_json.data, e->other_json.len });

		if (copy == NULL)
			snap_txn_fail(a->txn, ERR_NOMEM);
		else
			in.other = apply_escape(a, copy);
	}
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
	struct snap_review_in in = {
		.id = r->id, .actor = r->actor_id, .created_ms = apply_time(r->created)
	};

	if (!apply_id_ok(a, r->id))
		return;
	in.body = apply_escape(a, r->body);
	in.state = apply_escape(a, r->state);
	in.commit = apply_escape(a, r->commit_id);
	in.association = apply_escape(a, r->actor_association);
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
