/* status.c - health as JSON, metrics as Prometheus reads them. */
#include "sprvsr/status.h"

#include "base/json_text.h"

void
status_init(struct status *s)
{
	*s = (struct status){ .ready = false };
	pthread_mutex_init(&s->lock, NULL);
}

void
status_clear(struct status *s)
{
	pthread_mutex_destroy(&s->lock);
}

int
status_health(struct status *s, struct buf *out)
{
	bool ready;

	pthread_mutex_lock(&s->lock);
	ready = s->ready;
	buf_fmt(out,
	    "{\"status\":\"%s\",\"leader\":%s,\"repositories\":%llu,\"pruneRefused\":%s,"
	    "\"lastError\":",
	    ready ? "ok" : "starting", s->leader ? "true" : "false",
	    (unsigned long long)s->desired, s->prune_refused ? "true" : "false");
	json_text_quote(out, slice_str(s->error));
	buf_str(out, "}\n");
	pthread_mutex_unlock(&s->lock);
	return ready ? 200 : 503;
}

static void
head(struct buf *out, const char *name, const char *type, const char *help)
{
	buf_fmt(out, "# HELP maintner_supervisor_%s %s\n# TYPE maintner_supervisor_%s %s\n",
	    name, help, name, type);
}

static void
one(struct buf *out, const char *name, const char *type, const char *help, uint64_t value)
{
	head(out, name, type, help);
	buf_fmt(out, "maintner_supervisor_%s %llu\n", name, (unsigned long long)value);
}

static void
write_counts(struct k8s_shared *api, struct buf *out)
{
	head(out, "api_requests_total", "counter", "Requests to the Kubernetes API.");
	pthread_mutex_lock(&api->lock);
	for (size_t i = 0; i < api->count_count; i++)
		buf_fmt(out,
		    "maintner_supervisor_api_requests_total{verb=\"%s\",code=\"%d\"} %llu\n",
		    api->counts[i].verb, api->counts[i].code,
		    (unsigned long long)api->counts[i].count);
	pthread_mutex_unlock(&api->lock);
}

void
status_metrics(struct status *s, struct k8s_shared *api, struct observed *seen, struct buf *out)
{
	static const char *const verbs[ACTS] = { "create", "update", "repair", "delete" };
	uint64_t lists, events;

	pthread_mutex_lock(&seen->lock);
	lists = seen->lists[KIND_DEPLOYMENT] + seen->lists[KIND_SERVICE];
	events = seen->watch_events;
	pthread_mutex_unlock(&seen->lock);
	pthread_mutex_lock(&s->lock);
	one(out, "leader", "gauge", "1 while this replica leads.", s->leader);
	one(out, "leader_changes_total", "counter", "How often that changed.",
	    s->leader_changes);
	one(out, "desired_repositories", "gauge", "Repositories of the list.", s->desired);
	head(out, "applied_total", "counter", "Objects written, by what was done.");
	for (int v = 0; v < ACTS; v++)
		buf_fmt(out, "maintner_supervisor_applied_total{action=\"%s\"} %llu\n",
		    verbs[v], (unsigned long long)s->applied[v]);
	one(out, "failed_total", "counter", "Writes that failed.", s->failed);
	one(out, "pruned_total", "counter", "Objects removed.", s->applied[ACT_DELETE]);
	one(out, "conflicts", "gauge", "Objects of others with a name of ours.", s->conflicts);
	one(out, "scaled_to_zero", "gauge", "Deployments without replicas.", s->scaled_to_zero);
	one(out, "waiting_for_ready", "gauge", "Changed Deployments that are not ready.",
	    s->waiting_for_ready);
	one(out, "held_back", "gauge", "Changes that wait for those.", s->held_back);
	one(out, "left_the_list", "gauge", "Repositories to be removed.", s->left);
	one(out, "prune_refused", "gauge", "1 while they are too many.", s->prune_refused);
	one(out, "passes_total", "counter", "Comparisons of everything.", s->passes);
	head(out, "pass_seconds", "gauge", "How long the last one took.");
	buf_fmt(out, "maintner_supervisor_pass_seconds %.6f\n", (double)s->pass_us / 1e6);
	head(out, "pass_cpu_seconds", "gauge", "The processor's time of the last one.");
	buf_fmt(
	    out, "maintner_supervisor_pass_cpu_seconds %.6f\n", (double)s->pass_cpu_us / 1e6);
	one(out, "list_reads_total", "counter", "Readings of the list.", s->list_reads);
	one(out, "list_failures_total", "counter", "Readings that changed nothing.",
	    s->list_failures);
	one(out, "events_total", "counter", "Kubernetes Events written.", s->events);
	one(out, "events_dropped_total", "counter", "Events that were too many.",
	    s->events_dropped);
	pthread_mutex_unlock(&s->lock);
	one(out, "relists_total", "counter", "Whole lists of a kind of object.", lists);
	one(out, "watch_events_total", "counter", "Changes told by watches.", events);
	write_counts(api, out);
}
