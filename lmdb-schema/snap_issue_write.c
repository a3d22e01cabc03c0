/*
 * snap_issue_write.c - rows of `issue`, `issue_body` and `issue_other`: loading an
 * issue in a form that can be changed, storing it with its index entries and counters.
 */
#include <string.h>

#include "lmdb-schema/snap_write_internal.h"

static void
load_heads(const struct snap_issue *i, struct snap_issue_edit *e)
{
	e->flags = i->flags;
	e->id = snap_issue_id(i);
	e->created_ms = snap_issue_created_ms(i);
	e->updated_ms = snap_issue_updated_ms(i);
	e->closed_ms = snap_issue_closed_ms(i);
	e->merged_ms = snap_issue_merged_ms(i);
	e->reporter = snap_issue_reporter(i);
	e->closed_by = snap_issue_closed_by(i);
	e->milestone = snap_issue_milestone(i);
	e->merged_by = snap_issue_merged_by(i);
	e->comments_ms = snap_issue_comments_ms(i);
	e->events_ms = snap_issue_events_ms(i);
	e->reviews_ms = snap_issue_reviews_ms(i);
	e->commit_event = (int64_t)get_le64(i->row + SNAP_I_COMMIT_EVENT);
	e->commit_ms = (int64_t)get_le64(i->row + SNAP_I_COMMIT_MS);
	e->comment_count = snap_issue_comment_count(i);
	e->review_count = snap_issue_review_count(i);
	e->event_count = snap_issue_event_count(i);
	e->review_comment_count = snap_issue_review_comment_count(i);
	e->hub_comments = snap_issue_hub_comments(i);
}

static int
load_lists(const struct snap_issue *i, struct snap_issue_edit *e)
{
	if (i->label_count > SNAP_LIST_MAX || i->assignee_count > SNAP_LIST_MAX ||
	    i->reviewer_count > SNAP_LIST_MAX)
		return ERR_CORRUPT;
	e->label_count = i->label_count;
	e->assignee_count = i->assignee_count;
	e->reviewer_count = i->reviewer_count;
	for (uint32_t n = 0; n < i->label_count; n++)
		e->labels[n] = snap_issue_label(i, n);
	for (uint32_t n = 0; n < i->assignee_count; n++)
		e->assignees[n] = snap_issue_assignee(i, n);
	for (uint32_t n = 0; n < i->reviewer_count; n++)
		e->reviewers[n] = snap_issue_reviewer(i, n);
	return 0;
}

/* A member's value, copied: the row may move with the next write.  Texts unquoted. */
static struct slice
copied(struct snap_txn *t, const struct snap_issue *i, enum snap_member m)
{
	struct slice v = snap_issue_value(i, m);

	if (v.len >= 2 && v.ptr[0] == '"')
		v = (struct slice){ v.ptr + 1, v.len - 2 };
	if (v.len == 0 || slice_is(v, "null") || slice_is(v, "[]"))
		return (struct slice){ 0 };
	return snap_keep(t, v);
}

static void
load_body(struct snap_txn *t, const struct snap_issue *i, struct snap_issue_edit *e)
{
	struct slice run, body = { 0 };

	e->body = (struct slice){ 0 };
	e->body_changed = false;
	e->body_apart = !snap_issue_members_and_body(i, &run);
	if (e->body_apart)
		return;
	if (snap_issue_body(&t->view, i, &body) != 0)
		snap_txn_fail(t, ERR_CORRUPT);
	if (body.len > 2)
		e->body = snap_keep(t, (struct slice){ body.ptr + 1, body.len - 2 });
}

static void
load_texts(struct snap_txn *t, const struct snap_issue *i, struct snap_issue_edit *e)
{
	e->title = copied(t, i, SNAP_M_TITLE);
	load_body(t, i, e);
	e->commit = copied(t, i, SNAP_M_COMMIT);
	e->state_reason = copied(t, i, SNAP_M_STATE_REASON);
	e->association = copied(t, i, SNAP_M_AUTHOR_ASSOCIATION);
	e->lock_reason = copied(t, i, SNAP_M_ACTIVE_LOCK_REASON);
	e->merge_commit = copied(t, i, SNAP_M_MERGE_COMMIT);
	e->type = copied(t, i, SNAP_M_TYPE);
	e->base = copied(t, i, SNAP_M_BASE);
	e->head = copied(t, i, SNAP_M_HEAD);
	e->teams = copied(t, i, SNAP_M_REQUESTED_TEAMS);
	e->reactions = (struct slice){ 0 };
	/* Most issues have none: not worth the memory of a large batch. */
	if (!slice_is(snap_issue_value(i, SNAP_M_REACTIONS), SNAP_NO_REACTIONS))
		e->reactions = copied(t, i, SNAP_M_REACTIONS);
}

