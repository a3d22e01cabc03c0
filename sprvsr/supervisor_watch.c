/* supervisor_watch.c - what watches see, into what is known of the cluster. */
#include "base/log.h"
#include "sprvsr/k8s_watch.h"
#include "sprvsr/supervisor_impl.h"

static void
on_list_begin(void *ctx)
{
	struct watching *w = ctx;

	pthread_mutex_lock(&w->s->seen.lock);
	observed_list_begin(&w->s->seen, w->kind);
	pthread_mutex_unlock(&w->s->seen.lock);
}

static int
on_put(void *ctx, const json_t *object, struct err_info *ei)
{
	struct watching *w = ctx;
	bool synced;
	int rc;

	pthread_mutex_lock(&w->s->seen.lock);
	rc = observed_put(&w->s->seen, w->kind, object, ei);
	w->s->seen.watch_events++;
	synced = w->s->seen.synced[w->kind];
	pthread_mutex_unlock(&w->s->seen.lock);
	if (synced)
		supervisor_news(w->s);
	return rc;
}

static void
on_list_end(void *ctx)
{
	struct watching *w = ctx;

	pthread_mutex_lock(&w->s->seen.lock);
	observed_list_end(&w->s->seen, w->kind);
	pthread_mutex_unlock(&w->s->seen.lock);
	supervisor_news(w->s);
}

static void
on_removed(void *ctx, const json_t *object)
{
	struct watching *w = ctx;

	pthread_mutex_lock(&w->s->seen.lock);
	observed_remove(&w->s->seen, w->kind, object);
	pthread_mutex_unlock(&w->s->seen.lock);
	supervisor_news(w->s);
}

static void
on_trouble(void *ctx, int rc, const char *text)
{
	(void)ctx;
	log_warning(
	    "watch begins anew", LOG_S("code", err_name(rc)), LOG_S("error", text), LOG_END);
}

void *
supervisor_run_watch(void *arg)
{
	static const struct k8s_watch_events events = { on_list_begin, on_put, on_list_end,
		on_removed, on_trouble };
	struct watching *w = arg;
	struct k8s_watch watch;

	k8s_watch_init(&watch, w->client, w->path, &events, w);
	k8s_watch_run(&watch);
	k8s_watch_clear(&watch);
	return NULL;
}
