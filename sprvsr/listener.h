/*
 * listener.h - the supervisor's FastCGI socket, served by a thread of its own: GET /_healthz,
 * GET /metrics, POST /api/v1/update, POST /internal/v1/prune?allow=N.
 */
#pragma once

#include "base/addr.h"
#include "sprvsr/status.h"

struct listener;

struct listener_opts {
	const struct addr *addr;
	const char *secret; /* for /internal; NULL refuses everything there */
	int (*on_health)(
	    void *ctx, struct buf *out); /* an HTTP status; all: the loop's thread */
	void (*on_metrics)(void *ctx, struct buf *out);
	void (*on_update)(void *ctx);
	void (*on_prune)(void *ctx, size_t allow);
	void *ctx;
};

/* `opts` is copied, what it points to borrowed. */
int listener_start(
    const struct listener_opts *opts, struct listener **ret, struct err_info *ei);
void listener_stop(struct listener *l); /* NULL is fine */
