/*
 * poke.h - short requests of our own, whose answers nobody waits for.
 */
#pragma once

#include "router/router.h"

#define POKES_MAX 64          /* at once; more are dropped, since polling finds everything */
#define SPRVSR_EVERY_MS 10000 /* at most so often is the supervisor told */

/* POST /internal/v1/sync to a repository's sync daemon: one at a time, and one after it. */
void poke_sync(struct router *rt, struct backend *b);

/* End all of them, without their answers. */
void poke_cancel_all(struct router *rt);

/* POST /api/v1/update to the supervisor, now or as soon as it may be. */
void poke_sprvsr(struct router *rt);
