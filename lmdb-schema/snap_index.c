/*
 * snap_index.c - the four ordered indexes over issues: kept in step by single
 * writes, or built at once when a rebuild has filled the table `issue`.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "lmdb-schema/snap_write_internal.h"

#define BUILD_BATCH 100000U /* entries a transaction */

static void
index_entry(struct snap_txn *t, enum snap_order order, uint32_t flags, struct snap_list_pos pos,
    bool add)
{
	unsigned char key[SNAP_INDEX_KEY_LEN];
	size_t len = snap_key_index(snap_class_of(flags), pos, key);

	if (add)
		snap_put(t, snap_order_table(order), key, len, (struct slice){ 0 });
	else if (!snap_del(t, snap_order_table(order), key, len))
		snap_txn_fail(t, ERR_CORRUPT); /* an index out of step with the table */
}

void
snap_index_add(struct snap_txn *t, uint32_t flags, const struct snap_list_pos *pos)
{
	for (unsigned o = 0; o < SNAP_ORDERS; o++)
		index_entry(t, (enum snap_order)o, flags, pos[o], true);
}

void
snap_index_remove(struct snap_txn *t, uint32_t flags, const struct snap_list_pos *pos)
{
	for (unsigned o = 0; o < SNAP_ORDERS; o++)
		index_entry(t, (enum snap_order)o, flags, pos[o], false);
}

static void
positions(uint32_t number, int64_t created_ms, int64_t updated_ms, uint32_t comments,
    struct snap_list_pos *ret)
{
	ret[SNAP_BY_NUMBER] = (struct snap_list_pos){ 0, number };
	ret[SNAP_BY_CREATED] = (struct snap_list_pos){ snap_sortable(created_ms), number };
	ret[SNAP_BY_UPDATED] = (struct snap_list_pos){ snap_sortable(updated_ms), number };
	ret[SNAP_BY_COMMENTS] = (struct snap_list_pos){ comments, number };
}

void
snap_index_positions(const struct snap_issue_edit *e, struct snap_list_pos *ret)
{
	positions(e->number, e->created_ms, e->updated_ms, e->comment_count, ret);
}

void
snap_index_positions_of(const struct snap_issue *i, struct snap_list_pos *ret)
{
	positions(i->number, snap_issue_created_ms(i), snap_issue_updated_ms(i),
	    snap_issue_comment_count(i), ret);
}

/* What one issue contributes, gathered in memory: 40 bytes an issue. */
struct entry {
	struct snap_list_pos pos[SNAP_ORDERS - 1]; /* created, updated, comments */
	uint32_t number;
	unsigned char cls;
};

struct gathered {
	struct entry *entries;
	size_t count, cap;
};

static int
grow(struct gathered *g)
{
	size_t cap = g->cap == 0 ? 4096 : g->cap * 2;
	struct entry *more = mem_realloc(g->entries, cap * sizeof(*more));

	if (more == NULL)
		return ERR_NOMEM;
	g->entries = more;
	g->cap = cap;
	return 0;
}

static int
gather_one(struct gathered *g, const struct snap_issue *i)
{
	struct snap_list_pos pos[SNAP_ORDERS];

	if ((i->flags & SNAP_ISSUE_NOT_EXIST) != 0)
		return 0;
	if (g->count == g->cap && grow(g) != 0)
		return ERR_NOMEM;
	snap_index_positions_of(i, pos);
	memcpy(g->entries[g->count].pos, pos + 1, sizeof(g->entries[0].pos));
	g->entries[g->count].number = i->number;
	g->entries[g->count].cls = (unsigned char)snap_class_of(i->flags);
	g->count++;
	return 0;
}

static int
gather(struct snap_writer *w, struct gathered *g)
{
	struct snap_view *v;
	MDB_cursor *c = NULL;
	MDB_val k, d;
	int rc = snap_writer_view(w, &v);

	if (rc != 0)
		return rc;
	rc = snap_err(mdb_cursor_open(v->txn, v->env->tables[SNAP_T_ISSUE], &c));
	for (int op = MDB_FIRST; rc == 0; op = MDB_NEXT) {
		struct snap_issue i;

		rc = snap_err(mdb_cursor_get(c, &k, &d, (MDB_cursor_op)op));
		if (rc != 0)
			break;
		if (k.mv_size != 4 || d.mv_size < SNAP_CRC_LEN ||
		    snap_issue_parse((struct slice){ d.mv_data, d.mv_size - SNAP_CRC_LEN },
			get_be32(k.mv_data), &i) != 0)
			rc = ERR_CORRUPT;
		else
			rc = gather_one(g, &i);
	}
	if (c != NULL)
		mdb_cursor_close(c);
	snap_writer_view_end(v);
	return rc == ERR_NOENT ? 0 : rc;
}

static _Thread_local enum snap_order sort_order; /* qsort has no context */

static struct snap_list_pos
position(const struct entry *e, enum snap_order order)
{
	return order == SNAP_BY_NUMBER ? (struct snap_list_pos){ 0, e->number }
				       : e->pos[order - 1];
}

static int
compare_entries(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	struct snap_list_pos p = position(x, sort_order), q = position(y, sort_order);

	if (x->cls != y->cls)
		return x->cls < y->cls ? -1 : 1;
	if (p.key != q.key)
		return p.key < q.key ? -1 : 1;
	return p.number < q.number ? -1 : p.number > q.number;
}

/* Sorted, so every entry is appended at the end of the tree. */
static void
append_entry(struct snap_txn *t, enum snap_order order, const struct entry *e)
{
	unsigned char key[SNAP_INDEX_KEY_LEN], sum[SNAP_CRC_LEN];
	size_t len = snap_key_index((enum snap_class)e->cls, position(e, order), key);
	MDB_val k = { len, key }, d = { sizeof(sum), sum };
	int rc;

	put_le32(sum, snap_checksum((struct slice){ (char *)key, len }, (struct slice){ 0 }));
	rc = mdb_put(
	    t->view.txn, t->view.env->tables[snap_order_table(order)], &k, &d, MDB_APPEND);
	if (rc != 0)
		snap_txn_fail(t, snap_err(rc));
}

static int
append_batch(struct snap_writer *w, enum snap_order order, const struct entry *e, size_t count)
{
	int rc;

	do {
		struct snap_txn *t;

		rc = snap_txn_begin(w, &t);
		if (rc != 0)
			return rc;
		for (size_t i = 0; i < count && snap_txn_err(t) == 0; i++)
			append_entry(t, order, &e[i]);
		rc = snap_txn_commit(t);
	} while (rc == ERR_FULL);
	return rc;
}

int
snap_index_build(struct snap_writer *w)
{
	struct gathered g = { 0 };
	int rc = gather(w, &g);

	for (unsigned o = 0; o < SNAP_ORDERS && rc == 0; o++) {
		sort_order = (enum snap_order)o;
		if (g.count > 0)
			qsort(g.entries, g.count, sizeof(g.entries[0]), compare_entries);
		for (size_t at = 0; at < g.count && rc == 0; at += BUILD_BATCH) {
			size_t left = g.count - at;

			rc = append_batch(w, (enum snap_order)o, g.entries + at,
			    left < BUILD_BATCH ? left : BUILD_BATCH);
		}
	}
	mem_free(g.entries);
	return rc;
}
