/*
 * status.h - what the sync daemon is doing, for metrics, health and progress.
 * Written by the syncing thread, read by the listener's: one mutex, no I/O.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "sync/github/gh_client.h"

enum status_family {
	STATUS_ISSUES,
	STATUS_COMMENTS,
	STATUS_EVENTS,
	STATUS_REVIEWS,
	STATUS_PULLS, /* what the listing of pull requests alone tells */
	STATUS_REVIEW_COMMENTS,
	STATUS_LABELS,
	STATUS_MILESTONES,
	STATUS_LOGGED, /* how far the ones above are is in the log, too */
	STATUS_REPOSITORY = STATUS_LOGGED,
	STATUS_RULES,  /* .github/issue_slo_rules.json */
	STATUS_RELIST, /* the slow pass over everything */
	STATUS_FAMILIES,
};

/* As in the sync table and the log: "issues", "comments", ... */
extern const char *const status_family_names[STATUS_FAMILIES];

struct status_counts {
	uint64_t done;        /* objects of the family that the snapshot holds */
	uint64_t expected;    /* what the first walk is thought to find; 0 = unknown */
	int64_t synced_at_ms; /* TIME_NONE = never complete */
};

struct status {
	pthread_mutex_t lock;
	char phase[32];       /* e.g. "issues", "idle", "replay" */
	char last_error[512]; /* "" = the last round was good */
	struct status_counts families[STATUS_FAMILIES];
	struct gh_stats github;
	uint64_t rounds, failed_rounds, records, flushes;
	uint64_t replay_bytes, replay_total;
	int64_t started_ms, last_good_ms; /* Unix time */
	bool complete;                    /* every family was complete once */
};

void status_init(struct status *s);
void status_set_phase(struct status *s, const char *phase);
void status_set_error(struct status *s, const char *text); /* "" or NULL clears it */

/* Prometheus text exposition format 0.0.4. */
void status_metrics(struct status *s, struct buf *out);
/* A JSON object for /_healthz. */
void status_health(struct status *s, struct buf *out);
