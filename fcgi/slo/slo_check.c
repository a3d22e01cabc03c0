/* slo_check.c - rules against one issue, straight from the snapshot. */
#include "fcgi/slo/slo_check.h"

#include <strings.h>

/* What the parts of a check share. */
struct check {
	struct snap_view *view;
	struct slice owner;
	const struct snap_issue *issue;
};

const char *
slo_requirement_name(enum slo_requirement r)
{
	static const char *const names[] = { "", "RESPONSE", "RESOLUTION", "ASSIGNEE" };

	return names[r];
}

static bool
same_name(struct slice a, struct slice b)
{
	return a.len == b.len && strncasecmp(a.ptr, b.ptr, a.len) == 0;
}

static bool
is_among(struct slice name, const struct slo_texts *t)
{
	for (size_t i = 0; i < t->count; i++) {
		if (same_name(name, t->items[i]))
			return true;
	}
	return false;
}

/* --- does the rule apply? --- */

static int
has_label(const struct check *c, struct slice want, bool *ret)
{
	*ret = false;
	for (uint32_t at = 0; at < c->issue->label_count && !*ret; at++) {
		struct slice name;
		int rc = snap_label_name(c->view, snap_issue_label(c->issue, at), &name);

		if (rc != 0 && rc != ERR_NOENT)
			return rc;
		*ret = rc == 0 && same_name(name, want);
	}
	return 0;
}

/* Has it all of these labels, or (`none`) none of them? */
static int
labels_fit(const struct check *c, const struct slo_texts *labels, bool none, bool *ret)
{
	int rc = 0;

	*ret = true;
	for (size_t i = 0; i < labels->count && *ret && rc == 0; i++) {
		bool has = false;

		rc = has_label(c, labels->items[i], &has);
		*ret = has != none;
	}
	return rc;
}

/* `word` is empty, or the text of a stored member. */
static bool
member_is(const struct snap_issue *i, enum snap_member m, struct slice word)
{
	struct slice v = snap_issue_value(i, m);

	if (word.len == 0)
		return true;
	return v.len == word.len + 2 && same_name((struct slice){ v.ptr + 1, word.len }, word);
}

static int
applies(const struct check *c, const struct slo_rule *rule, bool *ret)
{
	bool pull = (c->issue->flags & SNAP_ISSUE_PULL) != 0;
	int rc = 0;

	*ret = (pull ? rule->pulls : rule->issues) &&
	       member_is(c->issue, SNAP_M_PRIORITY, rule->priority) &&
	       member_is(c->issue, SNAP_M_ISSUE_TYPE, rule->issue_type);
	if (*ret)
		rc = labels_fit(c, &rule->labels, false, ret);
	if (rc == 0 && *ret)
		rc = labels_fit(c, &rule->excluded, true, ret);
	return rc;
}

/* --- who answered? --- */

static bool
association_counts(struct slice association, enum slo_contributors c)
{
	if (slice_is(association, "OWNER"))
		return c >= SLO_OWNER;
	if (slice_is(association, "MEMBER"))
		return c >= SLO_ADMIN;
	return slice_is(association, "COLLABORATOR") && c >= SLO_WRITE;
}

/* The repository's owner, and whom the rule names. */
static bool
is_named(const struct check *c, const struct slo_rule *rule, int64_t user)
{
	struct slice login;

	return user != 0 && snap_user_login(c->view, user, &login) == 0 &&
	       (same_name(login, c->owner) || is_among(login, &rule->users));
}

static bool
is_answer(const struct check *c, const struct slo_rule *rule, enum snap_child_kind kind,
    const struct snap_child *child)
{
	const char *key = kind == SNAP_REVIEW ? "actorAssociation" : "authorAssociation";

	if (child->actor == snap_issue_reporter(c->issue))
		return false;
	return association_counts(snap_member_text(child->members, key), rule->contributors) ||
	       is_named(c, rule, child->actor);
}

