/*
 * made_text.h - seeded numbers and texts for made logs: the same seed gives the same
 * bytes on every machine.  Knows nothing of GitHub or of the log.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* A splitmix64 generator; seed it with made_rng(). */
struct made_rng {
	uint64_t state;
};

/* A generator for one thing: `a` and `b` tell it apart from others of the same seed. */
struct made_rng made_rng(uint64_t seed, uint64_t a, uint64_t b);
uint64_t made_next(struct made_rng *r);
uint32_t made_below(struct made_rng *r, uint32_t limit); /* 0 .. limit - 1; limit > 0 */
/* How often in a row chance `mean / (mean + 1)` holds: a skewed count with that mean. */
uint32_t made_count(struct made_rng *r, double mean);
/* Small numbers are much likelier than large ones, as with people: 0 .. limit - 1. */
uint32_t made_skewed(struct made_rng *r, uint32_t limit);

#define MADE_TEXT_MAX 8192

/*
 * Markdown of about `mean` bytes on average (skewed, at most MADE_TEXT_MAX - 1) into
 * `out`: lines, CRLF here and there, quotation marks, code, some UTF-8.
 */
size_t made_text(struct made_rng *r, double mean, char out[MADE_TEXT_MAX]);
/* A line of `words` words. */
size_t made_title(struct made_rng *r, unsigned words, char out[256]);
/* 40 hex digits and a NUL. */
void made_commit(struct made_rng *r, char out[41]);
