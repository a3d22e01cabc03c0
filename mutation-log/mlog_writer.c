/*
 * mlog_writer.c - the writer's life and the gathering of records.  Knows the places of
 * records, not how they become durable (mlog_flush.c).
 */
#include "mutation-log/mlog_writer.h"

#include <stdio.h>
#include <time.h>

#include "base/clock.h"
#include "base/mem.h"
#include "mutation-log/mlog_record.h"
#include "mutation-log/mlog_writer_impl.h"

#define WAIT_POLL_MS 5000
#define PIECE_MAX (MLOG_SEGMENT_MAX + MLOG_RECORD_MAX + MLOG_HEADER_MAX)

static int64_t
real_mono_ms(void *ctx)
{
	(void)ctx;
	return clock_mono_ms();
}

static int64_t
real_real_ms(void *ctx)
{
	(void)ctx;
	return clock_real_ms();
}

static int
real_sleep_ms(void *ctx, int64_t ms)
{
	struct timespec wait = { .tv_sec = (time_t)(ms / 1000),
		.tv_nsec = (long)(ms % 1000) * 1000000 };

	(void)ctx;
	nanosleep(&wait, NULL);
	return 0;
}

static struct mlog_writer_opts
fill_opts(const struct mlog_writer_opts *given)
{
	struct mlog_writer_opts o = { 0 };

	if (given != NULL)
		o = *given;
	if (o.mono_ms == NULL)
		o.mono_ms = real_mono_ms;
	if (o.real_ms == NULL)
		o.real_ms = real_real_ms;
	if (o.sleep_ms == NULL)
		o.sleep_ms = real_sleep_ms;
	if (o.lease_s == 0)
		o.lease_s = MLOG_LEASE_S;
	if (o.compose_min_bytes == 0)
		o.compose_min_bytes = MLOG_COMPOSE_MIN;
	if (o.wait_poll_ms <= 0)
		o.wait_poll_ms = WAIT_POLL_MS;
	return o;
}

void
mlog_piece_clear(struct mlog_piece *p)
{
	buf_clear(&p->bytes);
	sha224_free(p->digest);
	*p = (struct mlog_piece){ 0 };
}

/* An empty piece behind the others, which may move. */
static struct mlog_piece *
add_piece(struct mlog_writer *w, uint32_t number)
{
	struct mlog_piece *p = mem_realloc(w->pieces, (w->piece_count + 1) * sizeof(*p));

	if (p == NULL)
		return NULL;
	w->pieces = p;
	p = &w->pieces[w->piece_count++];
	*p = (struct mlog_piece){ .number = number };
	buf_init(&p->bytes, PIECE_MAX);
	return p;
}

/* Is the tail to be continued, so that its bytes are needed? */
static bool
continues_tail(const struct mlog_fence *f)
{
	return f->has_tail && !f->next_number && f->tail.size < MLOG_SEGMENT_MAX;
}

int
mlog_writer_load_tail(struct mlog_writer *w, const struct mlog_fence *f, struct err_info *ei)
{
	const struct mlog_segment *tail = &f->tail;
	char name[MLOG_OBJECT_NAME_SIZE], got[SHA224_HEX_LEN + 1];
	struct mlog_piece *p;
	int rc;

	if (!continues_tail(f))
		return 0;
	p = add_piece(w, tail->number);
	if (p == NULL)
		return ERR_NOMEM;
	mlog_object_name(w->prefix, tail, name);
	rc = store_get(w->store, name, (size_t)tail->size, &p->bytes, NULL, ei);
	if (rc == ERR_NOENT || rc == ERR_LIMIT)
		return err_set(ei, ERR_CORRUPT, "segment %s is not as it was listed", name);
	if (rc == 0)
		rc = sha224_hex(buf_view(&p->bytes), got);
	if (rc != 0)
		return rc;
	if (strcmp(got, tail->sha224) != 0)
		return err_set(ei, ERR_CORRUPT,
		    "segment %s: hash mismatch: the content's sha224 is %s", name, got);
	if (p->bytes.len > 0)
		rc = mlog_run_check(buf_view(&p->bytes), 0, NULL, ei);
	return rc == 0 ? 0 : err_wrap(ei, rc, "segment %s", name);
}

