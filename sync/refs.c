/* refs.c - labels, milestones, the repository itself and its rules file: read whole. */
#include <string.h>

#include "base/digest.h"
#include "base/log.h"
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
	family_set_etag(&job.st, &page);
	if (page.next[0] != '\0') { /* what is missing from the list will be deleted */
		gh_page_clear(&page);
		rc = list_surely(s, url, &page.doc, &job.st.server_date_ms, ei);
	}
	if (rc != 0)
		return rc;
	job.items = page.doc;
	rc = mirror_commit(s->mirror, commit_refs, &job, ei);
	pthread_mutex_lock(&s->status->lock);
	s->status->families[f].done = json_array_size(page.doc);
	pthread_mutex_unlock(&s->status->lock);
	gh_page_clear(&page);
	return rc;
}

/* --- the repository --- */

struct repository_job {
	struct syncer *s;
	const char *full_name; /* NULL = as it was */
	bool ours;             /* that is the name of the log */
	struct family_state st;
};

static int
commit_repository(struct mirror_txn *t, void *ctx)
{
	const struct repository_job *job = ctx;
	struct slice known = { 0 };
	Maintpb__Mutation *m;
	struct diff d;
	int rc = 0;

	family_store(t->snap, STATUS_REPOSITORY, &job->st);
	snap_note_get(snap_txn_view(t->snap), "renamed_to", &known);
	if (job->full_name == NULL || slice_is(known, job->full_name) ||
	    (job->ours && known.len == 0))
		return 0;
	txn_diff(job->s, t, &d);
	m = diff_rename(&d, job->full_name);
	rc = m == NULL ? ERR_NOMEM : mirror_add(t, m);
	diff_clear(&d);
	return rc;
}

/* GraphQL follows no old names, so that the present one is kept. */
static void
note_name(struct syncer *s, const char *full)
{
	const char *slash = full != NULL ? strchr(full, '/') : NULL;

	if (slash == NULL || (size_t)(slash - full) >= sizeof(s->hub_owner) ||
	    strlen(slash + 1) >= sizeof(s->hub_name))
		return;
	snprintf(s->hub_owner, sizeof(s->hub_owner), "%.*s", (int)(slash - full), full);
	snprintf(s->hub_name, sizeof(s->hub_name), "%s", slash + 1);
}

/* Nothing new: a name that differs was noted when it was told. */
static int
recall_name(struct syncer *s)
{
	struct snap_view *v;
	struct slice known;
	char full[256];
	int rc = mirror_view(s->mirror, &v);

	if (rc != 0)
		return rc;
	if (snap_note_get(v, "renamed_to", &known) == 0 && known.len < sizeof(full)) {
		snprintf(full, sizeof(full), "%.*s", (int)known.len, known.ptr);
		note_name(s, full);
	}
	snap_writer_view_end(v);
	return 0;
}

static void
take_repository(struct syncer *s, struct repository_job *job, const struct gh_page *page)
{
	const char *full = json_string_value(json_object_get(page->doc, "full_name"));
	char ours[256];

	snprintf(ours, sizeof(ours), "%s/%s", s->owner, s->repo);
	s->issues_off = json_is_false(json_object_get(page->doc, "has_issues"));
	note_name(s, full);
	job->full_name = full;
	job->ours = full != NULL && strcasecmp(full, ours) == 0;
	if (full == NULL || job->ours)
		return;
	if (!s->rename_told)
		log_warning("the repository was renamed; it is followed under its old name",
		    LOG_S("full_name", full), LOG_END);
	s->rename_told = true;
}

int
walk_repository(struct syncer *s, bool poll, struct err_info *ei)
{
	struct repository_job job = { .s = s };
	char url[GH_URL_MAX];
	struct gh_page page;
	int rc = family_load(s, STATUS_REPOSITORY, &job.st);

	if (rc == 0)
		rc = gh_url(s->gh, url, "/repos/%s/%s", s->owner, s->repo);
	if (rc == 0)
		rc =
		    gh_get(s->gh, url, poll ? family_etag(s, &job.st) : NULL, false, &page, ei);
	if (rc != 0)
		return err_wrap(ei, rc, "repository %s/%s", s->owner, s->repo);
	s->hub_now_ms = page.server_date_ms;
	job.st.server_date_ms = job.st.watermark_ms = page.server_date_ms;
	job.st.complete = true;
	if (!page.not_modified) {
		family_set_etag(&job.st, &page);
		take_repository(s, &job, &page);
	} else {
		rc = recall_name(s);
	}
	if (rc == 0)
		rc = mirror_commit(s->mirror, commit_repository, &job, ei);
	gh_page_clear(&page);
	return rc;
}

