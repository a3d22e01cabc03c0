/* metrics.c - counters, and how they are shown. */
#include "router/router.h"

static const int64_t bounds_ms[] = { 1, 3, 10, 30, 100, 300, 1000, 3000, 10000, 30000 };
#define BOUNDS (sizeof(bounds_ms) / sizeof(bounds_ms[0]))

_Static_assert(BOUNDS + 1 <= sizeof(((struct metrics *)0)->buckets) / sizeof(uint64_t),
    "every bucket has a counter");

const char *
outcome_name(enum outcome o)
{
	static const char *const names[OUTCOMES] = {
		[OUTCOME_ANSWERED] = "answered",
		[OUTCOME_OWN] = "own",
		[OUTCOME_NOT_TRACKED] = "not_tracked",
		[OUTCOME_BAD_REQUEST] = "bad_request",
		[OUTCOME_REFUSED] = "refused",
		[OUTCOME_UNRESOLVED] = "unresolved",
		[OUTCOME_OVERLOADED] = "overloaded",
		[OUTCOME_BREAKER_OPEN] = "breaker_open",
		[OUTCOME_TIMEOUT] = "timeout",
		[OUTCOME_CLOSED] = "closed",
		[OUTCOME_GARBAGE] = "garbage",
		[OUTCOME_BROKEN] = "broken",
		[OUTCOME_CLIENT_GONE] = "client_gone",
		[OUTCOME_ERROR] = "error",
	};

	return names[o];
}

void
metrics_count(struct metrics *m, enum outcome o, int64_t took_ms)
{
	size_t i = 0;

	m->outcomes[o]++;
	m->duration_ms += (uint64_t)took_ms;
	while (i < BOUNDS && took_ms > bounds_ms[i])
		i++;
	m->buckets[i]++;
}

static void
head(struct buf *out, const char *name, const char *type, const char *help)
{
	buf_fmt(out, "# HELP maintner_router_%s %s\n# TYPE maintner_router_%s %s\n", name, help,
	    name, type);
}

static void
one(struct buf *out, const char *name, const char *type, const char *help, uint64_t value)
{
	head(out, name, type, help);
	buf_fmt(out, "maintner_router_%s %llu\n", name, (unsigned long long)value);
}

static void
write_requests(const struct metrics *m, struct buf *out)
{
	uint64_t sum = 0;

	head(out, "requests_total", "counter", "Requests by how they ended.");
	for (int o = 0; o < OUTCOMES; o++)
		buf_fmt(out, "maintner_router_requests_total{outcome=\"%s\"} %llu\n",
		    outcome_name((enum outcome)o), (unsigned long long)m->outcomes[o]);
	head(out, "request_seconds", "histogram", "From a request's arrival to its end.");
	for (size_t i = 0; i <= BOUNDS; i++) {
		sum += m->buckets[i];
		buf_str(out, "maintner_router_request_seconds_bucket{le=\"");
		if (i < BOUNDS)
			buf_fmt(out, "%g", (double)bounds_ms[i] / 1000.0);
		else
			buf_str(out, "+Inf");
		buf_fmt(out, "\"} %llu\n", (unsigned long long)sum);
	}
	buf_fmt(out,
	    "maintner_router_request_seconds_sum %.3f\n"
	    "maintner_router_request_seconds_count %llu\n",
	    (double)m->duration_ms / 1000.0, (unsigned long long)sum);
}

static void
write_backends(struct router *rt, struct buf *out)
{
	unsigned open = 0;

	for (size_t i = 0; i < rt->table.list.count; i++)
		open += rt->table.backends[i] != NULL && rt->table.backends[i]->breaker.open;
	one(out, "breakers_open", "gauge", "Backends that are only probed.", open);
	if (!rt->opts.repository_metrics)
		return;
	head(out, "backend_requests_total", "counter", "Requests to a repository's backend.");
	for (size_t i = 0; i < rt->table.list.count; i++) {
		const struct backend *b = rt->table.backends[i];

		if (b != NULL)
			buf_fmt(out,
			    "maintner_router_backend_requests_total{repository=\"%s\","
			    "result=\"answered\"} %llu\n"
			    "maintner_router_backend_requests_total{repository=\"%s\","
			    "result=\"failed\"} %llu\n",
			    b->name, (unsigned long long)b->answered, b->name,
			    (unsigned long long)b->failed);
	}
}

static void
write_background(const struct metrics *m, struct buf *out)
{
	static const char *const results[8] = { "poked", "duplicate", "not_tracked",
		"no_repository", "bad_signature", "too_large", "bad_payload", "bad_request" };

	head(out, "webhooks_total", "counter", "Webhook deliveries by what came of them.");
	for (int i = 0; i < 8; i++)
		buf_fmt(out, "maintner_router_webhooks_total{result=\"%s\"} %llu\n", results[i],
		    (unsigned long long)m->webhooks[i]);
	one(out, "pokes_total", "counter", "Requests to sync daemons and the supervisor.",
	    m->pokes);
	one(out, "poke_failures_total", "counter", "Pokes that nobody took.", m->poke_failures);
	one(out, "pokes_dropped_total", "counter", "Pokes that were too many.",
	    m->pokes_dropped);
	one(out, "list_reads_total", "counter", "Readings of the list that were taken over.",
	    m->list_reads);
	one(out, "list_failures_total", "counter", "Readings that changed nothing.",
	    m->list_failures);
	one(out, "breaker_opened_total", "counter", "How often a backend was given up.",
	    m->breaker_opened);
	one(out, "retries_total", "counter", "Requests sent a second time.", m->retries);
}

void
metrics_write(struct router *rt, struct buf *out)
{
	struct fcgi_server_stats server;
	struct fcgi_budget_stats budget;

	fcgi_server_stats(rt->server, &server);
	fcgi_budget_stats(rt->budget, &budget);
	write_requests(&rt->metrics, out);
	one(out, "repositories", "gauge", "Tracked repositories.", rt->table.list.count);
	one(out, "client_connections", "gauge", "Connections of web servers.",
	    server.conns_open);
	one(out, "requests_open", "gauge", "Requests being answered.", server.requests_open);
	one(out, "backend_connections", "gauge", "Connections to backends.", budget.conns);
	one(out, "backend_connections_total", "counter", "Connections made to backends.",
	    budget.made);
	one(out, "backend_connections_evicted_total", "counter",
	    "Idle connections closed to make room for others.", budget.evicted);
	one(out, "stalled", "gauge", "Answers whose client does not read.", rt->stalled);
	write_backends(rt, out);
	write_background(&rt->metrics, out);
}
