/*
 * snap_scan.c - the heads of many rows, in the order of a list.
 *
 * A scan waits for memory, not for the processor: so the rows of several issues are on
 * their way at once, and only their heads are.  In the order of numbers the table itself
 * is walked, unless the wanted classes hold few; then and otherwise the indexes lead.
 */
#include "lmdb-schema/snap_internal.h"

#define CACHE_LINE 64U
#define HEAD_BYTES SNAP_I_LISTS

/* Do the classes hold a third of all issues?  An index costs three times as much a row. */
static bool
are_most(struct snap_view *v, unsigned classes)
{
	uint64_t wanted = 0, all = 0;
	struct snap_repo repo;

	if (classes == SNAP_CLASS_ALL)
		return true;
	if (snap_repo_get(v, &repo) != 0)
		return false;
	for (unsigned c = 0; c < SNAP_CLASS_COUNT; c++) {
		all += repo.counts[c];
		wanted += (classes & (1U << c)) != 0 ? repo.counts[c] : 0;
	}
	return wanted >= all / 3;
}

int
snap_scan_begin(struct snap_view *v, enum snap_order order, bool descending, unsigned classes,
    const struct snap_list_pos *after, struct snap_scan *ret)
{
	*ret = (struct snap_scan){ .classes = classes };
	ret->direct = order == SNAP_BY_NUMBER && v->owner != NULL && are_most(v, classes);
	if (!ret->direct)
		return snap_list_begin(v, order, descending, classes, after, &ret->list);
	ret->list = (struct snap_list){ .view = v, .descending = descending };
	ret->after = after != NULL ? after->number : descending ? UINT32_MAX : 0;
	return snap_err(snap_issue_cursor(v));
}

/* Put the cursor on the first row behind s->after; an MDB code. */
static int
seek(const struct snap_scan *s, MDB_val *k, MDB_val *d)
{
	MDB_cursor *c = s->list.view->issues;
	unsigned char key[4];
	int rc;

	/* Numbers begin at 1, so 0 and the greatest are before and behind all of them. */
	*k = (MDB_val){ snap_key_number(s->after, key), key };
	rc = mdb_cursor_get(c, k, d, MDB_SET_RANGE);
	if (s->list.descending)
		return mdb_cursor_get(c, k, d, rc == MDB_NOTFOUND ? MDB_LAST : MDB_PREV);
	if (rc == 0 && k->mv_size == sizeof(key) && get_be32(k->mv_data) == s->after)
		rc = mdb_cursor_get(c, k, d, MDB_NEXT);
	return rc;
}

static int
step_direct(struct snap_scan *s, struct snap_list_pos *pos, struct slice *row)
{
	MDB_val k, d;
	int rc;

	if (s->started)
		rc = mdb_cursor_get(
		    s->list.view->issues, &k, &d, s->list.descending ? MDB_PREV : MDB_NEXT);
	else
		rc = seek(s, &k, &d);
	s->started = true;
	if (rc != 0)
		return snap_err(rc);
	if (k.mv_size != 4 || d.mv_size < SNAP_I_LISTS + SNAP_CRC_LEN)
		return ERR_CORRUPT;
	*pos = (struct snap_list_pos){ 0, get_be32(k.mv_data) };
	*row = (struct slice){ d.mv_data, d.mv_size - SNAP_CRC_LEN };
	return 0;
}

static int
step_index(struct snap_scan *s, struct snap_list_pos *pos, struct slice *row)
{
	int rc = snap_list_next(&s->list, pos);

	if (rc != 0)
		return rc;
	rc = snap_issue_locate(s->list.view, pos->number, row);
	return rc == ERR_NOENT ? ERR_CORRUPT : rc;
}

static void
look_ahead(struct snap_scan *s)
{
	s->at = s->count = 0;
	while (s->count < SNAP_SCAN_AHEAD && s->rc == 0) {
		struct slice *row = &s->rows[s->count];

		s->rc = s->direct ? step_direct(s, &s->pos[s->count], row)
				  : step_index(s, &s->pos[s->count], row);
		if (s->rc != 0)
			return;
		for (size_t at = 0; at < HEAD_BYTES; at += CACHE_LINE)
			__builtin_prefetch(row->ptr + at);
		s->count++;
	}
}

/* What indexes leave out, a walk through the rows must. */
static bool
is_wanted(const struct snap_scan *s, const struct snap_issue *i)
{
	return !s->direct || ((i->flags & SNAP_ISSUE_NOT_EXIST) == 0 &&
				 (s->classes & (1U << snap_class_of(i->flags))) != 0);
}

int
snap_scan_next(struct snap_scan *s, struct snap_list_pos *ret, struct snap_issue *ret_issue)
{
	struct snap_issue issue;
	struct snap_list_pos pos;
	int rc;

	do {
		if (s->at == s->count)
			look_ahead(s);
		if (s->at == s->count)
			return s->rc;
		pos = s->pos[s->at];
		rc = snap_issue_parse_head(s->rows[s->at++], pos.number, &issue);
	} while (rc == 0 && !is_wanted(s, &issue));
	if (rc == 0) {
		*ret = pos;
		*ret_issue = issue;
	}
	return rc;
}
