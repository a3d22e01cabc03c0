/*
 * listener.h - the sync daemon's own FastCGI socket, served by a thread of its own:
 * GET /_healthz, GET /metrics, POST /internal/v1/sync.
 */
#pragma once

#include "base/addr.h"
#include "sync/status.h"

struct listener;

struct listener_opts {
	const struct addr *addr;
	const char *secret; /* for /internal; NULL refuses everything there */
	struct status *status;
	void (*on_sync)(void *ctx); /* a round is asked for; any thread */
	void *ctx;
};

/* Start listening and serving; `opts` is copied, what it points to borrowed. */
int listener_start(
    const struct listener_opts *opts, struct listener **ret, struct err_info *ei);
void listener_stop(struct listener *l); /* NULL is fine */
