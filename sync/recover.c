/*
 * recover.c - bringing snapshot and log in step at start.
 *
 * Let T be the durable tail that the snapshot noted last.  If the log still begins
 * with what T names, it has grown by records that are either rows of our outbox (we
 * stopped between the swap and forgetting them) or news (the disk is an old one):
 * news are replayed.  If anything differs, the log wins and the snapshot is rebuilt.
 */
#include <stdio.h>
#include <string.h>

#include "mutation-log/mlog_reader.h"
#include "mutation-log/mlog_record.h"
#include "sync/mirror_internal.h"

#define HASH_CHUNK ((size_t)1 << 20)

enum verdict {
	IN_STEP,  /* go on */
	REPLAY,   /* the log has news from `replay_from` on */
	LOG_WINS, /* they disagree */
	LOG_ONLY, /* the snapshot is empty and the log is not */
};

struct state {
	struct snap_repo repo;
	struct snap_tail tail;
	bool has_tail;
	uint64_t outbox_rows;
	struct mlog_pos outbox_first;
};

static void
note(const struct mirror_opts *o, const char *message, uint64_t count)
{
	if (o->on_note != NULL)
		o->on_note(o->ctx, message, count);
}

static int
count_outbox(struct snap_view *v, struct state *s)
{
	struct mlog_pos at = { 0, 0 };
	struct slice row;
	int rc;

	while ((rc = snap_outbox_next(v, &at.segment, &at.offset, &row)) == 0) {
		if (s->outbox_rows++ == 0)
			s->outbox_first = at;
		at.offset++;
	}
	return rc == ERR_NOENT ? 0 : rc;
}

static int
read_state(struct mirror *m, struct state *s)
{
	struct snap_view *v;
	int rc = mirror_view(m, &v);

	if (rc != 0)
		return rc;
	rc = snap_repo_get(v, &s->repo);
	if (rc == 0) {
		int tail = snap_tail_get(v, &s->tail);

		s->has_tail = tail == 0;
		rc = tail == ERR_NOENT ? 0 : tail;
	}
	if (rc == 0)
		rc = count_outbox(v, s);
	snap_writer_view_end(v);
	return rc;
}

/* SHA-224 of the first `size` bytes of an object. */
static int
hash_prefix(struct mirror *m, const char *name, uint64_t size, char out[SHA224_HEX_LEN + 1],
    struct err_info *ei)
{
	struct store_range range = { .generation = STORE_ANY };
	struct sha224 *d;
	struct buf chunk;
	int rc = sha224_new(&d);

	if (rc != 0)
		return rc;
	buf_init(&chunk, HASH_CHUNK);
	while (rc == 0 && range.offset < size) {
		uint64_t left = size - range.offset;

		range.len = left < HASH_CHUNK ? (size_t)left : HASH_CHUNK;
		buf_reset(&chunk);
		rc = store_read(m->store, name, &range, &chunk, NULL, ei);
		if (rc == 0 && chunk.len != range.len)
			rc = ERR_CONFLICT; /* shorter than what we knew */
		if (rc == 0)
			rc = sha224_add(d, chunk.ptr, chunk.len);
		range.offset += range.len;
	}
	if (rc == 0)
		rc = sha224_peek_hex(d, out);
	buf_clear(&chunk);
	sha224_free(d);
	return rc;
}

/* Does the log still begin with what the snapshot knew as its tail? */
static int
tail_is_prefix(struct mirror *m, const struct state *s, const struct mlog_reader *r, bool *ret,
    struct err_info *ei)
{
	char name[MLOG_NAME_SIZE], path[MLOG_PREFIX_MAX + MLOG_NAME_SIZE],
	    sha[SHA224_HEX_LEN + 1];
	const struct mlog_segment *seg;
	int rc;

