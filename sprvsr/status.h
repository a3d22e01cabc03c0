/* status.h - what the supervisor counts and tells; any thread. */
#pragma once

#include <pthread.h>

#include "sprvsr/k8s_client.h"
#include "sprvsr/reconcile.h"

struct status {
	pthread_mutex_t lock;
	bool ready; /* the first pass is done */
	bool leader, prune_refused;
	uint64_t desired, conflicts, scaled_to_zero, waiting_for_ready, held_back, left;
	uint64_t applied[ACTS], failed, passes, list_reads, list_failures, events,
	    events_dropped;
	uint64_t leader_changes;
	int64_t pass_us, pass_cpu_us;
	char error[256]; /* of the last reading of the list, "" if it was good */
};

void status_init(struct status *s);
void status_clear(struct status *s);
/* {"status":...}; returns the HTTP status: 200 once it is ready, else 503. */
int status_health(struct status *s, struct buf *out);
void status_metrics(
    struct status *s, struct k8s_shared *api, struct observed *seen, struct buf *out);
