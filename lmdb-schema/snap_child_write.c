/*
 * snap_child_write.c - rows of `comment`, `review`, `event` and `review_comment`, and
 * what they change about their issue: counts, approval, the commit, the order marks.
 */
#include <string.h>

#include "base/json_text.h"
#include "lmdb-schema/snap_write_internal.h"

/* Add `"name":"text",` or `"name":"text"` when it is the last. */
static void
add_text(struct buf *b, const char *name, struct slice escaped)
{
	buf_str(b, ",\"");
	buf_str(b, name);
	buf_str(b, "\":\"");
	buf_slice(b, escaped);
	buf_char(b, '"');
}

static void
add_time(struct buf *b, const char *name, int64_t ms)
{
	char text[TIME_TEXT_MAX];

	if (ms != TIME_NONE) {
		add_text(b, name, (struct slice){ text, time_format(ms, text) });
		return;
	}
	buf_str(b, ",\"");
	buf_str(b, name);
	buf_str(b, "\":null");
}

static void
add_optional(struct buf *b, const char *name, struct slice escaped)
{
	if (escaped.len > 0)
		add_text(b, name, escaped);
}

static void
add_reactions(struct buf *b, struct slice rendered)
{
	buf_str(b, ",\"reactions\":");
	if (rendered.len > 0)
		buf_slice(b, rendered);
	else
		buf_str(b, "{\"totalCount\":0}");
}

/* Begin a row: the fixed head and the id, the first member of every kind. */
static void
begin_row(struct snap_txn *t, const struct snap_child *c)
{
	struct buf *b = &t->row;

	buf_reset(b);
	buf_le64(b, (uint64_t)c->created_ms);
	buf_le64(b, (uint64_t)c->updated_ms);
	buf_le64(b, (uint64_t)c->actor);
	for (size_t i = 0; i < 4; i++)
		buf_le64(b, (uint64_t)c->others[i]);
	buf_le32(b, UINT32_MAX);
	buf_le32(b, 0);
	buf_str(b, "\"id\":");
	buf_i64(b, c->id);
}

/* Remember that `last` is the next `len` bytes to be added, after `skip` more. */
static void
mark_last(struct snap_txn *t, size_t from, size_t len)
{
	if (buf_err(&t->row) != 0)
		return;
	put_le32(t->row.ptr + SNAP_C_LAST, (uint32_t)(from - SNAP_C_MEMBERS));
	put_le32(t->row.ptr + SNAP_C_LAST_LEN, (uint32_t)len);
}

/* The created time of the child beside (number, id), or TIME_NONE. */
static int64_t
neighbour_created(
    struct snap_txn *t, enum snap_child_kind kind, uint32_t number, int64_t id, bool next)
{
	unsigned char key[SNAP_CHILD_KEY_LEN];
	MDB_val k = { snap_key_child(number, id, key), key }, d;
	int64_t created = TIME_NONE;
	MDB_cursor *c;
	int rc;

	if (mdb_cursor_open(t->view.txn, t->view.env->tables[snap_child_table(kind)], &c) != 0)
		return TIME_NONE;
	rc = mdb_cursor_get(c, &k, &d, MDB_SET_RANGE);
	if (!next)
		rc = rc == MDB_NOTFOUND ? mdb_cursor_get(c, &k, &d, MDB_LAST)
					: mdb_cursor_get(c, &k, &d, MDB_PREV);
	else if (rc == 0 && get_be64((char *)k.mv_data + 4) == (uint64_t)id)
		rc = mdb_cursor_get(c, &k, &d, MDB_NEXT);
	if (rc == 0 && get_be32(k.mv_data) == number && d.mv_size >= SNAP_C_MEMBERS)
		created = (int64_t)get_le64((char *)d.mv_data + SNAP_C_CREATED);
	mdb_cursor_close(c);
	return created;
}

