/*
 * Walks over pages while a writer changes the issues: what docs/api.md promises for
 * each order.
 */
#include "test/unit/fcgi/responder_rig.h"
#include "test/unit/sync/random_github.h"

#define NUMBERS 24 /* issues at the start; more are made on the way */
#define WALKS 8    /* of each kind */

struct fixture {
	struct sync_rig *rig;
	struct responder r;
	struct random_github random;
	uint32_t newest;
	int64_t clock; /* each change is later than those before */
	int comment;   /* ids */
	int seen[4 * NUMBERS];
	bool buried[4 * NUMBERS];
	bool fell[4 * NUMBERS]; /* was a tombstone at some time of this walk */
};

/* Of numbers, so that every row must be looked at; '%' and '>' are encoded. */
#define EVERY "&filter=issue.number%3E0"
#define ODD "&filter=issue.number%252!=0"
#define EVEN "&filter=issue.number%252==0"

static void
says(struct fixture *fx, uint32_t number, const char *more)
{
	char facts[256], now[TIME_TEXT_MAX];

	time_format(fx->clock += 1000, now);
	snprintf(facts, sizeof(facts), "{'updated':'%s'%s}", now, more);
	rig_issue_says(fx->rig, number, facts);
}

static void
make_issue(struct fixture *fx)
{
	char more[128], created[TIME_TEXT_MAX];
	uint32_t n = ++fx->newest;

	/* Created times rise with numbers, but now and then two are alike. */
	time_format(INT64_C(1577836800000) + 60000 * (int64_t)(n / 2), created);
	snprintf(more, sizeof(more), ",'title':'t','created':'%s'%s", created,
	    n % 3 == 0 ? ",'pullRequest':true" : "");
	says(fx, n, more);
}

/* Something happens to a random issue. */
static void
change(struct fixture *fx)
{
	uint32_t number = 1 + random_below(&fx->random, fx->newest);
	char more[64];

	if (fx->buried[number]) {
		if (random_below(&fx->random, 4) > 0)
			return; /* a mutation would bring it back */
		says(fx, number, ",'title':'back again'");
		fx->buried[number] = false;
		return;
	}
	switch (random_below(&fx->random, 8)) {
	case 0:
		if (fx->newest < 4 * NUMBERS - 1)
			make_issue(fx);
		break;
	case 1:
		rig_issue_says(fx->rig, number, "{'notExist':true}");
		fx->buried[number] = fx->fell[number] = true;
		break;
	case 2:
	case 3:
		says(fx, number, ",'closed':{'val':true}");
		break;
	case 4:
		says(
		    fx, number, ",'closed':{'val':false},'title':'a longer title than before'");
		break;
	default:
		snprintf(
		    more, sizeof(more), ",'comment':[{'id':%d,'body':'c'}]", ++fx->comment);
		says(fx, number, more);
		break;
	}
}

static int
setup(void **state)
{
	struct fixture *fx = calloc(1, sizeof(*fx));
	void *rig = NULL;

	if (rig_setup(&rig) != 0)
		return -1;
	fx->rig = rig;
	fx->random.seed = 11;
	fx->clock = INT64_C(1600000000000);
	while (fx->newest < NUMBERS)
		make_issue(fx);
	for (int i = 0; i < 40; i++)
		change(fx);
	responder_init(&fx->r, fx->rig->fx.dir);
	*state = fx;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *fx = *state;
	void *rig = fx->rig;

	responder_clear(&fx->r);
	rig_teardown(&rig);
	free(fx);
	return 0;
}

/* Ask for a page, note its issues, and give the token for the next. */
static bool
take_page(struct fixture *fx, const char *query, char token[64], int *last_number)
{
	char uri[256];
	struct answer a;
	const json_t *i;
	size_t n;
	bool more;

	snprintf(uri, sizeof(uri), ISSUES "?pageSize=%u&fieldMask=issueId%s&pageToken=%s",
	    1 + random_below(&fx->random, 5), query, token);
	ask(&fx->r, "GET", uri, &a);
	if (a.status != 200)
		fail_msg("%s: %s", uri, a.body);
	json_array_foreach(json_object_get(a.json, "issues"), n, i)
	{
		*last_number = (int)json_integer_value(json_object_get(i, "issueId"));
		fx->seen[*last_number]++;
	}
	snprintf(token, 64, "%s", json_string_value(json_object_get(a.json, "nextPageToken")));
	more = token[0] != '\0';
	answer_clear(&a);
	return more;
}

