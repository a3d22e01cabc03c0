/*
 * recording_check.c - a recorded repository through diff and apply, without a network.
 *
 *   recording-check DIR     DIR has the form of test/support/recording_maker/writer.py
 *
 * Prints for every issue {"issue":..,"other":..}: what the API shows, and what is stored of
 * GitHub's other members.  The same answers of GitHub must not differ a second time.
 */
#include <errno.h>

#include "fcgi/json_issue.h"
#include "test/unit/sync/sync_rig.h"

#define ALL_FIELDS (FIELD_BIT(FIELD_COUNT) - 1)

/* A family of the repository, or (number not 0) of one issue; absent means empty there. */
static json_t *
load(const char *dir, const char *family, uint32_t number)
{
	char path[4096];
	json_error_t e;
	json_t *doc;

	if (number == 0)
		snprintf(path, sizeof(path), "%s/%s.json", dir, family);
	else
		snprintf(path, sizeof(path), "%s/%s/%u.json", dir, family, number);
	if (number != 0 && access(path, R_OK) != 0 && errno == ENOENT)
		return json_array();
	doc = json_load_file(path, 0, &e);
	if (doc == NULL)
		fail_msg("%s:%d: %s", path, e.line, e.text);
	return doc;
}

/* Ends the program when `last` and there is a difference still. */
static void
take(struct sync_rig *rig, enum rig_kind kind, uint32_t number, const json_t *json, bool last)
{
	struct err_info ei = { .text = "" };
	int rc = 0;
	Maintpb__Mutation *m = rig_diff(rig, kind, number, json, &rc, &ei);

	if (rc != 0)
		fail_msg("number %u: %s", number, ei.text);
	if (m != NULL && last)
		fail_msg("it differs again: %s", json_dumps(rig_shown(m), JSON_COMPACT));
	if (m != NULL && rig_apply(rig, m) != 0)
		fail_msg("number %u: what differs cannot be applied", number);
	arena_reset(&rig->arena);
}

static void
take_whole(struct sync_rig *rig, const char *dir, const char *family, enum rig_kind kind,
    uint32_t number, bool last)
{
	json_t *doc = load(dir, family, number);

	take(rig, kind, number, doc, last);
	json_decref(doc);
}

static void
take_each(
    struct sync_rig *rig, const char *dir, const char *family, enum rig_kind kind, bool last)
{
	json_t *all = load(dir, family, 0), *one;
	size_t i;

	json_array_foreach(all, i, one) take(rig, kind, 0, one, last);
	json_decref(all);
}

static void
take_repository(struct sync_rig *rig, const char *dir, const json_t *issues, bool last)
{
	json_t *issue;
	size_t i;

	take_whole(rig, dir, "labels", RIG_LABELS, 0, last);
	take_whole(rig, dir, "milestones", RIG_MILESTONES, 0, last);
	take_each(rig, dir, "issues", RIG_ISSUE, last);
	take_each(rig, dir, "pulls", RIG_PULL, last);
	json_array_foreach(issues, i, issue)
	{
		uint32_t n = (uint32_t)json_integer_value(json_object_get(issue, "number"));

		take_whole(rig, dir, "comments", RIG_COMMENTS_WHOLE, n, last);
		take_whole(rig, dir, "events", RIG_EVENTS, n, last);
		take_whole(rig, dir, "reviews", RIG_REVIEWS, n, last);
		take_whole(rig, dir, "review_comments", RIG_REVIEW_COMMENTS_WHOLE, n, last);
	}
}

static void
print_issue(struct sync_rig *rig, struct snap_view *v, uint32_t number, struct buf *out)
{
	struct snap_other other;
	struct snap_issue i;

	buf_reset(out);
	arena_reset(&rig->arena);
	assert_int_equal(snap_issue_get(v, number, &i), 0);
	assert_int_equal(snap_other_get(v, number, &other), 0);
	buf_str(out, "{\"issue\":");
	assert_int_equal(json_issue(v, &i, ALL_FIELDS, &rig->arena, out), 0);
	buf_str(out, ",\"other\":");
	buf_slice(out, other.json.len > 0 ? other.json : SLICE("{}"));
	buf_char(out, '}');
	assert_int_equal(buf_err(out), 0);
	puts(buf_cstr(out));
}

int
main(int argc, char **argv)
{
	void *state = NULL;
	struct sync_rig *rig;
	struct snap_view *v;
	json_t *issues, *issue;
	struct buf out;
	size_t i;

	if (argc != 2) {
		fprintf(stderr, "usage: recording-check DIR\n");
		return 2;
	}
	if (rig_setup(&state) != 0)
		return 1;
	rig = state;
	issues = load(argv[1], "issues", 0);
	take_repository(rig, argv[1], issues, false);
	take_repository(rig, argv[1], issues, true);
	assert_sound(rig);
	buf_init(&out, (size_t)256 << 20);
	v = fx_view(&rig->fx);
	json_array_foreach(issues, i, issue) print_issue(
	    rig, v, (uint32_t)json_integer_value(json_object_get(issue, "number")), &out);
	snap_writer_view_end(v);
	buf_clear(&out);
	json_decref(issues);
	return rig_teardown(&state);
}
