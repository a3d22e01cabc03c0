/* mirror.c - committing changes to the snapshot and flushing them to the log. */
#include "sync/mirror.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/store/fault.h"
#include "mutation-log/mlog_reader.h"
#include "mutation-log/mlog_record.h"
#include "sync/mirror_internal.h"

#define SWEEP_MS (INT64_C(60) * 60 * 1000) /* a listing costs money in a bucket */
#define VERIFY_MS (INT64_C(24) * 60 * 60 * 1000)

/* --- who we are: the same over restarts as long as the disk is --- */

static int
read_holder(const char *path, char *out, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, out, size - 1);

	if (fd >= 0)
		close(fd);
	if (n <= 0)
		return ERR_NOENT;
	out[n] = '\0';
	out[strcspn(out, "\r\n")] = '\0';
	return out[0] != '\0' ? 0 : ERR_NOENT;
}

static int
make_holder(const char *path, char *out, size_t size, struct err_info *ei)
{
	unsigned char random[8];
	char host[64] = "", hex[17], temp[4200];
	int fd;

	if (gethostname(host, sizeof(host) - 1) != 0 || host[0] == '\0')
		strcpy(host, "localhost"); /* NOLINT: fits */
	if (getrandom(random, sizeof(random), 0) != sizeof(random))
		return err_set(ei, ERR_IO, "no random bytes: %s", strerror(errno));
	hex_encode(random, sizeof(random), hex);
	snprintf(out, size, "%s/%s", host, hex);
	snprintf(temp, sizeof(temp), "%s.new", path);
	fd = open(temp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0660);
	if (fd < 0 || write(fd, out, strlen(out)) != (ssize_t)strlen(out) || fsync(fd) != 0 ||
	    rename(temp, path) != 0) {
		err_set(ei, err_from_errno(errno), "%s: %s", path, strerror(errno));
		if (fd >= 0)
			close(fd);
		return ERR_IO;
	}
	close(fd);
	return 0;
}

static int
find_holder(struct mirror *m, struct err_info *ei)
{
	char path[4160];

	if (mkdir(m->snapshot_dir, 0770) != 0 && errno != EEXIST)
		return err_set(ei, err_from_errno(errno), "cannot make %s: %s", m->snapshot_dir,
		    strerror(errno));
	snprintf(path, sizeof(path), "%s/holder", m->snapshot_dir);
	if (read_holder(path, m->holder, sizeof(m->holder)) == 0)
		return 0;
	return make_holder(path, m->holder, sizeof(m->holder), ei);
}

/* --- open, close --- */

static int
fill(struct mirror *m, const struct mirror_opts *o)
{
	m->owner = mem_strdup(o->owner);
	m->repo = mem_strdup(o->repo);
	m->snapshot_dir = mem_strdup(o->snapshot_dir);
	if (m->owner == NULL || m->repo == NULL || m->snapshot_dir == NULL)
		return ERR_NOMEM;
	if ((size_t)snprintf(m->name, sizeof(m->name), "%s/%s", o->owner, o->repo) >=
		sizeof(m->name) ||
	    strlen(o->snapshot_dir) > 4000)
		return ERR_LIMIT;
	if (!o->log_exact)
		snprintf(m->prefix, sizeof(m->prefix), "%s/", m->name);
	buf_init(&m->packed, MLOG_RECORD_MAX);
	buf_init(&m->framed, MLOG_RECORD_MAX + MLOG_HEADER_MAX);
	return apply_new(o->owner, o->repo, &m->apply);
}

static int
open_log(struct mirror *m, const struct mirror_opts *o, struct err_info *ei)
{
	struct mlog_writer_opts wo = { .sleep_ms = o->sleep_ms, .ctx = o->ctx };
	int rc = store_open_with(o->log_url, o->store, &m->store, ei);

	if (rc == 0)
		rc = mlog_writer_open(m->store, m->prefix, m->holder, &wo, &m->log, ei);
	return rc;
}

int
mirror_open(const struct mirror_opts *opts, struct mirror **ret, struct err_info *ei)
{
	struct mirror *m = mem_zalloc(sizeof(*m));
	int rc;

	if (m == NULL)
		return ERR_NOMEM;
	m->verified_ms = clock_mono_ms();
	m->swept_ms = m->verified_ms - SWEEP_MS; /* once soon after the start */
	rc = fill(m, opts);
	if (rc == 0)
		rc = find_holder(m, ei);
	if (rc == 0)
		rc = open_log(m, opts, ei);
	if (rc == 0)
		rc = mirror_recover(m, opts, ei);
	if (rc != 0) {
		mirror_close(m);
		return rc;
	}
	*ret = m;
	return 0;
}