static int
first_answer_of(const struct check *c, const struct slo_rule *rule, enum snap_child_kind kind,
    int64_t *first_ms)
{
	struct snap_child child;
	struct snap_walk w;
	int rc = snap_walk_begin(c->view, kind, c->issue->number, &w);

	while (rc == 0 && (rc = snap_walk_next(&w, &child)) == 0) {
		bool earlier = *first_ms == TIME_NONE || child.created_ms < *first_ms;

		if (child.created_ms != TIME_NONE && earlier &&
		    is_answer(c, rule, kind, &child))
			*first_ms = child.created_ms;
	}
	return rc == ERR_NOENT ? 0 : rc;
}

static int
first_answer(const struct check *c, const struct slo_rule *rule, int64_t *ret_ms)
{
	static const enum snap_child_kind kinds[] = { SNAP_COMMENT, SNAP_REVIEW,
		SNAP_REVIEW_COMMENT };
	int rc = 0;

	*ret_ms = TIME_NONE;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]) && rc == 0; i++)
		rc = first_answer_of(c, rule, kinds[i], ret_ms);
	return rc;
}

/*
 * Whoever may be assigned has a part in the repository, so that where a rule takes
 * contributors, any assignee will do.
 */
static bool
has_assignee(const struct check *c, const struct slo_rule *rule)
{
	for (uint32_t at = 0; at < c->issue->assignee_count; at++) {
		if (rule->contributors >= SLO_ADMIN ||
		    is_named(c, rule, snap_issue_assignee(c->issue, at)))
			return true;
	}
	return false;
}

/* --- verdicts --- */

static void
ends(struct slo_verdict *v, enum slo_requirement requirement, int64_t at_ms)
{
	if (v->until_ms != TIME_NONE && v->until_ms <= at_ms)
		return;
	v->until_ms = at_ms;
	v->requirement = requirement;
}

static int
check_rule(const struct check *c, const struct slo_rule *rule, struct slo_verdict *ret)
{
	int64_t created = snap_issue_created_ms(c->issue);
	bool closed = (c->issue->flags & SNAP_ISSUE_CLOSED) != 0;
	int rc = 0;

	*ret = (struct slo_verdict){
		.applies = true, .until_ms = TIME_NONE, .responded_ms = TIME_NONE
	};
	if (created == TIME_NONE)
		return 0;
	if (rule->response_ms > 0) {
		rc = first_answer(c, rule, &ret->responded_ms);
		if (rc == 0 && ret->responded_ms == TIME_NONE && !closed)
			ends(ret, SLO_RESPONSE, created + rule->response_ms);
	}
	if (rule->resolution_ms > 0 && !closed)
		ends(ret, SLO_RESOLUTION, created + rule->resolution_ms);
	if (rule->requires_assignee && !closed && !has_assignee(c, rule))
		ends(ret, SLO_ASSIGNEE, created);
	return rc;
}

static bool
decides(const struct slo_verdict *v, const struct slo_verdict *before)
{
	if (!before->applies || v->until_ms == TIME_NONE)
		return !before->applies;
	return before->until_ms == TIME_NONE || v->until_ms < before->until_ms;
}

int
slo_check(struct snap_view *v, struct slice owner, const struct slo_rules *rules,
    const struct snap_issue *i, int64_t now_ms, struct slo_verdict *ret)
{
	struct check c = { v, owner, i };
	struct slo_verdict found = { 0 }, one;
	int rc = 0;

	for (size_t n = 0; n < rules->count && rc == 0; n++) {
		bool apply = false;

		rc = applies(&c, &rules->items[n], &apply);
		if (rc == 0 && apply)
			rc = check_rule(&c, &rules->items[n], &one);
		if (rc != 0 || !apply)
			continue;
		one.rule = n;
		if (decides(&one, &found))
			found = one;
	}
	if (rc != 0)
		return rc;
	found.compliant = found.until_ms == TIME_NONE || found.until_ms > now_ms;
	if (!found.applies)
		found.until_ms = found.responded_ms = TIME_NONE;
	*ret = found;
	return 0;
}
