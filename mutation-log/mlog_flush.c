/*
 * mlog_flush.c - everything by which a writer changes the store, in the order that
 * loses nothing: put the grown segment, swap WRITER, delete what nothing names.
 *
 * What can go wrong between rivals, and why it does not:
 * - The answer of a swap was lost.  WRITER then bears our nonce: it was ours.
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
	*found = (struct mlog_litter){
		.segment = *seg, .generation = generation, .shared = shared, .in_doubt = true
	};
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
 * The swap found another generation.  When WRITER bears our nonce, an earlier swap of
 * ours had happened though its answer was lost: then *ret is WRITER as it is.  Else
 * the log is lost.
 */
static int
look_who_wrote(
    struct mlog_writer *w, const char *nonce, struct mlog_fence *ret, struct err_info *ei)
{
	struct mlog_fence now = { 0 };
	int64_t generation;
	int rc = mlog_fence_load(w->store, w->prefix, &now, &generation, ei);

	if (rc == ERR_NOENT)
		return lose(w, NULL, ei);
	if (rc != 0)
		return rc;
	if (strcmp(now.nonce, nonce) != 0) {
		rc = lose(w, &now, ei);
		mlog_fence_clear(&now);
		return rc;
	}
	w->fence_generation = generation;
	*ret = now;
	return 0;
}

/*
 * WRITER is `next` now (which is emptied): the tail that it replaces is litter, the one that
 * it names is not.
 */
static void
install(struct mlog_writer *w, struct mlog_fence *next, int64_t tail_generation)
{
	struct mlog_segment old = w->fence.tail;
	bool had_tail = w->fence.has_tail;
	struct mlog_litter *kept;

	mlog_fence_clear(&w->fence);
	w->fence = *next;
	*next = (struct mlog_fence){ 0 };
	if (!w->fence.has_tail || (had_tail && same_segment(&old, &w->fence.tail)))
		return;
	litter_forget(w, &w->fence.tail);
	/* Without memory for the old tail the sweep will find it. */
	if (had_tail && old.number == w->fence.tail.number &&
	    litter_add(w, &old, w->tail_generation, false) == 0) {
		kept = litter_find(w, &old);
		kept->in_doubt = false;
	}
	w->tail_generation = tail_generation;
}

/* Go on from WRITER as an earlier swap of ours has left it. */
static int
catch_up(struct mlog_writer *w, struct err_info *ei)
{
	struct mlog_fence now = { 0 };
	const struct mlog_litter *tail;
	int rc = look_who_wrote(w, w->fence.nonce, &now, ei);

	if (rc != 0)
		return rc;
	tail = litter_find(w, &now.tail);
	install(w, &now, tail == NULL ? w->tail_generation : tail->generation);
	return 0;
}

int
mlog_fence_begin(struct mlog_writer *w, struct mlog_fence *first, struct err_info *ei)
{
	/* The lease counts from before the write: rivals count from after it. */
	int64_t now = w->opts.mono_ms(w->opts.ctx);
	struct mlog_fence there = { 0 };
	int rc = put_fence(w, first, ei);

	if (rc == ERR_CONFLICT)
		rc = look_who_wrote(w, first->nonce, &there, ei);
	mlog_fence_clear(&there);
	if (rc != 0)
		return rc;
	w->fence = *first;
	*first = (struct mlog_fence){ 0 };
	w->written_mono_ms = now;
	return 0;
}

/*
 * Swap WRITER for itself with another tail (NULL: the same one) and `released`.
 */
