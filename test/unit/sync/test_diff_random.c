/*
 * What GitHub shows, diffed and applied, is what the snapshot says afterwards: the same
 * JSON again differs in nothing, and the issue shows GitHub's facts.
 */
#include "test/unit/sync/random_github.h"
#include "test/unit/sync/sync_rig.h"

#define STEPS 1500
#define NUMBERS 12

static json_t *
make(struct random_github *r, enum rig_kind kind, uint32_t number)
{
	switch (kind) {
	case RIG_ISSUE:
		return random_issue(r, number);
	case RIG_COMMENTS:
	case RIG_COMMENTS_WHOLE:
		return random_comments(r);
	case RIG_EVENTS:
		return random_events(r);
	case RIG_REVIEWS:
		return random_reviews(r);
	case RIG_PULL:
		return random_pull(r, number);
	case RIG_REVIEW_COMMENTS:
	case RIG_REVIEW_COMMENTS_WHOLE:
		return random_review_comments(r);
	case RIG_LABELS:
		return random_labels(r);
	case RIG_MILESTONES:
		break;
	}
	return random_milestones(r);
}

/* What an answer shows of an issue that GitHub shows so; only what needs no memory. */
static void
assert_shown(struct sync_rig *rig, const json_t *hub)
{
	uint32_t number = (uint32_t)json_integer_value(json_object_get(hub, "number"));
	json_t *want = json_pack("{s:O,s:O,s:O,s:O,s:b,s:b}", "title",
	    json_object_get(hub, "title"), "updatedAt", json_object_get(hub, "updated_at"),
	    "closedAt", json_object_get(hub, "closed_at"), "locked",
	    json_object_get(hub, "locked"), "closed",
	    !json_is_null(json_object_get(hub, "closed_at")), "isPr", number % 2 == 0);
	const char *reason = json_string_value(json_object_get(hub, "state_reason"));
	const char *body = json_string_value(json_object_get(hub, "body"));

	json_object_set_new(want, "stateReason", json_string(reason != NULL ? reason : ""));
	json_object_set_new(want, "body", json_string(body != NULL ? body : ""));
	assert_issue_json(rig, number, want);
	json_decref(want);
}

static void
diff_and_apply_leave_no_difference(void **state)
{
	struct sync_rig *rig = *state;
	struct random_github r = { .seed = 20261124 };
	int changes = 0;

	for (int step = 0; step < STEPS; step++) {
		uint32_t number = 1 + random_below(&r, NUMBERS);
		enum rig_kind kind = step < 2 * NUMBERS
					 ? RIG_ISSUE
					 : (enum rig_kind)random_below(&r, RIG_MILESTONES + 1);
		json_t *json;
		Maintpb__Mutation *m;

		if (step < NUMBERS)
			number = 1 + (uint32_t)step;
		if (kind == RIG_REVIEWS || kind == RIG_PULL)
			number = 2 * ((number + 1) / 2);
		json = make(&r, kind, number);
		m = rig_diff(rig, kind, number, json, NULL, NULL);
		changes += m != NULL;
		if (m != NULL)
			assert_int_equal(rig_apply(rig, m), 0);
		m = rig_diff(rig, kind, number, json, NULL, NULL);
		if (m != NULL) {
			char *a = json_dumps(json, 0), *b = json_dumps(rig_shown(m), 0);

			fail_msg("step %d: %s still differs: %s", step, a, b);
		}
		if (kind == RIG_ISSUE)
			assert_shown(rig, json);
		json_decref(json);
		arena_reset(&rig->arena);
	}
	assert_in_range(changes, STEPS / 2, STEPS);
	assert_sound(rig);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    diff_and_apply_leave_no_difference, rig_setup, rig_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
