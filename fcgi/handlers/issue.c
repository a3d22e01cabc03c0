/* issue.c - GET /api/v1/{owner}/{repo}/issues/{number}. */
#include "fcgi/json_issue.h"
#include "fcgi/responder.h"

void
handle_issue(struct exchange *x)
{
	struct snap_repo repo;
	struct snap_issue issue;
	int rc;

	if (!exchange_is_ours(x, &repo) || !exchange_issue(x, &repo, &issue) ||
	    exchange_unchanged(x, &repo))
		return;
	buf_str(x->req->out, "{\"issue\":");
	rc = json_issue_picked(
	    x->view, &issue, x->params.fields, &x->params.paths, x->req->arena, x->req->out);
	buf_char(x->req->out, '}');
	if (rc == 0)
		answer_json(x);
	else
		answer_error(x, rc);
}
