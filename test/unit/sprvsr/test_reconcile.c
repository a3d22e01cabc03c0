/* Desired and observed become actions, and nothing else does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "test/unit/sprvsr/sprvsr_rig.h"

struct world {
	struct observed seen;
	struct trails trails;
	struct desired want;
	struct reconcile_opts o;
	struct plan plan;
};

static void
begin(struct world *w, unsigned count)
{
	*w = (struct world){
		.o = { .batch = 2, .actions_max = 10000, .prune_percent = 20, .now_ms = 1000 }
	};
	observed_init(&w->seen, rig_opts.manager, rig_opts.namespace_name);
	rig_desired(&rig_opts, 0, count, &w->want);
}

static void
end(struct world *w)
{
	plan_clear(&w->plan);
	desired_clear(&w->want);
	trails_clear(&w->trails);
	observed_clear(&w->seen);
}

static size_t
plan(struct world *w)
{
	plan_clear(&w->plan);
	assert_int_equal(reconcile(&w->want, &w->seen, &w->trails, &w->o, &w->plan), 0);
	return w->plan.count;
}

/* Everything that is planned happens, and the watch shows it. */
static void
carry_out(struct world *w, bool ready)
{
	for (size_t i = 0; i < w->plan.count; i++) {
		const struct action *a = &w->plan.actions[i];

		if (a->verb == ACT_DELETE) {
			json_t *doc = json_pack("{s:{s:s}}", "metadata", "name", a->name);

			observed_remove(&w->seen, a->kind, doc);
			json_decref(doc);
		} else {
			rig_show(&w->seen, w->want.opts, a, a->entry, ready);
		}
	}
}

static void
want(struct world *w, const struct desired_opts *o, unsigned first, unsigned count)
{
	desired_clear(&w->want);
	rig_desired(o, first, count, &w->want);
}

static void
everything_is_made_once_and_then_left_alone(void **state)
{
	struct world w;

	(void)state;
	begin(&w, 5);
	assert_int_equal(plan(&w), 10);
	carry_out(&w, true);
	assert_int_equal(plan(&w), 0);
	end(&w);
}

static void
a_service_goes_before_its_deployment(void **state)
{
	struct world w;

	(void)state;
	begin(&w, 5);
	plan(&w);
	carry_out(&w, true);
	want(&w, &rig_opts, 0, 4);
	assert_int_equal(plan(&w), 1);
	assert_int_equal(w.plan.actions[0].kind, KIND_SERVICE);
	assert_int_equal(w.plan.actions[0].verb, ACT_DELETE);
	carry_out(&w, true);
	assert_int_equal(plan(&w), 1);
	assert_int_equal(w.plan.actions[0].kind, KIND_DEPLOYMENT);
	carry_out(&w, true);
	assert_int_equal(plan(&w), 0);
	end(&w);
}

static void
too_many_removals_wait_for_a_confirmation_of_that_number(void **state)
{
	struct world w;

	(void)state;
	begin(&w, 40);
	plan(&w);
	carry_out(&w, true);
	want(&w, &rig_opts, 0, 31); /* 9 of 40 are more than a fifth */
	assert_int_equal(plan(&w), 0);
	assert_true(w.plan.prune_refused);
	assert_int_equal(w.plan.prune_limit, 8);
	w.o.prune_allowed = 8;
	assert_int_equal(plan(&w), 0);
	w.o.prune_allowed = 9;
	assert_int_equal(plan(&w), 9);
	want(&w, &rig_opts, 0, 32);
	w.o.prune_allowed = 0;
	assert_int_equal(plan(&w), 8);
	end(&w);
}

static void
what_was_confirmed_goes_on_and_what_leaves_later_is_asked_about_anew(void **state)
{
	struct world w;

	(void)state;
	begin(&w, 40);
	w.o.decide = true;
	plan(&w);
	carry_out(&w, true);
	want(&w, &rig_opts, 0, 30);
	w.o.prune_allowed = 10;
	assert_int_equal(plan(&w), 10);
	assert_int_equal(w.plan.undecided, 10);
	w.o.prune_allowed = 0; /* nothing of it was carried out yet */
	assert_int_equal(plan(&w), 10);
	assert_int_equal(w.plan.undecided, 0);
	want(&w, &rig_opts, 0, 20);
	assert_int_equal(plan(&w), 10);
	assert_true(w.plan.prune_refused);
	assert_int_equal(w.plan.undecided, 10);
	assert_int_equal(w.plan.left, 20);
	trails_forget_decisions(&w.trails); /* another leader */
	assert_int_equal(plan(&w), 0);
	end(&w);
}

