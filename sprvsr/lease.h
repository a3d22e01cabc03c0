/*
 * lease.h - which replica leads: a Lease of coordination.k8s.io/v1, changed only in the
 * version that was read.  Others' renewals are timed on this machine's monotonic clock.
 */
#pragma once

#include "sprvsr/k8s_client.h"

#define LEASE_S 12          /* without a renewal for so long, it is free */
#define LEASE_VALID_MS 8000 /* the holder trusts its own renewal for less */
#define LEASE_RETRY_MS 2000

struct lease {
	struct k8s_client *client;
	const char *namespace_name, *name;
	char identity[160];
	json_t *object;  /* as it was last seen; NULL: not known */
	char seen[64];   /* its version */
	int64_t seen_ms; /* since when it has that version */
	int64_t valid_until_ms;
};

/* The texts are borrowed. */
void lease_init(
    struct lease *l, struct k8s_client *client, const char *namespace_name, const char *name);
void lease_clear(struct lease *l);

/*
 * Take it or renew it.  0: this one leads until valid_until_ms; ERR_BUSY: another one
 * does; others: unknown, and what was valid goes on for its time.
 */
int lease_try(struct lease *l, struct err_info *ei);
/* Who held it when it was last seen, "" for nobody; valid until the next call. */
const char *lease_holder(const struct lease *l);
/* Give it up at once, so that another one need not wait. */
int lease_release(struct lease *l, struct err_info *ei);
