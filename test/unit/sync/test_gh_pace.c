/* Many workers on one token, in simulated time: nobody knows of the others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "base/clock.h"
#include "sync/github/gh_limit.h"

#define START INT64_C(1700000000000)
#define STEP_MS 100
#define CALL_MS 700 /* a request and its answer */
#define HOUR_MS INT64_C(3600000)
#define WORKERS_MAX 60
#define WINDOWS_MAX 6

/* GitHub's side: one budget for all, an hour long from the first request. */
struct service {
	int64_t limit, used, reset_ms;
	int64_t over; /* requests past the limit */
	int window;
};

/* A worker: `calls` requests in a row every `every_ms` (0: all the time). */
struct worker {
	bool background;
	int64_t every_ms;
	int calls;
	/* its state */
	struct gh_budget budget[GH_RESOURCES];
	int64_t next_ms, round_ms, longest_ms;
	int left;
	int64_t done[WINDOWS_MAX], waits, rounds;
};

struct simulation {
	struct service service;
	struct worker workers[WORKERS_MAX];
	size_t count;
	uint32_t seed;
};

static uint32_t
random_below(struct simulation *s, uint32_t n)
{
	s->seed = s->seed * 1664525 + 1013904223;
	return (s->seed >> 8) % n;
}

static void
add(struct simulation *s, int count, bool background, int64_t every_ms, int calls)
{
	for (int i = 0; i < count; i++) {
		struct worker *w = &s->workers[s->count++];

		*w = (struct worker){
			.background = background, .every_ms = every_ms, .calls = calls
		};
		w->next_ms = w->round_ms =
		    START + random_below(s, every_ms > 0 ? (uint32_t)every_ms : 5000);
		w->left = calls;
		gh_budget_init(&w->budget[GH_CORE]);
		gh_budget_init(&w->budget[GH_GRAPHQL]);
	}
}

static void
answer(struct service *s, struct worker *w, int64_t now)
{
	struct http_response res;

	if (now >= s->reset_ms) {
		s->window += s->reset_ms != 0;
		s->reset_ms = (now / 1000 + 3600) * 1000;
		s->used = 0;
	}
	if (s->used == s->limit)
		s->over++;
	else
		s->used++;
	http_response_init(&res);
	res.status = 200;
	buf_fmt(&res.headers,
	    "x-ratelimit-limit: %lld\nx-ratelimit-remaining: %lld\n"
	    "x-ratelimit-reset: %lld\nx-ratelimit-resource: core\n",
	    (long long)s->limit, (long long)(s->limit - s->used),
	    (long long)(s->reset_ms / 1000));
	gh_limit_note(&res, GH_CORE, now, w->budget);
	http_response_clear(&res);
	assert_in_range(s->window, 0, WINDOWS_MAX - 1);
	w->done[s->window]++;
}

static void
step(struct simulation *s, struct worker *w, int64_t now)
{
	bool paced;
	int64_t wait;

	if (now < w->next_ms)
		return;
	wait = gh_budget_wait(&w->budget[GH_CORE], w->background, now, &paced);
	if (wait > 0) {
		w->waits++;
		w->next_ms = now + wait;
		return;
	}
	gh_budget_send(&w->budget[GH_CORE], now);
	answer(&s->service, w, now);
	w->next_ms = now + CALL_MS;
	if (w->every_ms == 0 || --w->left > 0)
		return;
	if (now - w->round_ms > w->longest_ms)
		w->longest_ms = now - w->round_ms;
	w->rounds++;
	w->left = w->calls;
	w->round_ms += w->every_ms;
	if (w->round_ms < now)
		w->round_ms = now;
	w->next_ms = w->round_ms > w->next_ms ? w->round_ms : w->next_ms;
}

static void
run(struct simulation *s, int64_t hours)
{
	for (int64_t now = START; now < START + hours * HOUR_MS; now += STEP_MS) {
		for (size_t i = 0; i < s->count; i++)
			step(s, &s->workers[i], now);
	}
}

static int64_t
window_total(const struct simulation *s, int window)
{
	int64_t sum = 0;

	for (size_t i = 0; i < s->count; i++)
		sum += s->workers[i].done[window];
	return sum;
}

static void
an_ample_budget_holds_nobody_back(void **state)
{
	static struct simulation s = { .service = { .limit = 5000 }, .seed = 1 };

	(void)state;
	add(&s, 15, false, 60000, 5); /* 4,500 in an hour, as polls without validators */
	run(&s, 3);
	assert_int_equal(s.service.over, 0);
	for (size_t i = 0; i < s.count; i++)
		assert_int_equal(s.workers[i].waits, 0);
	/* nor does a first sync of a thousand requests, alone */
	s = (struct simulation){ .service = { .limit = 5000 }, .seed = 2 };
	add(&s, 1, true, 2 * HOUR_MS, 1000);
	run(&s, 1);
	assert_int_equal(s.workers[0].waits, 0);
}

