/* issue.c - GET /api/v1/{owner}/{repo}/issues/{number}. */
#include "fcgi/json_issue.h"
#include "fcgi/responder.h"

void
handle_issue(struct exchange *x)
{
	struct snap_repo repo;
	struct snap_issue issue;
	uint64_t parsed;
	uint32_t number;
	int rc;

	if (!exchange_is_ours(x, &repo))
		return;
	if (!parse_decimal(x->match.number, INT32_MAX, &parsed) || parsed == 0) {
		answer_status(x, 400, 3, "an issue's number is a whole number from 1", NULL);
		return;
	}
	number = (uint32_t)parsed;
	rc = snap_issue_get(x->view, number, &issue);
	if (rc == 0 && (issue.flags & SNAP_ISSUE_NOT_EXIST) != 0)
		rc = ERR_NOENT;
	if (rc == ERR_NOENT) {
		err_set(&x->ei, rc, "%.*s has no issue %u", (int)repo.name.len, repo.name.ptr,
		    number);
		answer_error(x, rc);
		return;
	}
	buf_str(x->req->out, "{\"issue\":");
	if (rc == 0)
		rc = json_issue_picked(x->view, &issue, x->params.fields, &x->params.paths,
		    x->req->arena, x->req->out);
	buf_char(x->req->out, '}');
	if (rc == 0)
		answer_json(x);
	else
		answer_error(x, rc);
}
