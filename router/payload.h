/*
 * payload.h - repository.full_name out of a webhook's payload, as it streams by.
 *
 * A payload may have 25 MB, and of all that one member counts.  So only the text of the
 * top-level member "repository" is kept, and that is what the JSON parser gets.  Pure.
 */
#pragma once

#include "base/buf.h"
#include "base/repo_list.h"

#define PAYLOAD_KEPT_MAX ((size_t)64 << 10) /* GitHub's repository objects have about 7 KB */

struct payload {
	struct buf kept; /* the member's value */
	unsigned depth;
	bool in_text, escaped;
	bool key_done; /* the text that just ended may be a key at the top */
	bool keeping;
	bool found;     /* the value is complete; a second one is ignored */
	bool over;      /* it was too long */
	size_t matched; /* characters of the text that are the key's so far, or NO_MATCH */
};

void payload_init(struct payload *p);
void payload_clear(struct payload *p);
void payload_add(struct payload *p, struct slice piece);

/*
 * At the end.  ERR_NOENT when there is no repository (GitHub sends such events), ERR_PROTO
 * when it is not an object with a legal full_name, ERR_LIMIT.
 */
int payload_name(const struct payload *p, char ret[REPO_NAME_MAX + 1], struct err_info *ei);
