/*
 * slo.c - GET /api/v1/{owner}/{repo}/slo: the rules of the repository's own file, and
 * until when each issue that one of them applies to is compliant.
 *
 * A page ends after as many issues looked at as a page may cost, even if few or none of
 * them are in it: nextPageToken tells whether others follow.
 */
#include <string.h>

#include "base/json_text.h"
#include "fcgi/json_child.h"
#include "fcgi/page_token.h"
#include "fcgi/responder.h"
#include "fcgi/slo/slo_check.h"

#define SLO_FILE ".github/issue_slo_rules.json"
#define ISSUES_LOOKED_AT 5000

/* One page being made. */
struct slo_page {
	struct exchange *x;
	struct snap_repo repo;
	struct slice owner;
	struct slo_rules rules;
	int64_t now_ms;
	struct snap_list list;
	struct snap_list_pos last;
	uint32_t count, looked_at;
	bool more;
};

static int
read_rules(struct slo_page *p)
{
	struct err_info *ei = &p->x->ei;
	struct slice text = { 0 };
	int rc = snap_note_get(p->x->view, "slo_rules", &text);

	if (rc == ERR_NOENT || (rc == 0 && text.len == 0))
		return err_set(ei, ERR_NOENT, "%.*s has no " SLO_FILE, (int)p->repo.name.len,
		    p->repo.name.ptr);
	if (rc == 0)
		rc = slo_rules_parse(text, p->x->req->arena, &p->rules, ei);
	return rc == 0 ? 0 : err_wrap(ei, rc, SLO_FILE);
}

static void
add_texts(struct buf *out, const char *key, const struct slo_texts *t)
{
	buf_fmt(out, "\"%s\":[", key);
	for (size_t i = 0; i < t->count; i++) {
		buf_str(out, i > 0 ? ",\"" : "\"");
		buf_slice(out, t->items[i]);
		buf_char(out, '"');
	}
	buf_str(out, "],");
}

static void
add_rule(struct buf *out, const struct slo_rule *r)
{
	static const char *const contributors[] = { "", "OWNER", "ADMIN", "WRITE" };

	buf_char(out, '{');
	add_texts(out, "githubLabels", &r->labels);
	add_texts(out, "excludedGithubLabels", &r->excluded);
	buf_str(out, "\"priority\":\"");
	buf_slice(out, r->priority);
	buf_str(out, "\",\"issueType\":\"");
	buf_slice(out, r->issue_type);
	buf_fmt(out, "\",\"responseTime\":\"%llds\",\"resolutionTime\":\"%llds\",",
	    (long long)(r->response_ms / 1000), (long long)(r->resolution_ms / 1000));
	add_texts(out, "responders", &r->users);
	buf_fmt(out,
	    "\"contributors\":\"%s\",\"requiresAssignee\":%s,\"appliesToIssues\":%s,"
	    "\"appliesToPrs\":%s}",
	    contributors[r->contributors], r->requires_assignee ? "true" : "false",
	    r->issues ? "true" : "false", r->pulls ? "true" : "false");
}

static void
add_rules(struct slo_page *p)
{
	struct buf *out = p->x->req->out;

	buf_str(out, "{\"rules\":[");
	for (size_t i = 0; i < p->rules.count; i++) {
		if (i > 0)
			buf_char(out, ',');
		add_rule(out, &p->rules.items[i]);
	}
	buf_str(out, "],\"now\":");
	json_time(p->now_ms, out);
}

static void
add_verdict(struct slo_page *p, const struct snap_issue *i, const struct slo_verdict *v)
{
	static const enum snap_member shown[] = { SNAP_M_NAME, SNAP_M_ISSUE_ID, SNAP_M_URL,
		SNAP_M_TITLE, SNAP_M_IS_PR, SNAP_M_CLOSED, SNAP_M_CREATED_AT };
	struct buf *out = p->x->req->out;

	buf_str(out, p->count++ > 0 ? ",{" : "{");
	for (size_t m = 0; m < sizeof(shown) / sizeof(shown[0]); m++) {
		buf_slice(out, snap_issue_member(i, shown[m]));
		buf_char(out, ',');
	}
	buf_fmt(out, "\"compliant\":%s,\"compliantUntil\":", v->compliant ? "true" : "false");
	json_time(v->until_ms, out);
	buf_str(out, ",\"respondedAt\":");
	json_time(v->responded_ms, out);
	buf_fmt(out, ",\"rule\":%zu,\"requirement\":\"%s\"}", v->rule,
	    slo_requirement_name(v->requirement));
}

