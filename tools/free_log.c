/* free_log.c - see free_log.h. */
#include "tools/free_log.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "mutation-log/mlog_fence.h"

#define HOLDER "maint-reset"
#define POLL_MS 1000
#define TELL_MS 10000
#define ERASE_ROUNDS 8 /* two are the rule: nothing is left at the second look */

static const char *
below(const struct free_log *f, const struct store_object *o)
{
	return o->name + strlen(f->prefix);
}

int
free_log_look(struct free_log *f, struct err_info *ei)
{
	int rc;

	store_list_clear(&f->objects);
	f->segments = 0;
	f->bytes = 0;
	rc = store_list(f->store, f->prefix, &f->objects, ei);

	for (size_t i = 0; rc == 0 && i < f->objects.count; i++) {
		const struct store_object *o = &f->objects.items[i];
		enum mlog_name_kind kind = mlog_name_kind(below(f, o));

		if (kind == MLOG_NAME_SEGMENT) {
			f->segments++;
			f->bytes += o->size;
		} else if (kind == MLOG_NAME_OTHER) {
			rc = err_set(ei, ERR_EXISTS,
			    "%s: %s is no part of a log; nothing is done before it is moved "
			    "away",
			    store_url(f->store), o->name);
		}
	}
	return rc;
}

static void
writer_name(const struct free_log *f, char out[STORE_NAME_MAX + 1])
{
	snprintf(out, STORE_NAME_MAX + 1, "%s" MLOG_WRITER_NAME, f->prefix);
}

/* The record, also one that cannot be read: then as if its holder were unknown. */
static int
load(struct free_log *f, struct mlog_fence *ret, struct err_info *ei)
{
	int rc = mlog_fence_load(f->store, f->prefix, ret, &f->generation, ei);
	char name[STORE_NAME_MAX + 1];
	struct store_object there;

	if (rc == ERR_NOENT) {
		f->generation = STORE_ABSENT;
		ret->released = true;
		return 0;
	}
	if (rc != ERR_CORRUPT)
		return rc;
	writer_name(f, name);
	rc = store_stat(f->store, name, &there, ei);
	f->generation = there.generation;
	ret->lease_s = MLOG_LEASE_S;
	return rc;
}

/* Until WRITER has stood still for its lease. */
static int
wait_for_lease(struct free_log *f, const struct mlog_fence *held, struct err_info *ei)
{
	const char *holder = held->holder != NULL ? held->holder : "a damaged WRITER";
	int64_t end = clock_mono_ms() + held->lease_s * 1000, tell = 0, now;
	char name[STORE_NAME_MAX + 1];
	struct store_object there;
	int rc;

	writer_name(f, name);
	while ((now = clock_mono_ms()) < end) {
		if (f->on_wait != NULL && now >= tell) {
			f->on_wait(f->ctx, holder, (end - now + 999) / 1000);
			tell = now + TELL_MS;
		}
		if (cancel_sleep(f->cancel, end - now < POLL_MS ? end - now : POLL_MS) != 0)
			return err_set(ei, ERR_CANCELED, "stopped waiting for %s", holder);
		rc = store_stat(f->store, name, &there, ei);
		if (rc != 0)
			return rc;
		if (there.generation != f->generation)
			return err_set(ei, ERR_BUSY,
			    "%s holds the log and is alive; stop it first", holder);
	}
	return 0;
}

/* One that wrote within its lease is not waited for by the impatient. */
static int
check_age(struct free_log *f, const struct mlog_fence *held, struct err_info *ei)
{
	char name[STORE_NAME_MAX + 1];
	struct store_object there;
	int rc;

	writer_name(f, name);
	rc = store_stat(f->store, name, &there, ei);
	if (rc == 0 && clock_real_ms() - there.created_ms < held->lease_s * 1000)
		rc = err_set(ei, ERR_BUSY, "%s holds the log at %s; stop it first",
		    held->holder != NULL ? held->holder : "a damaged WRITER",
		    store_url(f->store));
	return rc;
}

/* Where the store has locks, a holder that is alive has this one. */
static int
lock(struct free_log *f, const struct mlog_fence *held, struct err_info *ei)
{
	char name[STORE_NAME_MAX + 1];
	int rc;

	writer_name(f, name);
	rc = store_lock(f->store, name, &f->lock, ei);
	if (rc == ERR_BUSY)
		return err_set(ei, rc, "%s holds the log; stop it first",
		    held->holder != NULL ? held->holder : "another process");
	if (rc == ERR_DENIED && f->read_only && held->released)
		return 0;
	return rc == ERR_UNSUPPORTED ? 0 : rc;
}

