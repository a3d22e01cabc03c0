/*
 * timer.h - call a function later, on a server's loop; for programs, which do not use
 * libuv themselves.  All functions belong to the loop's thread.
 */
#pragma once

#include <stdint.h>

struct uv_loop_s;
struct fcgi_timer;

/* ERR_NOMEM.  A timer keeps no loop alive. */
int fcgi_timer_new(
    struct uv_loop_s *loop, void (*fn)(void *ctx), void *ctx, struct fcgi_timer **ret);
/* `fn` once, after `ms`; starting again replaces the time. */
void fcgi_timer_start(struct fcgi_timer *t, uint64_t ms);
void fcgi_timer_stop(struct fcgi_timer *t);
/* No call comes any more; the loop must run on until the handle is closed.  NULL is fine. */
void fcgi_timer_free(struct fcgi_timer *t);
