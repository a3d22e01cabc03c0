/*
 * test_mlog_data.c - a log that Go's maintner wrote, where the test data is present, and a
 * small one of the same kind that is always there.
 *
 * The data is looked for in $MAINTNER_TEST_DATA, else in ../shared/data.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <limits.h>
#include <unistd.h>

#include "mutation-log/mlog_mutation.h"
#include "test/unit/mutation-log/log_maker.h"

struct counts {
	size_t records;
	size_t issues;     /* records about an issue */
	size_t tombstones; /* of these, with not_exist */
	size_t old_bodies; /* with the old `body` */
};

/* Read everything; every payload must pack again to the same bytes. */
static void
read_all(struct store *s, const char *prefix, struct counts *ret)
{
	struct mlog_reader *r = NULL;
	struct err_info ei = { 0 };
	struct slice payload;
	struct mlog_pos at;
	struct arena a;
	struct buf b;
	int rc;

	*ret = (struct counts){ 0 };
	arena_init(&a, MLOG_UNPACK_MAX);
	buf_init(&b, MLOG_RECORD_MAX);
	assert_int_equal(mlog_reader_open(s, prefix, (struct mlog_pos){ 0, 0 }, &r, &ei), 0);
	while ((rc = mlog_reader_next(r, &payload, &at, &ei)) == 0) {
		Maintpb__Mutation *m = NULL;

		assert_int_equal(mlog_mutation_unpack(payload, &a, &m, &ei), 0);
		assert_int_equal(mlog_mutation_pack(m, &b), 0);
		assert_true(slice_eq(buf_view(&b), payload));
		ret->records++;
		if (m->github_issue != NULL) {
			ret->issues++;
			ret->tombstones += m->github_issue->not_exist != 0;
			ret->old_bodies += m->github_issue->body[0] != '\0';
		}
		buf_reset(&b);
		arena_reset(&a);
	}
	assert_int_equal(rc, ERR_NOENT);
	mlog_reader_close(r);
	arena_clear(&a);
	buf_clear(&b);
}

static void
a_log_of_maintner_reads_whole_and_packs_to_the_same_bytes(void **state)
{
	const char *data = getenv("MAINTNER_TEST_DATA");
	char path[PATH_MAX], real[PATH_MAX], url[PATH_MAX + 8];
	struct store *s = NULL;
	struct counts c;

	(void)state;
	snprintf(path, sizeof(path), "%s/maintner-log", data != NULL ? data : "../shared/data");
	if (realpath(path, real) == NULL)
		skip();
	snprintf(url, sizeof(url), "file://%s", real);
	assert_int_equal(store_open(url, &s, NULL), 0);
	read_all(s, "acme/repo1k/", &c);
	store_close(s);
	assert_int_equal(c.records, 5177);
	assert_true(c.tombstones > 0);
	assert_true(c.old_bodies > 0);
}

static void
a_small_log_made_here_does_so_too(void **state)
{
	/* Payloads as maintner writes them: a label, an issue, a comment, a tombstone. */
	static const struct slice payloads[] = {
		{ "\x1a\x14\x0a\x04"
		  "acme\x12\x01r\x1a\x09\x08\xc0\x84=\x12\x03"
		  "bug",
		    22 },
		{ "\x0a\x1d\x0a\x04"
		  "acme\x12\x01r\x18\x01\"\x05\x08\x07\x12\x01u*\x06\x08\x80\xe2\xcf"
		  "\xaa\x06:\x01z",
		    31 },
		{ "\x0a\x12\x0a\x04"
		  "acme\x12\x01r\x18\x01"
		  "B\x05\x08\x09\x1a\x01x",
		    20 },
		{ "\x0a\x0d\x0a\x04"
		  "acme\x12\x01r\x18\x02h\x01",
		    15 },
	};
	struct store *s = NULL;
	struct counts c;
	struct buf b;

	(void)state;
	assert_int_equal(store_mem_new(false, &s), 0);
	buf_init(&b, 10000);
	for (size_t i = 0; i < sizeof(payloads) / sizeof(payloads[0]); i++)
		mlog_record_append(&b, b.len, payloads[i]);
	assert_int_equal(made_put(s, "acme/r/", 0, buf_view(&b), NULL), 0);
	read_all(s, "acme/r/", &c);
	assert_int_equal(c.records, 4);
	assert_int_equal(c.issues, 3);
	assert_int_equal(c.tombstones, 1);
	assert_int_equal(c.old_bodies, 1);
	buf_clear(&b);
	store_close(s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_log_of_maintner_reads_whole_and_packs_to_the_same_bytes),
		cmocka_unit_test(a_small_log_made_here_does_so_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
