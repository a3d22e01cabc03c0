/* issue.c - GET /api/v1/{owner}/{repo}/issues/{number}. */
#include "fcgi/json_issue.h"
#include "fcgi/responder.h"

/* 1 .. 2^31 - 1 in decimal without leading zeros; 0 for anything else. */
static uint32_t
parse_number(struct slice text)
{
	uint64_t n = 0;

	if (text.len == 0 || text.len > 10 || text.ptr[0] == '0')
		return 0;
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] < '0' || text.ptr[i] > '9')
			return 0;
		n = n * 10 + (uint64_t)(text.ptr[i] - '0');
	}
	return n <= INT32_MAX ? (uint32_t)n : 0;
}

void
handle_issue(struct exchange *x)
{
	struct snap_repo repo;
	struct snap_issue issue;
	uint32_t number;
	int rc;

	if (!exchange_is_ours(x, &repo))
		return;
	number = parse_number(x->match.number);
	if (number == 0) {
		answer_status(x, 400, 3, "an issue's number is a whole number from 1", NULL);
		return;
	}
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
		rc = json_issue(x->view, &issue, x->params.fields, x->req->arena, x->req->out);
	buf_char(x->req->out, '}');
	if (rc == 0)
		answer_json(x);
	else
		answer_error(x, rc);
}