	*ret = false;
	if (!s->has_tail) {
		*ret = true;
		return 0;
	}
	if (s->tail.number >= mlog_reader_segment_count(r))
		return 0;
	seg = mlog_reader_segment(r, s->tail.number);
	mlog_segment_name(seg->number, seg->sha224, name);
	snprintf(path, sizeof(path), "%s%s", m->prefix, name);
	rc = hash_prefix(m, path, s->tail.size, sha, ei);
	if (rc == ERR_CONFLICT)
		return 0;
	*ret = rc == 0 && strcmp(sha, s->tail.sha224) == 0;
	return rc;
}

/*
 * Is this record of the log our outbox's first row from *next on?  Rows and records must
 * be the same one by one: a row that the log does not have at its turn is not logged.
 */
static int
compare_row(struct mirror *m, struct snap_view *v, struct mlog_pos *next, struct mlog_pos at,
    struct slice payload, bool *ret_same, bool *ret_any_left)
{
	struct slice row;
	int rc = snap_outbox_next(v, &next->segment, &next->offset, &row);

	*ret_any_left = rc == 0;
	*ret_same = false;
	if (rc != 0)
		return rc == ERR_NOENT ? 0 : rc;
	if (mlog_pos_cmp(*next, at) != 0)
		return 0;
	buf_reset(&m->framed);
	mlog_record_append(&m->framed, at.offset, payload);
	if (buf_err(&m->framed) != 0)
		return buf_err(&m->framed);
	*ret_same = slice_eq(buf_view(&m->framed), row);
	next->offset++;
	return 0;
}

/* Go over what the log has behind the known tail. */
static int
judge_growth(struct mirror *m, struct mlog_reader *r, enum verdict *ret,
    struct mlog_pos *replay_from, struct err_info *ei)
{
	struct mlog_pos at, next = { 0, 0 };
	struct snap_view *v;
	struct slice payload;
	bool same, left;
	int rc = mirror_view(m, &v);

	if (rc != 0)
		return rc;
	*ret = IN_STEP;
	while (*ret == IN_STEP && (rc = mlog_reader_next(r, &payload, &at, ei)) == 0) {
		rc = compare_row(m, v, &next, at, payload, &same, &left);
		if (rc != 0)
			break;
		if (!same)
			*ret = left ? LOG_WINS : REPLAY;
		*replay_from = at;
	}
	snap_writer_view_end(v);
	return rc == ERR_NOENT ? 0 : rc;
}

static int
judge(struct mirror *m, const struct state *s, enum verdict *ret, struct mlog_pos *replay_from,
    struct err_info *ei)
{
	struct mlog_pos known = { s->tail.number, s->tail.size };
	struct mlog_segment tail;
	struct mlog_reader *r;
	bool log_has_any = mlog_writer_tail(m->log, &tail), prefix;
	int rc;

	if (!log_has_any) {
		*ret =
		    s->has_tail || mlog_pos_cmp(s->outbox_first, (struct mlog_pos){ 0, 0 }) != 0
			? LOG_WINS
			: IN_STEP;
		return 0;
	}
	if (!s->has_tail && s->outbox_rows == 0) {
		*ret = LOG_ONLY;
		return 0;
	}
	/* From the known place on; a log that is shorter than that disagrees. */
	rc = mlog_reader_open(
	    m->store, m->prefix, s->has_tail ? known : (struct mlog_pos){ 0, 0 }, &r, ei);
	if (rc == ERR_CONFLICT || rc == ERR_CORRUPT) {
		*ret = LOG_WINS; /* a rebuild reads it from the start and tells which it is */
		return 0;
	}
	if (rc != 0)
		return rc;
	rc = tail_is_prefix(m, s, r, &prefix, ei);
	if (rc == 0 && !prefix)
		*ret = LOG_WINS;
	else if (rc == 0)
		rc = judge_growth(m, r, ret, replay_from, ei);
	mlog_reader_close(r);
	return rc;
}

