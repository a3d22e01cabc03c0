/* health.c - GET /_healthz and GET /metrics. */
#include "fcgi/responder.h"

bool
mirror_is_complete(struct snap_view *v)
{
	static const char *const families[] = { "issues", "comments", "events", "reviews",
		"pulls", "review_comments" };
	struct snap_sync s;

	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
		if (snap_sync_get(v, slice_str(families[i]), &s) != 0 || !s.complete)
			return false;
	}
	return true;
}

/* Ready as soon as there is something to answer from, complete or not. */
void
handle_health(struct exchange *x)
{
	struct snap_view *v;
	int rc = responder_view(x->r, &v, &x->ei);

	if (rc != 0) {
		answer_error(x, rc == ERR_NOENT ? ERR_UNAVAILABLE : rc);
		return;
	}
	buf_fmt(x->req->out, "{\"status\":\"ok\",\"complete\":%s}",
	    mirror_is_complete(v) ? "true" : "false");
	snap_view_end(v);
	answer_json(x);
}

static void
repository_metrics(struct snap_view *v, struct buf *out)
{
	struct snap_repo r;

	if (snap_repo_get(v, &r) != 0)
		return;
	buf_fmt(out,
	    "# HELP maintner_fcgi_issues Issues that the snapshot lists.\n"
	    "# TYPE maintner_fcgi_issues gauge\n"
	    "maintner_fcgi_issues{kind=\"issue\",state=\"open\"} %llu\n"
	    "maintner_fcgi_issues{kind=\"issue\",state=\"closed\"} %llu\n"
	    "maintner_fcgi_issues{kind=\"pull_request\",state=\"open\"} %llu\n"
	    "maintner_fcgi_issues{kind=\"pull_request\",state=\"closed\"} %llu\n",
	    (unsigned long long)r.counts[SNAP_CLASS_OPEN_ISSUE],
	    (unsigned long long)r.counts[SNAP_CLASS_CLOSED_ISSUE],
	    (unsigned long long)r.counts[SNAP_CLASS_OPEN_PULL],
	    (unsigned long long)r.counts[SNAP_CLASS_CLOSED_PULL]);
}

void
handle_metrics(struct exchange *x)
{
	struct buf *out = x->req->out;
	struct snap_view *v;

	buf_str(out, "# HELP maintner_fcgi_answers_total Answers by class of status.\n"
		     "# TYPE maintner_fcgi_answers_total counter\n");
	for (int c = 2; c <= 5; c++)
		buf_fmt(out, "maintner_fcgi_answers_total{status=\"%dxx\"} %llu\n", c,
		    (unsigned long long)atomic_load(&x->r->answers[c]));
	buf_fmt(out,
	    "# HELP maintner_fcgi_answers_kept_total Answers that were given again from "
	    "memory.\n"
	    "# TYPE maintner_fcgi_answers_kept_total counter\n"
	    "maintner_fcgi_answers_kept_total %llu\n",
	    (unsigned long long)atomic_load(&x->r->from_cache));
	if (responder_view(x->r, &v, &x->ei) == 0) {
		repository_metrics(v, out);
		snap_view_end(v);
	}
	request_reply(x->req, 200, "text/plain; version=0.0.4", NULL, out);
}
