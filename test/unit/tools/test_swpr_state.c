/* The sweep's memory: what confirms a disappearance, and the document. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

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
	struct swpr_numbers candidates = { .items = NULL };
	enum swpr_verdict v;

	(void)state;
	for (uint32_t n = 1; n <= 5; n++)
		assert_int_equal(swpr_state_observe(r, n, SWPR_NOT_FOUND, NOW, HOUR, &v), 0);
	assert_int_equal(swpr_numbers_parse("2,4-5,9", &candidates), 0);
	swpr_state_prune(r, &candidates);
	assert_int_equal(r->missing_count, 3);
	swpr_state_forget(r, 4);
	swpr_state_forget(r, 4);
	assert_int_equal(r->missing_count, 2);
	assert_int_equal(r->missing[0].number, 2);
	assert_int_equal(r->missing[1].number, 5);
	swpr_numbers_clear(&candidates);
	swpr_state_clear(&s);
}

/* --- the document --- */

#define WHOLE                                                                                  \
	"{\"version\":1,\"runStartedMs\":17,\"repos\":[\n"                                     \
	"{\"repo\":\"o/r\",\"sweptMs\":5,\"missing\":[[7,1,2],[9,3,3]],"                       \
	"\"listing\":{\"part\":\"issues\",\"next\":\"a\\\"b\",\"seen\":\"1-5,7\"}},\n"         \
	"{\"repo\":\"a/b\",\"sweptMs\":6,\"missing\":[]}]}\n"

static void
the_document_goes_there_and_back(void **state)
{
	struct swpr_state s;
	struct buf b;

	(void)state;
	assert_int_equal(swpr_state_parse(SLICE(WHOLE), &s, NULL), 0);
	assert_ptr_equal(swpr_state_repo(&s, "O/R"), s.repos[0]);
	assert_int_equal(s.repos[0]->listing.seen.count, 6);
	assert_non_null(swpr_state_repo(&s, "new/one")); /* nothing to say of it */
	buf_init(&b, 4096);
	swpr_state_format(&s, &b);
	assert_string_equal(buf_cstr(&b), WHOLE);
	buf_clear(&b);
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
		cmocka_unit_test(the_document_goes_there_and_back),
		cmocka_unit_test(what_is_wrong_is_named_with_its_place),
		cmocka_unit_test(reading_survives_every_allocation_failure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
