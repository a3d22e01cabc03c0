/* test_mlog_mutation.c - payloads as messages: bytes that Go would write, hostile bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "mutation-log/mlog_mutation.h"
#include "test/unit/mutation-log/log_maker.h"

#define ARENA_MAX ((size_t)8 << 20)

/* github_issue { owner "o" repo "r" number 7 body_change {} remove_label [1, 300] } */
static const char issue_bytes[] = "\x0a\x11\x0a\x01o\x12\x01r\x18\x07\xba\x01\x03\x01\xac\x02"
				  "\xfa\x01\x00";

static void
a_message_packs_to_ascending_fields_without_defaults(void **state)
{
	Maintpb__Mutation m = MAINTPB__MUTATION__INIT;
	Maintpb__GithubIssueMutation issue = MAINTPB__GITHUB_ISSUE_MUTATION__INIT;
	Maintpb__StringChange empty = MAINTPB__STRING_CHANGE__INIT;
	int64_t labels[] = { 1, 300 };
	struct buf b;

	(void)state;
	m.github_issue = &issue;
	issue.owner = (char *)"o";
	issue.repo = (char *)"r";
	issue.number = 7;
	issue.body_change = &empty;
	issue.remove_label = labels;
	issue.n_remove_label = 2;
	buf_init(&b, 1000);
	buf_str(&b, "before");
	assert_int_equal(mlog_mutation_pack(&m, &b), 0);
	assert_int_equal(b.len, 6 + sizeof(issue_bytes) - 1);
	assert_memory_equal(b.ptr + 6, issue_bytes, sizeof(issue_bytes) - 1);
	buf_clear(&b);
	buf_init(&b, 5);
	assert_int_equal(mlog_mutation_pack(&m, &b), ERR_LIMIT);
	buf_clear(&b);
}

static void
bytes_unpack_and_pack_again_to_the_same(void **state)
{
	static const struct slice cases[] = {
		{ "", 0 },
		{ issue_bytes, sizeof(issue_bytes) - 1 },
		/* git and gerrit of maintner's logs are kept whole */
		{ "\x12\x03git\x1a\x03\x0a\x01o\x22\x06gerrit", 18 },
		/* unknown fields: a varint 99, a fixed32 98, bytes 1999 inside the issue */
		{ "\x98\x06\x05\x95\x06\x01\x02\x03\x04", 9 },
		{ "\x0a\x07\x18\x07\xfa\x7c\x02\x61\x62", 9 },
		/* ours: sync_state with a family, complete */
		{ "\x1a\x0d\xc2\x3e\x0a\x0a\x06issues\x18\x01", 15 },
	};
	struct arena a;

	(void)state;
	arena_init(&a, ARENA_MAX);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		Maintpb__Mutation *m = NULL;
		struct buf b;

		buf_init(&b, 1000);
		assert_int_equal(mlog_mutation_unpack(cases[i], &a, &m, NULL), 0);
		assert_int_equal(mlog_mutation_pack(m, &b), 0);
		assert_true(slice_eq(buf_view(&b), cases[i]));
		buf_clear(&b);
		arena_reset(&a);
	}
	arena_clear(&a);
}

static void
unpacked_numbers_in_old_form_are_read_too(void **state)
{
	/* remove_label twice, each as a plain varint */
	static const char bytes[] = "\x0a\x06\xb8\x01\x05\xb8\x01\x06";
	Maintpb__Mutation *m = NULL;
	struct arena a;

	(void)state;
	arena_init(&a, ARENA_MAX);
	assert_int_equal(mlog_mutation_unpack(SLICE(bytes), &a, &m, NULL), 0);
	assert_int_equal(m->github_issue->n_remove_label, 2);
	assert_int_equal(m->github_issue->remove_label[1], 6);
	arena_clear(&a);
}

