/*
 * listener.h - the supervisor's FastCGI socket, served by a thread of its own: GET /_healthz,
 * GET /metrics, POST /api/v1/update, POST /api/v1/update?allowPrune=N with the secret.
 */
#pragma once

#include "base/addr.h"
#include "sprvsr/status.h"

struct listener;

struct listener_opts {
	const struct addr *addr;
	const char *secret; /* for allowPrune; NULL refuses it */
	int (*on_health)(
	    void *ctx, struct buf *out); /* an HTTP status; all: the loop's thread */
	void (*on_metrics)(void *ctx, struct buf *out);
	void (*on_update)(void *ctx);
	/* ERR_UNAVAILABLE: not by this replica; `ei` says by which. */
	int (*on_allow_prune)(void *ctx, size_t allow, struct err_info *ei);
	void *ctx;
};

/* `opts` is copied, what it points to borrowed. */
int listener_start(
    const struct listener_opts *opts, struct listener **ret, struct err_info *ei);
void listener_stop(struct listener *l); /* NULL is fine */
