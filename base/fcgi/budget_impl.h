/* budget_impl.h - the inside of budget.h, for the client's files and their tests. */
#pragma once

#include <stdbool.h>

#include "base/fcgi/budget.h"
#include "base/fcgi/link.h"

struct fcgi_budget {
	unsigned conns_max;
	struct fcgi_budget_stats stats;
	struct link idle;    /* client_conn.idle_link, idle longest first */
	struct link starved; /* fcgi_client.starved_link, in the order they came */
	char *read_bytes;
	size_t read_len;
	unsigned holders; /* clients, and the owner until fcgi_budget_free() */
	bool pumping;
};

/* NULL is fine in all of them. */
void budget_hold(struct fcgi_budget *b);
void budget_release(struct fcgi_budget *b);

static inline size_t
budget_read_len(const struct fcgi_budget *b, size_t dflt)
{
	return b != NULL ? b->read_len : dflt;
}
