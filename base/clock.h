/*
 * clock.h - time: Unix milliseconds in UTC, and the monotonic clock for waits.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

#define TIME_NONE INT64_MIN /* "no time", sorts before every time */

int64_t clock_real_ms(void); /* Unix time */
int64_t clock_mono_ms(void); /* never goes back; meaningful as a difference only */

/* "2026-11-24T04:13:23Z" without the quotes, with ".mmm" when ms are not 0. */
#define TIME_TEXT_MAX 32
size_t time_format(int64_t ms, char out[TIME_TEXT_MAX]); /* returns its length */

/*
 * Parse an RFC 3339 time ("Z" or an offset, optional fraction; digits past
 * milliseconds are dropped).  ERR_INVAL for anything else.
 */
int time_parse(struct slice text, int64_t *ret_ms);

/* Parse an HTTP Date header (RFC 9110, IMF-fixdate).  ERR_INVAL otherwise. */
int time_parse_http(const char *text, int64_t *ret_ms);
