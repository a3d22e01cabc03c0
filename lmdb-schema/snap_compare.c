/*
 * snap_compare.c - do two environments say the same?  Row by row, but for what is
 * not derived from the log: bookkeeping, and GitHub's own comment counts.
 */
#include <stdio.h>
#include <string.h>

#include "base/hex.h"
#include "lmdb-schema/snap_write_internal.h"

static const enum snap_table compared[] = { SNAP_T_ISSUE, SNAP_T_ISSUE_BODY, SNAP_T_COMMENT,
	SNAP_T_REVIEW, SNAP_T_EVENT, SNAP_T_REVIEW_COMMENT, SNAP_T_ISSUE_OTHER, SNAP_T_USER,
	SNAP_T_LABEL, SNAP_T_MILESTONE, SNAP_T_BY_NUMBER, SNAP_T_BY_CREATED, SNAP_T_BY_UPDATED,
	SNAP_T_BY_COMMENTS };

struct side {
	MDB_cursor *cursor;
	MDB_val key, value;
	bool live;
};

static int
step(struct side *s)
{
	int rc = snap_err(mdb_cursor_get(s->cursor, &s->key, &s->value, MDB_NEXT));

	s->live = rc == 0;
	return rc == ERR_NOENT ? 0 : rc;
}

static int
compare_keys(const struct side *a, const struct side *b)
{
	size_t n = a->key.mv_size < b->key.mv_size ? a->key.mv_size : b->key.mv_size;
	int c;

	if (!a->live || !b->live)
		return a->live ? -1 : 1;
	c = memcmp(a->key.mv_data, b->key.mv_data, n);
	return c != 0                            ? c
	       : a->key.mv_size < b->key.mv_size ? -1
						 : a->key.mv_size > b->key.mv_size;
}

static bool
same_value(enum snap_table t, const MDB_val *a, const MDB_val *b)
{
	const char *x = a->mv_data, *y = b->mv_data;
	size_t len = a->mv_size, skip = SNAP_I_HUB_COMMENTS;

	if (len != b->mv_size || len < SNAP_CRC_LEN)
		return false;
	len -= SNAP_CRC_LEN;
	if (t != SNAP_T_ISSUE || len < SNAP_I_LISTS)
		return memcmp(x, y, len) == 0;
	return memcmp(x, y, skip) == 0 &&
	       memcmp(x + skip + 4, y + skip + 4, len - skip - 4) == 0;
}

static void
report(
    const struct snap_compare_opts *o, enum snap_table t, const MDB_val *key, const char *what)
{
	char hex[64] = "";

	hex_encode(key->mv_data, key->mv_size < 24 ? key->mv_size : 24, hex);
	if (o->on_difference != NULL)
		o->on_difference(o->ctx, snap_table_names[t], hex, what);
}

static int
compare_table(struct snap_view *a, struct snap_view *b, enum snap_table t,
    const struct snap_compare_opts *o, uint64_t *count)
{
	struct side x = { 0 }, y = { 0 };
	int rc = snap_err(mdb_cursor_open(a->txn, a->env->tables[t], &x.cursor));

	if (rc == 0)
		rc = snap_err(mdb_cursor_open(b->txn, b->env->tables[t], &y.cursor));
	if (rc == 0)
		rc = step(&x);
	if (rc == 0)
		rc = step(&y);
	while (rc == 0 && (x.live || y.live)) {
		int c = compare_keys(&x, &y);

		if (c != 0 || !same_value(t, &x.value, &y.value)) {
			++*count;
			report(o, t, c <= 0 ? &x.key : &y.key,
			    c < 0   ? "only in the first"
			    : c > 0 ? "only in the second"
				    : "differs");
		}
		if (c <= 0)
			rc = step(&x);
		if (c >= 0 && rc == 0)
			rc = step(&y);
	}
	if (x.cursor != NULL)
		mdb_cursor_close(x.cursor);
	if (y.cursor != NULL)
		mdb_cursor_close(y.cursor);
	return rc;
}

int
snap_compare(struct snap_view *a, struct snap_view *b, const struct snap_compare_opts *o,
    uint64_t *ret_differences)
{
	uint64_t count = 0;
	int rc = 0;

	for (size_t i = 0; i < sizeof(compared) / sizeof(compared[0]) && rc == 0; i++)
		rc = compare_table(a, b, compared[i], o, &count);
	if (rc == 0)
		*ret_differences = count;
	return rc;
}
