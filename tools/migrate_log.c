/* migrate_log.c - compare what is there, append what is missing, compare again. */
#include "tools/migrate_log.h"

#include <stdio.h>
#include <string.h>

#include "mutation-log/mlog_fence.h"
#include "mutation-log/mlog_reader.h"
#include "mutation-log/mlog_record.h"
#include "mutation-log/mlog_writer.h"

/* What is under the prefix: nothing, a log, or ERR_EXISTS for what is no log. */
static int
look(const struct migrate_log *m, struct store *s, bool *ret_log, struct err_info *ei)
{
	struct store_list list;
	size_t skip = strlen(m->prefix);
	int rc = store_list(s, m->prefix, &list, ei);

	if (rc != 0)
		return rc;
	*ret_log = false;
	for (size_t i = 0; i < list.count && rc == 0; i++) {
		enum mlog_name_kind kind = mlog_name_kind(list.items[i].name + skip);

		*ret_log |= kind == MLOG_NAME_SEGMENT || kind == MLOG_NAME_WRITER;
		if (kind == MLOG_NAME_OTHER)
			rc = err_set(ei, ERR_EXISTS,
			    "%s: %s is no part of a log: nothing is written there",
			    store_url(s), list.items[i].name);
	}
	store_list_clear(&list);
	return rc;
}

/* Who held the log when it was looked at, and did not release it. */
struct former {
	const struct migrate_log *m;
	char holder[MLOG_HOLDER_MAX + 1]; /* "" for nobody */
	int64_t lease_s;
	bool is_told;
};

/*
 * Is the holder alive?  Where the store has locks they say so; elsewhere mlog_writer_open()
 * will wait for its lease, after all has been compared.
 */
static int
check_alive(
    const struct migrate_log *m, struct store *s, const char *holder, struct err_info *ei)
{
	struct store_lock *lock = NULL;
	char name[STORE_NAME_MAX + 1];
	int rc;

	snprintf(name, sizeof(name), "%s" MLOG_WRITER_NAME, m->prefix);
	rc = store_lock(s, name, &lock, ei);
	store_unlock(lock);
	if (rc == ERR_BUSY)
		return err_set(ei, rc, "%s holds the log; stop it first", holder);
	if (rc != ERR_UNSUPPORTED)
		return rc;
	return m->dry_run ? err_set(ei, ERR_BUSY,
				"%s holds the log, or died: it would be waited for", holder)
			  : 0;
}

/* May the log that is there be gone on with? */
static int
check_holder(
    const struct migrate_log *m, struct store *s, struct former *former, struct err_info *ei)
{
	struct mlog_fence fence = { 0 };
	int64_t generation;
	bool ours;
	int rc = mlog_fence_load(s, m->prefix, &fence, &generation, ei);

	if (rc != 0 && rc != ERR_NOENT)
		return rc;
	ours = rc == 0 && strcmp(fence.holder, m->holder) == 0;
	if (rc == 0 && !fence.released && !ours) {
		snprintf(former->holder, sizeof(former->holder), "%s", fence.holder);
		former->lease_s = fence.lease_s;
	}
	mlog_fence_clear(&fence);
	if (!ours && !m->append_verified)
		return err_set(ei, ERR_EXISTS,
		    "there is a log already; with --append-verified it is gone on with if it "
		    "is "
		    "the beginning of the result");
	return former->holder[0] != '\0' ? check_alive(m, s, former->holder, ei) : 0;
}

static int
wait_a_while(void *ctx, int64_t ms)
{
	struct former *f = ctx;
	const struct migrate_log *m = f->m;

	if (!f->is_told && m->on_wait != NULL)
		m->on_wait(m->ctx, m->lane, f->holder, f->lease_s);
	f->is_told = true;
	return cancel_sleep(m->store_opts != NULL ? m->store_opts->cancel : NULL, ms);
}

static int
step(const struct migrate_log *m, enum migrate_step what, size_t bytes, struct err_info *ei)
{
	return m->on_record != NULL ? m->on_record(m->ctx, what, bytes, ei) : 0;
}

/*
 * Read the log beside the spool: *ret_count records are the same, up to *ret_end.  With
 * `whole` the log must have all of them.
 */
static int
compare(const struct migrate_log *m, struct store *s, struct spool_reader *spool, bool whole,
    uint64_t *ret_count, struct mlog_pos *ret_end, struct err_info *ei)
{
	struct mlog_reader *log;
	struct slice got, want;
	struct mlog_pos at;
	uint64_t count = 0;
	int rc = mlog_reader_open(s, m->prefix, (struct mlog_pos){ 0 }, &log, ei);

	if (rc != 0)
		return rc;
	while ((rc = mlog_reader_next(log, &got, &at, ei)) == 0) {
		rc = spool_next(spool, &want, ei);
		if (rc == ERR_NOENT || (rc == 0 && !slice_eq(got, want)))
			rc = err_set(ei, ERR_CONFLICT,
			    "the record at %u:%llu is another than record %llu of the result",
			    at.segment, (unsigned long long)at.offset,
			    (unsigned long long)count);
		if (rc == 0)
			rc = step(m, MIGRATE_COMPARE, got.len, ei);
		if (rc != 0)
			break;
		count++;
	}
	*ret_end = mlog_reader_end(log);
	mlog_reader_close(log);
	if (rc == ERR_NOENT)
		rc = 0;
	if (rc == 0 && whole && count != spool_count(m->spool, m->lane))
		rc = err_set(ei, ERR_CORRUPT, "read back, the log has %llu of %llu records",
		    (unsigned long long)count,
		    (unsigned long long)spool_count(m->spool, m->lane));
	*ret_count = count;
	return rc;
}

