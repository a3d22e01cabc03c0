/*
 * mlog_flush.c - everything by which a writer changes the store, in the order that
 * loses nothing: put the grown segment, swap WRITER, delete what nothing names.
 *
 * What can go wrong between rivals, and why it does not:
 * - The answer of a swap was lost.  WRITER then bears our session: it was ours.
 * - A rival has put the very same bytes under the same name, and will delete them when it
 *   loses.  So an object that is there already is put again, under a precondition: it
 *   gets a new generation, and the rival's delete, bound to the old one, fails.
 * - The same with the parts exchanged: we put again what the winner had put and was
 *   about to name, then hear that we lost.  So a loser deletes only what it was the
 *   first to put; the rest is left to the holder's sweep.
 * - We have lost, and WRITER names what we put, since an earlier swap of ours had
 *   happened.  So what WRITER names is never deleted.
 */
#include <stdio.h>

#include "base/mem.h"
#include "base/store/fault.h"
#include "mutation-log/mlog_writer_impl.h"

#define PUT_TRIES_MAX 4
#define SWAP_TRIES_MAX 4

static bool
same_segment(const struct mlog_segment *a, const struct mlog_segment *b)
{
	return a->number == b->number && strcmp(a->sha224, b->sha224) == 0;
}

static struct mlog_litter *
litter_find(struct mlog_writer *w, const struct mlog_segment *seg)
{
	for (size_t i = 0; i < w->litter_count; i++) {
		if (same_segment(&w->litter[i].segment, seg))
			return &w->litter[i];
	}
	return NULL;
}

static void
litter_forget(struct mlog_writer *w, const struct mlog_segment *seg)
{
	struct mlog_litter *found = litter_find(w, seg);

	if (found != NULL)
		*found = w->litter[--w->litter_count];
}

static int
litter_add(
    struct mlog_writer *w, const struct mlog_segment *seg, int64_t generation, bool shared)
{
	struct mlog_litter *found = litter_find(w, seg);

	if (found == NULL) {
		found = mem_realloc(w->litter, (w->litter_count + 1) * sizeof(w->litter[0]));
		if (found == NULL)
			return ERR_NOMEM;
		w->litter = found;
		found = &w->litter[w->litter_count++];
	}
	*found =
	    (struct mlog_litter){ .segment = *seg, .generation = generation, .shared = shared };
	return 0;
}

/*
 * Delete the litter that `f` does not name, with or without what is shared.  Failures
 * are left to the sweep: the records are durable, and no reader is misled.
 */
static void
litter_clean(struct mlog_writer *w, const struct mlog_fence *f, bool with_shared)
{
	for (size_t i = w->litter_count; i-- > 0;) {
		struct mlog_litter *l = &w->litter[i];
		char name[MLOG_OBJECT_NAME_SIZE];
		int rc = 0;

		if ((with_shared || !l->shared) &&
		    !mlog_fence_names(f, l->segment.number, l->segment.sha224)) {
			mlog_object_name(w->prefix, &l->segment, name);
			rc = store_delete(w->store, name, l->generation, NULL);
		}
		if (rc == 0 || rc == ERR_NOENT || rc == ERR_CONFLICT)
			*l = w->litter[--w->litter_count];
	}
}

/*
 * Somebody else wrote WRITER: remember whom.  `now` is NULL when it is gone.  What we
 * have put is deleted, unless we cannot know whether the winner names it.
 */
static int
lose(struct mlog_writer *w, const struct mlog_fence *now, struct err_info *ei)
{
	bool knows = now != NULL && (!now->has_tail || now->sealed_count == now->tail.number);

	w->lost = true;
	if (now == NULL)
		err_set(&w->lost_why, ERR_CONFLICT, "log %s: WRITER was deleted", w->prefix);
	else
		err_set(&w->lost_why, ERR_CONFLICT, "log %s was taken over by %s (epoch %lld)",
		    w->prefix, now->holder, (long long)now->epoch);
	if (knows)
		litter_clean(w, now, false);
	return mlog_writer_lost(w, ei);
}

static int
put_fence(struct mlog_writer *w, const struct mlog_fence *f, struct err_info *ei)
{
	char name[MLOG_OBJECT_NAME_SIZE];
	struct buf text;
	int rc;

	snprintf(name, sizeof(name), "%s" MLOG_WRITER_NAME, w->prefix);
	buf_init(&text, MLOG_WRITER_MAX_BYTES);
	rc = mlog_fence_print(f, &text);
	if (rc == 0)
		rc = store_put(w->store, name, buf_view(&text), w->fence_generation,
		    &w->fence_generation, ei);
	buf_clear(&text);
	return rc;
}