void
mirror_close(struct mirror *m)
{
	if (m == NULL)
		return;
	if (m->damaged)
		snap_writer_abandon(m->snap);
	else
		snap_writer_close(m->snap);
	if (m->log != NULL)
		mlog_writer_release(m->log, NULL);
	mlog_writer_close(m->log);
	store_close(m->store);
	apply_free(m->apply);
	buf_clear(&m->packed);
	buf_clear(&m->framed);
	mem_free(m->owner);
	mem_free(m->repo);
	mem_free(m->snapshot_dir);
	mem_free(m);
}

/* --- committing --- */

int
mirror_add(struct mirror_txn *t, const Maintpb__Mutation *mutation)
{
	struct mirror *m = t->mirror;
	struct mlog_pos at, end;
	int rc;

	if (mutation == NULL)
		return 0;
	apply_mutation(m->apply, t->snap, mutation);
	buf_reset(&m->packed);
	buf_reset(&m->framed);
	rc = mlog_mutation_pack(mutation, &m->packed);
	if (rc == 0)
		rc = mlog_place(t->end, m->packed.len, &at, &end);
	if (rc == ERR_FULL) /* no number is left; to mirror_commit() it would be the map */
		rc = ERR_LIMIT;
	if (rc != 0)
		return rc;
	mlog_record_append(&m->framed, at.offset, buf_view(&m->packed));
	if (buf_err(&m->framed) != 0)
		return buf_err(&m->framed);
	snap_outbox_put(t->snap, at.segment, at.offset, buf_view(&m->framed));
	t->end = end;
	t->records++;
	return snap_txn_err(t->snap) == ERR_FULL ? 0 : snap_txn_err(t->snap);
}

static int
commit_once(struct mirror *m, int (*fn)(struct mirror_txn *t, void *ctx), void *ctx)
{
	struct mirror_txn t = { .mirror = m, .end = m->end };
	int rc = snap_txn_begin(m->snap, &t.snap);

	if (rc != 0)
		return rc;
	rc = fn(&t, ctx);
	if (rc != 0 && snap_txn_err(t.snap) != ERR_FULL) {
		snap_txn_abort(t.snap);
		return rc;
	}
	snap_log_end_put(t.snap, t.end.segment, t.end.offset);
	rc = snap_txn_commit(t.snap);
	if (rc != 0)
		return rc;
	m->unflushed +=
	    t.end.segment == m->end.segment ? t.end.offset - m->end.offset : t.end.offset;
	m->records += t.records;
	m->end = t.end;
	fault_point("mirror.committed");
	return 0;
}

int
mirror_commit(struct mirror *m, int (*fn)(struct mirror_txn *t, void *ctx), void *ctx,
    struct err_info *ei)
{
	int rc;

	do
		rc = commit_once(m, fn, ctx);
	while (rc == ERR_FULL);
	if (rc != 0 && ei != NULL && ei->text[0] == '\0')
		err_set(ei, rc, "snapshot transaction: %s", err_name(rc));
	return rc;
}

int
mirror_view(struct mirror *m, struct snap_view **ret)
{
	return snap_writer_view(m->snap, ret);
}

/* --- flushing --- */

void
mirror_put_tail(struct mirror *m, struct snap_txn *t)
{
	struct mlog_segment s;
	struct snap_tail tail = { 0 };

	if (!mlog_writer_tail(m->log, &s))
		return;
	tail.number = s.number;
	tail.size = s.size;
	memcpy(tail.sha224, s.sha224, sizeof(s.sha224));
	snap_tail_put(t, &tail);
	snap_segment_put(t, &tail);
}

static int
put_segments(struct mirror *m, const struct mlog_reader *r)
{
	struct snap_txn *t;
	int rc;

	do {
		rc = snap_txn_begin(m->snap, &t);
		if (rc != 0)
			return rc;
		for (size_t i = 0; i < mlog_reader_segment_count(r); i++) {
			const struct mlog_segment *s = mlog_reader_segment(r, i);
			struct snap_tail row = { .number = s->number, .size = s->size };

			memcpy(row.sha224, s->sha224, sizeof(s->sha224));
			snap_segment_put(t, &row);
		}
		rc = snap_txn_commit(t);
	} while (rc == ERR_FULL);
	return rc;
}