static int
append_one(struct mlog_writer *w, struct slice payload, struct buf *framed, struct err_info *ei)
{
	struct mlog_pos at, end, before = mlog_writer_end(w);
	int rc = mlog_place(before, payload.len, &at, &end);

	if (rc != 0)
		return err_set(ei, rc, "the log is full: %s", err_name(rc));
	if (at.segment != before.segment) /* a full segment goes up once, and whole */
		rc = mlog_writer_flush(w, ei);
	buf_reset(framed);
	mlog_record_append(framed, at.offset, payload);
	if (rc == 0)
		rc = buf_err(framed);
	return rc == 0 ? mlog_writer_append(w, at, buf_view(framed), ei) : rc;
}

/* Now that nobody else can write: is the log still what was compared? */
static int
check_end(const struct mlog_writer *w, struct mlog_pos compared, struct err_info *ei)
{
	struct mlog_segment tail = { 0 };

	mlog_writer_tail(w, &tail);
	if (mlog_pos_cmp((struct mlog_pos){ tail.number, tail.size }, compared) == 0)
		return 0;
	return err_set(
	    ei, ERR_BUSY, "somebody else wrote to the log meanwhile; nothing was added to it");
}

static int
append_rest(struct former *former, struct store *s, struct spool_reader *spool,
    struct mlog_pos compared, uint64_t *ret_written, struct err_info *ei)
{
	const struct mlog_writer_opts opts = { .sleep_ms = wait_a_while, .ctx = former };
	const struct migrate_log *m = former->m;
	struct mlog_writer *w;
	struct slice payload;
	struct buf framed;
	int rc = mlog_writer_open(s, m->prefix, m->holder, &opts, &w, ei);

	if (rc != 0)
		return rc;
	buf_init(&framed, MLOG_RECORD_MAX + MLOG_HEADER_MAX);
	rc = check_end(w, compared, ei);
	while (rc == 0 && (rc = spool_next(spool, &payload, ei)) == 0) {
		rc = append_one(w, payload, &framed, ei);
		*ret_written += rc == 0;
		if (rc == 0)
			rc = step(m, MIGRATE_WRITE, payload.len, ei);
	}
	if (rc == ERR_NOENT)
		rc = mlog_writer_finish(w, ei);
	else if (rc == ERR_BUSY) /* as it was found */
		mlog_writer_release(w, NULL);
	buf_clear(&framed);
	mlog_writer_close(w);
	return rc;
}

static int
compare_whole(const struct migrate_log *m, struct store *s, struct err_info *ei)
{
	struct spool_reader *spool;
	struct mlog_pos end;
	uint64_t count;
	int rc = spool_open(m->spool, m->lane, &spool, ei);

	if (rc == 0) {
		rc = compare(m, s, spool, true, &count, &end, ei);
		spool_close(spool);
	}
	return rc;
}

static int
write_log(const struct migrate_log *m, struct store *s, struct migrate_result *ret,
    struct err_info *ei)
{
	uint64_t all = spool_count(m->spool, m->lane);
	struct spool_reader *spool = NULL;
	struct mlog_pos end = { 0 };
	struct former former = { .m = m };
	bool is_log = false;
	int rc = look(m, s, &is_log, ei);

	if (rc == 0 && is_log)
		rc = check_holder(m, s, &former, ei);
	if (rc == 0)
		rc = spool_open(m->spool, m->lane, &spool, ei);
	if (rc == 0 && is_log)
		rc = compare(m, s, spool, false, &ret->there, &end, ei);
	if (rc == 0 && m->dry_run)
		ret->written = all - ret->there;
	else if (rc == 0 && ret->there < all)
		rc = append_rest(&former, s, spool, end, &ret->written, ei);
	spool_close(spool);
	return rc == 0 && ret->written > 0 && !m->dry_run ? compare_whole(m, s, ei) : rc;
}

int
migrate_look(const struct migrate_log *m, struct err_info *ei)
{
	struct former former = { .m = m };
	bool is_log = false;
	struct store *s;
	int rc = store_open_with(m->url, m->store_opts, &s, ei);

	if (rc != 0)
		return rc;
	rc = look(m, s, &is_log, ei);
	if (rc == 0 && is_log)
		rc = check_holder(m, s, &former, ei);
	store_close(s);
	return rc;
}

int
migrate_log(const struct migrate_log *m, struct migrate_result *ret, struct err_info *ei)
{
	struct migrate_result result = { 0 };
	struct store *s;
	int rc = store_open_with(m->url, m->store_opts, &s, ei);

	if (rc != 0)
		return rc;
	rc = write_log(m, s, &result, ei);
	store_close(s);
	*ret = result;
	return rc;
}
