/*
 * apply.c - the facts of an issue itself.  What hangs below it is in apply_children.c,
 * what came with our own fields in apply_facts.c, the repository in apply_repo.c.
 */
#include "sync/apply.h"

#include <string.h>
#include <strings.h>

#include "base/json_text.h"
#include "base/mem.h"
#include "sync/apply_internal.h"

#define YEAR_1_S INT64_C(-62135596800)
#define YEAR_10000_S INT64_C(253402300800)

int
apply_new(const char *owner, const char *repo, struct apply **ret)
{
	struct apply *a = mem_zalloc(sizeof(*a));

	if (a == NULL)
		return ERR_NOMEM;
	a->owner = mem_strdup(owner);
	a->repo = mem_strdup(repo);
	buf_init(&a->text, SNAP_TEXT_MAX);
	if (a->owner == NULL || a->repo == NULL) {
		apply_free(a);
		return ERR_NOMEM;
	}
	*ret = a;
	return 0;
}

void
apply_free(struct apply *a)
{
	if (a == NULL)
		return;
	mem_free(a->owner);
	mem_free(a->repo);
	buf_clear(&a->text);
	mem_free(a);
}

const struct apply_stats *
apply_stats(const struct apply *a)
{
	return &a->stats;
}

struct slice
apply_escape(struct apply *a, const char *text)
{
	buf_reset(&a->text);
	json_text_escape(&a->text, slice_str(text));
	return apply_kept_text(a);
}

struct slice
apply_escape_bytes(struct apply *a, ProtobufCBinaryData bytes)
{
	buf_reset(&a->text);
	json_text_escape(&a->text, (struct slice){ (const char *)bytes.data, bytes.len });
	return apply_kept_text(a);
}

struct slice
apply_kept_text(struct apply *a)
{
	struct slice s;

	if (buf_err(&a->text) != 0)
		snap_txn_fail(a->txn, buf_err(&a->text));
	s = buf_view(&a->text);
	s.ptr = arena_dup(snap_txn_arena(a->txn), s);
	if (s.ptr == NULL) {
		snap_txn_fail(a->txn, ERR_NOMEM);
		s.len = 0;
	}
	return s;
}

int64_t
apply_time(const Maintpb__Timestamp *ts)
{
	if (ts == NULL || ts->seconds < YEAR_1_S || ts->seconds >= YEAR_10000_S)
		return TIME_NONE;
	if (ts->nanos < 0 || ts->nanos > 999999999)
		return ts->seconds * 1000;
	return ts->seconds * 1000 + ts->nanos / 1000000;
}

bool
apply_id_ok(struct apply *a, int64_t id)
{
	if (id > 0)
		return true;
	a->stats.zero_ids++;
	return false;
}

int64_t
apply_user(struct apply *a, const Maintpb__GithubUser *u)
{
	if (u == NULL || !apply_id_ok(a, u->id))
		return 0;
	/* An id without a login (maintner knows reviewers so) must not erase a known one. */
	if (u->login[0] != '\0')
		snap_user_put(a->txn, u->id, slice_str(u->login));
	return u->id;
}

/* --- lists of ids --- */

static bool
list_has(const int64_t *list, uint32_t count, int64_t id)
{
	for (uint32_t i = 0; i < count; i++) {
		if (list[i] == id)
			return true;
	}
	return false;
}

/* In the order in which they came, as maintner keeps them. */
static void
list_add(struct apply *a, int64_t *list, uint32_t *count, int64_t id)
{
	if (list_has(list, *count, id))
		return;
	if (*count == SNAP_LIST_MAX) {
		snap_txn_fail(a->txn, ERR_LIMIT);
		return;
	}
	list[(*count)++] = id;
}

static void
list_remove(int64_t *list, uint32_t *count, int64_t id)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < *count; i++) {
		if (list[i] != id)
			list[kept++] = list[i];
	}
	*count = kept;
}

/* --- the issue --- */

static void
apply_labels(struct apply *a, const Maintpb__GithubIssueMutation *m)
{
	struct snap_issue_edit *e = &a->edit;

	for (size_t i = 0; i < m->n_remove_label; i++)
		list_remove(e->labels, &e->label_count, m->remove_label[i]);
	for (size_t i = 0; i < m->n_add_label; i++) {
		if (apply_id_ok(a, m->add_label[i]->id))
			list_add(a, e->labels, &e->label_count, m->add_label[i]->id);
	}
}

static void
apply_assignees(struct apply *a, const Maintpb__GithubIssueMutation *m)
{
	struct snap_issue_edit *e = &a->edit;

	for (size_t i = 0; i < m->n_assignees; i++) {
		int64_t id = apply_user(a, m->assignees[i]);

		if (id != 0)
			list_add(a, e->assignees, &e->assignee_count, id);
	}
	for (size_t i = 0; i < m->n_deleted_assignees; i++)
		list_remove(e->assignees, &e->assignee_count, m->deleted_assignees[i]);
}

static void
set_flag(struct snap_issue_edit *e, uint32_t flag, const Maintpb__BoolChange *change)
{
	if (change == NULL)
		return;
	if (change->val != 0)
		e->flags |= flag;
	else
		e->flags &= ~flag;
}

static void
set_time(int64_t *field, const Maintpb__Timestamp *ts)
{
	if (ts != NULL)
		*field = apply_time(ts);
}