int
mirror_note_segments(struct mirror *m, struct err_info *ei)
{
	struct mlog_segment tail;
	struct mlog_reader *r;
	int rc;

	if (!mlog_writer_tail(m->log, &tail) ||
	    (m->segments_noted && m->noted_number == tail.number))
		return 0;
	rc = mlog_reader_open(m->store, m->prefix, mlog_writer_durable(m->log), &r, ei);
	/* After a takeover the log ends where nothing has been written yet. */
	if (rc == ERR_CONFLICT)
		rc = mlog_reader_open(
		    m->store, m->prefix, (struct mlog_pos){ tail.number, tail.size }, &r, ei);
	if (rc != 0)
		return rc;
	rc = put_segments(m, r);
	mlog_reader_close(r);
	m->segments_noted = rc == 0;
	m->noted_number = tail.number;
	return rc;
}

/* The durable records are in the log for good: forget their rows, note the tail. */
static int
forget_durable(struct mirror *m)
{
	struct mlog_pos durable = mlog_writer_durable(m->log);
	int rc;

	do {
		struct snap_txn *t;

		rc = snap_txn_begin(m->snap, &t);
		if (rc != 0)
			return rc;
		snap_outbox_forget(t, durable.segment, durable.offset);
		mirror_put_tail(m, t);
		rc = snap_txn_commit(t);
	} while (rc == ERR_FULL);
	return rc;
}

/* Hand the log the outbox's rows; *ret_more if the log wants a flush in between. */
static int
append_rows(struct mirror *m, bool *ret_more, struct err_info *ei)
{
	struct snap_view *v = NULL;
	struct mlog_pos at = mlog_writer_end(m->log);
	struct slice row = { 0 };
	int rc = mirror_view(m, &v);

	*ret_more = false;
	while (rc == 0) {
		rc = snap_outbox_next(v, &at.segment, &at.offset, &row);
		if (rc == 0)
			rc = mlog_writer_append(m->log, at, row, ei);
		at.offset += row.len;
	}
	snap_writer_view_end(v);
	*ret_more = rc == ERR_FULL;
	return rc == ERR_NOENT || rc == ERR_FULL ? 0 : rc;
}

int
mirror_flush(struct mirror *m, struct err_info *ei)
{
	bool more = true;

	while (more) {
		int rc = append_rows(m, &more, ei);

		if (rc == 0)
			rc = mlog_writer_flush(m->log, ei);
		if (rc == 0) {
			fault_point("mirror.flushed");
			rc = forget_durable(m);
		}
		if (rc == 0)
			rc = mirror_note_segments(m, ei);
		if (rc != 0)
			return err_wrap(ei, rc, "flush of the log");
	}
	m->unflushed = 0;
	return 0;
}

/* Rows that rot on the disk are found within a day, not when somebody reads them. */
static int
verify_daily(struct mirror *m, struct err_info *ei)
{
	struct snap_view *v;
	uint64_t rows;
	int rc;

	if (clock_mono_ms() - m->verified_ms < VERIFY_MS)
		return 0;
	m->verified_ms = clock_mono_ms();
	rc = mirror_view(m, &v);
	if (rc != 0)
		return rc;
	rc = snap_verify(v, &rows, ei);
	m->damaged = rc == ERR_CORRUPT;
	snap_writer_view_end(v);
	return rc;
}

int
mirror_tend(struct mirror *m, struct err_info *ei)
{
	int rc = mlog_writer_renew(m->log, ei);

	if (rc == 0 && clock_mono_ms() - m->swept_ms >= SWEEP_MS) {
		m->swept_ms = clock_mono_ms();
		rc = mlog_writer_sweep(m->log, NULL, ei);
	}
	snap_writer_collect(m->snap);
	return rc == 0 ? verify_daily(m, ei) : rc;
}

uint64_t
mirror_unflushed_bytes(const struct mirror *m)
{
	return m->unflushed;
}

uint64_t
mirror_records(const struct mirror *m)
{
	return m->records;
}
