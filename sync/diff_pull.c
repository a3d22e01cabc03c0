/* diff_pull.c - what only the listing of pull requests tells. */
#include "sync/diff_internal.h"

/* Is `number` an issue that GitHub is known to have? */
static int
find_live(struct diff *d, uint32_t number, struct snap_issue *ret)
{
	int rc = snap_issue_get(d->view, number, ret);

	if (rc == 0 && (ret->flags & SNAP_ISSUE_NOT_EXIST) != 0)
		return ERR_NOENT;
	return rc;
}

int
diff_pull(struct diff *d, const json_t *pull, Maintpb__Mutation **ret, struct err_info *ei)
{
	struct json_in in = { .what = "pull request", .ei = ei };
	int64_t number = json_in_i64(&in, pull, "number");
	bool draft = json_in_opt_bool(&in, pull, "draft");
	int64_t merged = json_in_opt_time(&in, pull, "merged_at");
	struct snap_issue old;
	Maintpb__Mutation *m;
	int rc;

	if (in.err == 0 && (number <= 0 || number > INT32_MAX))
		json_in_fail(&in, "number", "is out of range");
	if (in.err != 0)
		return in.err;
	rc = find_live(d, (uint32_t)number, &old);
	if (rc != 0) {
		if (rc == ERR_NOENT)
			*ret = NULL;
		return rc == ERR_NOENT ? 0 : rc;
	}
	m = diff_issue_message(d, (uint32_t)number);
	if (m == NULL)
		return ERR_NOMEM;
	if (draft != ((old.flags & SNAP_ISSUE_DRAFT) != 0) &&
	    (m->github_issue->draft = diff_bool(d, draft)) == NULL)
		return ERR_NOMEM;
	if (merged != TIME_NONE && merged != snap_issue_merged_ms(&old) &&
	    (m->github_issue->merged_at = diff_time(d, merged)) == NULL)
		return ERR_NOMEM;
	*ret = m->github_issue->draft != NULL || m->github_issue->merged_at != NULL ? m : NULL;
	return 0;
}

int
diff_review_comments(struct diff *d, uint32_t number, const json_t *comments, bool whole,
    Maintpb__Mutation **ret, struct err_info *ei)
{
	(void)d;
	(void)number;
	(void)comments;
	(void)whole;
	(void)ei;
	*ret = NULL;
	return 0;
}
