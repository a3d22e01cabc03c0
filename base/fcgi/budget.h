/*
 * budget.h - what the clients of one loop share: a cap on their connections, and the
 * buffer that they read into.
 *
 * When the cap is reached, the connection that has been idle longest, whoever's it is,
 * makes room; when none is idle, who needs one waits until one is.  All functions belong
 * to the loop's thread.
 */
#pragma once

#include <stddef.h>

struct fcgi_budget;

struct fcgi_budget_stats {
	unsigned conns;        /* open or being opened, of all clients */
	unsigned long made;    /* how many were opened so far */
	unsigned long evicted; /* closed while idle to make room */
};

/* ERR_NOMEM. */
int fcgi_budget_new(unsigned conns_max, struct fcgi_budget **ret);
/* The memory goes with the last client that uses it.  NULL is fine. */
void fcgi_budget_free(struct fcgi_budget *b);

/* How much is read at a time from now on [64 KiB, which is also the most]. */
void fcgi_budget_set_read(struct fcgi_budget *b, size_t bytes);
void fcgi_budget_stats(const struct fcgi_budget *b, struct fcgi_budget_stats *ret);