static void
what_came_back_is_asked_about_when_it_leaves_again(void **state)
{
	struct world w;

	(void)state;
	begin(&w, 40);
	w.o.decide = true;
	plan(&w);
	carry_out(&w, true);
	want(&w, &rig_opts, 0, 30);
	w.o.prune_allowed = 10;
	assert_int_equal(plan(&w), 10);
	w.o.prune_allowed = 0;
	want(&w, &rig_opts, 0, 40);
	assert_int_equal(plan(&w), 0);
	want(&w, &rig_opts, 0, 30);
	assert_int_equal(plan(&w), 0);
	assert_true(w.plan.prune_refused);
	end(&w);
}

static void
changes_go_out_in_batches_that_wait_for_readiness(void **state)
{
	struct desired_opts other = rig_opts;
	struct world w;

	(void)state;
	other.image = "image:2";
	begin(&w, 5);
	plan(&w);
	carry_out(&w, true);
	want(&w, &other, 0, 5);
	assert_int_equal(plan(&w), 2);
	assert_int_equal(w.plan.held_back, 3);
	assert_true(w.plan.actions[0].was_ready);
	carry_out(&w, false);
	assert_int_equal(plan(&w), 0);
	assert_int_equal(w.plan.waiting_for_ready, 2);
	end(&w);
}

static void
what_a_bad_change_broke_counts_while_the_next_one_is_tried(void **state)
{
	struct desired_opts bad = rig_opts, next = rig_opts;
	struct world w;

	(void)state;
	bad.image = "image:2";
	next.image = "image:3";
	begin(&w, 5);
	plan(&w);
	carry_out(&w, true);
	for (int i = 3; i < 5; i++) { /* the last ones, which come last in a plan, too */
		const struct action a = { .kind = KIND_DEPLOYMENT, .was_ready = true };

		rig_show(&w.seen, &bad, &a, w.want.items[i].entry, false);
	}
	want(&w, &next, 0, 5);
	assert_int_equal(plan(&w), 2);
	assert_int_equal(w.plan.held_back, 3);
	assert_true(w.plan.actions[0].was_ready);
	carry_out(&w, true);
	assert_int_equal(plan(&w), 2);
	end(&w);
}

static void
what_broke_by_itself_holds_the_next_change_not_up(void **state)
{
	struct desired_opts one = rig_opts, next = rig_opts;
	struct world w;

	(void)state;
	one.image = "image:2";
	next.image = "image:3";
	begin(&w, 2);
	plan(&w);
	carry_out(&w, true);
	want(&w, &one, 0, 2);
	assert_int_equal(plan(&w), 2);
	rig_rolled_out = true; /* it was ready with it, and is no more */
	carry_out(&w, false);
	rig_rolled_out = false;
	want(&w, &next, 0, 2);
	assert_int_equal(plan(&w), 2);
	assert_false(w.plan.actions[0].was_ready);
	end(&w);
}

static void
what_was_not_ready_before_holds_nothing_up(void **state)
{
	struct desired_opts other = rig_opts;
	struct world w;

	(void)state;
	other.image = "image:2";
	begin(&w, 5);
	plan(&w);
	carry_out(&w, false);
	want(&w, &other, 0, 5);
	assert_int_equal(plan(&w), 5);
	assert_false(w.plan.actions[0].was_ready);
	end(&w);
}

static void
objects_of_others_are_conflicts(void **state)
{
	json_t *doc;
	struct world w;

	(void)state;
	begin(&w, 1);
	doc = json_pack("{s:{s:s,s:s,s:{s:s}},s:{}}", "metadata", "name",
	    w.want.items[0].names[KIND_SERVICE], "resourceVersion", "1", "labels", LABEL_OURS,
	    "true", "spec");
	assert_int_equal(observed_put(&w.seen, KIND_SERVICE, doc, NULL), 0);
	json_decref(doc);
	assert_int_equal(plan(&w), 1);
	assert_int_equal(w.plan.actions[0].kind, KIND_DEPLOYMENT);
	assert_int_equal(w.plan.conflicts, 1);
	want(&w, &rig_opts, 5, 0); /* nor are they removed */
	assert_int_equal(plan(&w), 0);
	end(&w);
}

static void
what_was_done_is_not_done_again_before_the_watch_shows_it(void **state)
{
	struct world w;
	struct trail *t;

	(void)state;
	begin(&w, 1);
	plan(&w);
	for (size_t i = 0; i < 2; i++) {
		t = trail_make(&w.trails, w.plan.actions[i].kind, w.plan.actions[i].name);
		trail_begin(t, &w.plan.actions[i], "");
		trail_end(t, &w.plan.actions[i], 0, "7", w.o.now_ms, 0.5);
	}
	assert_int_equal(plan(&w), 0);
	assert_true(w.plan.wake_ms > w.o.now_ms);
	w.o.now_ms = w.plan.wake_ms;
	assert_int_equal(plan(&w), 2);
	end(&w);
}

