/* The sweep's memory: what confirms a disappearance, and the document. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <strings.h>

#include "base/mem.h"
#include "tools/swpr_state.h"

#define HOUR INT64_C(3600000)
#define NOW INT64_C(1700000000000)

struct step {
	int64_t at_ms; /* after NOW */
	enum swpr_sight sight;
	enum swpr_verdict want;
};

static void
check_steps(const struct step *steps, size_t count, size_t left)
{
	struct swpr_state s = { .repos = NULL };
	struct swpr_repo_state *r = swpr_state_repo(&s, "o/r");

	for (size_t i = 0; i < count; i++) {
		enum swpr_verdict got = SWPR_KEEP;

		assert_int_equal(
		    swpr_state_observe(r, 7, steps[i].sight, NOW + steps[i].at_ms, HOUR, &got),
		    0);
		assert_int_equal(got, steps[i].want);
	}
	assert_int_equal(r->missing_count, left);
	swpr_state_clear(&s);
}

#define CHECK(left, ...)                                                                       \
	check_steps((const struct step[]){ __VA_ARGS__ },                                      \
	    sizeof((const struct step[]){ __VA_ARGS__ }) / sizeof(struct step), left)

static void
deleted_and_transferred_are_sure_at_once(void **state)
{
	(void)state;
	CHECK(0, { 0, SWPR_GONE, SWPR_BURY });
	CHECK(0, { 0, SWPR_MOVED, SWPR_BURY });
	CHECK(1, { 0, SWPR_NOT_FOUND, SWPR_WAIT }, { 1, SWPR_GONE, SWPR_BURY });
}

static void
not_found_counts_only_when_it_lasts(void **state)
{
	(void)state;
	CHECK(1, { 0, SWPR_NOT_FOUND, SWPR_WAIT });
	CHECK(1, { 0, SWPR_NOT_FOUND, SWPR_WAIT }, { HOUR - 1, SWPR_NOT_FOUND, SWPR_WAIT });
	CHECK(1, { 0, SWPR_NOT_FOUND, SWPR_WAIT }, { HOUR, SWPR_NOT_FOUND, SWPR_BURY });
	CHECK(1, { 0, SWPR_NOT_FOUND, SWPR_WAIT }, { HOUR / 2, SWPR_NOT_FOUND, SWPR_WAIT },
	    { HOUR, SWPR_NOT_FOUND, SWPR_BURY });
}

static void
a_sight_of_it_makes_the_count_begin_again(void **state)
{
	(void)state;
	CHECK(0, { 0, SWPR_NOT_FOUND, SWPR_WAIT }, { 1, SWPR_PRESENT, SWPR_KEEP });
	CHECK(1, { 0, SWPR_NOT_FOUND, SWPR_WAIT }, { 1, SWPR_PRESENT, SWPR_KEEP },
	    { HOUR + 1, SWPR_NOT_FOUND, SWPR_WAIT });
}

static void
a_clock_that_was_set_back_makes_it_begin_again(void **state)
{
	(void)state;
	CHECK(1, { 2 * HOUR, SWPR_NOT_FOUND, SWPR_WAIT }, { 0, SWPR_NOT_FOUND, SWPR_WAIT },
	    { HOUR - 1, SWPR_NOT_FOUND, SWPR_WAIT }, { HOUR, SWPR_NOT_FOUND, SWPR_BURY });
}