/* WRITER becomes `next`, if it still is as it was found. */
static int
swap(struct free_log *f, const struct mlog_fence *next, struct err_info *ei)
{
	char name[STORE_NAME_MAX + 1];
	struct buf text;
	int rc;

	buf_init(&text, MLOG_WRITER_MAX_BYTES);
	writer_name(f, name);
	rc = mlog_fence_print(next, &text);
	if (rc == 0)
		rc = store_put(
		    f->store, name, buf_view(&text), f->generation, &f->generation, ei);
	buf_clear(&text);
	return rc == ERR_CONFLICT ? err_wrap(ei, rc, "somebody took the log over meanwhile")
				  : rc;
}

static int
see(struct free_log *f, struct mlog_fence *ret, struct err_info *ei)
{
	int rc = free_log_look(f, ei);

	if (rc == 0)
		rc = load(f, ret, ei);
	f->epoch = ret->epoch;
	return rc == 0 && f->impatient && !ret->released ? check_age(f, ret, ei) : rc;
}

int
free_log_see(struct free_log *f, struct err_info *ei)
{
	struct mlog_fence fence = { 0 };
	int rc = see(f, &fence, ei);

	mlog_fence_clear(&fence);
	return rc;
}

int
free_log_take(struct free_log *f, struct err_info *ei)
{
	struct mlog_fence fence = { 0 };
	int rc = see(f, &fence, ei);

	if (rc == 0)
		rc = lock(f, &fence, ei);
	if (rc == 0 && !fence.released && f->lock == NULL)
		rc = wait_for_lease(f, &fence, ei);
	if (rc == 0 && !fence.released && fence.holder != NULL) {
		fence.released = true;
		rc = swap(f, &fence, ei);
	}
	mlog_fence_clear(&fence);
	return rc;
}

/* Is WRITER in the list, as this run wrote it? */
static bool
still_ours(const struct free_log *f)
{
	char name[STORE_NAME_MAX + 1];
	const struct store_object *o;

	writer_name(f, name);
	o = store_list_find(&f->objects, name);
	return o != NULL && o->generation == f->generation;
}

/*
 * From the last one on, so that who knows nothing of WRITER sees a shorter log, never one
 * with a hole.  *ret_left counts what was there.
 */
static int
erase_segments(struct free_log *f, size_t *ret_left, size_t *deleted, struct err_info *ei)
{
	int rc = 0;

	*ret_left = 0;
	for (size_t i = f->objects.count; rc == 0 && i > 0; i--) {
		const struct store_object *o = &f->objects.items[i - 1];

		if (strcmp(below(f, o), MLOG_WRITER_NAME) == 0)
			continue;
		++*ret_left;
		rc = store_delete(f->store, o->name, o->generation, ei);
		*deleted += rc == 0;
		if (rc == ERR_NOENT || rc == ERR_CONFLICT) /* gone, or a new one's already */
			rc = 0;
	}
	return rc;
}

int
free_log_erase(struct free_log *f, size_t *ret_deleted, struct err_info *ei)
{
	char holder[] = HOLDER, name[STORE_NAME_MAX + 1];
	const struct mlog_fence empty = { .epoch = f->epoch + 1,
		.holder = holder,
		.released = true,
		.lease_s = MLOG_LEASE_S };
	int rc = f->objects.count > 0 ? swap(f, &empty, ei) : 0;
	size_t left = 1;

	*ret_deleted = 0;
	if (rc != 0 || f->objects.count == 0)
		return rc;
	/*
	 * Listed anew, until nothing is left: the last flush of a writer that is gone may
	 * have come after the first list, and what it put would, without a WRITER, be taken
	 * for the log.  Whoever takes over swaps WRITER before it puts a segment, and WRITER
	 * is listed after the segments, so under our WRITER all of them are old.
	 */
	for (unsigned round = 0; left > 0; round++) {
		if (round == ERASE_ROUNDS)
			return err_set(ei, ERR_BUSY,
			    "somebody goes on writing segments below \"%s\"", f->prefix);
		rc = free_log_look(f, ei);
		if (rc != 0)
			return rc;
		if (!still_ours(f))
			return 0;
		rc = erase_segments(f, &left, ret_deleted, ei);
		if (rc != 0)
			return rc;
	}
	writer_name(f, name);
	rc = store_delete(f->store, name, f->generation, ei);
	return rc == ERR_NOENT || rc == ERR_CONFLICT ? 0 : rc;
}

void
free_log_clear(struct free_log *f)
{
	store_unlock(f->lock);
	f->lock = NULL;
	store_list_clear(&f->objects);
}
