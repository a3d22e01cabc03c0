/* issues.c - GET /api/v1/{owner}/{repo}/issues: one page of a list. */
#include "fcgi/json_issue.h"
#include "fcgi/page_token.h"
#include "fcgi/responder.h"

static uint64_t
total_of(const struct snap_repo *repo, unsigned classes)
{
	uint64_t total = 0;

	for (unsigned c = 0; c < SNAP_CLASS_COUNT; c++)
		total += (classes & (1U << c)) != 0 ? repo->counts[c] : 0;
	return total;
}

/* Fill the page; *ret_last is the last issue in it, *ret_more if others follow. */
static int
add_page(
    struct exchange *x, struct snap_list *list, struct snap_list_pos *ret_last, bool *ret_more)
{
	struct buf *out = x->req->out;
	struct snap_list_pos pos;
	struct snap_issue issue;
	uint32_t count = 0;
	int rc;

	*ret_more = false;
	while ((rc = snap_list_next_issue(list, &pos, &issue)) == 0) {
		if (count == x->params.page_size || out->len >= RESPONDER_PAGE_BYTES) {
			*ret_more = true;
			return 0;
		}
		if (count++ > 0)
			buf_char(out, ',');
		rc = json_issue_picked(
		    x->view, &issue, x->params.fields, &x->params.paths, x->req->arena, out);
		if (rc != 0)
			return rc;
		*ret_last = pos;
	}
	return rc == ERR_NOENT ? 0 : rc;
}

static int
list_issues(struct exchange *x, const struct snap_repo *repo)
{
	struct snap_list_pos after, last = { 0 };
	struct snap_list list;
	char token[PAGE_TOKEN_TEXT] = "";
	bool more = false, resumed = x->params.page_token.len > 0;
	int rc = 0;

	if (resumed)
		rc = page_token_parse(
		    x->params.page_token, &x->params, repo->name, &after, &x->ei);
	if (rc == 0)
		rc = snap_list_begin(x->view, x->params.order, x->params.descending,
		    x->params.classes, resumed ? &after : NULL, &list);
	if (rc != 0)
		return rc;
	buf_str(x->req->out, "{\"issues\":[");
	rc = add_page(x, &list, &last, &more);
	if (rc != 0)
		return rc;
	if (more)
		page_token_make(&x->params, repo->name, last, token);
	buf_fmt(x->req->out, "],\"nextPageToken\":\"%s\",\"total\":%llu}", token,
	    (unsigned long long)total_of(repo, x->params.classes));
	return 0;
}

void
handle_issues(struct exchange *x)
{
	struct snap_repo repo;
	int rc;

	if (!exchange_is_ours(x, &repo))
		return;
	if (x->params.filter.len > 0) {
		answer_status(x, 501, 12, "filter is not available in this version", NULL);
		return;
	}
	rc = list_issues(x, &repo);
	if (rc == 0)
		answer_json(x);
	else
		answer_error(x, rc);
}
