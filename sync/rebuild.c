/*
 * rebuild.c - the snapshot from the log: into a new environment that replaces the
 * current one only when it is whole.
 */
#include "sync/mirror_internal.h"
#include "sync/replay.h"

int
mirror_replay(
    struct mirror *m, const struct mirror_opts *o, struct mlog_pos from, struct err_info *ei)
{
	struct replay_opts r = { .store = m->store,
		.prefix = m->prefix,
		.from = from,
		.into = m->snap,
		.apply = m->apply,
		.on_progress = o->on_replay,
		.ctx = o->ctx };
	int rc = replay_log(&r, ei);

	return rc != 0 ? err_wrap(ei, rc, "replay of the log") : 0;
}

static int
note_tail(struct mirror *m)
{
	struct snap_txn *t;
	int rc = snap_txn_begin(m->snap, &t);

	if (rc != 0)
		return rc;
	mirror_put_tail(m, t);
	return snap_txn_commit(t);
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
	if (rc == 0)
		rc = note_tail(m);
	if (rc == 0)
		rc = snap_writer_promote(m->snap, aside, ei);
	return rc != 0 ? err_wrap(ei, rc, "rebuild of the snapshot") : 0;
}