static void
numbers_that_are_listed_again_are_forgotten(void **state)
{
	struct swpr_state s = { .repos = NULL };
	struct swpr_repo_state *r = swpr_state_repo(&s, "o/r");
	struct swpr_numbers candidates = { .items = NULL }, settled = { .items = NULL };
	enum swpr_verdict v;

	(void)state;
	for (uint32_t n = 1; n <= 5; n++)
		assert_int_equal(swpr_state_observe(r, n, SWPR_NOT_FOUND, NOW, HOUR, &v), 0);
	assert_int_equal(swpr_numbers_parse("2,4-5,9", &candidates), 0);
	swpr_state_prune(r, &candidates);
	assert_int_equal(r->missing_count, 3);
	assert_int_equal(swpr_numbers_parse("1,4,7", &settled), 0);
	for (int i = 0; i < 2; i++)
		swpr_state_forget(r, &settled);
	assert_int_equal(r->missing_count, 2);
	assert_int_equal(r->missing[0].number, 2);
	assert_int_equal(r->missing[1].number, 5);
	swpr_numbers_clear(&candidates);
	swpr_numbers_clear(&settled);
	swpr_state_clear(&s);
}

#define MANY 3000

/* Against a table with a place for each number; times[] is 0 where it is not missing. */
static void
check_missing(const struct swpr_repo_state *r, const int64_t times[MANY + 1])
{
	size_t at = 0;

	for (uint32_t n = 1; n <= MANY; n++) {
		assert_int_equal(swpr_state_is_missing(r, n), times[n] != 0);
		if (times[n] == 0)
			continue;
		assert_true(at < r->missing_count);
		assert_int_equal(r->missing[at].number, n);
		assert_int_equal(r->missing[at].first_ms, times[n]);
		at++;
	}
	assert_int_equal(r->missing_count, at);
	assert_false(swpr_state_is_missing(r, 0));
	assert_false(swpr_state_is_missing(r, INT32_MAX));
}

/* 7 has no divisor in common with MANY + 1, so each number comes once, in no order. */
static void
numbers_in_any_order_are_kept_sorted_and_found(void **state)
{
	static int64_t times[MANY + 1];
	struct swpr_state s = { .repos = NULL };
	struct swpr_repo_state *r = swpr_state_repo(&s, "o/r");
	struct swpr_numbers some = { .items = NULL };
	enum swpr_verdict v;

	(void)state;
	for (uint32_t i = 1; i <= MANY; i++) {
		uint32_t n = i * 7 % (MANY + 1);

		times[n] = NOW + i;
		assert_int_equal(
		    swpr_state_observe(r, n, SWPR_NOT_FOUND, times[n], HOUR, &v), 0);
		assert_int_equal(v, SWPR_WAIT);
	}
	check_missing(r, times);
	for (uint32_t i = 1; i <= MANY; i += 5) { /* each is judged by its own time */
		uint32_t n = i * 7 % (MANY + 1);

		assert_int_equal(
		    swpr_state_observe(r, n, SWPR_NOT_FOUND, NOW + HOUR + 999, HOUR, &v), 0);
		assert_int_equal(v, times[n] <= NOW + 999 ? SWPR_BURY : SWPR_WAIT);
	}
	for (uint32_t n = 3; n <= MANY; n += 11) {
		assert_int_equal(swpr_state_observe(r, n, SWPR_PRESENT, NOW, HOUR, &v), 0);
		times[n] = 0;
	}
	check_missing(r, times);
	for (uint32_t n = 1; n <= 2 * MANY; n += 2) { /* also those that are not there */
		assert_int_equal(swpr_numbers_add(&some, n), 0);
		times[n <= MANY ? n : 0] = 0;
	}
	swpr_state_forget(r, &some);
	check_missing(r, times);
	swpr_numbers_clear(&some);
	for (uint32_t n = 4; n <= MANY; n += 4)
		assert_int_equal(swpr_numbers_add(&some, n), 0);
	for (uint32_t n = 1; n <= MANY; n++)
		times[n] = n % 4 == 0 ? times[n] : 0;
	swpr_state_prune(r, &some);
	check_missing(r, times);
	swpr_numbers_clear(&some);
	swpr_state_prune(r, &some);
	assert_int_equal(r->missing_count, 0);
	swpr_state_clear(&s);
}

/* --- repositories --- */

