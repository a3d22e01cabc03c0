/*
 * repositories.c - GET /api/v1/owners/{owner}/repositories: a pod knows one
 * repository; the router gathers these answers from many pods.
 */
#include <strings.h>

#include "base/json_text.h"
#include "fcgi/responder.h"

/* Owner "-" stands for all. */
static bool
is_owner(struct slice want, struct slice name)
{
	if (slice_is(want, "-"))
		return true;
	return name.len > want.len && name.ptr[want.len] == '/' &&
	       strncasecmp(want.ptr, name.ptr, want.len) == 0;
}

void
handle_repositories(struct exchange *x)
{
	struct buf *out = x->req->out;
	struct snap_repo r;
	bool listed;
	int rc = snap_repo_get(x->view, &r);

	if (rc != 0) {
		answer_error(x, rc);
		return;
	}
	listed = is_owner(x->match.owner, r.name);
	buf_str(out, "{\"repositories\":[");
	if (listed) {
		buf_str(out, "{\"name\":");
		json_text_quote(out, r.name);
		buf_fmt(out, ",\"issueCount\":%llu,\"pullRequestCount\":%llu}",
		    (unsigned long long)(r.counts[SNAP_CLASS_OPEN_ISSUE] +
					 r.counts[SNAP_CLASS_CLOSED_ISSUE]),
		    (unsigned long long)(r.counts[SNAP_CLASS_OPEN_PULL] +
					 r.counts[SNAP_CLASS_CLOSED_PULL]));
	}
	buf_fmt(out, "],\"nextPageToken\":\"\",\"total\":%d}", listed ? 1 : 0);
	answer_json(x);
}