/* --- the rules file --- */

#define RULES_PATH ".github/issue_slo_rules.json"
#define RULES_NOTE "slo_rules"
#define RULES_MAX ((size_t)1 << 20)

struct rules_job {
	struct family_state st;
	bool
	    known; /* `text` is what the file holds, or there is none; else what we had stays */
	struct slice text;
};

static int
commit_rules(struct mirror_txn *t, void *ctx)
{
	const struct rules_job *job = ctx;

	if (job->known)
		snap_note_put(t->snap, RULES_NOTE, job->text);
	family_store(t->snap, STATUS_RULES, &job->st);
	return 0;
}

/* The file's bytes out of a contents answer: base64 in lines; large files come without. */
static int
decode_rules(const json_t *doc, struct buf *ret)
{
	const char *text = json_string_value(json_object_get(doc, "content"));
	const char *encoding = json_string_value(json_object_get(doc, "encoding"));
	struct buf plain;
	size_t len;
	int rc;

	if (text == NULL || encoding == NULL || strcmp(encoding, "base64") != 0)
		return ERR_UNSUPPORTED;
	buf_init(&plain, 2 * RULES_MAX);
	for (; *text != '\0'; text++) {
		if (strchr("\r\n=", *text) == NULL)
			buf_char(&plain, *text == '+' ? '-' : *text == '/' ? '_' : *text);
	}
	rc = buf_err(&plain);
	if (rc == 0 && plain.len > 0 && (rc = buf_reserve(ret, plain.len)) == 0) {
		len = base64url_decode(buf_view(&plain), ret->ptr, plain.len);
		if (len == SIZE_MAX)
			rc = ERR_PROTO;
		else
			ret->len = len;
	}
	buf_clear(&plain);
	return rc;
}

static int
walk_rules(struct syncer *s, struct err_info *ei)
{
	struct rules_job job = { 0 };
	char url[GH_URL_MAX];
	struct gh_page page = { 0 };
	struct buf text;
	int rc = family_load(s, STATUS_RULES, &job.st);

	if (rc == 0)
		rc = gh_url(s->gh, url, "/repos/%s/%s/contents/" RULES_PATH, s->owner, s->repo);
	if (rc == 0)
		rc = gh_get(s->gh, url, family_etag(s, &job.st), false, &page, ei);
	if (rc != 0 && rc != ERR_NOENT && rc != ERR_DENIED)
		return rc;
	job.st.server_date_ms = job.st.watermark_ms = s->hub_now_ms;
	job.st.complete = true;
	if (rc == 0 && page.not_modified)
		return family_save(s, STATUS_RULES, &job.st, ei);
	buf_init(&text, RULES_MAX);
	if (rc == 0) {
		family_set_etag(&job.st, &page);
		rc = decode_rules(page.doc, &text);
		job.known = rc == 0;
		if (rc != 0)
			log_warning(RULES_PATH " cannot be read; the rules stay as they were",
			    LOG_S("error", err_name(rc)), LOG_END);
	} else {
		job.known = rc == ERR_NOENT;
		job.st.etag[0] = '\0';
	}
	job.text = buf_view(&text);
	rc = mirror_commit(s->mirror, commit_rules, &job, ei);
	buf_clear(&text);
	gh_page_clear(&page);
	return rc;
}

int
walk_refs(struct syncer *s, struct err_info *ei)
{
	int rc;

	status_set_phase(s->status, "labels");
	rc = walk_repository(s, true, ei);
	if (rc == 0)
		rc = walk_ref(s, STATUS_LABELS, "labels?per_page=100", ei);
	if (rc == 0)
		rc = walk_ref(s, STATUS_MILESTONES, "milestones?state=all&per_page=100", ei);
	return rc == 0 ? walk_rules(s, ei) : rc;
}
