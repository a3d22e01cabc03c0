/* replay.c - batches of records: enough for speed, few enough to be repeated. */
#include "sync/replay.h"

#include "mutation-log/mlog_reader.h"
#include "mutation-log/mlog_record.h"

#define BATCH_RECORDS 10000U
#define BATCH_BYTES ((size_t)16 << 20)

struct replay {
	const struct replay_opts *o;
	struct mlog_reader *reader;
	struct arena arena;
	struct mlog_pos at;
	uint64_t bytes;
	bool done;
};

static int
apply_payload(struct apply *apply, struct arena *a, struct snap_txn *t, struct slice payload,
    struct err_info *ei)
{
	Maintpb__Mutation *mutation;
	int rc;

	arena_reset(a);
	rc = mlog_mutation_unpack(payload, a, &mutation, ei);
	if (rc != 0)
		return rc;
	apply_mutation(apply, t, mutation);
	return snap_txn_err(t);
}

static int
at_record(struct err_info *ei, int rc, struct mlog_pos at)
{
	return err_wrap(ei, rc, "record at segment %u offset %llu", at.segment,
	    (unsigned long long)at.offset);
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
			break;
		}
		if (rc != 0)
			return rc;
		rc = apply_payload(r->o->apply, &r->arena, t, payload, ei);
		if (rc != 0)
			return at_record(ei, rc, r->at);
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
	int rc = snap_txn_begin(r->o->into, &t);

	if (rc != 0)
		return rc;
	rc = fill_batch(r, t, ei);
	if (rc != 0 && snap_txn_err(t) == 0) {
		snap_txn_abort(t);
		return rc;
	}
	end = mlog_reader_pos(r->reader);
	snap_log_end_put(t, end.segment, end.offset);
	return snap_txn_commit(t);
}

static int
reopen(struct replay *r, struct mlog_pos from, struct err_info *ei)
{
	mlog_reader_close(r->reader);
	r->reader = NULL;
	return mlog_reader_open(r->o->store, r->o->prefix, from, &r->reader, ei);
}

int
replay_log(const struct replay_opts *o, struct err_info *ei)
{
	struct replay r = { .o = o };
	int rc;

	arena_init(&r.arena, MLOG_UNPACK_MAX);
	rc = reopen(&r, o->from, ei);
	while (rc == 0 && !r.done) {
		struct mlog_pos before = mlog_reader_pos(r.reader);
		uint64_t bytes = r.bytes;

		rc = replay_batch(&r, ei);
		if (rc == ERR_FULL) { /* the map has grown: do this batch again */
			r.done = false;
			r.bytes = bytes;
			rc = reopen(&r, before, ei);
			continue;
		}
		if (rc == 0 && o->on_progress != NULL &&
		    o->on_progress(o->ctx, r.bytes, mlog_reader_total_bytes(r.reader)) != 0)
			rc = ERR_CANCELED;
	}
	mlog_reader_close(r.reader);
	arena_clear(&r.arena);
	return rc;
}

/* One transaction: an outbox is what one flush would write. */
static int
apply_rows(struct snap_view *from, struct snap_txn *t, struct apply *apply, struct arena *a,
    struct err_info *ei)
{
	struct mlog_pos at = { 0, 0 }, end = { 0, 0 };
	size_t header, payload;
	struct slice row;
	int rc;

	while ((rc = snap_outbox_next(from, &at.segment, &at.offset, &row)) == 0) {
		rc = mlog_record_parse(row, at.offset, &header, &payload, ei);
		if (rc == 0 && header + payload != row.len)
			rc = err_set(
			    ei, ERR_CORRUPT, "the row holds more or less than a record");
		if (rc == 0)
			rc = apply_payload(
			    apply, a, t, (struct slice){ row.ptr + header, payload }, ei);
		if (rc != 0)
			return at_record(ei, rc, at);
		at.offset += row.len;
		end = at;
	}
	if (end.offset > 0)
		snap_log_end_put(t, end.segment, end.offset);
	return rc == ERR_NOENT ? 0 : rc;
}

int
replay_outbox(
    struct snap_view *from, struct snap_writer *into, struct apply *apply, struct err_info *ei)
{
	struct arena a;
	int rc;

	arena_init(&a, MLOG_UNPACK_MAX);
	do {
		struct snap_txn *t;

		rc = snap_txn_begin(into, &t);
		if (rc != 0)
			break;
		rc = apply_rows(from, t, apply, &a, ei);
		if (rc != 0 && snap_txn_err(t) == 0)
			snap_txn_abort(t);
		else
			rc = snap_txn_commit(t);
	} while (rc == ERR_FULL);
	arena_clear(&a);
	return rc;
}