static int
swap(struct mlog_writer *w, const struct mlog_segment *tail, int64_t tail_generation,
    bool released, struct err_info *ei)
{
	int rc = ERR_CONFLICT;

	for (int i = 0; rc == ERR_CONFLICT && i < SWAP_TRIES_MAX; i++) {
		int64_t now = w->opts.mono_ms(w->opts.ctx);
		struct mlog_fence next = { 0 };

		rc = i == 0 ? 0 : catch_up(w, ei);
		if (rc == 0)
			rc = mlog_fence_dup(&w->fence, &next);
		if (rc == 0 && tail != NULL)
			rc = mlog_fence_advance(&next, tail);
		if (rc == 0) {
			next.released = released;
			rc = put_fence(w, &next, ei);
		}
		if (rc == 0) {
			install(w, &next, tail_generation);
			w->written_mono_ms = now;
		}
		mlog_fence_clear(&next);
		if (w->lost)
			return mlog_writer_lost(w, ei);
	}
	for (size_t i = 0; rc == 0 && i < w->litter_count; i++)
		w->litter[i].in_doubt = false;
	return rc;
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

/*
 * The durable tail is a prefix of the piece: send only what is new, under a name that is
 * no segment's, and have the store put the two together.  ERR_UNSUPPORTED where that
 * does not apply.
 */
static int
compose_piece(struct mlog_writer *w, const struct mlog_piece *p, const char *name,
    int64_t if_generation, int64_t *ret_generation, struct err_info *ei)
{
	const struct mlog_segment *tail = &w->fence.tail;
	struct store_content content = { p->bytes.len, 0 };
	char base[MLOG_OBJECT_NAME_SIZE], delta[MLOG_DELTA_NAME_SIZE];
	const char *const parts[] = { base, delta };
	struct slice news = { p->bytes.ptr + tail->size, p->bytes.len - tail->size };
	int64_t delta_generation = STORE_ABSENT;
	int rc;

	if (!w->fence.has_tail || p->number != tail->number ||
	    tail->size < w->opts.compose_min_bytes)
		return ERR_UNSUPPORTED;
	content.crc32c = crc32c(0, p->bytes.ptr, p->bytes.len);
	mlog_object_name(w->prefix, tail, base);
	/* Base and result in the name: the same name is always the same bytes. */
	snprintf(delta, sizeof(delta), "%s.%llu" MLOG_DELTA_SUFFIX, name,
	    (unsigned long long)tail->size);
	rc = store_put(w->store, delta, news, STORE_ABSENT, &delta_generation, ei);
	fault_point("mlog_flush.delta");
	if (rc == 0 || rc == ERR_CONFLICT)
		rc = store_compose(
		    w->store, parts, 2, &content, name, if_generation, ret_generation, ei);
	fault_point("mlog_flush.composed");
	/* One that was there before may be a rival's that is still at it: the sweep takes it. */
	if (delta_generation != STORE_ABSENT)
		store_delete(w->store, delta, delta_generation, NULL);
	return rc;
}

/* Write the piece's object: by compose where possible, else whole. */
static int
write_piece(struct mlog_writer *w, const struct mlog_piece *p, const char *name,
    int64_t if_generation, int64_t *ret_generation, struct err_info *ei)
{
	int rc = compose_piece(w, p, name, if_generation, ret_generation, ei);

	/* Without compose, or without the parts (a rival's sweep): send everything. */
	if (rc == ERR_UNSUPPORTED || rc == ERR_NOENT)
		rc = store_put(
		    w->store, name, buf_view(&p->bytes), if_generation, ret_generation, ei);
	return rc;
}

/* Put the object again that is there already, so that only we can delete it. */
static int
put_again(struct mlog_writer *w, const struct mlog_piece *p, const char *name,
    int64_t *ret_generation, struct err_info *ei)
{
	struct store_object there;
	int rc = store_stat(w->store, name, &there, ei);

	if (rc == ERR_NOENT) /* deleted just now */
		return write_piece(w, p, name, STORE_ABSENT, ret_generation, ei);
	if (rc != 0)
		return rc;
	return write_piece(w, p, name, there.generation, ret_generation, ei);
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
	rc = write_piece(w, p, name, STORE_ABSENT, ret_generation, ei);
	shared = rc == ERR_CONFLICT;
	for (int i = 0; rc == ERR_CONFLICT && i < PUT_TRIES_MAX; i++)
		rc = put_again(w, p, name, ret_generation, ei);
	if (rc == ERR_CONFLICT)
		return err_set(ei, ERR_IO, "%s changes all the time", name);
	if (rc == 0)
		rc = litter_add(w, seg, *ret_generation, shared);
	return rc;
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
flush_piece(struct mlog_writer *w, struct mlog_piece *p, bool release, struct err_info *ei)
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
		rc = swap(w, &seg, generation, release, ei);
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

static int
flush_all(struct mlog_writer *w, bool release, struct err_info *ei)
{
	if (w->lost)
		return mlog_writer_lost(w, ei);
	for (size_t i = 0; i < w->piece_count; i++) {
		bool last = i + 1 == w->piece_count;
		int rc = flush_piece(w, &w->pieces[i], release && last, ei);

		if (rc != 0)
			return rc;
	}
	drop_sealed_pieces(w);
	w->unflushed = 0;
	return 0;
}

int
mlog_writer_flush(struct mlog_writer *w, struct err_info *ei)
{
	return flush_all(w, false, ei);
}

int
mlog_writer_finish(struct mlog_writer *w, struct err_info *ei)
{
	int rc = flush_all(w, true, ei);

	/* When nothing was left to flush there was no swap to say it in. */
	return rc != 0 || w->fence.released ? rc : mlog_writer_release(w, ei);
}

int
mlog_writer_renew(struct mlog_writer *w, struct err_info *ei)
{
	int64_t age = w->opts.mono_ms(w->opts.ctx) - w->written_mono_ms;

	if (w->lost)
		return mlog_writer_lost(w, ei);
	if (age < w->fence.lease_s * 1000 / 3)
		return 0;
	return swap(w, NULL, w->tail_generation, false, ei);
}

int
mlog_writer_release(struct mlog_writer *w, struct err_info *ei)
{
	if (w->lost)
		return mlog_writer_lost(w, ei);
	return swap(w, NULL, w->tail_generation, true, ei);
}

/* Is the object old, and can nothing name it, not even a swap whose outcome is in doubt? */
static bool
may_sweep(struct mlog_writer *w, const struct mlog_list *l, const struct mlog_object *o,
    int64_t now_ms)
{
	const struct mlog_segment *seg = &o->segment;
	const struct mlog_litter *ours = litter_find(w, seg);

	return now_ms - o->created_ms >= MLOG_SWEEP_AGE_MS &&
	       (ours == NULL || !ours->in_doubt) &&
	       !mlog_fence_names(&w->fence, seg->number, seg->sha224) &&
	       !(l->has_fence && mlog_fence_names(&l->fence, seg->number, seg->sha224));
}

/* What interrupted flushes left of what they were about to compose. */
static int
sweep_deltas(struct mlog_writer *w, int64_t now, size_t *count, struct err_info *ei)
{
	const size_t skip = strlen(w->prefix);
	struct store_list names;
	int rc = store_list(w->store, w->prefix, &names, ei);

	if (rc != 0)
		return rc;
	for (size_t i = 0; rc == 0 && i < names.count; i++) {
		const struct store_object *o = &names.items[i];

		if (mlog_name_kind(o->name + skip) != MLOG_NAME_DELTA ||
		    now - o->created_ms < MLOG_SWEEP_AGE_MS)
			continue;
		rc = store_delete(w->store, o->name, o->generation, ei);
		*count += rc == 0;
		if (rc == ERR_NOENT || rc == ERR_CONFLICT)
			rc = 0;
	}
	store_list_clear(&names);
	return rc;
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
		rc = catch_up(w, ei);
	for (size_t i = 0; rc == 0 && i < l.object_count; i++) {
		const struct mlog_object *o = &l.objects[i];
		char name[MLOG_OBJECT_NAME_SIZE];

		if (!may_sweep(w, &l, o, now))
			continue;
		litter_forget(w, &o->segment);
		mlog_object_name(w->prefix, &o->segment, name);
		rc = store_delete(w->store, name, o->generation, ei);
		count += rc == 0;
		if (rc == ERR_NOENT || rc == ERR_CONFLICT)
			rc = 0;
	}
	mlog_list_clear(&l);
	if (rc == 0)
		rc = sweep_deltas(w, now, &count, ei);
	if (rc == 0 && ret_count != NULL)
		*ret_count = count;
	return rc;
}
