/*
 * snap_ref_write.c - writing users, labels, milestones.  A label or milestone stands
 * rendered in issues: when it is renamed or deleted, those rows are rendered anew.
 */
#include <stdio.h>
#include <string.h>

#include "base/json_text.h"
#include "base/mem.h"
#include "lmdb-schema/snap_write_internal.h"

/* `text` escaped, in t->text until the next use of it. */
static struct slice
escaped(struct snap_txn *t, struct slice text)
{
	buf_reset(&t->text);
	json_text_escape(&t->text, text);
	if (buf_err(&t->text) != 0)
		snap_txn_fail(t, buf_err(&t->text));
	return buf_view(&t->text);
}

void
snap_user_put(struct snap_txn *t, int64_t id, struct slice login)
{
	struct slice name = escaped(t, login), old;
	unsigned char key[8];
	char head[64];
	int n;

	if (t->err != 0)
		return;
	if (snap_user_login(&t->view, id, &old) == 0 && slice_eq(old, name))
		return;
	n = snprintf(head, sizeof(head), "{\"id\":%lld,\"login\":\"", (long long)id);
	buf_reset(&t->row);
	buf_le32(&t->row, 4U + (uint32_t)n);
	buf_add(&t->row, head, (size_t)n);
	buf_slice(&t->row, name);
	buf_str(&t->row, "\"}");
	snap_put_row(t, SNAP_T_USER, key, snap_key_id(id, key));
}

/* --- rendering issues anew --- */

/* Which issues, and what is changed in them before they are rendered (may be NULL). */
struct again {
	bool (*test)(const struct snap_issue *i, int64_t id);
	void (*change)(struct snap_issue_edit *e, int64_t id);
	int64_t id;
};

static bool
carries_label(const struct snap_issue *i, int64_t id)
{
	for (uint32_t n = 0; n < i->label_count; n++) {
		if (snap_issue_label(i, n) == id)
			return true;
	}
	return false;
}

static bool
has_milestone(const struct snap_issue *i, int64_t id)
{
	return snap_issue_milestone(i) == id;
}

/* Numbers are collected first: a cursor must not walk a table that changes. */
static void
collect(struct snap_txn *t, const struct again *a, struct buf *numbers)
{
	MDB_val k, d;
	MDB_cursor *c;
	struct snap_issue i;

	if (mdb_cursor_open(t->view.txn, t->view.env->tables[SNAP_T_ISSUE], &c) != 0) {
		snap_txn_fail(t, ERR_NOMEM);
		return;
	}
	while (mdb_cursor_get(c, &k, &d, MDB_NEXT) == 0) {
		struct slice value = { d.mv_data,
			d.mv_size < SNAP_CRC_LEN ? 0 : d.mv_size - SNAP_CRC_LEN };

		if (snap_issue_parse(value, get_be32(k.mv_data), &i) != 0)
			snap_txn_fail(t, ERR_CORRUPT);
		else if (a->test(&i, a->id))
			buf_le32(numbers, i.number);
	}
	mdb_cursor_close(c);
}

static void
render_again(struct snap_txn *t, const struct again *a)
{
	struct snap_issue_edit *e = arena_alloc(&t->arena, sizeof(*e));
	struct buf numbers;

	buf_init(&numbers, SIZE_MAX / 2);
	collect(t, a, &numbers);
	if (e == NULL || buf_err(&numbers) != 0)
		snap_txn_fail(t, ERR_NOMEM);
	for (size_t at = 0; at < numbers.len && t->err == 0; at += 4) {
		int rc = snap_issue_edit_begin(t, get_le32(numbers.ptr + at), e);

		if (rc != 0)
			snap_txn_fail(t, rc);
		else if (a->change != NULL)
			a->change(e, a->id);
		if (rc == 0)
			snap_issue_edit_end(t, e);
	}
	buf_clear(&numbers);
}

static void
put_label(struct snap_txn *t, const struct snap_label *l)
{
	unsigned char key[8];

	buf_reset(&t->row);
	buf_le32(&t->row, (uint32_t)l->name.len);
	buf_le32(&t->row, (uint32_t)l->color.len);
	buf_slice(&t->row, l->name);
	buf_slice(&t->row, l->color);
	buf_slice(&t->row, l->description);
	snap_put_row(t, SNAP_T_LABEL, key, snap_key_id(l->id, key));
}

