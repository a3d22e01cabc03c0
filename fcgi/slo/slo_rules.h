/*
 * slo_rules.h - service level objectives: what `.github/issue_slo_rules.json` asks for.
 *
 * The form is that of drghs and of Google's slo-stat-bot
 * (https://github.com/googleapis/repo-automation-bots/tree/main/packages/slo-stat-bot):
 * an array of {appliesTo: {gitHubLabels, excludedGitHubLabels, priority, issueType, issues
 * [true], prs [false]}, complianceSettings: {responseTime, resolutionTime,
 * requiresAssignee, responders: {owners, contributors, users}}}.  Labels and owners are a
 * text or an array of texts; a time is a number of seconds or a text such as "2d12h"; 0
 * asks for nothing.  Members that are not named here are ignored.
 */
#pragma once

#include <stdbool.h>

#include "base/arena.h"
#include "base/err.h"

#define SLO_RULES_MAX 200              /* rules in a file */
#define SLO_TEXTS_MAX 500              /* labels or users in a list of a rule */
#define SLO_FILE_MAX ((size_t)1 << 20) /* bytes of a file */

struct slo_texts {
	struct slice *items; /* as they stand in JSON: escaped */
	size_t count;
};

/* Whose answer counts, by GitHub's association with the repository. */
enum slo_contributors {
	SLO_NOBODY_ELSE,
	SLO_OWNER, /* only the repository's owner */
	SLO_ADMIN, /* no association tells admins apart: owners and members */
	SLO_WRITE, /* collaborators, too */
};

struct slo_rule {
	struct slo_texts labels, excluded;
	struct slice priority;              /* "P0".. in upper case; empty = any */
	struct slice issue_type;            /* as the API has it, e.g. "BUG"; empty = any */
	bool issues, pulls;                 /* what it applies to */
	int64_t response_ms, resolution_ms; /* 0 = not asked for */
	bool requires_assignee;
	struct slo_texts users;
	enum slo_contributors contributors;
};

struct slo_rules {
	struct slo_rule *items;
	size_t count;
};

/*
 * Parse a file; everything lives in `a`.  ERR_INVAL with the rule and member that is
 * wrong, ERR_LIMIT, ERR_NOMEM.
 */
int slo_rules_parse(
    struct slice text, struct arena *a, struct slo_rules *ret, struct err_info *ei);

/* "2d", "1h30m", "90s": days, hours, minutes, seconds, each at most once and in any order. */
int slo_duration_parse(struct slice text, int64_t *ret_ms);