/* A whole walk with `changes` between two pages; `seen` counts what it showed. */
static void
walk(struct fixture *fx, const char *query, int changes)
{
	char token[64] = "";
	int last = 0, pages = 0;

	memset(fx->seen, 0, sizeof(fx->seen));
	memcpy(fx->fell, fx->buried, sizeof(fx->fell));
	while (take_page(fx, query, token, &last)) {
		for (int i = 0; i < changes; i++)
			change(fx);
		assert_in_range(++pages, 1, 2000);
	}
}

static void
a_quiet_walk_shows_each_issue_once_in_every_order(void **state)
{
	static const char *const queries[] = { "", "&orderBy=-number", "&orderBy=created",
		"&orderBy=-created", "&orderBy=updated", "&orderBy=-updated",
		"&orderBy=comments", "&orderBy=-comments", EVERY, "&orderBy=-number" EVERY,
		"&orderBy=created" EVERY, "&orderBy=-created" EVERY, "&orderBy=updated" EVERY,
		"&orderBy=-updated" EVERY, "&orderBy=comments" EVERY,
		"&orderBy=-comments" EVERY };
	struct fixture *fx = *state;

	for (size_t q = 0; q < sizeof(queries) / sizeof(queries[0]); q++) {
		walk(fx, queries[q], 0);
		for (uint32_t n = 1; n <= fx->newest; n++)
			assert_int_equal(fx->seen[n], fx->buried[n] ? 0 : 1);
	}
}

/* The four class filters cut the whole into parts. */
static void
filtered_walks_add_up_to_the_whole(void **state)
{
	static const char *const parts[] = { "&closed=true&pullRequest=true",
		"&closed=true&pullRequest=false", "&closed=false&pullRequest=true",
		"&closed=false&pullRequest=false" };
	struct fixture *fx = *state;
	int sum[4 * NUMBERS] = { 0 };

	for (size_t q = 0; q < 4; q++) {
		char query[128];

		snprintf(query, sizeof(query), "&orderBy=-updated%s", parts[q]);
		walk(fx, query, 0);
		for (uint32_t n = 1; n <= fx->newest; n++)
			sum[n] += fx->seen[n];
	}
	for (uint32_t n = 1; n <= fx->newest; n++)
		assert_int_equal(sum[n], fx->buried[n] ? 0 : 1);
}

/* What matches and what does not are the whole, too; the total says how many. */
static void
a_filter_and_its_opposite_add_up_to_the_whole(void **state)
{
	static const char *const orders[] = { "number", "-number", "created", "-created",
		"updated", "-updated", "comments", "-comments" };
	struct fixture *fx = *state;

	for (size_t q = 0; q < sizeof(orders) / sizeof(orders[0]); q++) {
		int matched[4 * NUMBERS];
		char query[128];

		snprintf(query, sizeof(query), "&orderBy=%s%s", orders[q], EVEN);
		walk(fx, query, 0);
		memcpy(matched, fx->seen, sizeof(matched));
		snprintf(query, sizeof(query), "&orderBy=%s%s", orders[q], ODD);
		walk(fx, query, 0);
		for (uint32_t n = 1; n <= fx->newest; n++) {
			assert_int_equal(matched[n], fx->buried[n] ? 0 : n % 2 == 0);
			assert_int_equal(fx->seen[n], fx->buried[n] ? 0 : n % 2 != 0);
		}
	}
}

/* With a new view for every row, a scan goes on where it was. */
static void
a_scan_over_many_views_is_the_same(void **state)
{
	struct fixture *fx = *state;

	fx->r.scan_rows = 1;
	fx->r.scan_turn_ms = 0;
	a_quiet_walk_shows_each_issue_once_in_every_order(state);
	a_filter_and_its_opposite_add_up_to_the_whole(state);
}

static void
no_write_makes_a_walk_by_number_or_created_skip_or_repeat(void **state)
{
	static const char *const queries[] = { "&orderBy=number", "&orderBy=-number",
		"&orderBy=created", "&orderBy=-created", "&orderBy=number" EVEN,
		"&orderBy=-number" EVEN, "&orderBy=created" EVEN, "&orderBy=-created" EVEN };
	struct fixture *fx = *state;

	for (int n = 0; n < WALKS * 8; n++) {
		uint32_t at_start = fx->newest;
		bool filtered = n % 8 >= 4;

		walk(fx, queries[n % 8], 3);
		for (uint32_t i = 1; i <= fx->newest; i++) {
			bool matches = !filtered || i % 2 == 0;

			assert_in_range(fx->seen[i], 0, matches);
			if (i <= at_start && !fx->fell[i])
				assert_int_equal(fx->seen[i], matches);
		}
	}
}

