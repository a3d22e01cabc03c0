/*
 * breaker.h - stop asking a backend that does not answer.  Pure: time is an argument.
 *
 *   closed     every request goes through
 *   open       after `failures_max` failures in a row: none does
 *   half-open  `retry_ms` later one may probe, and every `retry_ms` another one, until
 *              one succeeds; so a backend's return shows within retry_ms, however long
 *              an earlier probe hangs
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct breaker_opts {
	unsigned failures_max;
	int64_t retry_ms;
};

struct breaker {
	unsigned failures; /* in a row */
	bool open;
	int64_t probe_at_ms;
};

/* May a request go now?  In half-open state a true uses up the probe. */
bool breaker_allow(struct breaker *b, const struct breaker_opts *o, int64_t now_ms);
void breaker_success(struct breaker *b);
/* True if this one opened it. */
bool breaker_failure(struct breaker *b, const struct breaker_opts *o, int64_t now_ms);
/* For Retry-After: how long until a request may go, at least 1. */
int64_t breaker_wait_ms(const struct breaker *b, int64_t now_ms);