static void
what_a_new_list_does_not_name_is_not_waited_for(void **state)
{
	struct world w;
	struct action a;
	struct trail *t;

	(void)state;
	begin(&w, 1);
	plan(&w);
	a = w.plan.actions[0];
	rig_show(&w.seen, &rig_opts, &a, a.entry, true);
	t = trail_make(&w.trails, a.kind, a.name);
	trail_begin(t, &a, "");
	trail_end(t, &a, 0, "7", w.o.now_ms, 0.5);
	/* Before a plan saw it, it was removed, and the watch had to begin anew. */
	observed_list_begin(&w.seen, a.kind);
	observed_list_end(&w.seen, a.kind);
	assert_int_equal(plan(&w), 2);
	end(&w);
}

static void
repositories_that_went_are_forgotten(void **state)
{
	struct action a;
	struct world w;

	(void)state;
	begin(&w, 0);
	for (unsigned i = 0; i < 50; i++) {
		want(&w, &rig_opts, i, 1);
		assert_true(plan(&w) <= 2);
		for (size_t k = 0; k < w.plan.count; k++) {
			struct trail *t;

			a = w.plan.actions[k];
			t = trail_make(&w.trails, a.kind, a.name);
			trail_begin(t, &a, "");
			trail_end(t, &a, ERR_UNAVAILABLE, "", w.o.now_ms, 0.5);
		}
	}
	assert_in_range(w.trails.of[KIND_DEPLOYMENT].count, 1, 2);
	assert_in_range(w.trails.of[KIND_SERVICE].count, 1, 2);
	assert_non_null(trail_get(&w.trails, a.kind, a.name)); /* of the last one */
	end(&w);
}

static void
an_empty_list_removes_nothing_without_a_confirmation(void **state)
{
	struct world w;

	(void)state;
	begin(&w, 2);
	plan(&w);
	carry_out(&w, true);
	want(&w, &rig_opts, 0, 0);
	assert_int_equal(plan(&w), 0);
	assert_true(w.plan.prune_refused);
	assert_int_equal(w.plan.left, 2);
	w.o.prune_allowed = 2;
	assert_int_equal(plan(&w), 2);
	end(&w);
}

static void
failures_are_tried_again_ever_later(void **state)
{
	struct world w;
	struct trail *t;
	int64_t last = 0;

	(void)state;
	begin(&w, 1);
	plan(&w);
	for (int i = 0; i < 12; i++) {
		struct action a = w.plan.actions[0];

		t = trail_make(&w.trails, a.kind, a.name);
		trail_begin(t, &a, "");
		trail_end(t, &a, ERR_UNAVAILABLE, "", w.o.now_ms, 0.5);
		assert_true(t->not_before_ms - w.o.now_ms >= last);
		assert_true(t->not_before_ms - w.o.now_ms <= 450000);
		last = t->not_before_ms - w.o.now_ms;
		assert_int_equal(plan(&w), 1); /* the Service, which did not fail */
		w.o.now_ms = t->not_before_ms;
		assert_int_equal(plan(&w), 2);
	}
	end(&w);
}

static void
a_plan_survives_every_allocation_failure(void **state)
{
	int rc = ERR_NOMEM;
	struct world w;

	(void)state;
	begin(&w, 3);
	plan(&w);
	plan_clear(&w.plan);
	for (long n = 0; rc != 0; n++) {
		mem_fail_after(n);
		rc = reconcile(&w.want, &w.seen, &w.trails, &w.o, &w.plan);
		mem_fail_after(MEM_NEVER);
		assert_true(rc == 0 || (rc == ERR_NOMEM && w.plan.actions == NULL));
	}
	assert_int_equal(w.plan.count, 6);
	end(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything_is_made_once_and_then_left_alone),
		cmocka_unit_test(a_service_goes_before_its_deployment),
		cmocka_unit_test(too_many_removals_wait_for_a_confirmation_of_that_number),
		cmocka_unit_test(
		    what_was_confirmed_goes_on_and_what_leaves_later_is_asked_about_anew),
		cmocka_unit_test(what_came_back_is_asked_about_when_it_leaves_again),
		cmocka_unit_test(changes_go_out_in_batches_that_wait_for_readiness),
		cmocka_unit_test(what_a_bad_change_broke_counts_while_the_next_one_is_tried),
		cmocka_unit_test(what_broke_by_itself_holds_the_next_change_not_up),
		cmocka_unit_test(what_was_not_ready_before_holds_nothing_up),
		cmocka_unit_test(objects_of_others_are_conflicts),
		cmocka_unit_test(what_was_done_is_not_done_again_before_the_watch_shows_it),
		cmocka_unit_test(what_a_new_list_does_not_name_is_not_waited_for),
		cmocka_unit_test(repositories_that_went_are_forgotten),
		cmocka_unit_test(an_empty_list_removes_nothing_without_a_confirmation),
		cmocka_unit_test(failures_are_tried_again_ever_later),
		cmocka_unit_test(a_plan_survives_every_allocation_failure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
