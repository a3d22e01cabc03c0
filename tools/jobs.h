/*
 * jobs.h - the same work for many things, on a few threads.
 */
#pragma once

#include <stddef.h>

#include "base/err.h"

#define JOBS_THREADS_MAX 64

/*
 * Call work(ctx, i) once for each i below `count`, on up to `threads` threads at once (in
 * the caller's, if no other can be had); returns when all calls have.  `work` must guard
 * what it shares.
 */
void jobs_run(size_t count, size_t threads, void (*work)(void *ctx, size_t i), void *ctx);
