/*
 * deliveries.h - which webhook deliveries were seen: GitHub and people send them again.
 * Bounded: the oldest is forgotten for a new one.  Pure.
 */
#pragma once

#include <stdbool.h>

#include "base/bytes.h"

#define DELIVERIES_MAX 4096

struct deliveries {
	uint64_t ids[DELIVERIES_MAX]; /* the start of each id's SHA-256; 0 is no id */
	unsigned next;
};

/* True if `id` was added before and is not forgotten; else it is added. */
bool deliveries_seen(struct deliveries *d, struct slice id);