/*
 * The swap found another generation.  When WRITER bears our session, an earlier swap of
 * ours had happened though its answer was lost: take its generation and go on (0).
 */
static int
look_who_wrote(struct mlog_writer *w, const char *session, struct err_info *ei)
{
	struct mlog_fence now = { 0 };
	int64_t generation;
	int rc = mlog_fence_load(w->store, w->prefix, &now, &generation, ei);

	if (rc == ERR_NOENT)
		return lose(w, NULL, ei);
	if (rc != 0)
		return rc;
	if (strcmp(now.session, session) == 0)
		w->fence_generation = generation;
	else
		rc = lose(w, &now, ei);
	mlog_fence_clear(&now);
	return rc;
}

int
mlog_fence_swap(struct mlog_writer *w, struct mlog_fence *next, struct err_info *ei)
{
	/* The lease counts from before the write: rivals count from after it. */
	int64_t now = w->opts.mono_ms(w->opts.ctx);
	int rc = put_fence(w, next, ei);

	for (int i = 0; rc == ERR_CONFLICT && i < SWAP_TRIES_MAX; i++) {
		rc = look_who_wrote(w, next->session, ei);
		if (rc != 0)
			return rc;
		rc = put_fence(w, next, ei);
	}
	if (rc != 0)
		return rc;
	mlog_fence_clear(&w->fence);
	w->fence = *next;
	*next = (struct mlog_fence){ 0 };
	w->written_mono_ms = now;
	return 0;
}

/* Digest the bytes that were appended since the last time, and name the piece. */
static int
name_piece(struct mlog_piece *p, struct mlog_segment *ret)
{
	int rc = p->digest == NULL ? sha224_new(&p->digest) : 0;

	if (rc == 0)
		rc = sha224_add(p->digest, p->bytes.ptr + p->hashed, p->bytes.len - p->hashed);
	if (rc != 0)
		return rc;
	p->hashed = p->bytes.len;
	ret->number = p->number;
	ret->size = p->bytes.len;
	return sha224_peek_hex(p->digest, ret->sha224);
}

/* Put the object again that is there already, so that only we can delete it. */
static int
put_again(struct mlog_writer *w, const char *name, struct slice bytes, int64_t *ret_generation,
    struct err_info *ei)
{
	struct store_object there;
	int rc = store_stat(w->store, name, &there, ei);

	if (rc == ERR_NOENT) /* deleted just now */
		return store_put(w->store, name, bytes, STORE_ABSENT, ret_generation, ei);
	if (rc != 0)
		return rc;
	return store_put(w->store, name, bytes, there.generation, ret_generation, ei);
}

static int
put_piece(struct mlog_writer *w, const struct mlog_piece *p, const struct mlog_segment *seg,
    int64_t *ret_generation, struct err_info *ei)
{
	const struct mlog_litter *ours = litter_find(w, seg);
	char name[MLOG_OBJECT_NAME_SIZE];
	bool shared;
	int rc;

	if (ours != NULL) { /* put by an earlier try of this flush */
		*ret_generation = ours->generation;
		return 0;
	}
	mlog_object_name(w->prefix, seg, name);
	rc = store_put(w->store, name, buf_view(&p->bytes), STORE_ABSENT, ret_generation, ei);
	shared = rc == ERR_CONFLICT;
	for (int i = 0; rc == ERR_CONFLICT && i < PUT_TRIES_MAX; i++)
		rc = put_again(w, name, buf_view(&p->bytes), ret_generation, ei);
	if (rc == ERR_CONFLICT)
		return err_set(ei, ERR_IO, "%s changes all the time", name);
	if (rc == 0)
		rc = litter_add(w, seg, *ret_generation, shared);
	return rc;
}

/* Swap WRITER to name `seg`; the tail before it, if it was the same number, is litter. */
static int
name_tail(struct mlog_writer *w, const struct mlog_segment *seg, int64_t generation,
    struct err_info *ei)
{
	struct mlog_segment old = w->fence.tail;
	bool replaces = w->fence.has_tail && old.number == seg->number;
	struct mlog_fence next = { 0 };
	int rc = mlog_fence_dup(&w->fence, &next);

	if (rc == 0)
		rc = mlog_fence_advance(&next, seg);
	if (rc == 0) {
		next.released = false;
		rc = mlog_fence_swap(w, &next, ei);
	}
	mlog_fence_clear(&next);
	if (rc != 0)
		return rc;
	litter_forget(w, seg);
	if (replaces) /* without memory for it the sweep will find it */
		(void)litter_add(w, &old, w->tail_generation, false);
	w->tail_generation = generation;
	return 0;
}

