/*
 * mlog_writer_impl.h - the writer's state, shared by mlog_writer.c (append, open,
 * close), mlog_takeover.c (becoming the holder) and mlog_flush.c (everything
 * that changes the store).  Private to them.
 */
#pragma once

#include "base/buf.h"
#include "mutation-log/mlog_fence.h"
#include "mutation-log/mlog_list.h"
#include "mutation-log/mlog_writer.h"

/* A segment in memory: the growing tail, or one that was filled and waits for a flush. */
struct mlog_piece {
	uint32_t number;
	struct buf bytes;      /* the whole content, durable or not */
	struct sha224 *digest; /* of the first `hashed` bytes */
	size_t hashed;
};

/* An object that is to be deleted once nothing can name it. */
struct mlog_litter {
	struct mlog_segment segment;
	int64_t generation;
	bool shared;   /* it was there before we put it: a rival may be about to name it */
	bool in_doubt; /* put, and no swap of ours has succeeded since */
};

struct mlog_writer {
	struct store *store;
	char *prefix;
	struct mlog_writer_opts opts; /* all functions set */
	struct store_lock *lock;      /* NULL where the store has none */

	struct mlog_fence fence; /* WRITER as we wrote it last */
	int64_t fence_generation;
	int64_t written_mono_ms; /* when that was */
	int64_t tail_generation; /* of the object that fence.tail names */

	struct mlog_piece *pieces; /* consecutive numbers; only the last one grows */
	size_t piece_count;
	size_t unflushed; /* bytes appended and not durable */

	struct mlog_litter *litter;
	size_t litter_count;

	bool lost; /* somebody else has the log now */
	struct err_info lost_why;
};

/*
 * mlog_takeover.c: hold the lock, load the tail, swap WRITER; fills w->fence,
 * w->fence_generation, w->tail_generation.
 */
int mlog_takeover(struct mlog_writer *w, const char *holder, struct err_info *ei);

/*
 * mlog_writer.c: read the tail of `f` as the first piece if it is to grow; ERR_CORRUPT
 * unless it is what `f` says and whole records.
 */
int mlog_writer_load_tail(
    struct mlog_writer *w, const struct mlog_fence *f, struct err_info *ei);

/* mlog_flush.c */

/*
 * Put `first` in the place of the WRITER that was seen, to become the holder; on success
 * w->fence is `first` (which is emptied).  ERR_CONFLICT when another was quicker.
 */
int mlog_fence_begin(struct mlog_writer *w, struct mlog_fence *first, struct err_info *ei);

void mlog_piece_clear(struct mlog_piece *p);

static inline int
mlog_writer_lost(const struct mlog_writer *w, struct err_info *ei)
{
	if (ei != NULL)
		*ei = w->lost_why;
	return ERR_CONFLICT;
}