static void
a_repository_is_found_in_any_case_and_stays_where_it_is(void **state)
{
	struct swpr_state s = { .repos = NULL };
	struct swpr_repo_state *got[500];
	char name[32];

	(void)state;
	for (unsigned i = 0; i < 500; i++) {
		snprintf(name, sizeof(name), "%s/r%u", i % 2 == 0 ? "o" : "P", i * 7 % 500);
		got[i] = swpr_state_repo(&s, name);
		assert_non_null(got[i]);
		assert_string_equal(got[i]->name, name);
	}
	assert_int_equal(s.count, 500);
	for (unsigned i = 0; i < 500; i++) {
		snprintf(name, sizeof(name), "%s/R%u", i % 2 == 0 ? "O" : "p", i * 7 % 500);
		assert_ptr_equal(swpr_state_repo(&s, name), got[i]);
	}
	assert_int_equal(s.count, 500);
	for (size_t i = 1; i < s.count; i++)
		assert_true(strcasecmp(s.repos[i - 1]->name, s.repos[i]->name) < 0);
	swpr_state_clear(&s);
}

/* --- the document --- */

#define WHOLE                                                                                  \
	"{\"version\":1,\"runStartedMs\":17,\"repos\":[\n"                                     \
	"{\"repo\":\"a/b\",\"sweptMs\":6,\"missing\":[]},\n"                                   \
	"{\"repo\":\"o/r\",\"sweptMs\":5,\"missing\":[[7,1,2],[9,3,3]],"                       \
	"\"listing\":{\"part\":\"issues\",\"next\":\"a\\\"b\",\"seen\":\"1-5,7\"}}]}\n"

static void
the_document_goes_there_and_back(void **state)
{
	struct swpr_state s;
	struct buf b;

	(void)state;
	assert_int_equal(swpr_state_parse(SLICE(WHOLE), &s, NULL), 0);
	assert_ptr_equal(swpr_state_repo(&s, "O/R"), s.repos[1]);
	assert_int_equal(s.repos[1]->listing.seen.count, 6);
	assert_non_null(swpr_state_repo(&s, "new/one")); /* nothing to say of it */
	buf_init(&b, 4096);
	swpr_state_format(&s, &b);
	assert_string_equal(buf_cstr(&b), WHOLE);
	buf_clear(&b);
	swpr_state_clear(&s);
}

static void
missing_numbers_may_be_written_in_any_order(void **state)
{
	static const uint32_t want[] = { 2, 5, 7, 9 };
	struct swpr_state s;

	(void)state;
	assert_int_equal(
	    swpr_state_parse(SLICE("{\"version\":1,\"runStartedMs\":0,\"repos\":[{\"repo\":"
				   "\"o/r\",\"sweptMs\":5,\"missing\":[[7,1,70],[2,1,20],"
				   "[9,1,90],[5,1,50]]}]}"),
		&s, NULL),
	    0);
	assert_int_equal(s.repos[0]->missing_count, 4);
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(s.repos[0]->missing[i].number, want[i]);
		assert_int_equal(s.repos[0]->missing[i].last_ms, 10 * want[i]);
		assert_true(swpr_state_is_missing(s.repos[0], want[i]));
	}
	assert_false(swpr_state_is_missing(s.repos[0], 6));
	swpr_state_clear(&s);
}

#define REPO(rest) "{\"version\":1,\"runStartedMs\":0,\"repos\":[" rest "]}"