static bool
is_durable(const struct mlog_writer *w, const struct mlog_piece *p)
{
	const struct mlog_segment *tail = &w->fence.tail;

	return w->fence.has_tail &&
	       (p->number < tail->number ||
		   (p->number == tail->number && p->bytes.len <= tail->size));
}

static int
flush_piece(struct mlog_writer *w, struct mlog_piece *p, struct err_info *ei)
{
	struct mlog_segment seg;
	int64_t generation;
	int rc;

	if (is_durable(w, p))
		return 0;
	rc = name_piece(p, &seg);
	fault_point("mlog_flush.begin");
	if (rc == 0)
		rc = put_piece(w, p, &seg, &generation, ei);
	fault_point("mlog_flush.put");
	if (rc == 0)
		rc = name_tail(w, &seg, generation, ei);
	if (rc != 0)
		return rc;
	fault_point("mlog_flush.swapped");
	litter_clean(w, &w->fence, true);
	fault_point("mlog_flush.deleted");
	return 0;
}

/* Keep only the piece that may still grow. */
static void
drop_sealed_pieces(struct mlog_writer *w)
{
	if (w->piece_count < 2)
		return;
	for (size_t i = 0; i + 1 < w->piece_count; i++)
		mlog_piece_clear(&w->pieces[i]);
	w->pieces[0] = w->pieces[w->piece_count - 1];
	w->piece_count = 1;
}

int
mlog_writer_flush(struct mlog_writer *w, struct err_info *ei)
{
	if (w->lost)
		return mlog_writer_lost(w, ei);
	for (size_t i = 0; i < w->piece_count; i++) {
		int rc = flush_piece(w, &w->pieces[i], ei);

		if (rc != 0)
			return rc;
	}
	drop_sealed_pieces(w);
	w->unflushed = 0;
	return 0;
}

/* Write WRITER as it is, but for `released`. */
static int
rewrite_fence(struct mlog_writer *w, bool released, struct err_info *ei)
{
	struct mlog_fence next = { 0 };
	int rc = w->lost ? mlog_writer_lost(w, ei) : mlog_fence_dup(&w->fence, &next);

	if (rc != 0)
		return rc;
	next.released = released;
	rc = mlog_fence_swap(w, &next, ei);
	mlog_fence_clear(&next);
	return rc;
}

int
mlog_writer_renew(struct mlog_writer *w, struct err_info *ei)
{
	int64_t age = w->opts.mono_ms(w->opts.ctx) - w->written_mono_ms;

	if (!w->lost && age < w->fence.lease_s * 1000 / 3)
		return 0;
	return rewrite_fence(w, false, ei);
}

int
mlog_writer_release(struct mlog_writer *w, struct err_info *ei)
{
	return rewrite_fence(w, true, ei);
}

/* Is the log still ours?  Reads WRITER, changes nothing. */
static int
check_held(struct mlog_writer *w, struct err_info *ei)
{
	return look_who_wrote(w, w->fence.session, ei);
}

/*
 * Is the object old, and can nothing name it?  What is in the litter waits for a swap
 * of ours, or was named by one whose answer was lost; the next swap decides.
 */
static bool
may_sweep(struct mlog_writer *w, const struct mlog_list *l, const struct mlog_object *o,
    int64_t now_ms)
{
	const struct mlog_segment *seg = &o->segment;

	return now_ms - o->created_ms >= MLOG_SWEEP_AGE_MS && litter_find(w, seg) == NULL &&
	       !mlog_fence_names(&w->fence, seg->number, seg->sha224) &&
	       !(l->has_fence && mlog_fence_names(&l->fence, seg->number, seg->sha224));
}

int
mlog_writer_sweep(struct mlog_writer *w, size_t *ret_count, struct err_info *ei)
{
	int64_t now = w->opts.real_ms(w->opts.ctx);
	struct mlog_list l = { 0 };
	size_t count = 0;
	int rc;

	if (w->lost)
		return mlog_writer_lost(w, ei);
	rc = mlog_list_load(w->store, w->prefix, &l, ei);
	/* Held after the listing: nothing in it can be a successor's. */
	if (rc == 0)
		rc = check_held(w, ei);
	for (size_t i = 0; rc == 0 && i < l.object_count; i++) {
		const struct mlog_object *o = &l.objects[i];
		char name[MLOG_OBJECT_NAME_SIZE];

		if (!may_sweep(w, &l, o, now))
			continue;
		mlog_object_name(w->prefix, &o->segment, name);
		rc = store_delete(w->store, name, o->generation, ei);
		count += rc == 0;
		if (rc == ERR_NOENT || rc == ERR_CONFLICT)
			rc = 0;
	}
	mlog_list_clear(&l);
	if (rc == 0 && ret_count != NULL)
		*ret_count = count;
	return rc;
}
