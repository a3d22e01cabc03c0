/*
 * snap_verify.c - a whole pass over an environment: checksums, forms, and
 * whether indexes and counters say what the rows say.
 */
#include <stdio.h>
#include <string.h>

#include "base/hex.h"
#include "lmdb-schema/snap_write_internal.h"

struct pass {
	struct snap_view *v;
	struct err_info *ei;
	uint64_t rows;
	uint64_t counts[SNAP_CLASS_COUNT];
	uint64_t children[SNAP_CHILD_KINDS];
	uint64_t counted[SNAP_CHILD_KINDS]; /* as the issues' rows say */
};

static int
damaged(struct pass *p, enum snap_table t, const MDB_val *k, const char *what)
{
	char key[64] = "";
	size_t n = k->mv_size < 24 ? k->mv_size : 24;

	hex_encode(k->mv_data, n, key);
	return err_set(p->ei, ERR_CORRUPT, "snapshot %s: table %s, key %s: %s", p->v->env->path,
	    snap_table_names[t], key, what);
}

static int
check_index_entry(
    struct pass *p, enum snap_order order, uint32_t flags, struct snap_list_pos pos)
{
	unsigned char key[SNAP_INDEX_KEY_LEN];
	size_t len = snap_key_index(snap_class_of(flags), pos, key);
	MDB_val k = { len, key };
	struct slice value;

	if (snap_get(p->v, snap_order_table(order), key, len, 0, &value) != 0)
		return damaged(
		    p, snap_order_table(order), &k, "the entry of an issue is missing");
	return 0;
}

static int
check_issue(struct pass *p, const MDB_val *k, struct slice value)
{
	struct snap_list_pos pos[SNAP_ORDERS];
	struct snap_issue i;
	struct slice text;
	int rc = 0;

	if (k->mv_size != 4 || snap_issue_parse(value, get_be32(k->mv_data), &i) != 0)
		return damaged(p, SNAP_T_ISSUE, k, "the row has not the form of an issue");
	if (!snap_issue_members_and_body(&i, &text) && snap_issue_body(p->v, &i, &text) != 0)
		return damaged(p, SNAP_T_ISSUE, k, "the body is neither here nor apart");
	p->counted[SNAP_COMMENT] += snap_issue_comment_count(&i);
	p->counted[SNAP_REVIEW] += snap_issue_review_count(&i);
	p->counted[SNAP_EVENT] += snap_issue_event_count(&i);
	p->counted[SNAP_REVIEW_COMMENT] += snap_issue_review_comment_count(&i);
	if ((i.flags & SNAP_ISSUE_NOT_EXIST) != 0)
		return 0;
	p->counts[snap_class_of(i.flags)]++;
	snap_index_positions_of(&i, pos);
	for (unsigned o = 0; o < SNAP_ORDERS && rc == 0; o++)
		rc = check_index_entry(p, (enum snap_order)o, i.flags, pos[o]);
	return rc;
}

static int
check_child(struct pass *p, enum snap_child_kind kind, const MDB_val *k, struct slice value)
{
	struct snap_child c;

	if (k->mv_size != SNAP_CHILD_KEY_LEN || snap_child_parse(value, 0, &c) != 0)
		return damaged(
		    p, snap_child_table(kind), k, "the row has not its table's form");
	p->children[kind]++;
	return 0;
}

static int
check_ref(struct pass *p, enum snap_table t, const MDB_val *k, struct slice value)
{
	struct snap_milestone m;
	struct snap_label l;

	if (k->mv_size != 8 || (t == SNAP_T_LABEL ? snap_label_parse(value, 0, &l)
						  : snap_milestone_parse(value, 0, &m)) != 0)
		return damaged(p, t, k, "the row has not its table's form");
	return 0;
}

static int
check_other(struct pass *p, const MDB_val *k)
{
	struct snap_other o;

	if (k->mv_size != 4 || snap_other_get(p->v, get_be32(k->mv_data), &o) != 0)
		return damaged(p, SNAP_T_ISSUE_OTHER, k, "the row has not its table's form");
	return 0;
}

/* A body that its issue shows no more would be left for ever. */
static int
check_body(struct pass *p, const MDB_val *k)
{
	struct snap_issue i;
	struct slice text;

	if (k->mv_size != 4 || snap_issue_get(p->v, get_be32(k->mv_data), &i) != 0 ||
	    snap_issue_members_and_body(&i, &text))
		return damaged(p, SNAP_T_ISSUE_BODY, k, "no issue has its body here");
	return 0;
}

