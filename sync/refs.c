/* refs.c - the repository's labels and milestones: short lists, read whole. */
#include <string.h>

#include "sync/syncer_internal.h"

struct refs_job {
	struct syncer *s;
	enum status_family f;
	const json_t *items;
	struct family_state st;
	struct err_info *ei;
};

static int
commit_refs(struct mirror_txn *t, void *ctx)
{
	struct refs_job *job = ctx;
	Maintpb__Mutation *m = NULL;
	struct diff d;
	int rc;

	txn_diff(job->s, t, &d);
	if (job->f == STATUS_LABELS)
		rc = diff_labels(&d, job->items, &m, job->ei);
	else
		rc = diff_milestones(&d, job->items, &m, job->ei);
	if (rc == 0)
		rc = mirror_add(t, m);
	diff_clear(&d);
	family_store(t->snap, job->f, &job->st);
	return rc;
}

/* Pages behind the first are added to `items`. */
static int
rest_of(struct syncer *s, const char *next, json_t *items, struct err_info *ei)
{
	char url[GH_URL_MAX];
	int rc = 0;

	memcpy(url, next, sizeof(url));
	while (rc == 0 && url[0] != '\0') {
		struct gh_page page;

		rc = gh_get(s->gh, url, NULL, true, &page, ei);
		if (rc != 0)
			break;
		json_array_extend(items, page.doc);
		memcpy(url, page.next, sizeof(url));
		gh_page_clear(&page);
	}
	return rc;
}

static int
walk_ref(struct syncer *s, enum status_family f, const char *path, struct err_info *ei)
{
	struct refs_job job = { .s = s, .f = f, .ei = ei };
	char url[GH_URL_MAX];
	struct gh_page page;
	int rc = family_load(s, f, &job.st);

	if (rc == 0)
		rc = gh_url(s->gh, url, "/repos/%s/%s/%s", s->owner, s->repo, path);
	if (rc == 0)
		rc = gh_get(s->gh, url, family_etag(s, &job.st), true, &page, ei);
	if (rc != 0)
		return rc;
	job.st.server_date_ms = job.st.watermark_ms = page.server_date_ms;
	job.st.complete = true;
	if (page.not_modified)
		return family_save(s, f, &job.st, ei);
	family_set_etag(s, &job.st, page.etag);
	rc = rest_of(s, page.next, page.doc, ei);
	job.items = page.doc;
	if (rc == 0)
		rc = mirror_commit(s->mirror, commit_refs, &job, ei);
	pthread_mutex_lock(&s->status->lock);
	s->status->families[f].done = json_array_size(page.doc);
	pthread_mutex_unlock(&s->status->lock);
	gh_page_clear(&page);
	return rc;
}

int
walk_refs(struct syncer *s, struct err_info *ei)
{
	int rc;

	status_set_phase(s->status, "labels");
	rc = walk_ref(s, STATUS_LABELS, "labels?per_page=100", ei);
	if (rc == 0)
		rc = walk_ref(s, STATUS_MILESTONES, "milestones?state=all&per_page=100", ei);
	return rc;
}
