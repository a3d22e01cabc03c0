/* sync_rig.c - see sync_rig.h. */
#include "test/unit/sync/sync_rig.h"
#include "fcgi/json_issue.h"
#include "lmdb-schema/snap_write_internal.h"
#include "sync/apply.h"
#include "tools/mutation_json.h"

int
rig_setup(void **state)
{
	struct sync_rig *rig = calloc(1, sizeof(*rig));

	strcpy(rig->fx.dir, "/tmp/sync-test-XXXXXX");
	if (mkdtemp(rig->fx.dir) == NULL || apply_new(RIG_OWNER, RIG_REPO, &rig->apply) != 0)
		return -1;
	fx_open(&rig->fx);
	mdb_env_set_flags(rig->fx.writer->env->mdb, MDB_NOSYNC, 1); /* no crash tests here */
	arena_init(&rig->arena, (size_t)64 << 20);
	rig->documents = json_array();
	*state = rig;
	return 0;
}

int
rig_teardown(void **state)
{
	struct sync_rig *rig = *state;

	snap_writer_close(rig->fx.writer);
	fx_remove_dir(rig->fx.dir);
	apply_free(rig->apply);
	arena_clear(&rig->arena);
	json_decref(rig->documents);
	free(rig);
	return 0;
}

json_t *
rig_json(struct sync_rig *rig, const char *single_quoted)
{
	json_t *doc = json_of(single_quoted);

	json_array_append_new(rig->documents, doc);
	return doc;
}

/* --- applying --- */

int
rig_apply(struct sync_rig *rig, const Maintpb__Mutation *m)
{
	struct snap_txn *t = fx_begin(&rig->fx);

	apply_mutation(rig->apply, t, m);
	return snap_txn_commit(t);
}

static void
add_names(json_t *part)
{
	if (part != NULL && json_object_get(part, "owner") == NULL) {
		json_object_set_new(part, "owner", json_string(RIG_OWNER));
		json_object_set_new(part, "repo", json_string(RIG_REPO));
	}
}

int
rig_apply_text(struct sync_rig *rig, const char *mutation)
{
	json_t *json = rig_json(rig, mutation);

	add_names(json_object_get(json, "github"));
	add_names(json_object_get(json, "githubIssue"));
	return rig_apply(rig, mutation_of(&rig->arena, json));
}

void
rig_issue_says(struct sync_rig *rig, uint32_t number, const char *facts)
{
	json_t *json = json_pack("{s:O}", "githubIssue", rig_json(rig, facts));
	json_t *part = json_object_get(json, "githubIssue");

	json_array_append_new(rig->documents, json);
	json_object_set_new(part, "number", json_integer(number));
	add_names(part);
	assert_int_equal(rig_apply(rig, mutation_of(&rig->arena, json)), 0);
}

/* --- differing --- */

static int
diff_by_kind(struct diff *d, enum rig_kind kind, uint32_t number, const json_t *json,
    Maintpb__Mutation **ret, struct err_info *ei)
{
	switch (kind) {
	case RIG_ISSUE:
		return diff_issue(d, json, ret, ei);
	case RIG_COMMENTS:
	case RIG_COMMENTS_WHOLE:
		return diff_comments(
		    d, number, json, kind == RIG_COMMENTS_WHOLE, TIME_NONE, ret, ei);
	case RIG_EVENTS:
		return diff_events(d, number, json, TIME_NONE, ret, ei);
	case RIG_REVIEWS:
		return diff_reviews(d, number, json, TIME_NONE, ret, ei);
	case RIG_PULL:
		return diff_pull(d, json, ret, ei);
	case RIG_REVIEW_COMMENTS:
	case RIG_REVIEW_COMMENTS_WHOLE:
		return diff_review_comments(
		    d, number, json, kind == RIG_REVIEW_COMMENTS_WHOLE, ret, ei);
	case RIG_LABELS:
		return diff_labels(d, json, ret, ei);
	case RIG_MILESTONES:
		break;
	}
	return diff_milestones(d, json, ret, ei);
}

Maintpb__Mutation *
rig_diff(struct sync_rig *rig, enum rig_kind kind, uint32_t number, const json_t *json,
    int *ret_rc, struct err_info *ei)
{
	static char owner[] = RIG_OWNER, repo[] = RIG_REPO;
	struct snap_view *v = fx_view(&rig->fx);
	Maintpb__Mutation *m = NULL;
	struct diff d;
	int rc;

	diff_init(&d, &rig->arena, v, owner, repo);
	rc = diff_by_kind(&d, kind, number, json, &m, ei);
	diff_clear(&d);
	snap_writer_view_end(v);
	if (ret_rc != NULL)
		*ret_rc = rc;
	else
		assert_int_equal(rc, 0);
	return rc == 0 ? m : NULL;
}

void
rig_takes(struct sync_rig *rig, enum rig_kind kind, uint32_t number, const json_t *json)
{
	Maintpb__Mutation *m = rig_diff(rig, kind, number, json, NULL, NULL);

	if (m != NULL)
		assert_int_equal(rig_apply(rig, m), 0);
}

/* --- looking --- */

json_t *
rig_shown(const Maintpb__Mutation *m)
{
	static const char *const parts[] = { "github", "githubIssue" };
	json_t *json;
	struct buf b;

	if (m == NULL)
		return json_null();
	buf_init(&b, (size_t)64 << 20);
	mutation_json(&m->base, &b);
	json = json_loads(buf_cstr(&b), 0, NULL);
	assert_non_null(json);
	for (size_t i = 0; i < 2; i++) {
		json_object_del(json_object_get(json, parts[i]), "owner");
		json_object_del(json_object_get(json, parts[i]), "repo");
	}
	buf_clear(&b);
	return json;
}

static json_t *
issue_json(struct sync_rig *rig, uint32_t number)
{
	struct snap_view *v = fx_view(&rig->fx);
	struct snap_issue i;
	struct buf b;
	json_t *json;

	buf_init(&b, (size_t)64 << 20);
	assert_int_equal(snap_issue_get(v, number, &i), 0);
	assert_int_equal(json_issue(v, &i, FIELD_BIT(FIELD_COUNT) - 1, &rig->arena, &b), 0);
	json = json_loads(buf_cstr(&b), 0, NULL);
	assert_non_null(json);
	json_object_set_new(
	    json, "notExist", json_boolean((i.flags & SNAP_ISSUE_NOT_EXIST) != 0));
	buf_clear(&b);
	snap_writer_view_end(v);
	return json;
}

void
assert_issue_json(struct sync_rig *rig, uint32_t number, json_t *members)
{
	json_t *all = issue_json(rig, number), *got = json_object(), *value;
	const char *key;

	json_object_foreach(members, key, value)
	{
		json_object_set(got, key, json_object_get(all, key));
	}
	assert_json_equal(got, members);
	json_decref(all);
	json_decref(got);
}

void
assert_issue(struct sync_rig *rig, uint32_t number, const char *members)
{
	json_t *want = json_of(members);

	assert_issue_json(rig, number, want);
	json_decref(want);
}

void
assert_sound(struct sync_rig *rig)
{
	struct snap_view *v = fx_view(&rig->fx);
	struct err_info ei = { .text = "" };
	uint64_t rows = 0;

	if (snap_verify(v, &rows, &ei) != 0)
		fail_msg("%s", ei.text);
	snap_writer_view_end(v);
}