static void
many_first_syncs_share_a_budget_evenly(void **state)
{
	static struct simulation s = { .service = { .limit = 5000 }, .seed = 3 };

	(void)state;
	add(&s, 20, true, 0, 0);
	run(&s, 4);
	assert_int_equal(s.service.over, 0);
	for (int window = 0; window < 3; window++) {
		int64_t total = window_total(&s, window);

		/* all of it but the reserve, and no more */
		assert_in_range(total, 4300, 4520);
		for (size_t i = 0; i < s.count; i++) {
			int64_t share = s.workers[i].done[window] * (int64_t)s.count;

			assert_in_range(share, total / 2, total * 2);
		}
	}
}

static void
polls_go_on_while_first_syncs_use_the_budget_up(void **state)
{
	static struct simulation s = { .service = { .limit = 5000 }, .seed = 4 };

	(void)state;
	add(&s, 20, true, 0, 0);
	add(&s, 10, false, 600000, 5); /* 300 in an hour: within the reserve */
	run(&s, 4);
	assert_int_equal(s.service.over, 0);
	for (size_t i = 20; i < s.count; i++) {
		assert_in_range(s.workers[i].rounds, 22, 24);
		/* a poll ends long before the next is due */
		assert_in_range(s.workers[i].longest_ms, 0, 450000);
	}
}

static void
polls_that_want_too_much_are_slowed_alike(void **state)
{
	static struct simulation s = { .service = { .limit = 5000 }, .seed = 5 };

	(void)state;
	add(&s, 40, false, 60000, 5); /* 12,000 in an hour */
	run(&s, 4);
	assert_int_equal(s.service.over, 0);
	for (int window = 0; window < 3; window++) {
		int64_t total = window_total(&s, window);

		assert_in_range(total, 4700, 5000);
		for (size_t i = 0; i < s.count; i++) {
			int64_t share = s.workers[i].done[window] * (int64_t)s.count;

			assert_in_range(share, total / 2, total * 2);
		}
	}
	for (size_t i = 0; i < s.count; i++) /* spread, not stopped for the window's rest */
		assert_in_range(s.workers[i].longest_ms, 0, 15 * 60000);
}

/* Workers whose knowledge is old ask once more when nothing is left: that is what is kept. */
static void
late_comers_do_not_pass_the_limit(void **state)
{
	static struct simulation s = { .service = { .limit = 5000 }, .seed = 6 };

	(void)state;
	add(&s, 8, false, 0, 0); /* burn what they can */
	add(&s, 50, false, HOUR_MS / 2, 1);
	run(&s, 3);
	assert_int_equal(s.service.over, 0);
	for (size_t i = 0; i < s.count; i++) {
		for (int window = 0; window < 2; window++)
			assert_true(s.workers[i].done[window] > 0);
	}
}

static void
a_small_budget_lasts_too(void **state)
{
	static struct simulation s = { .service = { .limit = 60 }, .seed = 7 };

	(void)state;
	add(&s, 1, true, 0, 0);
	add(&s, 1, false, 600000, 1);
	run(&s, 4);
	assert_true(s.service.over <= 3); /* nothing is kept of so little for late comers */
	for (int window = 0; window < 3; window++)
		assert_in_range(window_total(&s, window), 50, 60);
	assert_true(s.workers[1].rounds >= 20);
}

static void
a_minute_never_sees_more_than_its_points(void **state)
{
	static int64_t sent[200000];
	struct gh_bucket b = { 0 };
	int64_t now = START;
	size_t count = 0, first = 0;

	(void)state;
	assert_int_equal(gh_bucket_take(&b, 720, now), 0);
	for (now += 10 * 60000; now < START + 30 * 60000;) { /* full again by then */
		int64_t wait = gh_bucket_take(&b, 720, now);

		if (wait > 0) {
			now += wait;
			continue;
		}
		sent[count++] = now;
		while (sent[first] <= now - 60000)
			first++;
		assert_in_range(count - first, 1, 720);
		now += 3;
	}
	assert_in_range(count, 20 * 360, 20 * 360 + 720); /* and half of that for good */
	assert_int_equal(gh_bucket_take(&b, 720, now - 1000) >= 0, 1); /* a clock set back */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_ample_budget_holds_nobody_back),
		cmocka_unit_test(many_first_syncs_share_a_budget_evenly),
		cmocka_unit_test(polls_go_on_while_first_syncs_use_the_budget_up),
		cmocka_unit_test(polls_that_want_too_much_are_slowed_alike),
		cmocka_unit_test(late_comers_do_not_pass_the_limit),
		cmocka_unit_test(a_small_budget_lasts_too),
		cmocka_unit_test(a_minute_never_sees_more_than_its_points),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
