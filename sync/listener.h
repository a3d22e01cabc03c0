/*
 * listener.h - the sync daemon's own FastCGI socket, served by a thread of its own:
 * GET /_healthz, GET /metrics, POST /internal/v1/sync, POST /internal/v1/tombstones.
 */
#pragma once

#include "base/addr.h"
#include "sync/status.h"
#include "sync/tombs.h"

struct listener;

struct listener_opts {
	const struct addr *addr;
	const char *secret; /* for /internal; NULL refuses everything there */
	struct status *status;
	void (*on_sync)(void *ctx);       /* a round is asked for; any thread */
	struct tomb_queue *tombs;         /* where orders for tombstones go, and ... */
	void (*on_tombstones)(void *ctx); /* ... that there is one; any thread */
	void *ctx;
};

/* Start listening and serving; `opts` is copied, what it points to borrowed. */
int listener_start(
    const struct listener_opts *opts, struct listener **ret, struct err_info *ei);
/* The queue must be closed before, since its orders are answered here.  NULL is fine. */
void listener_stop(struct listener *l);

/* The queue's on_done: answers whoever waits for the order. */
void listener_order_done(struct tomb_order *o);