void
snap_label_set(struct snap_txn *t, const struct snap_label *l)
{
	struct snap_label old = { 0 };
	bool renamed;
	int rc;

	if (t->err != 0)
		return;
	rc = snap_label_get(&t->view, l->id, &old);
	renamed = !slice_eq(old.name, l->name);
	if (rc == 0 && !renamed && slice_eq(old.color, l->color) &&
	    slice_eq(old.description, l->description))
		return;
	put_label(t, l);
	if (rc == 0 && renamed)
		render_again(t, &(struct again){ carries_label, NULL, l->id });
}

void
snap_label_put(struct snap_txn *t, int64_t id, struct slice name)
{
	struct snap_label l = { 0 };

	if (t->err != 0)
		return;
	(void)snap_label_get(&t->view, id, &l);
	l.id = id;
	l.name = escaped(t, name);
	snap_label_set(t, &l);
}

static void
drop_label(struct snap_issue_edit *e, int64_t id)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < e->label_count; i++) {
		if (e->labels[i] != id)
			e->labels[kept++] = e->labels[i];
	}
	e->label_count = kept;
}

void
snap_label_delete(struct snap_txn *t, int64_t id)
{
	unsigned char key[8];

	snap_del(t, SNAP_T_LABEL, key, snap_key_id(id, key));
	render_again(t, &(struct again){ carries_label, drop_label, id });
}

static void
put_milestone(struct snap_txn *t, const struct snap_milestone *m)
{
	const int64_t wide[] = { m->number, m->created_ms, m->updated_ms, m->closed_ms,
		m->due_ms, m->creator };
	unsigned char key[8];

	buf_reset(&t->row);
	for (size_t i = 0; i < sizeof(wide) / sizeof(wide[0]); i++)
		buf_le64(&t->row, (uint64_t)wide[i]);
	buf_char(&t->row, m->closed ? 1 : 0);
	buf_le32(&t->row, (uint32_t)m->title.len);
	buf_slice(&t->row, m->title);
	buf_slice(&t->row, m->description);
	snap_put_row(t, SNAP_T_MILESTONE, key, snap_key_id(m->id, key));
}

static bool
same_milestone(const struct snap_milestone *a, const struct snap_milestone *b)
{
	return a->number == b->number && a->closed == b->closed &&
	       a->created_ms == b->created_ms && a->updated_ms == b->updated_ms &&
	       a->closed_ms == b->closed_ms && a->due_ms == b->due_ms &&
	       a->creator == b->creator && slice_eq(a->title, b->title) &&
	       slice_eq(a->description, b->description);
}

void
snap_milestone_set(struct snap_txn *t, const struct snap_milestone *m)
{
	struct snap_milestone old;
	bool shown_otherwise;
	int rc;

	if (t->err != 0)
		return;
	rc = snap_milestone_get(&t->view, m->id, &old);
	if (rc == 0 && same_milestone(&old, m))
		return;
	/* Issues show number and title; the comparison must be made while `old` is there. */
	shown_otherwise =
	    rc == 0 && (old.number != m->number || !slice_eq(old.title, m->title));
	put_milestone(t, m);
	if (shown_otherwise)
		render_again(t, &(struct again){ has_milestone, NULL, m->id });
}

void
snap_milestone_put(
    struct snap_txn *t, int64_t id, int64_t number, struct slice title, int closed)
{
	struct snap_milestone m = { .created_ms = TIME_NONE,
		.updated_ms = TIME_NONE,
		.closed_ms = TIME_NONE,
		.due_ms = TIME_NONE };

	if (t->err != 0)
		return;
	(void)snap_milestone_get(&t->view, id, &m);
	m.id = id;
	if (number != 0)
		m.number = number;
	if (title.len > 0)
		m.title = escaped(t, title);
	if (closed >= 0)
		m.closed = closed != 0;
	snap_milestone_set(t, &m);
}

static void
drop_milestone(struct snap_issue_edit *e, int64_t id)
{
	(void)id;
	e->milestone = 0;
}

void
snap_milestone_delete(struct snap_txn *t, int64_t id)
{
	unsigned char key[8];

	snap_del(t, SNAP_T_MILESTONE, key, snap_key_id(id, key));
	render_again(t, &(struct again){ has_milestone, drop_milestone, id });
}
