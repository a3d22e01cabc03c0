/* status.c - the daemon's own state as Prometheus text and as JSON. */
#include "sync/status.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/json_text.h"

const char *const status_family_names[STATUS_FAMILIES] = { "issues", "comments", "events",
	"reviews", "pulls", "review_comments", "labels", "milestones", "repository", "rules",
	"relist" };

void
status_init(struct status *s)
{
	memset(s, 0, sizeof(*s));
	pthread_mutex_init(&s->lock, NULL);
	s->github.rate_limit = s->github.rate_remaining = -1;
	s->github.rate_reset_ms = TIME_NONE;
	s->github.graphql_limit = s->github.graphql_remaining = -1;
	s->github.graphql_reset_ms = TIME_NONE;
	s->started_ms = clock_real_ms();
	for (int f = 0; f < STATUS_FAMILIES; f++)
		s->families[f].synced_at_ms = TIME_NONE;
}

void
status_set_phase(struct status *s, const char *phase)
{
	pthread_mutex_lock(&s->lock);
	snprintf(s->phase, sizeof(s->phase), "%s", phase);
	pthread_mutex_unlock(&s->lock);
}

void
status_set_error(struct status *s, const char *text)
{
	pthread_mutex_lock(&s->lock);
	snprintf(s->last_error, sizeof(s->last_error), "%s", text != NULL ? text : "");
	pthread_mutex_unlock(&s->lock);
}

static void
metric(struct buf *b, const char *name, const char *type, const char *help)
{
	buf_fmt(b, "# HELP maintner_sync_%s %s\n# TYPE maintner_sync_%s %s\n", name, help, name,
	    type);
}

static void
one(struct buf *b, const char *name, const char *type, const char *help, int64_t value)
{
	metric(b, name, type, help);
	buf_fmt(b, "maintner_sync_%s %lld\n", name, (long long)value);
}

static void
family_metrics(const struct status *s, struct buf *b)
{
	metric(b, "objects", "gauge", "Objects of a family that the snapshot holds.");
	for (int f = 0; f < STATUS_LOGGED; f++)
		buf_fmt(b, "maintner_sync_objects{family=\"%s\"} %llu\n",
		    status_family_names[f], (unsigned long long)s->families[f].done);
	metric(b, "objects_expected", "gauge",
	    "Objects that the first walk should find; 0 = unknown.");
	for (int f = 0; f < STATUS_LOGGED; f++)
		buf_fmt(b, "maintner_sync_objects_expected{family=\"%s\"} %llu\n",
		    status_family_names[f], (unsigned long long)s->families[f].expected);
	metric(b, "synced_at_seconds", "gauge",
	    "GitHub's time at which a family was last complete.");
	for (int f = 0; f < STATUS_FAMILIES; f++) {
		if (s->families[f].synced_at_ms != TIME_NONE)
			buf_fmt(b, "maintner_sync_synced_at_seconds{family=\"%s\"} %lld\n",
			    status_family_names[f],
			    (long long)(s->families[f].synced_at_ms / 1000));
	}
}

static void
request_metrics(const struct gh_stats *g, struct buf *b)
{
	one(b, "github_requests_total", "counter", "Requests sent to GitHub, retries included.",
	    (int64_t)g->requests);
	one(b, "github_graphql_requests_total", "counter", "Of these, GraphQL queries.",
	    (int64_t)g->graphql_requests);
	one(b, "github_not_modified_total", "counter", "Answers 304, which cost no budget.",
	    (int64_t)g->not_modified);
	one(b, "github_retries_total", "counter", "Requests repeated after a fault.",
	    (int64_t)g->retries);
	one(b, "github_refusals_total", "counter", "Answers that refused for a limit.",
	    (int64_t)g->refusals);
	one(b, "github_rejected_total", "counter", "Answers 401: a token is no good.",
	    (int64_t)g->rejected);
	one(b, "github_waits_total", "counter", "Pauses that a rate limit asked for.",
	    (int64_t)g->waits);
	one(b, "github_waited_milliseconds_total", "counter", "How long these were.",
	    (int64_t)g->waited_ms);
	one(b, "github_tokens", "gauge", "Tokens to choose from; 0 = anonymous.",
	    (int64_t)g->tokens);
}

static void
budget(struct buf *b, const char *name, const char *help, int64_t rest, int64_t graphql)
{
	metric(b, name, "gauge", help);
	buf_fmt(b,
	    "maintner_sync_%s{resource=\"core\"} %lld\n"
	    "maintner_sync_%s{resource=\"graphql\"} %lld\n",
	    name, (long long)rest, name, (long long)graphql);
}

static int64_t
seconds_or_unknown(int64_t ms)
{
	return ms == TIME_NONE ? -1 : ms / 1000;
}

/* REST counts requests, GraphQL points. */
static void
budget_metrics(const struct gh_stats *g, struct buf *b)
{
	budget(b, "github_rate_limit",
	    "The budget an hour of the token used last; -1 = unknown.", g->rate_limit,
	    g->graphql_limit);
	budget(b, "github_rate_remaining", "What is left of it; -1 = unknown.",
	    g->rate_remaining, g->graphql_remaining);
	budget(b, "github_rate_reset_seconds",
	    "Unix time when it is whole again; -1 = unknown.",
	    seconds_or_unknown(g->rate_reset_ms), seconds_or_unknown(g->graphql_reset_ms));
}

void
status_metrics(struct status *s, struct buf *out)
{
	pthread_mutex_lock(&s->lock);
	family_metrics(s, out);
	request_metrics(&s->github, out);
	budget_metrics(&s->github, out);
	one(out, "rounds_total", "counter", "Sync rounds ended.", (int64_t)s->rounds);
	one(out, "rounds_failed_total", "counter", "Of these, with an error.",
	    (int64_t)s->failed_rounds);
	one(out, "records_total", "counter", "Log records written since start.",
	    (int64_t)s->records);
	one(out, "flushes_total", "counter", "Flushes of the log since start.",
	    (int64_t)s->flushes);
	one(out, "replay_bytes", "gauge", "Log bytes replayed by the rebuild at start.",
	    (int64_t)s->replay_bytes);
	one(out, "replay_total_bytes", "gauge", "Log bytes that the rebuild has to replay.",
	    (int64_t)s->replay_total);
	one(out, "complete", "gauge", "1 when every family has been complete once.",
	    s->complete);
	one(out, "last_good_seconds", "gauge", "Unix time of the last round without an error.",
	    s->last_good_ms / 1000);
	pthread_mutex_unlock(&s->lock);
}

void
status_health(struct status *s, struct buf *out)
{
	pthread_mutex_lock(&s->lock);
	buf_str(out, "{\"status\":\"ok\",\"phase\":");
	json_text_quote(out, slice_str(s->phase));
	buf_fmt(out,
	    ",\"complete\":%s,\"rounds\":%llu,\"lastError\":", s->complete ? "true" : "false",
	    (unsigned long long)s->rounds);
	json_text_quote(out, slice_str(s->last_error));
	buf_str(out, "}\n");
	pthread_mutex_unlock(&s->lock);
}