static bool
is_wanted(const struct params *p, const struct slo_verdict *v)
{
	return v->applies && (p->compliant < 0 || (p->compliant != 0) == v->compliant);
}

static int
look_at(struct slo_page *p, uint32_t number)
{
	struct snap_issue issue;
	struct slo_verdict v;
	int rc = snap_issue_get(p->x->view, number, &issue);

	if (rc == 0)
		rc = slo_check(p->x->view, p->owner, &p->rules, &issue, p->now_ms, &v);
	if (rc == 0 && is_wanted(&p->x->params, &v))
		add_verdict(p, &issue, &v);
	return rc == ERR_NOENT ? ERR_CORRUPT : rc;
}

static int
add_page(struct slo_page *p)
{
	struct snap_list_pos pos;
	int rc;

	buf_str(p->x->req->out, ",\"issues\":[");
	while ((rc = snap_list_next(&p->list, &pos)) == 0) {
		if (p->count == p->x->params.page_size || p->looked_at == ISSUES_LOOKED_AT) {
			p->more = true;
			return 0;
		}
		p->looked_at++;
		rc = look_at(p, pos.number);
		if (rc != 0)
			return rc;
		p->last = pos;
	}
	return rc == ERR_NOENT ? 0 : rc;
}

/* Issues that are closed have nothing left to do: they are shown only when asked for. */
static unsigned
classes_of(const struct params *p)
{
	unsigned open = 1U << SNAP_CLASS_OPEN_ISSUE | 1U << SNAP_CLASS_OPEN_PULL;

	return p->closed_given ? p->classes : p->classes & open;
}

/* What a page token is bound to besides the usual. */
static int
token_scope(struct exchange *x, struct slice *ret)
{
	char *text = arena_alloc(x->req->arena, x->req->path.len + 2);

	if (text == NULL)
		return ERR_NOMEM;
	memcpy(text, x->req->path.ptr, x->req->path.len);
	text[x->req->path.len] = "?01"[x->params.compliant + 1];
	*ret = (struct slice){ text, x->req->path.len + 1 };
	return 0;
}

static int
make_page(struct slo_page *p)
{
	struct exchange *x = p->x;
	struct snap_list_pos after;
	struct slice scope = { 0 };
	char token[PAGE_TOKEN_TEXT] = "";
	bool resumed = x->params.page_token.len > 0;
	int rc = read_rules(p);

	if (rc == 0)
		rc = token_scope(x, &scope);
	if (rc == 0 && resumed)
		rc = page_token_parse(x->params.page_token, &x->params, scope, &after, &x->ei);
	if (rc == 0)
		rc = snap_list_begin(x->view, x->params.order, x->params.descending,
		    classes_of(&x->params), resumed ? &after : NULL, &p->list);
	if (rc != 0)
		return rc;
	add_rules(p);
	rc = add_page(p);
	if (rc == 0 && p->more)
		page_token_make(&x->params, scope, p->last, token);
	buf_fmt(x->req->out, "],\"nextPageToken\":\"%s\"}", token);
	return rc;
}

void
handle_slo(struct exchange *x)
{
	struct slo_page p = { .x = x, .now_ms = clock_real_ms() };
	int rc;

	if (!exchange_is_ours(x, &p.repo))
		return;
	p.owner = (struct slice){ p.repo.name.ptr, x->match.owner.len };
	rc = make_page(&p);
	if (rc == 0)
		answer_json(x);
	else
		answer_error(x, rc);
}