/* Times normally rise with ids; where they do not, readers must sort. */
static bool
breaks_order(
    struct snap_txn *t, enum snap_child_kind kind, uint32_t number, int64_t id, int64_t created)
{
	int64_t before = neighbour_created(t, kind, number, id, false);
	int64_t after = neighbour_created(t, kind, number, id, true);

	return (before != TIME_NONE && before > created) ||
	       (after != TIME_NONE && created > after);
}

static uint32_t *
count_of(struct snap_issue_edit *e, enum snap_child_kind kind)
{
	return kind == SNAP_COMMENT  ? &e->comment_count
	       : kind == SNAP_REVIEW ? &e->review_count
	       : kind == SNAP_EVENT  ? &e->event_count
				     : &e->review_comment_count;
}

/* Store t->row under (number, id) and count it if it is new. */
static void
finish_row(struct snap_txn *t, struct snap_issue_edit *e, enum snap_child_kind kind, int64_t id)
{
	unsigned char key[SNAP_CHILD_KEY_LEN];
	struct slice old;
	size_t len = snap_key_child(e->number, id, key);

	if (snap_get(&t->view, snap_child_table(kind), key, len, 0, &old) == ERR_NOENT) {
		++*count_of(e, kind);
		t->deltas.children[kind]++;
	}
	snap_put_row(t, snap_child_table(kind), key, len);
}

void
snap_comment_put(struct snap_txn *t, struct snap_issue_edit *e, const struct snap_comment_in *c)
{
	struct snap_child head = { .id = c->id,
		.created_ms = c->created_ms,
		.updated_ms = c->updated_ms,
		.actor = c->user };
	size_t at;

	if (t->err != 0)
		return;
	begin_row(t, &head);
	add_time(&t->row, "createdAt", c->created_ms);
	add_time(&t->row, "updatedAt", c->updated_ms);
	add_text(&t->row, "authorAssociation", c->association);
	add_reactions(&t->row, c->reactions);
	add_optional(&t->row, "otherJson", c->other);
	at = t->row.len + 1;
	add_text(&t->row, "body", c->body);
	mark_last(t, at, t->row.len - at);
	finish_row(t, e, SNAP_COMMENT, c->id);
	if (breaks_order(t, SNAP_COMMENT, e->number, c->id, c->created_ms))
		e->flags |= SNAP_ISSUE_COMMENTS_UNSORTED;
}

/* --- reviews --- */

struct verdict {
	int64_t actor;
	int64_t created_ms;
	int64_t id;
	bool approved;
};

static bool
later(const struct snap_child *c, const struct verdict *v)
{
	return c->created_ms > v->created_ms ||
	       (c->created_ms == v->created_ms && c->id > v->id);
}

/* The last review in time of every reviewer must be an approval. */
static bool
is_approved(struct snap_txn *t, const struct snap_issue_edit *e)
{
	struct verdict *v = arena_alloc(&t->arena, (e->review_count + (size_t)1) * sizeof(*v));
	size_t count = 0, at;
	struct snap_walk w;
	struct snap_child c;
	bool all = true;

	if (v == NULL || snap_walk_begin(&t->view, SNAP_REVIEW, e->number, &w) != 0) {
		snap_txn_fail(t, ERR_NOMEM);
		return false;
	}
	while (snap_walk_next(&w, &c) == 0 && count <= e->review_count) {
		for (at = 0; at < count && v[at].actor != c.actor; at++)
			;
		if (at < count && !later(&c, &v[at]))
			continue;
		v[at] = (struct verdict){ c.actor, c.created_ms, c.id,
			slice_is(c.last, "\"state\":\"APPROVED\"") };
		count += at == count ? 1 : 0;
	}
	for (at = 0; at < count; at++)
		all = all && v[at].approved;
	return count > 0 && all && (e->flags & SNAP_ISSUE_PULL) != 0;
}

