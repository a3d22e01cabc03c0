/* supervisor_list.c - when a list that was read is believed, and when it changes nothing. */
#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "sprvsr/supervisor_impl.h"

#define LIST_RETRY_MS 10000
#define UNKNOWN_RETRY_MS 500 /* an empty list, and the cluster has not been listed yet */

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

static void
take_list(struct supervisor *s, struct repo_list *list)
{
	struct desired want = { .items = NULL };
	bool known;

	if (list->count == 0 && is_suddenly_empty(s, &known)) {
		s->o.source->digest[0] =
		    '\0'; /* told again, and taken if the cluster is emptied */
		list_failed(s, "it is empty and was not before");
	} else if (list->count == 0 && !known) {
		s->o.source->digest[0] = '\0';
		s->list_at_ms = clock_mono_ms() + UNKNOWN_RETRY_MS;
	} else if (desired_build(s->o.desired, list, &want) != 0) {
		list_failed(s, "out of memory");
	} else {
		desired_clear(&s->want);
		s->want = want;
		s->has_list = true;
		pthread_mutex_lock(&s->status.lock);
		s->status.list_reads++;
		s->status.desired = want.list.count;
		s->status.error[0] = '\0';
		pthread_mutex_unlock(&s->status.lock);
		log_info(
		    "repository list read", LOG_I("repositories", want.list.count), LOG_END);
		atomic_store(&s->dirty, true);
	}
	repo_list_clear(list);
}

void
supervisor_read_list(struct supervisor *s)
{
	struct repo_list list = { .items = NULL };
	struct err_info ei = { .text = "" };
	bool same = false;
	int rc = repo_source_read(s->o.source, &same, &list, &ei);

	s->list_at_ms =
	    clock_mono_ms() +
	    (rc == 0 || s->o.list_ms < LIST_RETRY_MS ? s->o.list_ms : LIST_RETRY_MS);
	if (rc == ERR_CANCELED)
		return;
	if (rc != 0) {
		s->o.source->digest[0] = '\0';
		list_failed(s, ei.text[0] != '\0' ? ei.text : err_name(rc));
	} else if (!same) {
		take_list(s, &list);
	}
}