int
mlog_writer_open(struct store *s, const char *prefix, const char *holder,
    const struct mlog_writer_opts *opts, struct mlog_writer **ret, struct err_info *ei)
{
	struct mlog_writer *w;
	int rc = mlog_prefix_check(prefix, ei);

	if (rc == 0)
		rc = mlog_holder_check(holder, ei);
	if (rc != 0)
		return rc;
	w = mem_zalloc(sizeof(*w));
	if (w == NULL)
		return ERR_NOMEM;
	w->store = s;
	w->opts = fill_opts(opts);
	w->prefix = mem_strdup(prefix);
	if (w->opts.lease_s < 1 || w->opts.lease_s > MLOG_LEASE_MAX_S)
		rc = err_set(ei, ERR_INVAL, "a lease of %lld s", (long long)w->opts.lease_s);
	else
		rc = w->prefix == NULL ? ERR_NOMEM : mlog_takeover(w, holder, ei);
	if (rc == 0) {
		*ret = w;
		w = NULL;
	}
	mlog_writer_close(w);
	return rc;
}

void
mlog_writer_close(struct mlog_writer *w)
{
	if (w == NULL)
		return;
	for (size_t i = 0; i < w->piece_count; i++)
		mlog_piece_clear(&w->pieces[i]);
	mem_free(w->pieces);
	mem_free(w->litter);
	mlog_fence_clear(&w->fence);
	store_unlock(w->lock);
	mem_free(w->prefix);
	mem_free(w);
}

struct mlog_pos
mlog_writer_durable(const struct mlog_writer *w)
{
	const struct mlog_fence *f = &w->fence;

	if (!f->has_tail)
		return (struct mlog_pos){ 0, 0 };
	if (f->next_number)
		return (struct mlog_pos){ f->tail.number + 1, 0 };
	return (struct mlog_pos){ f->tail.number, f->tail.size };
}

struct mlog_pos
mlog_writer_end(const struct mlog_writer *w)
{
	const struct mlog_piece *last;

	if (w->piece_count == 0)
		return mlog_writer_durable(w);
	last = &w->pieces[w->piece_count - 1];
	return (struct mlog_pos){ last->number, last->bytes.len };
}

bool
mlog_writer_tail(const struct mlog_writer *w, struct mlog_segment *ret)
{
	if (w->fence.has_tail)
		*ret = w->fence.tail;
	return w->fence.has_tail;
}

/* May a run of `count` records and `len` bytes stand at `at`, the log being as it is? */
static int
check_place(const struct mlog_writer *w, struct mlog_pos at, size_t len, size_t count,
    struct err_info *ei)
{
	struct mlog_pos end = mlog_writer_end(w);
	bool next = at.segment == end.segment + 1 && at.offset == 0 && end.offset > 0;
	bool alone = at.offset == 0 && count == 1;

	if (mlog_pos_cmp(at, end) != 0 && !next)
		return err_set(ei, ERR_INVAL,
		    "record at %u:0x%llx does not continue the log, which ends at %u:0x%llx",
		    (unsigned)at.segment, (unsigned long long)at.offset, (unsigned)end.segment,
		    (unsigned long long)end.offset);
	if (at.segment > MLOG_NUMBER_MAX)
		return err_set(
		    ei, ERR_FULL, "the log has all its %u numbers", MLOG_NUMBER_MAX + 1);
	if (!alone && at.offset + len > MLOG_SEGMENT_MAX)
		return err_set(ei, ERR_INVAL, "record at %u:0x%llx does not fit its segment",
		    (unsigned)at.segment, (unsigned long long)at.offset);
	return 0;
}

/* The piece that a record at `at` belongs to, which check_place() has allowed. */
static struct mlog_piece *
piece_for(struct mlog_writer *w, struct mlog_pos at)
{
	if (w->piece_count > 0 && w->pieces[w->piece_count - 1].number == at.segment)
		return &w->pieces[w->piece_count - 1];
	return add_piece(w, at.segment);
}

int
mlog_writer_append(
    struct mlog_writer *w, struct mlog_pos at, struct slice framed, struct err_info *ei)
{
	struct mlog_piece *p;
	size_t count;
	int rc;

	if (w->lost)
		return mlog_writer_lost(w, ei);
	rc = mlog_run_check(framed, at.offset, &count, ei);
	if (rc != 0)
		return err_wrap(ei, ERR_INVAL, "not whole records");
	rc = check_place(w, at, framed.len, count, ei);
	if (rc != 0)
		return rc;
	if (w->unflushed > 0 && framed.len > MLOG_UNFLUSHED_MAX - w->unflushed)
		return err_set(ei, ERR_FULL, "%zu bytes wait for a flush", w->unflushed);
	p = piece_for(w, at);
	if (p == NULL)
		return ERR_NOMEM;
	rc = buf_reserve(&p->bytes, framed.len);
	if (rc != 0) {
		p->bytes.err = 0;
		if (p->bytes.len == 0) /* added in vain */
			mlog_piece_clear(&w->pieces[--w->piece_count]);
		return rc;
	}
	buf_slice(&p->bytes, framed);
	w->unflushed += framed.len;
	return 0;
}