static void
apply_state(struct apply *a, const Maintpb__GithubIssueMutation *m)
{
	struct snap_issue_edit *e = &a->edit;

	set_flag(e, SNAP_ISSUE_CLOSED, m->closed);
	set_flag(e, SNAP_ISSUE_LOCKED, m->locked);
	set_flag(e, SNAP_ISSUE_DRAFT, m->draft);
	if (m->pull_request != 0)
		e->flags |= SNAP_ISSUE_PULL;
	set_time(&e->updated_ms, m->updated);
	set_time(&e->closed_ms, m->closed_at);
	set_time(&e->merged_ms, m->merged_at);
	if (m->closed_by != NULL)
		e->closed_by = apply_user(a, m->closed_by);
	if (m->no_closed_by != 0)
		e->closed_by = 0;
	if (m->state_reason != NULL)
		e->state_reason = apply_escape(a, m->state_reason->val);
	if (m->no_milestone != 0)
		e->milestone = 0;
	else if (m->milestone_id > 0)
		e->milestone = m->milestone_id;
}

static void
apply_texts(struct apply *a, const Maintpb__GithubIssueMutation *m)
{
	if (m->title[0] != '\0')
		a->edit.title = apply_escape(a, m->title);
	if (m->body_change != NULL)
		snap_body_set(&a->edit, apply_escape(a, m->body_change->val));
	else if (m->body[0] != '\0')
		snap_body_set(&a->edit, apply_escape(a, m->body));
}

/* Names that the issue's row shows must be known before it is rendered. */
static void
apply_names(struct apply *a, const Maintpb__GithubIssueMutation *m)
{
	for (size_t i = 0; i < m->n_add_label; i++) {
		if (m->add_label[i]->id > 0)
			apply_label(a, m->add_label[i]);
	}
	if (m->no_milestone == 0 && m->milestone_id > 0)
		snap_milestone_put(a->txn, m->milestone_id, m->milestone_num,
		    slice_str(m->milestone_title), -1);
	for (size_t i = 0; i < m->n_known_user; i++)
		apply_user(a, m->known_user[i]);
}

static void
apply_first_facts(struct apply *a, const Maintpb__GithubIssueMutation *m)
{
	struct snap_issue_edit *e = &a->edit;

	e->flags |= SNAP_ISSUE_SEEN;
	if (m->id > 0)
		e->id = m->id;
	if (m->created != NULL && e->created_ms == TIME_NONE)
		e->created_ms = apply_time(m->created);
	if (m->user != NULL)
		e->reporter = apply_user(a, m->user);
}

static void
apply_sync_status(struct snap_issue_edit *e, const Maintpb__GithubIssueMutation *m)
{
	if (m->comment_status != NULL)
		set_time(&e->comments_ms, m->comment_status->server_date);
	if (m->event_status != NULL)
		set_time(&e->events_ms, m->event_status->server_date);
	if (m->review_status != NULL)
		set_time(&e->reviews_ms, m->review_status->server_date);
}

/* Everything that a record may say about an issue that exists. */
static void
apply_live_issue(struct apply *a, const Maintpb__GithubIssueMutation *m)
{
	bool back = (a->edit.flags & SNAP_ISSUE_NOT_EXIST) != 0;

	a->edit.flags &= ~(uint32_t)SNAP_ISSUE_NOT_EXIST;
	apply_first_facts(a, m);
	apply_state(a, m);
	apply_labels(a, m);
	apply_assignees(a, m);
	apply_texts(a, m);
	apply_facts(a, m);
	apply_pull(a, m);
	apply_other(a, m, back);
	apply_comments(a, m);
	apply_events(a, m);
	apply_reviews(a, m);
	apply_review_comments(a, m);
	apply_sync_status(&a->edit, m);
}

/*
 * A tombstone hides everything; as in maintner, its record says nothing else than where
 * the issue went.
 */
static void
apply_issue(struct apply *a, const Maintpb__GithubIssueMutation *m)
{
	int rc;

	if (!apply_id_ok(a, m->number))
		return;
	if (m->not_exist == 0)
		apply_names(a, m); /* may render other issues: before this one is loaded */
	rc = snap_issue_edit_begin(a->txn, (uint32_t)m->number, &a->edit);
	if (rc != 0) {
		snap_txn_fail(a->txn, rc);
		return;
	}
	if (m->not_exist != 0) {
		a->edit.flags |= SNAP_ISSUE_NOT_EXIST;
		apply_destination(a, m);
	} else {
		apply_live_issue(a, m);
	}
	snap_issue_edit_end(a->txn, &a->edit);
}

static bool
is_ours(const struct apply *a, const char *owner, const char *repo)
{
	return strcasecmp(owner, a->owner) == 0 && strcasecmp(repo, a->repo) == 0;
}

void
apply_mutation(struct apply *a, struct snap_txn *t, const Maintpb__Mutation *m)
{
	bool said = false;

	a->txn = t;
	if (m->github != NULL) {
		said = true;
		if (is_ours(a, m->github->owner, m->github->repo))
			apply_repository(a, m->github);
		else
			a->stats.other_repo++;
	}
	if (m->github_issue != NULL) {
		said = true;
		if (is_ours(a, m->github_issue->owner, m->github_issue->repo))
			apply_issue(a, m->github_issue);
		else
			a->stats.other_repo++;
	}
	if (said)
		a->stats.applied++;
	else if (m->git.len > 0 || m->gerrit.len > 0)
		a->stats.foreign++;
	else
		a->stats.empty++;
}
