/*
 * swpr_hub.h - what GitHub says of one repository: whether it is there, which numbers it
 * has, and of a single number.
 */
#pragma once

#include "sync/github/gh_client.h"
#include "tools/swpr_state.h"

#define SWPR_DESTINATION_MAX 224 /* "owner/repo/number" and a NUL */

struct swpr_hub {
	struct gh *gh;              /* borrowed */
	char owner[128], name[128]; /* as GitHub calls the repository now */
	int64_t now_ms;        /* GitHub's clock at its last answer to _health() or _look() */
	uint64_t requests_max; /* of gh_stats(): past it nothing more is asked */
	/* Told after each page of the listing and each number asked for; may be NULL. */
	void (*on_step)(void *ctx, const char *doing, size_t count);
	void *ctx;
	size_t looked; /* numbers asked for */
};

void swpr_hub_init(struct swpr_hub *h, struct gh *gh, const struct repo_entry *e);

/* True when the budget is used up. */
bool swpr_hub_spent(const struct swpr_hub *h);

/*
 * Is the repository there, readable, and are its issues on?  Else ERR_NOENT, ERR_DENIED or
 * ERR_GONE (issues off), or what gh_get() met.
 */
int swpr_hub_health(struct swpr_hub *h, struct err_info *ei);

/*
 * Go on with the listing until it is complete or the budget is used up; *ret_done tells
 * which.  By GraphQL a hundred numbers a request and nothing else, by REST where there is
 * none.  Afterwards `l->seen` is sorted.  A listing that was completed before is done at
 * once: its owner resets it when it was made use of.
 */
int swpr_hub_list(
    struct swpr_hub *h, struct swpr_listing *l, bool *ret_done, struct err_info *ei);

/*
 * Ask for one number; `moved_to` is "" unless *ret is SWPR_MOVED.  When it was seen so is
 * in h->now_ms.
 */
int swpr_hub_look(struct swpr_hub *h, uint32_t number, enum swpr_sight *ret,
    char moved_to[SWPR_DESTINATION_MAX], struct err_info *ei);
