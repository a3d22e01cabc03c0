/* apply_facts.c - facts of an issue that only our own fields carry. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/json_text.h"
#include "sync/apply_internal.h"

static uint32_t
count(int32_t n)
{
	return n > 0 ? (uint32_t)n : 0;
}

struct slice
apply_reactions(struct apply *a, const Maintpb__GithubReactions *r, bool all)
{
	struct snap_reactions counts;

	if (r == NULL)
		return (struct slice){ 0 };
	counts = (struct snap_reactions){ count(r->total_count),
		{ count(r->plus_one), count(r->minus_one), count(r->laugh), count(r->hooray),
		    count(r->confused), count(r->heart), count(r->rocket), count(r->eyes) } };
	buf_reset(&a->text);
	snap_reactions_render(&a->text, &counts, all);
	return apply_kept_text(a);
}

static bool
is_empty_object(ProtobufCBinaryData json)
{
	return json.len == 2 && memcmp(json.data, "{}", 2) == 0;
}

struct slice
apply_other_text(struct apply *a, ProtobufCBinaryData json, struct slice old)
{
	if (json.len == 0)
		return old;
	return is_empty_object(json) ? (struct slice){ 0 } : apply_escape_bytes(a, json);
}

void
apply_facts(struct apply *a, const Maintpb__GithubIssueMutation *m)
{
	struct snap_issue_edit *e = &a->edit;

	if (m->author_association[0] != '\0')
		e->association = apply_escape(a, m->author_association);
	if (m->active_lock_reason != NULL)
		e->lock_reason = apply_escape(a, m->active_lock_reason->val);
	if (m->reactions != NULL)
		e->reactions = apply_reactions(a, m->reactions, true);
}

/* --- pull requests --- */

/* {"repo":"o/r","ref":"main","sha":"..."}; `repo` is empty when that is gone. */
static struct slice
ref_json(struct apply *a, const Maintpb__GithubRef *r)
{
	struct buf *b = &a->text;

	buf_reset(b);
	buf_str(b, "{\"repo\":\"");
	if (r->owner[0] != '\0' && r->repo[0] != '\0') {
		json_text_escape(b, slice_str(r->owner));
		buf_char(b, '/');
		json_text_escape(b, slice_str(r->repo));
	}
	buf_str(b, "\",\"ref\":");
	json_text_quote(b, slice_str(r->ref));
	buf_str(b, ",\"sha\":");
	json_text_quote(b, slice_str(r->commit_id));
	buf_char(b, '}');
	return apply_kept_text(a);
}

