/*
 * snap_ref_write.c - writing users, labels, milestones.  A renamed label or
 * milestone stands rendered in issues, so those rows are rendered anew.
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

typedef bool (*issue_test)(const struct snap_issue *i, int64_t id);

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
collect(struct snap_txn *t, issue_test test, int64_t id, struct buf *numbers)
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
		else if (test(&i, id))
			buf_le32(numbers, i.number);
	}
	mdb_cursor_close(c);
}

static void
render_again(struct snap_txn *t, issue_test test, int64_t id)
{
	struct snap_issue_edit *e = arena_alloc(&t->arena, sizeof(*e));
	struct buf numbers;

	buf_init(&numbers, SIZE_MAX / 2);
	collect(t, test, id, &numbers);
	if (e == NULL || buf_err(&numbers) != 0)
		snap_txn_fail(t, ERR_NOMEM);
	for (size_t at = 0; at < numbers.len && t->err == 0; at += 4) {
		int rc = snap_issue_edit_begin(t, get_le32(numbers.ptr + at), e);

		if (rc != 0)
			snap_txn_fail(t, rc);
		else
			snap_issue_edit_end(t, e);
	}
	buf_clear(&numbers);
}

void
snap_label_put(struct snap_txn *t, int64_t id, struct slice name)
{
	struct slice text = escaped(t, name), old;
	unsigned char key[8];
	int rc;

	if (t->err != 0)
		return;
	rc = snap_label_name(&t->view, id, &old);
	if (rc == 0 && slice_eq(old, text))
		return;
	snap_put(t, SNAP_T_LABEL, key, snap_key_id(id, key), text);
	if (rc == 0)
		render_again(t, carries_label, id);
}

void
snap_milestone_put(
    struct snap_txn *t, int64_t id, int64_t number, struct slice title, int closed)
{
	struct slice text = escaped(t, title);
	struct snap_milestone old = { 0 };
	unsigned char key[8];
	int rc;

	if (t->err != 0)
		return;
	rc = snap_milestone_get(&t->view, id, &old);
	if (number == 0)
		number = old.number;
	if (text.len == 0)
		text = old.title;
	if (closed < 0)
		closed = old.closed;
	if (rc == 0 && number == old.number && slice_eq(text, old.title) &&
	    (closed != 0) == old.closed)
		return;
	buf_reset(&t->row);
	buf_le64(&t->row, (uint64_t)number);
	buf_char(&t->row, closed != 0 ? 1 : 0);
	buf_slice(&t->row, text);
	snap_put_row(t, SNAP_T_MILESTONE, key, snap_key_id(id, key));
	if (rc == 0)
		render_again(t, has_milestone, id);
}