static void
damaged_bytes_are_corrupt_and_not_out_of_memory(void **state)
{
	static const struct slice cases[] = {
		{ "\x0a", 1 },                                          /* no length */
		{ "\x0a\x05x", 3 },                                     /* cut short */
		{ "\x0a\xff\xff\xff\xff\x0f", 6 },                      /* 4 GB */
		{ "\x0a\x02\x18", 3 },                                  /* inner cut short */
		{ "\x00\x01", 2 },                                      /* field 0 */
		{ "\x0b", 1 },                                          /* a group */
		{ "\x18\x01", 2 },                                      /* github as a number */
		{ "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11 }, /* an endless tag */
	};
	struct arena a;

	(void)state;
	arena_init(&a, ARENA_MAX);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		Maintpb__Mutation *m = NULL;
		struct err_info ei = { 0 };

		assert_int_equal(mlog_mutation_unpack(cases[i], &a, &m, &ei), ERR_CORRUPT);
		assert_null(m);
		assert_non_null(strstr(ei.text, "not a Mutation"));
		arena_reset(&a);
	}
	arena_clear(&a);
}

static void
memory_is_bounded_by_the_arena(void **state)
{
	struct arena a;
	Maintpb__Mutation *m = NULL;
	struct buf b;

	(void)state;
	/* 100,000 empty comments, two bytes each, want 80 bytes and a pointer each. */
	buf_init(&b, 1 << 20);
	buf_add(&b, "\x0a\xc0\x9a\x0c", 4);
	for (int i = 0; i < 100000; i++)
		buf_add(&b, "\x42\x00", 2);
	arena_init(&a, 1 << 20);
	assert_int_equal(mlog_mutation_unpack(buf_view(&b), &a, &m, NULL), ERR_NOMEM);
	arena_clear(&a);
	arena_init(&a, MLOG_UNPACK_MAX);
	assert_int_equal(mlog_mutation_unpack(buf_view(&b), &a, &m, NULL), 0);
	assert_int_equal(m->github_issue->n_comment, 100000);
	arena_clear(&a);
	buf_clear(&b);
}

static void
every_allocation_failure_is_no_memory(void **state)
{
	Maintpb__Mutation *m = NULL;
	struct arena a;
	int rc = ERR_NOMEM;

	(void)state;
	for (long n = 0; rc != 0; n++) {
		arena_init(&a, ARENA_MAX);
		mem_fail_after(n);
		rc = mlog_mutation_unpack(SLICE(issue_bytes), &a, &m, NULL);
		mem_fail_after(MEM_NEVER);
		assert_true(rc == 0 || (rc == ERR_NOMEM && m == NULL));
		arena_clear(&a);
	}
}

static void
random_damage_never_crashes(void **state)
{
	uint64_t seed = 42;
	struct arena a;

	(void)state;
	arena_init(&a, ARENA_MAX);
	for (int i = 0; i < 20000; i++) {
		char bytes[sizeof(issue_bytes) - 1];
		Maintpb__Mutation *m = NULL;
		size_t len = sizeof(bytes) - rnd(&seed) % 3;
		int rc;

		memcpy(bytes, issue_bytes, sizeof(bytes));
		for (uint32_t j = 0; j < 1 + rnd(&seed) % 4; j++)
			bytes[rnd(&seed) % sizeof(bytes)] ^= (char)(1u << rnd(&seed) % 8);
		rc = mlog_mutation_unpack((struct slice){ bytes, len }, &a, &m, NULL);
		assert_true(rc == 0 || rc == ERR_CORRUPT);
		arena_reset(&a);
	}
	arena_clear(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_message_packs_to_ascending_fields_without_defaults),
		cmocka_unit_test(bytes_unpack_and_pack_again_to_the_same),
		cmocka_unit_test(unpacked_numbers_in_old_form_are_read_too),
		cmocka_unit_test(damaged_bytes_are_corrupt_and_not_out_of_memory),
		cmocka_unit_test(memory_is_bounded_by_the_arena),
		cmocka_unit_test(every_allocation_failure_is_no_memory),
		cmocka_unit_test(random_damage_never_crashes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