/* The outbox must go on where the log ends; rows that are durable already are dropped. */
static int
settle(struct mirror *m, const struct mirror_opts *o, struct err_info *ei)
{
	struct mlog_pos durable = mlog_writer_durable(m->log), end = mlog_writer_end(m->log);
	struct mlog_pos first = durable;
	struct snap_txn *t;
	struct slice row;
	int rc = snap_txn_begin(m->snap, &t);

	if (rc != 0)
		return rc;
	snap_outbox_forget(t, durable.segment, durable.offset);
	mirror_put_tail(m, t);
	rc = snap_outbox_next(snap_txn_view(t), &first.segment, &first.offset, &row);
	if (rc == ERR_NOENT)
		snap_log_end_put(t, end.segment, end.offset);
	if (rc == 0 && mlog_pos_cmp(first, end) != 0) {
		snap_txn_abort(t);
		note(o,
		    "unlogged records stand where another writer's log goes on; the log wins",
		    0);
		return ERR_CONFLICT;
	}
	rc = snap_txn_commit(t);
	return rc != 0 ? err_set(ei, rc, "snapshot: %s", err_name(rc)) : 0;
}

static int
set_end(struct mirror *m)
{
	struct state s = { 0 };
	int rc = mirror_note_segments(m, NULL);

	if (rc == 0)
		rc = read_state(m, &s);
	if (rc == 0)
		m->end = (struct mlog_pos){ s.repo.log_segment, s.repo.log_offset };
	return rc;
}

static int
rebuild(struct mirror *m, const struct mirror_opts *o, bool aside, struct err_info *ei)
{
	int rc = mirror_rebuild(m, o, aside, ei);

	return rc == 0 ? settle(m, o, ei) : rc;
}

static int
bring_in_step(struct mirror *m, const struct mirror_opts *o, struct err_info *ei)
{
	struct state s = { 0 };
	struct mlog_pos from = { 0, 0 };
	enum verdict verdict = IN_STEP;
	int rc = read_state(m, &s);

	if (rc == 0)
		rc = judge(m, &s, &verdict, &from, ei);
	if (rc != 0)
		return rc;
	if (verdict == LOG_ONLY) {
		note(o, "the snapshot is empty: it is made from the log", 0);
		return rebuild(m, o, false, ei);
	}
	if (verdict == REPLAY) {
		note(o, "the log has records that the snapshot lacks: they are replayed", 0);
		rc = mirror_replay(m, o, from, ei);
	}
	if (verdict != LOG_WINS && rc == 0)
		rc = settle(m, o, ei);
	if (verdict != LOG_WINS && rc != ERR_CONFLICT)
		return rc;
	note(o, "log and snapshot disagree: the snapshot is set aside and made from the log",
	    s.outbox_rows);
	return rebuild(m, o, true, ei);
}

/* A writer that did not close may have been cut off by a power loss. */
static int
check_unclean(struct mirror *m, const struct mirror_opts *o, struct err_info *ei)
{
	struct snap_view *v;
	uint64_t rows = 0;
	int rc = mirror_view(m, &v);

	if (rc != 0)
		return rc;
	rc = snap_verify(v, &rows, ei);
	snap_writer_view_end(v);
	if (rc == 0)
		note(o, "the snapshot was not closed cleanly; its rows are sound", rows);
	return rc;
}

int
mirror_recover(struct mirror *m, const struct mirror_opts *o, struct err_info *ei)
{
	struct err_info why = { 0 };
	bool unclean = false;
	int rc;

	if (o->rebuild) {
		rc = rebuild(m, o, false, ei);
		return rc == 0 ? set_end(m) : rc;
	}
	rc = snap_writer_open(m->snapshot_dir, m->name, 0, &m->snap, &unclean, &why);
	if (rc == 0 && unclean)
		rc = check_unclean(m, o, &why);
	if (rc == ERR_CORRUPT || rc == ERR_VERSION) {
		note(o, why.text, 0);
		note(o, "the snapshot cannot be used: it is made anew from the log", 0);
		rc = rebuild(m, o, true, ei);
	} else if (rc == 0) {
		rc = bring_in_step(m, o, ei);
	} else if (ei != NULL) {
		*ei = why;
	}
	return rc == 0 ? set_end(m) : rc;
}
