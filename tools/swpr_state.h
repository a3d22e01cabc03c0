/*
 * swpr_state.h - what a sweep must remember for the next one: numbers that GitHub did not
 * find once, listings that a budget or a stop cut short, and how far a run has come.
 *
 *   {"version":1,"runStartedMs":0,"repos":[{"repo":"o/r","sweptMs":1700000000000,
 *     "missing":[[number,firstMs,lastMs],...],
 *     "listing":{"part":"issues","next":"cursor","seen":"1-7,9"}},...]}
 *
 * Pure: time is an argument, bytes go in and out.
 */
#pragma once

#include "base/repo_list.h"
#include "tools/swpr_numbers.h"

#define SWPR_STATE_BYTES_MAX ((size_t)64 << 20)
#define SWPR_MISSING_MAX 1000000 /* of one repository */
#define SWPR_PART_MAX 16
#define SWPR_NEXT_MAX 4096 /* a cursor, or the URL of a page */

/* A number that GitHub did not find (404); times in Unix milliseconds of GitHub's clock. */
struct swpr_missing {
	uint32_t number;
	int64_t first_ms, last_ms;
};

/* How far the listing of what GitHub has, has come. */
struct swpr_listing {
	char part[SWPR_PART_MAX]; /* which listing; "" = not begun */
	char next[SWPR_NEXT_MAX]; /* where it goes on; "" = at its beginning */
	struct swpr_numbers seen;
};

struct swpr_repo_state {
	char name[REPO_NAME_MAX + 1];
	int64_t
	    swept_ms; /* end of the last complete sweep, by this machine's clock; 0: never */
	struct swpr_missing *missing; /* sorted by number, each once */
	size_t missing_count, missing_cap;
	struct swpr_listing listing;
};

struct swpr_state {
	int64_t run_started_ms; /* of a run that did not come to its end; else 0 */
	/* Sorted by name, whatever its case; what they point to stays until the end. */
	struct swpr_repo_state **repos;
	size_t count, cap;
};

/*
 * Read a state.  ERR_PROTO with what is wrong and where, ERR_VERSION, ERR_LIMIT, ERR_NOMEM.
 * `ret` is written on success and ended with swpr_state_clear().
 */
int swpr_state_parse(struct slice text, struct swpr_state *ret, struct err_info *ei);
/* Append it; repositories that there is nothing to say of are left out. */
void swpr_state_format(const struct swpr_state *s, struct buf *out);
void swpr_state_clear(struct swpr_state *s);

/* The state of a repository in any case, made if need be; the state's.  NULL: no memory. */
struct swpr_repo_state *swpr_state_repo(struct swpr_state *s, const char *name);

/* What GitHub says when it is asked for one number. */
enum swpr_sight {
	SWPR_PRESENT,
	SWPR_GONE,      /* 410 */
	SWPR_MOVED,     /* 301 to another repository */
	SWPR_NOT_FOUND, /* 404 */
};

enum swpr_verdict {
	SWPR_KEEP, /* it is there */
	SWPR_WAIT, /* it may be gone: ask again later */
	SWPR_BURY,
};

/*
 * Note what was seen at `now_ms` and judge: 410 and 301 are final, a 404 only when one was
 * seen `confirm_ms` before or earlier, and none but 404 between.  ERR_LIMIT
 * (SWPR_MISSING_MAX), ERR_NOMEM.
 */
int swpr_state_observe(struct swpr_repo_state *r, uint32_t number, enum swpr_sight sight,
    int64_t now_ms, int64_t confirm_ms, enum swpr_verdict *ret);
bool swpr_state_is_missing(const struct swpr_repo_state *r, uint32_t number);
/* Forget those that are in `numbers`, which is sorted. */
void swpr_state_forget(struct swpr_repo_state *r, const struct swpr_numbers *numbers);
/* Forget those that are not in `candidates`, sorted: they are listed again, or tombstoned. */
void swpr_state_prune(struct swpr_repo_state *r, const struct swpr_numbers *candidates);

/* The listing begins anew the next time. */
void swpr_listing_reset(struct swpr_listing *l);
