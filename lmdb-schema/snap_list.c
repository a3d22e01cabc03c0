/*
 * snap_list.c - ordered lists of issues: a merge of at most four index
 * cursors, one per class, so a page costs the same wherever it lies.
 */
#include "lmdb-schema/snap_internal.h"

#define CACHE_LINE 64
#define FETCH_BYTES 2048

static int
compare(struct snap_list_pos a, struct snap_list_pos b)
{
	if (a.key != b.key)
		return a.key < b.key ? -1 : 1;
	return a.number < b.number ? -1 : a.number > b.number;
}

/* Take what a cursor operation found, or end the class. */
static int
accept(struct snap_list *l, unsigned cls, int mdb_rc, const MDB_val *k)
{
	const unsigned char *key = k->mv_data;

	if (mdb_rc == MDB_NOTFOUND || (mdb_rc == 0 && key[0] != cls)) {
		l->live &= ~(1U << cls);
		return 0;
	}
	if (mdb_rc != 0)
		return snap_err(mdb_rc);
	if (k->mv_size != SNAP_INDEX_KEY_LEN)
		return ERR_CORRUPT;
	snap_key_index_parse(key, &l->heads[cls]);
	l->live |= 1U << cls;
	return 0;
}

static int
advance(struct snap_list *l, unsigned cls)
{
	MDB_val k = { 0, NULL }, d;
	int rc = mdb_cursor_get(l->cursors[cls], &k, &d, l->descending ? MDB_PREV : MDB_NEXT);

	return accept(l, cls, rc, &k);
}

/* Put the class's cursor on its first entry behind `after`. */
static int
seek(struct snap_list *l, unsigned cls, const struct snap_list_pos *after)
{
	struct snap_list_pos edge = l->descending
					? (struct snap_list_pos){ UINT64_MAX, UINT32_MAX }
					: (struct snap_list_pos){ 0, 0 };
	unsigned char key[SNAP_INDEX_KEY_LEN];
	MDB_val k = { snap_key_index(cls, after != NULL ? *after : edge, key), key };
	MDB_val d;
	int rc = mdb_cursor_get(l->cursors[cls], &k, &d, MDB_SET_RANGE);

	if (l->descending) {
		/* At the first entry not below: step back, from the very end if need be. */
		rc = rc == MDB_NOTFOUND ? mdb_cursor_get(l->cursors[cls], &k, &d, MDB_LAST)
		     : rc == 0          ? mdb_cursor_get(l->cursors[cls], &k, &d, MDB_PREV)
					: rc;
		return accept(l, cls, rc, &k);
	}
	if (rc == 0 && after != NULL && k.mv_size == sizeof(key) &&
	    memcmp(k.mv_data, key, sizeof(key)) == 0)
		rc = mdb_cursor_get(l->cursors[cls], &k, &d, MDB_NEXT);
	return accept(l, cls, rc, &k);
}

static int
open_list_cursor(struct snap_view *v, enum snap_order order, unsigned cls)
{
	MDB_dbi table = v->env->tables[snap_order_table(order)];

	if (v->lists[cls] != NULL && (v->owner == NULL || v->list_order != order)) {
		mdb_cursor_close(v->lists[cls]);
		v->lists[cls] = NULL;
	}
	if (v->lists[cls] != NULL)
		return snap_err(mdb_cursor_renew(v->txn, v->lists[cls]));
	return snap_err(mdb_cursor_open(v->txn, table, &v->lists[cls]));
}

int
snap_list_begin(struct snap_view *v, enum snap_order order, bool descending, unsigned classes,
    const struct snap_list_pos *after, struct snap_list *ret)
{
	struct snap_list l = { .view = v, .order = order, .descending = descending };

	for (unsigned cls = 0; cls < SNAP_CLASS_COUNT; cls++) {
		int rc = open_list_cursor(v, order, cls);

		if (rc != 0)
			return rc;
		l.cursors[cls] = v->lists[cls];
	}
	v->list_order = order;
	for (unsigned cls = 0; cls < SNAP_CLASS_COUNT; cls++) {
		int rc = (classes & (1U << cls)) != 0 ? seek(&l, cls, after) : 0;

		if (rc != 0)
			return rc;
	}
	*ret = l;
	return 0;
}

int
snap_list_next(struct snap_list *l, struct snap_list_pos *ret)
{
	unsigned best = SNAP_CLASS_COUNT;
	struct snap_list_pos found;
	int rc;

	for (unsigned cls = 0; cls < SNAP_CLASS_COUNT; cls++) {
		int order;

		if ((l->live & (1U << cls)) == 0)
			continue;
		order = best == SNAP_CLASS_COUNT ? -1 : compare(l->heads[cls], l->heads[best]);
		if (best == SNAP_CLASS_COUNT || (l->descending ? order > 0 : order < 0))
			best = cls;
	}
	if (best == SNAP_CLASS_COUNT)
		return ERR_NOENT;
	found = l->heads[best];
	rc = advance(l, best);
	if (rc == 0)
		*ret = found;
	return rc;
}

/* The processor fetches what follows by itself once it sees a run of lines. */
static void
fetch(struct slice row)
{
	for (size_t at = 0; at < row.len && at < FETCH_BYTES; at += CACHE_LINE)
		__builtin_prefetch(row.ptr + at);
}

static void
look_ahead(struct snap_list *l)
{
	/* Few at first: a short page should not pay for rows that it does not show. */
	unsigned most = l->ahead_count == 0 ? SNAP_LIST_AHEAD / 4 : SNAP_LIST_AHEAD;

	l->ahead_at = l->ahead_count = 0;
	while (l->ahead_count < most && l->ahead_rc == 0) {
		struct snap_list_pos *pos = &l->ahead_pos[l->ahead_count];
		struct slice *row = &l->ahead_rows[l->ahead_count];

		l->ahead_rc = snap_list_next(l, pos);
		if (l->ahead_rc != 0)
			return;
		l->ahead_rc = snap_issue_locate(l->view, pos->number, row);
		if (l->ahead_rc == ERR_NOENT)
			l->ahead_rc = ERR_CORRUPT;
		if (l->ahead_rc != 0)
			return;
		fetch(*row);
		l->ahead_count++;
	}
}

int
snap_list_next_issue(
    struct snap_list *l, struct snap_list_pos *ret, struct snap_issue *ret_issue)
{
	struct snap_list_pos pos;
	int rc;

	if (l->ahead_at == l->ahead_count)
		look_ahead(l);
	if (l->ahead_at == l->ahead_count)
		return l->ahead_rc;
	pos = l->ahead_pos[l->ahead_at];
	rc = snap_issue_parse(l->ahead_rows[l->ahead_at], pos.number, ret_issue);
	l->ahead_at++;
	if (rc == 0)
		*ret = pos;
	return rc;
}