static int
check_row(struct pass *p, enum snap_table t, const MDB_val *k, const MDB_val *d)
{
	struct slice key = { k->mv_data, k->mv_size };
	struct slice value = { d->mv_data, d->mv_size };

	p->rows++;
	if (value.len < SNAP_CRC_LEN)
		return damaged(p, t, k, "the value is too short for a checksum");
	value.len -= SNAP_CRC_LEN;
	if (snap_checksum(key, value) != get_le32(value.ptr + value.len))
		return damaged(p, t, k, "the checksum is wrong");
	switch (t) {
	case SNAP_T_ISSUE:
		return check_issue(p, k, value);
	case SNAP_T_COMMENT:
		return check_child(p, SNAP_COMMENT, k, value);
	case SNAP_T_REVIEW:
		return check_child(p, SNAP_REVIEW, k, value);
	case SNAP_T_EVENT:
		return check_child(p, SNAP_EVENT, k, value);
	case SNAP_T_REVIEW_COMMENT:
		return check_child(p, SNAP_REVIEW_COMMENT, k, value);
	case SNAP_T_LABEL:
	case SNAP_T_MILESTONE:
		return check_ref(p, t, k, value);
	case SNAP_T_ISSUE_OTHER:
		return check_other(p, k);
	case SNAP_T_ISSUE_BODY:
		return check_body(p, k);
	default:
		return 0;
	}
}

static int
check_table(struct pass *p, enum snap_table t)
{
	MDB_cursor *c;
	MDB_val k, d;
	int rc = mdb_cursor_open(p->v->txn, p->v->env->tables[t], &c);

	if (rc != 0)
		return snap_err(rc);
	do {
		rc = snap_err(mdb_cursor_get(c, &k, &d, MDB_NEXT));
		if (rc == 0)
			rc = check_row(p, t, &k, &d);
	} while (rc == 0);
	mdb_cursor_close(c);
	return rc == ERR_NOENT ? 0 : rc;
}

static int
disagree(struct pass *p, const char *what, uint64_t says, uint64_t is)
{
	return err_set(p->ei, ERR_CORRUPT,
	    "snapshot %s: %s: the counter says %llu, there are %llu", p->v->env->path, what,
	    (unsigned long long)says, (unsigned long long)is);
}

static int
check_counters(struct pass *p)
{
	const uint64_t live = p->counts[0] + p->counts[1] + p->counts[2] + p->counts[3];
	struct snap_repo r;
	int rc = snap_repo_get(p->v, &r);

	if (rc != 0)
		return err_set(
		    p->ei, rc, "snapshot %s: meta: %s", p->v->env->path, err_name(rc));
	for (unsigned i = 0; i < SNAP_CLASS_COUNT; i++) {
		if (r.counts[i] != p->counts[i])
			return disagree(p, "issues of a class", r.counts[i], p->counts[i]);
	}
	for (unsigned i = 0; i < SNAP_CHILD_KINDS; i++) {
		const uint64_t meta[] = { r.comments, r.reviews, r.events, r.review_comments };

		if (meta[i] != p->children[i] || p->counted[i] != p->children[i])
			return disagree(p,
			    snap_table_names[snap_child_table((enum snap_child_kind)i)],
			    meta[i] != p->children[i] ? meta[i] : p->counted[i],
			    p->children[i]);
	}
	for (unsigned o = 0; o < SNAP_ORDERS; o++) {
		enum snap_table t = snap_order_table((enum snap_order)o);
		MDB_stat st;

		if (mdb_stat(p->v->txn, p->v->env->tables[t], &st) == 0 &&
		    st.ms_entries != live)
			return disagree(p, snap_table_names[t], st.ms_entries, live);
	}
	return 0;
}

int
snap_verify(struct snap_view *v, uint64_t *ret_rows, struct err_info *ei)
{
	struct pass p = { .v = v, .ei = ei };
	int rc = 0;

	for (unsigned t = 0; t < SNAP_TABLES && rc == 0; t++)
		rc = check_table(&p, (enum snap_table)t);
	if (rc == 0)
		rc = check_counters(&p);
	if (rc == 0)
		*ret_rows = p.rows;
	return rc;
}
