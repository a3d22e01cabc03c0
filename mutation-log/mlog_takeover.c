/*
 * mlog_takeover.c - how a writer becomes the holder of a log, at once or after having
 * watched WRITER stand still for a lease.  Time comes in through the options.
 *
 * Success needs a swap that was seen to succeed: two processes with one holder's
 * name can try at the same moment, and `nonce` is what tells them apart.
 */
#include <stdio.h>
#include <sys/random.h>

#include "base/digest.h"
#include "base/mem.h"
#include "mutation-log/mlog_writer_impl.h"

static void
fence_name(const struct mlog_writer *w, char out[MLOG_OBJECT_NAME_SIZE])
{
	snprintf(out, MLOG_OBJECT_NAME_SIZE, "%s" MLOG_WRITER_NAME, w->prefix);
}

/* Take the store's lock if it has one; ERR_BUSY names the holder where that is known. */
static int
take_lock(struct mlog_writer *w, struct err_info *ei)
{
	char name[MLOG_OBJECT_NAME_SIZE];
	struct mlog_fence f = { 0 };
	int64_t generation;
	int rc;

	fence_name(w, name);
	rc = store_lock(w->store, name, &w->lock, ei);
	if (rc == ERR_UNSUPPORTED)
		return 0;
	if (rc != ERR_BUSY)
		return rc;
	if (mlog_fence_load(w->store, w->prefix, &f, &generation, NULL) != 0)
		return err_set(ei, rc, "log %s is being written by another process", w->prefix);
	err_set(ei, rc, "log %s is being written by %s", w->prefix, f.holder);
	mlog_fence_clear(&f);
	return rc;
}

/* May `holder` write at once, by what the store says now? */
static bool
may_take(const struct mlog_writer *w, const struct mlog_list *l, const char *holder)
{
	return !l->has_fence || l->fence.released || w->lock != NULL ||
	       strcmp(l->fence.holder, holder) == 0;
}

/*
 * Watch until WRITER is free to take: released, gone, or of one generation for its
 * whole lease.  *list is what the store said when that was known.  ERR_BUSY as soon as
 * its holder, or another taker, gives a sign of life.
 */
static int
wait_for_lease(
    struct mlog_writer *w, const char *holder, struct mlog_list *list, struct err_info *ei)
{
	const struct mlog_writer_opts *o = &w->opts;
	int64_t since = o->mono_ms(o->ctx);

	while (!may_take(w, list, holder)) {
		int64_t generation = list->fence_generation;
		int64_t left = list->fence.lease_s * 1000 - (o->mono_ms(o->ctx) - since);
		int rc;

		if (left <= 0)
			return 0;
		if (o->sleep_ms(o->ctx, left < o->wait_poll_ms ? left : o->wait_poll_ms) != 0)
			return err_set(ei, ERR_CANCELED, "stopped waiting for %s to end",
			    list->fence.holder);
		mlog_list_clear(list);
		rc = mlog_list_load(w->store, w->prefix, list, ei);
		if (rc != 0)
			return rc;
		/* A sign of life: whoever gave it is the writer, and will go on being it. */
		if (list->fence_generation != generation && !may_take(w, list, holder))
			return err_set(ei, ERR_BUSY,
			    "log %s is being written by %s (epoch %lld)", w->prefix,
			    list->fence.holder, (long long)list->fence.epoch);
	}
	return 0;
}

static int
new_nonce(char out[MLOG_NONCE_SIZE])
{
	unsigned char raw[(MLOG_NONCE_SIZE - 1) / 2];

	if (getrandom(raw, sizeof(raw), 0) != (ssize_t)sizeof(raw))
		return ERR_IO;
	hex_encode(raw, sizeof(raw), out);
	return 0;
}

/* Everything before the tail is sealed, by its digest in the log as it is. */
static int
seal_all(struct mlog_fence *f, const struct mlog_list *l)
{
	size_t count = l->log_count > 0 ? l->log_count - 1 : 0;
	int rc = mlog_fence_resize(f, count);

	for (size_t i = 0; rc == 0 && i < count; i++)
		memcpy(f->sealed[i], l->log[i].segment.sha224, sizeof(f->sealed[i]));
	return rc;
}

/* The record that makes `holder` the writer of the log `l`. */
static int
make_fence(const struct mlog_writer *w, const char *holder, const struct mlog_list *l,
    struct mlog_fence *ret)
{
	bool same = l->has_fence && strcmp(l->fence.holder, holder) == 0;
	bool clean = l->has_fence && (same || l->fence.released);
	struct mlog_fence f = { .epoch = l->has_fence ? l->fence.epoch + 1 : 1,
		.lease_s = w->opts.lease_s,
		.has_tail = l->log_count > 0 };
	int rc = new_nonce(f.nonce);

	f.next_number = f.has_tail && (!clean || l->fence.next_number);
	if (f.has_tail)
		f.tail = l->log[l->log_count - 1].segment;
	f.holder = mem_strdup(holder);
	if (rc == 0)
		rc = f.holder == NULL ? ERR_NOMEM : seal_all(&f, l);
	if (rc != 0)
		mlog_fence_clear(&f);
	else
		*ret = f;
	return rc;
}

/*
 * Load the tail before the swap, so that nobody takes a damaged log over.  When it is
 * not as listed because a rival moved on meanwhile, that is what went wrong.
 */
static int
load_tail(
    struct mlog_writer *w, const struct mlog_fence *f, int64_t generation, struct err_info *ei)
{
	int rc = mlog_writer_load_tail(w, f, ei), again;
	struct mlog_fence now = { 0 };
	int64_t moved;

	if (rc != ERR_CORRUPT)
		return rc;
	again = mlog_fence_load(w->store, w->prefix, &now, &moved, NULL);
	if (again != 0)
		return again == ERR_NOENT ? rc : again;
	if (moved != generation)
		rc = err_set(ei, ERR_CONFLICT, "log %s was taken over by %s (epoch %lld)",
		    w->prefix, now.holder, (long long)now.epoch);
	mlog_fence_clear(&now);
	return rc;
}

int
mlog_takeover(struct mlog_writer *w, const char *holder, struct err_info *ei)
{
	struct mlog_list list = { 0 };
	struct mlog_fence f = { 0 };
	int rc = take_lock(w, ei);

	if (rc == 0)
		rc = mlog_list_load(w->store, w->prefix, &list, ei);
	if (rc == 0)
		rc = wait_for_lease(w, holder, &list, ei);
	if (rc == 0)
		rc = make_fence(w, holder, &list, &f);
	if (rc == 0)
		rc = load_tail(w, &f, list.fence_generation, ei);
	if (rc == 0) {
		w->fence_generation = list.fence_generation;
		if (list.log_count > 0)
			w->tail_generation = list.log[list.log_count - 1].generation;
		rc = mlog_fence_begin(w, &f, ei);
	}
	mlog_fence_clear(&f);
	mlog_list_clear(&list);
	return rc;
}
