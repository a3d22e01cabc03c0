/*
 * supervisor_list.c - the list is read by a thread of its own, so that a bucket that hangs
 * stops nothing else; the loop decides when what was read is believed.
 */
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "sprvsr/supervisor_impl.h"

#define LIST_RETRY_MS 10000

/*
 * The reader's thread.
 */

/* A reading that found nothing new leaves the list that the loop has not taken yet. */
static void
hand_over(struct supervisor *s, const struct reading *now)
{
	struct reading *r = &s->reading;

	pthread_mutex_lock(&s->lock);
	if (now->rc == 0 && now->same && r->there && r->rc == 0) {
		r->begun_ms = now->begun_ms;
	} else {
		repo_list_clear(&r->list);
		*r = *now;
	}
	pthread_mutex_unlock(&s->lock);
	supervisor_wake(s);
}

static void
wait_for_turn(struct supervisor *s, int64_t ms)
{
	struct pollfd fds[2] = { { .fd = s->read_fd, .events = POLLIN },
		{ .fd = s->stop_fd, .events = POLLIN } };
	uint64_t times;

	poll(fds, 2, (int)ms);
	(void)!read(s->read_fd, &times, sizeof(times));
}

void *
supervisor_run_reader(void *arg)
{
	struct supervisor *s = arg;
	struct repo_source *source = s->o.source;

	while (!supervisor_is_stopping(s)) {
		struct reading now = { .there = true, .begun_ms = clock_mono_ms() };

		if (atomic_exchange(&s->unbelieved, false))
			source->digest[0] = '\0';
		now.rc = repo_source_read(source, &now.same, &now.list, &now.ei);
		if (now.rc == ERR_CANCELED)
			break;
		if (now.rc != 0)
			source->digest[0] = '\0';
		hand_over(s, &now);
		wait_for_turn(s,
		    now.rc == 0 || s->o.list_ms < LIST_RETRY_MS ? s->o.list_ms : LIST_RETRY_MS);
	}
	return NULL;
}

/*
 * The loop's thread.
 */

static void
list_failed(struct supervisor *s, const char *why)
{
	pthread_mutex_lock(&s->status.lock);
	s->status.list_failures++;
	snprintf(s->status.error, sizeof(s->status.error), "%s", why);
	pthread_mutex_unlock(&s->status.lock);
	log_error("the repository list changes nothing", LOG_S("error", why), LOG_END);
}

/*
 * An empty list is only believed where nothing was there before: never while the cluster has
 * not been seen yet.
 */
static bool
is_suddenly_empty(struct supervisor *s, bool *ret_known)
{
	size_t present = 0;

	*ret_known = true;
	pthread_mutex_lock(&s->seen.lock);
	for (enum kind k = 0; k < KINDS; k++) {
		present += s->seen.objects[k].count;
		*ret_known &= s->seen.synced[k];
	}
	pthread_mutex_unlock(&s->seen.lock);
	return present > 0 || (s->has_list && s->want.list.count > 0);
}

static bool
take_list(struct supervisor *s, struct repo_list *list)
{
	struct desired want = { .items = NULL };
	bool known;
	int rc;

	if (list->count == 0 && is_suddenly_empty(s, &known)) {
		list_failed(s, "it is empty and was not before");
		return false;
	}
	rc = desired_build(s->o.desired, list, &want);
	if (rc != 0) {
		list_failed(s, err_name(rc));
		return false;
	}
	desired_clear(&s->want);
	s->want = want;
	s->has_list = true;
	pthread_mutex_lock(&s->status.lock);
	s->status.list_reads++;
	s->status.desired = want.list.count;
	s->status.error[0] = '\0';
	pthread_mutex_unlock(&s->status.lock);
	log_info("repository list read", LOG_I("repositories", want.list.count), LOG_END);
	return true;
}

/* An empty list is not to be decided about while the cluster has not been listed. */
static struct reading
next_reading(struct supervisor *s)
{
	bool known, wait = !is_suddenly_empty(s, &known) && !known;
	struct reading r;

	pthread_mutex_lock(&s->lock);
	r = s->reading;
	if (r.there && r.rc == 0 && !r.same && r.list.count == 0 && wait)
		r.there = false;
	else
		s->reading = (struct reading){ .there = false };
	pthread_mutex_unlock(&s->lock);
	return r;
}

void
supervisor_take_list(struct supervisor *s)
{
	struct reading r = next_reading(s);

	if (!r.there)
		return;
	if (r.rc != 0)
		list_failed(s, r.ei.text[0] != '\0' ? r.ei.text : err_name(r.rc));
	else if (!r.same)
		s->believed = take_list(s, &r.list);
	repo_list_clear(&r.list);
	if (!s->believed)
		atomic_store(&s->unbelieved, true); /* told again, or taken, next time */
	else if (r.rc == 0)
		s->list_begun_ms = r.begun_ms;
	/* The same list, too: leadership or a confirmation may have waited for it. */
	atomic_store(&s->dirty, true);
}