static void
update_approval(struct snap_txn *t, struct snap_issue_edit *e)
{
	e->flags &= ~(uint32_t)SNAP_ISSUE_APPROVED;
	if (t->err == 0 && is_approved(t, e))
		e->flags |= SNAP_ISSUE_APPROVED;
}

void
snap_review_put(struct snap_txn *t, struct snap_issue_edit *e, const struct snap_review_in *r)
{
	struct snap_child head = { .id = r->id,
		.created_ms = r->created_ms,
		.updated_ms = r->updated_ms,
		.actor = r->actor };
	size_t at;

	if (t->err != 0)
		return;
	begin_row(t, &head);
	add_text(&t->row, "actorAssociation", r->association);
	add_time(&t->row, "createdAt", r->created_ms);
	add_time(&t->row, "updatedAt", r->updated_ms);
	add_optional(&t->row, "otherJson", r->other);
	add_text(&t->row, "body", r->body);
	add_text(&t->row, "commitId", r->commit);
	at = t->row.len + 1;
	add_text(&t->row, "state", r->state);
	mark_last(t, at, t->row.len - at);
	finish_row(t, e, SNAP_REVIEW, r->id);
	if (breaks_order(t, SNAP_REVIEW, e->number, r->id, r->created_ms))
		e->flags |= SNAP_ISSUE_REVIEWS_UNSORTED;
	update_approval(t, e);
}

/* --- events --- */

static void
add_dismissed(struct buf *b, const struct snap_event_in *ev)
{
	if (ev->dismissed_review == 0)
		return;
	buf_str(b, ",\"dismissedReview\":{\"reviewId\":");
	buf_i64(b, ev->dismissed_review);
	add_text(b, "message", ev->dismissed_message);
	add_text(b, "state", ev->dismissed_state);
	buf_char(b, '}');
}

static void
add_commit(struct snap_txn *t, const struct snap_event_in *ev)
{
	size_t at;

	if (ev->commit.len == 0)
		return;
	at = t->row.len + sizeof(",\"commitId\":\"") - 1;
	add_text(&t->row, "commitId", ev->commit);
	mark_last(t, at, ev->commit.len);
	add_optional(&t->row, "commitOwner", ev->commit_owner);
	add_optional(&t->row, "commitRepo", ev->commit_repo);
}

static void
render_event(struct snap_txn *t, const struct snap_event_in *ev)
{
	struct snap_child head = { .id = ev->id,
		.created_ms = ev->created_ms,
		.updated_ms = TIME_NONE,
		.actor = ev->actor,
		.others = { ev->assignee, ev->assigner, ev->reviewer, ev->requester } };
	struct buf *b = &t->row;

	begin_row(t, &head);
	add_text(b, "event", ev->type);
	add_time(b, "createdAt", ev->created_ms);
	add_optional(b, "label", ev->label);
	add_optional(b, "milestone", ev->milestone);
	add_optional(b, "renameFrom", ev->rename_from);
	add_optional(b, "renameTo", ev->rename_to);
	add_optional(b, "teamReviewer", ev->team);
	add_dismissed(b, ev);
	add_commit(t, ev);
	add_optional(b, "otherJson", ev->other);
}

/* Look through all events for the last one in time that carries a commit. */
static void
find_commit(struct snap_txn *t, struct snap_issue_edit *e)
{
	struct snap_walk w;
	struct snap_child c;

	e->commit = (struct slice){ 0 };
	e->commit_event = 0;
	e->commit_ms = TIME_NONE;
	if (snap_walk_begin(&t->view, SNAP_EVENT, e->number, &w) != 0) {
		snap_txn_fail(t, ERR_NOMEM);
		return;
	}
	while (snap_walk_next(&w, &c) == 0) {
		if (c.last.len == 0 || c.created_ms < e->commit_ms)
			continue;
		e->commit = (struct slice){ arena_dup(&t->arena, c.last), c.last.len };
		e->commit_event = c.id;
		e->commit_ms = c.created_ms;
		if (e->commit.ptr == NULL)
			snap_txn_fail(t, ERR_NOMEM);
	}
}

