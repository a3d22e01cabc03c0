/*
 * rebuild.c - the snapshot from the log: every record applied in order, in
 * batches, into a new environment that replaces the current one at the end.
 */
#include "sync/mirror_internal.h"

#include "mutation-log/mlog_reader.h"

#define BATCH_RECORDS 10000U
#define BATCH_BYTES ((size_t)16 << 20)

/* One batch of a replay.  A full map repeats it from `from`. */
struct replay {
	struct mirror *m;
	const struct mirror_opts *o;
	struct mlog_reader *reader;
	struct arena arena;
	struct mlog_pos at;
	uint64_t bytes;
	bool done;
};

static int
apply_payload(struct replay *r, struct snap_txn *t, struct slice payload, struct err_info *ei)
{
	Maintpb__Mutation *mutation;
	int rc;

	arena_reset(&r->arena);
	rc = mlog_mutation_unpack(payload, &r->arena, &mutation, ei);
	if (rc != 0)
		return err_wrap(ei, rc, "record at segment %u offset %llu", r->at.segment,
		    (unsigned long long)r->at.offset);
	apply_mutation(r->m->apply, t, mutation);
	return snap_txn_err(t);
}

static int
fill_batch(struct replay *r, struct snap_txn *t, struct err_info *ei)
{
	size_t bytes = 0;

	for (unsigned n = 0; n < BATCH_RECORDS && bytes < BATCH_BYTES; n++) {
		struct slice payload;
		int rc = mlog_reader_next(r->reader, &payload, &r->at, ei);

		if (rc == ERR_NOENT) {
			r->done = true;
			return 0;
		}
		if (rc == 0)
			rc = apply_payload(r, t, payload, ei);
		if (rc != 0)
			return rc;
		bytes += payload.len;
	}
	r->bytes += bytes;
	return 0;
}

static int
replay_batch(struct replay *r, struct err_info *ei)
{
	struct mlog_pos end;
	struct snap_txn *t;
	int rc = snap_txn_begin(r->m->snap, &t);

	if (rc != 0)
		return rc;
	rc = fill_batch(r, t, ei);
	if (rc != 0 && snap_txn_err(t) == 0) {
		snap_txn_abort(t);
		return rc;
	}
	end = mlog_reader_pos(r->reader);
	snap_log_end_put(t, end.segment, end.offset);
	rc = snap_txn_commit(t);
	if (rc != 0 && (ei == NULL || ei->text[0] == '\0'))
		err_set(ei, rc, "replay at segment %u offset %llu: %s", r->at.segment,
		    (unsigned long long)r->at.offset, err_name(rc));
	return rc;
}

/* Open a reader where the last committed batch ended. */
static int
reopen(struct replay *r, struct mlog_pos from, struct err_info *ei)
{
	mlog_reader_close(r->reader);
	r->reader = NULL;
	return mlog_reader_open(r->m->store, r->m->prefix, from, &r->reader, ei);
}

int
mirror_replay(struct mirror *m, const struct mirror_opts *o, struct mlog_pos from,
    struct err_info *ei)
{
	struct replay r = { .m = m, .o = o };
	int rc;

	arena_init(&r.arena, MLOG_UNPACK_MAX);
	rc = reopen(&r, from, ei);
	while (rc == 0 && !r.done) {
		struct mlog_pos before = mlog_reader_pos(r.reader);

		rc = replay_batch(&r, ei);
		if (rc == ERR_FULL) { /* the map has grown: do this batch again */
			r.done = false;
			rc = reopen(&r, before, ei);
			continue;
		}
		if (rc == 0 && o->on_replay != NULL)
			o->on_replay(o->ctx, r.bytes, mlog_reader_total_bytes(r.reader));
	}
	mlog_reader_close(r.reader);
	arena_clear(&r.arena);
	return rc;
}

int
mirror_rebuild(struct mirror *m, const struct mirror_opts *o, bool aside, struct err_info *ei)
{
	bool unclean;
	int rc;

	snap_writer_close(m->snap);
	m->snap = NULL;
	rc = snap_writer_open(m->snapshot_dir, m->name, SNAP_FILL, &m->snap, &unclean, ei);
	if (rc == 0)
		rc = mirror_replay(m, o, (struct mlog_pos){ 0, 0 }, ei);
	if (rc == 0) {
		struct snap_txn *t;

		rc = snap_txn_begin(m->snap, &t);
		if (rc == 0) {
			mirror_put_tail(m, t);
			rc = snap_txn_commit(t);
		}
	}
	if (rc == 0)
		rc = snap_writer_promote(m->snap, aside, ei);
	return rc != 0 ? err_wrap(ei, rc, "rebuild of the snapshot") : 0;
}