static int
compare_ids(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static void
reviewers(struct apply *a, const Maintpb__GithubReviewerSet *set)
{
	struct snap_issue_edit *e = &a->edit;
	uint32_t kept = 0;

	e->reviewer_count = 0;
	for (size_t i = 0; i < set->n_user; i++) {
		int64_t id = apply_user(a, set->user[i]);

		if (id == 0)
			continue;
		if (e->reviewer_count == SNAP_LIST_MAX) {
			snap_txn_fail(a->txn, ERR_LIMIT);
			return;
		}
		e->reviewers[e->reviewer_count++] = id;
	}
	qsort(e->reviewers, e->reviewer_count, sizeof(e->reviewers[0]), compare_ids);
	for (uint32_t i = 0; i < e->reviewer_count; i++) {
		if (kept == 0 || e->reviewers[kept - 1] != e->reviewers[i])
			e->reviewers[kept++] = e->reviewers[i];
	}
	e->reviewer_count = kept;
}

static int
compare_texts(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Slugs in the order of their bytes, so that the same set is the same text. */
static void
teams(struct apply *a, const Maintpb__GithubReviewerSet *set)
{
	const char **slugs;

	a->edit.teams = (struct slice){ 0 };
	if (set->n_team == 0)
		return;
	slugs = arena_alloc(snap_txn_arena(a->txn), set->n_team * sizeof(*slugs));
	if (slugs == NULL) {
		snap_txn_fail(a->txn, ERR_NOMEM);
		return;
	}
	for (size_t i = 0; i < set->n_team; i++)
		slugs[i] = set->team[i]->slug;
	qsort(slugs, set->n_team, sizeof(*slugs), compare_texts);
	buf_reset(&a->text);
	for (size_t i = 0; i < set->n_team; i++) {
		buf_char(&a->text, i == 0 ? '[' : ',');
		json_text_quote(&a->text, slice_str(slugs[i]));
	}
	buf_char(&a->text, ']');
	a->edit.teams = apply_kept_text(a);
}

void
apply_pull(struct apply *a, const Maintpb__GithubIssueMutation *m)
{
	struct snap_issue_edit *e = &a->edit;
	int64_t merged_by = m->merged_by != NULL ? apply_user(a, m->merged_by) : 0;

	if (merged_by != 0)
		e->merged_by = merged_by;
	if (m->merge_commit_id[0] != '\0')
		e->merge_commit = apply_escape(a, m->merge_commit_id);
	if (m->base_ref != NULL)
		e->base = ref_json(a, m->base_ref);
	if (m->head_ref != NULL)
		e->head = ref_json(a, m->head_ref);
	if (m->requested_reviewers != NULL) {
		reviewers(a, m->requested_reviewers);
		teams(a, m->requested_reviewers);
	}
}

/* --- what the schema does not name --- */

/* The name of the issue's type, the one unnamed field that answers show. */
static struct slice
type_name(struct apply *a, ProtobufCBinaryData json)
{
	struct slice name = { 0 };
	json_t *doc, *type;
	json_error_t e;

	if (memmem(json.data, json.len, "\"type\"", 6) == NULL)
		return name;
	doc = json_loadb((const char *)json.data, json.len, 0, &e);
	if (doc == NULL && json_error_code(&e) == json_error_out_of_memory)
		snap_txn_fail(a->txn, ERR_NOMEM);
	type = json_object_get(json_object_get(doc, "type"), "name");
	if (json_is_string(type))
		name = apply_escape(a, json_string_value(type));
	json_decref(doc);
	return name;
}

static struct slice
kept(struct apply *a, struct slice s)
{
	struct slice copy = { arena_dup(snap_txn_arena(a->txn), s), s.len };

	if (copy.ptr == NULL)
		snap_txn_fail(a->txn, ERR_NOMEM);
	return copy.ptr == NULL ? (struct slice){ 0 } : copy;
}

/* The row as it is, in the arena: writing to the table would move it. */
static bool
load_other(struct apply *a, struct snap_other *ret)
{
	int rc = snap_other_get(snap_txn_view(a->txn), a->edit.number, ret);

	if (rc != 0) {
		snap_txn_fail(a->txn, rc);
		return false;
	}
	ret->transferred_to = kept(a, ret->transferred_to);
	ret->json = kept(a, ret->json);
	return snap_txn_err(a->txn) == 0;
}

void
apply_other(struct apply *a, const Maintpb__GithubIssueMutation *m, bool back)
{
	struct snap_other o;

	if ((m->other_json.len == 0 && m->transferred_to[0] == '\0' && !back) ||
	    !load_other(a, &o))
		return;
	if (back)
		o.transferred_to = (struct slice){ 0 };
	if (m->transferred_to[0] != '\0')
		o.transferred_to = slice_str(m->transferred_to);
	if (m->other_json.len > 0) {
		a->edit.type = type_name(a, m->other_json);
		o.json =
		    is_empty_object(m->other_json)
			? (struct slice){ 0 }
			: (struct slice){ (const char *)m->other_json.data, m->other_json.len };
	}
	snap_other_put(a->txn, a->edit.number, &o);
}

void
apply_destination(struct apply *a, const Maintpb__GithubIssueMutation *m)
{
	struct snap_other o;

	if (m->transferred_to[0] == '\0' || !load_other(a, &o))
		return;
	o.transferred_to = slice_str(m->transferred_to);
	snap_other_put(a->txn, a->edit.number, &o);
}