static void
update_commit(struct snap_txn *t, struct snap_issue_edit *e, const struct snap_event_in *ev)
{
	bool newer = ev->created_ms > e->commit_ms ||
		     (ev->created_ms == e->commit_ms && ev->id >= e->commit_event);

	if (ev->commit.len > 0 && newer) {
		e->commit = (struct slice){ arena_dup(&t->arena, ev->commit), ev->commit.len };
		e->commit_event = ev->id;
		e->commit_ms = ev->created_ms;
		if (e->commit.ptr == NULL)
			snap_txn_fail(t, ERR_NOMEM);
	} else if (ev->id == e->commit_event) {
		find_commit(t, e); /* the one that was last says something else now */
	}
}

void
snap_event_put(struct snap_txn *t, struct snap_issue_edit *e, const struct snap_event_in *ev)
{
	if (t->err != 0)
		return;
	render_event(t, ev);
	finish_row(t, e, SNAP_EVENT, ev->id);
	update_commit(t, e, ev);
}

/* --- comments on lines of a diff --- */

/* Lines, ids: what is 0 is not there. */
static void
add_number(struct buf *b, const char *name, int64_t v)
{
	buf_str(b, ",\"");
	buf_str(b, name);
	buf_str(b, "\":");
	if (v != 0)
		buf_i64(b, v);
	else
		buf_str(b, "null");
}

static void
render_review_comment(struct snap_txn *t, const struct snap_review_comment_in *c)
{
	struct snap_child head = { .id = c->id,
		.created_ms = c->created_ms,
		.updated_ms = c->updated_ms,
		.actor = c->user,
		.others = { c->review, c->in_reply_to } };
	struct buf *b = &t->row;

	begin_row(t, &head);
	add_time(b, "createdAt", c->created_ms);
	add_time(b, "updatedAt", c->updated_ms);
	add_text(b, "authorAssociation", c->association);
	add_reactions(b, c->reactions);
	add_number(b, "reviewId", c->review);
	add_number(b, "inReplyTo", c->in_reply_to);
	add_text(b, "path", c->path);
	add_number(b, "line", c->line);
	add_text(b, "side", c->side);
	add_number(b, "startLine", c->start_line);
	add_text(b, "startSide", c->start_side);
	add_number(b, "originalLine", c->original_line);
	add_number(b, "originalStartLine", c->original_start_line);
	add_text(b, "subjectType", c->subject_type);
	add_text(b, "commitId", c->commit);
	add_text(b, "originalCommitId", c->original_commit);
	add_optional(b, "otherJson", c->other);
	add_text(b, "body", c->body);
	add_text(b, "diffHunk", c->diff_hunk);
}

void
snap_review_comment_put(
    struct snap_txn *t, struct snap_issue_edit *e, const struct snap_review_comment_in *c)
{
	if (t->err != 0)
		return;
	render_review_comment(t, c);
	finish_row(t, e, SNAP_REVIEW_COMMENT, c->id);
	if (breaks_order(t, SNAP_REVIEW_COMMENT, e->number, c->id, c->created_ms))
		e->flags |= SNAP_ISSUE_REVIEW_COMMENTS_UNSORTED;
}

bool
snap_child_delete(
    struct snap_txn *t, struct snap_issue_edit *e, enum snap_child_kind kind, int64_t id)
{
	unsigned char key[SNAP_CHILD_KEY_LEN];
	size_t len = snap_key_child(e->number, id, key);

	if (!snap_del(t, snap_child_table(kind), key, len))
		return false;
	--*count_of(e, kind);
	t->deltas.children[kind]--;
	if (kind == SNAP_REVIEW)
		update_approval(t, e);
	if (kind == SNAP_EVENT && id == e->commit_event)
		find_commit(t, e);
	return true;
}
