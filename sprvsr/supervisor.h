/*
 * supervisor.h - the loop: reads the list, compares, gives out work; and the threads around
 * it, which watch, lead and act.
 */
#pragma once

#include "base/repo_source.h"
#include "sprvsr/act.h"
#include "sprvsr/status.h"

struct supervisor;

struct supervisor_opts {
	struct k8s_shared *api;
	struct repo_source *source;
	const struct desired_opts *desired;
	const char *lease_name;      /* NULL: this one leads */
	size_t batch, prune_allowed; /* prune_allowed: as supervisor_allow() at the start */
	unsigned prune_percent, threads;
	int64_t list_ms, resync_ms;
};

/* `o` is copied, what it points to borrowed. */
int supervisor_start(
    const struct supervisor_opts *o, struct supervisor **ret, struct err_info *ei);
/* Finish what runs, give up the lease, end.  NULL is fine. */
void supervisor_stop(struct supervisor *s);

/* Any thread. */
void supervisor_update(struct supervisor *s); /* read the list now */
/*
 * Confirm that so many repositories may be removed: by the next comparison with a list that
 * is read from now on, and by none after it.  ERR_UNAVAILABLE, which names who does, when this
 * replica does not lead.
 */
int supervisor_allow(struct supervisor *s, size_t removals, struct err_info *ei);
int supervisor_health(struct supervisor *s, struct buf *out);
void supervisor_metrics(struct supervisor *s, struct buf *out);