static void
what_is_wrong_is_named_with_its_place(void **state)
{
	static const struct {
		const char *text;
		int want;
		const char *word;
	} cases[] = {
		{ "", ERR_PROTO, "sweep state" },
		{ "[]", ERR_PROTO, "\"version\"" },
		{ "{\"version\":2}", ERR_VERSION, "version 2" },
		{ "{\"version\":1}", ERR_PROTO, "\"runStartedMs\"" },
		{ "{\"version\":1,\"runStartedMs\":-1}", ERR_PROTO, "\"runStartedMs\"" },
		{ "{\"version\":1,\"runStartedMs\":0}", ERR_PROTO, "\"repos\"" },
		{ REPO("7"), ERR_PROTO, "element 0" },
		{ REPO("{\"repo\":\"x\",\"sweptMs\":0}"), ERR_PROTO, "owner/name" },
		{ REPO("{\"repo\":\"o/r\"}"), ERR_PROTO, "\"sweptMs\"" },
		{ REPO("{\"repo\":\"o/r\",\"sweptMs\":0},{\"repo\":\"O/r\",\"sweptMs\":0}"),
		    ERR_PROTO, "twice" },
		{ REPO("{\"repo\":\"o/r\",\"sweptMs\":0,\"missing\":7}"), ERR_PROTO,
		    "\"missing\"" },
		{ REPO("{\"repo\":\"o/r\",\"sweptMs\":0,\"missing\":[[1,2]]}"), ERR_PROTO,
		    "\"missing\"" },
		{ REPO("{\"repo\":\"o/r\",\"sweptMs\":0,\"missing\":[[0,2,3]]}"), ERR_PROTO,
		    "\"missing\"" },
		{ REPO("{\"repo\":\"o/r\",\"sweptMs\":0,\"missing\":[[1,3,2]]}"), ERR_PROTO,
		    "\"missing\"" },
		{ REPO("{\"repo\":\"o/r\",\"sweptMs\":0,\"missing\":[[3,1,1],[1,1,1],"
		       "[3,2,2]]}"),
		    ERR_PROTO, "a number is twice in \"missing\"" },
		{ REPO("{\"repo\":\"o/r\",\"sweptMs\":0,\"listing\":{}}"), ERR_PROTO,
		    "\"listing\"" },
		{ REPO("{\"repo\":\"o/r\",\"sweptMs\":0,\"listing\":{\"part\":\"issues\","
		       "\"next\":\"\",\"seen\":\"3-1\"}}"),
		    ERR_PROTO, "\"seen\"" },
		{ REPO("{\"repo\":\"o/r\",\"sweptMs\":0,\"listing\":{\"part\":"
		       "\"0123456789abcdef\",\"next\":\"\",\"seen\":\"\"}}"),
		    ERR_PROTO, "\"listing\"" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct swpr_state s = { .run_started_ms = 99 };
		struct err_info ei = { .text = "" };

		assert_int_equal(
		    swpr_state_parse(slice_str(cases[i].text), &s, &ei), cases[i].want);
		assert_non_null(strstr(ei.text, cases[i].word));
		assert_int_equal(s.run_started_ms, 99);
	}
}

static void
reading_survives_every_allocation_failure(void **state)
{
	struct swpr_state s = { .repos = NULL };
	int rc = ERR_NOMEM;

	(void)state;
	for (long n = 0; rc != 0 && n < 100; n++) {
		mem_fail_after(n);
		rc = swpr_state_parse(SLICE(WHOLE), &s, NULL);
		mem_fail_after(MEM_NEVER);
		assert_true(rc == 0 || (rc == ERR_NOMEM && s.repos == NULL));
	}
	assert_int_equal(rc, 0);
	swpr_state_clear(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(deleted_and_transferred_are_sure_at_once),
		cmocka_unit_test(not_found_counts_only_when_it_lasts),
		cmocka_unit_test(a_sight_of_it_makes_the_count_begin_again),
		cmocka_unit_test(a_clock_that_was_set_back_makes_it_begin_again),
		cmocka_unit_test(numbers_that_are_listed_again_are_forgotten),
		cmocka_unit_test(numbers_in_any_order_are_kept_sorted_and_found),
		cmocka_unit_test(a_repository_is_found_in_any_case_and_stays_where_it_is),
		cmocka_unit_test(the_document_goes_there_and_back),
		cmocka_unit_test(missing_numbers_may_be_written_in_any_order),
		cmocka_unit_test(what_is_wrong_is_named_with_its_place),
		cmocka_unit_test(reading_survives_every_allocation_failure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
