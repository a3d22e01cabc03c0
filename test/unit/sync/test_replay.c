/*
 * A random history through a mirror: the snapshot that grew with it is the one that its
 * log makes, whether it is read whole, from a place, or by a mirror that lost its disk.
 */
#include "sync/diff.h"
#include "test/unit/sync/mirror_rig.h"
#include "test/unit/sync/random_github.h"

#define STEPS 600
#define NUMBERS 25

struct step {
	struct random_github *r;
	uint32_t number;
	json_t *json;
	int kind;
};

static Maintpb__Mutation *
mutation(struct diff *d, const struct step *s)
{
	Maintpb__Mutation *m = NULL;
	int rc = 0;

	switch (s->kind) {
	case 0:
		rc = diff_comments(d, s->number, s->json, true, TIME_NONE, &m, NULL);
		break;
	case 1:
		rc = diff_events(d, s->number, s->json, 1000, &m, NULL);
		break;
	case 2:
		rc = diff_reviews(d, s->number, s->json, TIME_NONE, &m, NULL);
		break;
	case 3:
		rc = diff_labels(d, s->json, &m, NULL);
		break;
	case 4:
		rc = diff_milestones(d, s->json, &m, NULL);
		break;
	case 5:
		return diff_tombstone(d, s->number);
	case 7:
		rc = diff_pull(d, s->json, &m, NULL);
		break;
	case 8:
		rc = diff_review_comments(d, s->number, s->json, true, &m, NULL);
		break;
	case 9:
		return diff_transfer(d, s->number, "acme/gadgets/1");
	case 6:
		return diff_sync_state(d, "issues", 5000, s->number % 2 == 0, "page 2");
	default:
		rc = diff_issue(d, s->json, &m, NULL);
		break;
	}
	assert_int_equal(rc, 0);
	return m;
}

static json_t *
json_for(struct random_github *r, int kind, uint32_t number)
{
	return kind == 0   ? random_comments(r)
	       : kind == 1 ? random_events(r)
	       : kind == 2 ? random_reviews(r)
	       : kind == 3 ? random_labels(r)
	       : kind == 4 ? random_milestones(r)
	       : kind == 7 ? random_pull(r, number)
	       : kind == 8 ? random_review_comments(r)
			   : random_issue(r, number);
}

static int
add_step(struct mirror_txn *t, void *ctx)
{
	static char owner[] = "acme", repo[] = "widgets";
	struct diff d;
	int rc;

	diff_init(&d, snap_txn_arena(t->snap), snap_txn_view(t->snap), owner, repo);
	rc = mirror_add(t, mutation(&d, ctx));
	diff_clear(&d);
	return rc;
}

static void
live_through(struct mirror_rig *rig, struct random_github *r, int steps)
{
	for (int i = 0; i < steps; i++) {
		struct step s = { .r = r,
			.number = 1 + random_below(r, NUMBERS),
			.kind = (int)random_below(r, 20) };

		s.json = json_for(r, s.kind, s.number);
		assert_int_equal(mirror_commit(rig->m, add_step, &s, NULL), 0);
		json_decref(s.json);
		if (random_below(r, 20) == 0)
			assert_int_equal(mirror_flush(rig->m, NULL), 0);
	}
}

/* Does the snapshot in `dir` say the same as the mirror's? */
static void
assert_same_as(struct mirror *m, const char *dir)
{
	struct snap_view *ours = NULL, *theirs = NULL;
	struct snap *s = NULL;
	uint64_t count = 0;

	assert_int_equal(snap_open(dir, &s, NULL), 0);
	assert_int_equal(snap_view_begin(s, &theirs), 0);
	assert_int_equal(mirror_view(m, &ours), 0);
	assert_int_equal(snap_compare(ours, theirs, NULL, &count), 0);
	assert_int_equal(count, 0);
	snap_writer_view_end(ours);
	snap_view_end(theirs);
	snap_close(s);
}

static void
a_replay_makes_the_snapshot_that_grew(void **state)
{
	struct mirror_rig *rig = *state;
	struct random_github r = { .seed = 7 };

	live_through(rig, &r, STEPS);
	assert_in_step(rig->m); /* with an outbox */
	assert_int_equal(mirror_flush(rig->m, NULL), 0);
	assert_in_step(rig->m);
}

static void
a_rebuild_makes_the_snapshot_that_grew(void **state)
{
	struct mirror_rig *rig = *state;
	struct random_github r = { .seed = 8 };
	char grown[128];

	live_through(rig, &r, STEPS);
	assert_int_equal(mirror_flush(rig->m, NULL), 0);
	mr_close(rig);
	snprintf(grown, sizeof(grown), "%s/grown", rig->dir);
	mr_shell("mv %s %s", rig->snapshot, grown);
	assert_int_equal(mr_open(rig), 0);
	assert_same_as(rig->m, grown);
	live_through(rig, &r, 50); /* and goes on from there */
	assert_in_step(rig->m);
}

static void
a_disk_that_is_some_way_behind_catches_up(void **state)
{
	struct mirror_rig *rig = *state;
	struct random_github r = { .seed = 9 };
	char grown[128], old[128];

	snprintf(grown, sizeof(grown), "%s/grown", rig->dir);
	snprintf(old, sizeof(old), "%s/old", rig->dir);
	live_through(rig, &r, STEPS / 2);
	mr_close(rig); /* with an outbox */
	mr_shell("cp -r %s %s", rig->snapshot, old);
	assert_int_equal(mr_open(rig), 0);
	live_through(rig, &r, STEPS / 2);
	assert_int_equal(mirror_flush(rig->m, NULL), 0);
	mr_close(rig);
	mr_shell("mv %s %s && mv %s %s", rig->snapshot, grown, old, rig->snapshot);
	assert_int_equal(mr_open(rig), 0);
	assert_same_as(rig->m, grown);
	assert_in_step(rig->m);
}

#define WITH_RIG(test) cmocka_unit_test_setup_teardown(test, mr_setup, mr_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_RIG(a_replay_makes_the_snapshot_that_grew),
		WITH_RIG(a_rebuild_makes_the_snapshot_that_grew),
		WITH_RIG(a_disk_that_is_some_way_behind_catches_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