/* An issue that moves may be seen again, but none is missed, not even a new one. */
static void
an_ascending_walk_by_updated_misses_nothing(void **state)
{
	struct fixture *fx = *state;

	for (int n = 0; n < 2 * WALKS; n++) {
		bool filtered = n % 2 == 1;

		walk(fx, filtered ? "&orderBy=updated" EVEN : "&orderBy=updated", 1);
		for (uint32_t i = 1; i <= fx->newest; i++) {
			if (!fx->buried[i] && (!filtered || i % 2 == 0))
				assert_true(fx->seen[i] >= 1);
		}
	}
}

/* An issue that is made meanwhile has no comments and stands behind the reader. */
static void
an_ascending_walk_by_comments_misses_none_that_was_there(void **state)
{
	struct fixture *fx = *state;

	for (int n = 0; n < 2 * WALKS; n++) {
		uint32_t at_start = fx->newest;
		bool filtered = n % 2 == 1;

		walk(fx, filtered ? "&orderBy=comments" EVEN : "&orderBy=comments", 1);
		for (uint32_t i = 1; i <= at_start; i++) {
			if (!fx->fell[i] && (!filtered || i % 2 == 0))
				assert_true(fx->seen[i] >= 1);
		}
	}
}

/* What did not change during the walk is there once, whatever else happened. */
static void
a_descending_walk_shows_what_stood_still_once(void **state)
{
	static const char *const queries[] = { "&orderBy=-updated", "&orderBy=-comments" };
	struct fixture *fx = *state;

	for (int n = 0; n < WALKS; n++) {
		char token[64] = "";
		bool moved[4 * NUMBERS] = { false };
		int last = 0;

		memset(fx->seen, 0, sizeof(fx->seen));
		while (take_page(fx, queries[n % 2], token, &last)) {
			uint32_t number = 1 + random_below(&fx->random, fx->newest);
			char more[64];

			snprintf(more, sizeof(more), ",'comment':[{'id':%d}]", ++fx->comment);
			if (!fx->buried[number])
				says(fx, number, more);
			moved[number] = true;
		}
		for (uint32_t i = 1; i <= fx->newest; i++) {
			if (!moved[i] && !fx->buried[i])
				assert_int_equal(fx->seen[i], 1);
		}
	}
}

/* A page ends at its size in bytes, too, and the walk still shows everything. */
static void
large_issues_make_small_pages(void **state)
{
	struct fixture *fx = *state;
	char *body = malloc((size_t)1500001), token[64] = "";
	json_t *facts;
	int last = 0, pages = 1;

	memset(body, 'x', 1500000);
	body[1500000] = '\0';
	for (uint32_t n = 1; n <= 6; n++) {
		char *text;

		facts = json_pack("{s:{s:s}}", "bodyChange", "val", body);
		text = json_dumps(facts, 0);
		rig_issue_says(fx->rig, n, text);
		fx->buried[n] = false;
		json_decref(facts);
		free(text);
	}
	memset(fx->seen, 0, sizeof(fx->seen));
	for (;;) {
		char uri[128];
		struct answer a;
		const json_t *i;
		size_t n;

		snprintf(uri, sizeof(uri), ISSUES "?pageToken=%s", token);
		ask(&fx->r, "GET", uri, &a);
		assert_int_equal(a.status, 200);
		assert_in_range(a.raw.len, 0, RESPONDER_PAGE_BYTES + 2000000);
		json_array_foreach(json_object_get(a.json, "issues"), n, i)
		{
			last = (int)json_integer_value(json_object_get(i, "issueId"));
			fx->seen[last]++;
		}
		snprintf(token, sizeof(token), "%s",
		    json_string_value(json_object_get(a.json, "nextPageToken")));
		answer_clear(&a);
		if (token[0] == '\0')
			break;
		pages++;
	}
	assert_in_range(pages, 2, 6);
	for (uint32_t n = 1; n <= fx->newest; n++)
		assert_int_equal(fx->seen[n], fx->buried[n] ? 0 : 1);
	free(body);
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		WITH(a_quiet_walk_shows_each_issue_once_in_every_order),
		WITH(filtered_walks_add_up_to_the_whole),
		WITH(a_filter_and_its_opposite_add_up_to_the_whole),
		WITH(a_scan_over_many_views_is_the_same),
		WITH(no_write_makes_a_walk_by_number_or_created_skip_or_repeat),
		WITH(an_ascending_walk_by_updated_misses_nothing),
		WITH(an_ascending_walk_by_comments_misses_none_that_was_there),
		WITH(a_descending_walk_shows_what_stood_still_once),
		WITH(large_issues_make_small_pages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
