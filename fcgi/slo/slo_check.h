/*
 * slo_check.h - what the rules say of one issue: until when it is compliant, and which
 * rule decides that.
 */
#pragma once

#include "fcgi/slo/slo_rules.h"
#include "lmdb-schema/snap_read.h"

enum slo_requirement {
	SLO_NOTHING, /* every rule that applies is met, whatever time passes */
	SLO_RESPONSE,
	SLO_RESOLUTION,
	SLO_ASSIGNEE,
};

struct slo_verdict {
	bool applies;     /* some rule does; else the rest means nothing */
	bool compliant;   /* at the time asked about */
	int64_t until_ms; /* when it ceases or ceased to be compliant; TIME_NONE = never */
	int64_t
	    responded_ms; /* the first answer of a responder of the deciding rule; TIME_NONE */
	size_t rule;      /* index of the rule that decides */
	enum slo_requirement requirement;
};

/* "RESPONSE" ...; "" for SLO_NOTHING. */
const char *slo_requirement_name(enum slo_requirement r);

/*
 * Check an issue at `now_ms` (Unix time).  Names are compared without regard to case.
 * ERR_CORRUPT.
 *
 * An answer is a comment, review or line comment by somebody other than the reporter
 * who is the repository's owner, is named by the rule, or whose association with the
 * repository the rule takes.  An answer that came late meets the rule from then on, and
 * so does closing for the time to resolve it.
 */
int slo_check(struct snap_view *v, struct slice owner, const struct slo_rules *rules,
    const struct snap_issue *i, int64_t now_ms, struct slo_verdict *ret);