static void
start_empty(uint32_t number, struct snap_issue_edit *e)
{
	memset(e, 0, sizeof(*e));
	e->number = number;
	e->created_ms = e->updated_ms = e->closed_ms = e->merged_ms = TIME_NONE;
	e->comments_ms = e->events_ms = e->reviews_ms = e->commit_ms = TIME_NONE;
	e->hub_comments = SNAP_HUB_UNKNOWN;
}

int
snap_issue_edit_begin(struct snap_txn *t, uint32_t number, struct snap_issue_edit *ret)
{
	struct snap_issue i;
	int rc = snap_issue_get(&t->view, number, &i);

	if (rc == ERR_NOENT) {
		start_empty(number, ret);
		return 0;
	}
	if (rc != 0)
		return rc;
	ret->number = number;
	load_heads(&i, ret);
	rc = load_lists(&i, ret);
	if (rc != 0)
		return rc;
	load_texts(t, &i, ret);
	ret->existed = true;
	ret->old_flags = i.flags;
	snap_index_positions(ret, ret->old_pos);
	return t->err;
}

static bool
listed(uint32_t flags)
{
	return (flags & SNAP_ISSUE_NOT_EXIST) == 0;
}

/* Member by member: the bytes between them are anything. */
static bool
same_positions(const struct snap_list_pos *a, const struct snap_list_pos *b)
{
	for (size_t i = 0; i < SNAP_ORDERS; i++) {
		if (a[i].key != b[i].key || a[i].number != b[i].number)
			return false;
	}
	return true;
}

/* Indexes and counters: take the old entry out and the new one in, if they differ. */
static void
update_lists(struct snap_txn *t, const struct snap_issue_edit *e, uint32_t flags)
{
	struct snap_list_pos pos[SNAP_ORDERS];
	bool before = e->existed && listed(e->old_flags), after = listed(flags);
	bool same;

	snap_index_positions(e, pos);
	same = before && after && snap_class_of(e->old_flags) == snap_class_of(flags) &&
	       same_positions(pos, e->old_pos);
	if (same)
		return;
	if (before)
		t->deltas.counts[snap_class_of(e->old_flags)]--;
	if (after)
		t->deltas.counts[snap_class_of(flags)]++;
	if (t->writer->filling)
		return;
	if (before)
		snap_index_remove(t, e->old_flags, e->old_pos);
	if (after)
		snap_index_add(t, flags, pos);
}

/* A body that the row cannot hold gets a row of its own; one that it can takes it away. */
static void
store_long_body(struct snap_txn *t, const struct snap_issue_edit *e)
{
	unsigned char key[4];
	size_t len = snap_key_number(e->number, key);

	if (e->body.len <= SNAP_I_BODY_MAX) {
		if (e->body_apart)
			snap_del(t, SNAP_T_ISSUE_BODY, key, len);
		return;
	}
	buf_reset(&t->row);
	buf_char(&t->row, '"');
	buf_slice(&t->row, e->body);
	buf_char(&t->row, '"');
	snap_put_row(t, SNAP_T_ISSUE_BODY, key, len);
}

void
snap_issue_edit_end(struct snap_txn *t, const struct snap_issue_edit *e)
{
	unsigned char key[4];
	uint32_t flags;

	if (t->err != 0)
		return;
	if (e->body_changed)
		store_long_body(t, e);
	if (!snap_issue_render(t, e, &flags))
		return;
	snap_put_row(t, SNAP_T_ISSUE, key, snap_key_number(e->number, key));
	update_lists(t, e, flags);
}

void
snap_body_set(struct snap_issue_edit *e, struct slice escaped)
{
	e->body = escaped;
	e->body_changed = true;
}

void
snap_other_put(struct snap_txn *t, uint32_t number, const struct snap_other *o)
{
	unsigned char key[4];
	size_t len = snap_key_number(number, key);

	if (o->transferred_to.len == 0 && o->json.len == 0) {
		snap_del(t, SNAP_T_ISSUE_OTHER, key, len);
		return;
	}
	buf_reset(&t->row);
	buf_le32(&t->row, (uint32_t)o->transferred_to.len);
	buf_slice(&t->row, o->transferred_to);
	buf_slice(&t->row, o->json);
	snap_put_row(t, SNAP_T_ISSUE_OTHER, key, len);
}
