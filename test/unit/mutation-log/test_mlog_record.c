/* test_mlog_record.c - framing, placing and names, without a store. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "mutation-log/mlog_record.h"

static void
a_header_is_hexadecimal_and_not_padded(void **state)
{
	static const struct {
		uint64_t offset;
		size_t len;
		const char *want;
	} cases[] = {
		{ 0, 0, "REC@0+0=" },
		{ 0, 0x270, "REC@0+270=" },
		{ 0x382aff, 0xc8, "REC@382aff+c8=" },
		{ UINT64_MAX, SIZE_MAX, "REC@ffffffffffffffff+ffffffffffffffff=" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char got[MLOG_HEADER_MAX + 1];

		assert_int_equal(mlog_record_header(cases[i].offset, cases[i].len, got),
		    strlen(cases[i].want));
		assert_string_equal(got, cases[i].want);
	}
}

static void
a_header_parses_or_says_why_not(void **state)
{
	static const struct {
		const char *text;
		uint64_t offset;
		int want;
		size_t len;       /* of the payload when want is 0 */
		const char *word; /* in the error's text */
	} cases[] = {
		{ "REC@0+0=", 0, 0, 0, "" },
		{ "REC@27a+548=rest", 0x27a, 0, 0x548, "" },
		{ "REC@27A+0548=", 0x27a, 0, 0x548, "" },
		{ "REC@000000000000027a+4000000=", 0x27a, 0, MLOG_RECORD_MAX, "" },
		{ "", 0, ERR_CLOSED, 0, "cut short" },
		{ "R", 0, ERR_CLOSED, 0, "cut short" },
		{ "REC@", 0, ERR_CLOSED, 0, "cut short" },
		{ "REC@0", 0, ERR_CLOSED, 0, "cut short" },
		{ "REC@0+1", 0, ERR_CLOSED, 0, "cut short" },
		{ "rec@0+1=x", 0, ERR_CORRUPT, 0, "no record" },
		{ "X", 0, ERR_CORRUPT, 0, "no record" },
		{ "REC@+1=x", 0, ERR_CORRUPT, 0, "hex digit in the record's offset" },
		{ "REC@g+1=x", 0, ERR_CORRUPT, 0, "hex digit in the record's offset" },
		{ "REC@-1+1=x", 0, ERR_CORRUPT, 0, "hex digit in the record's offset" },
		{ "REC@0=1=x", 0, ERR_CORRUPT, 0, "hex digit in the record's offset" },
		{ "REC@0+=x", 0, ERR_CORRUPT, 0, "hex digit in the record's length" },
		{ "REC@0+1+x", 0, ERR_CORRUPT, 0, "hex digit in the record's length" },
		{ "REC@00000000000000000+1=x", 0, ERR_CORRUPT, 0, "too many digits" },
		{ "REC@1+1=x", 0, ERR_CORRUPT, 0, "says offset 0x1" },
		{ "REC@0+4000001=x", 0, ERR_CORRUPT, 0, "over-long" },
		{ "REC@0+ffffffffffffffff=x", 0, ERR_CORRUPT, 0, "over-long" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t header = 99, payload = 99;
		struct err_info ei = { 0 };
		struct slice text = slice_str(cases[i].text);

		assert_int_equal(
		    mlog_record_parse(text, cases[i].offset, &header, &payload, &ei),
		    cases[i].want);
		assert_int_equal(payload, cases[i].want == 0 ? cases[i].len : 99);
		assert_non_null(strstr(ei.text, cases[i].word));
	}
}

static void
records_go_on_in_a_segment_until_it_is_full(void **state)
{
	enum {
		MAX = MLOG_SEGMENT_MAX
	};
	static const struct {
		struct mlog_pos end;
		size_t len;
		int want;
		struct mlog_pos at;
		uint64_t end_offset;
	} cases[] = {
		{ { 0, 0 }, 5, 0, { 0, 0 }, 13 },
		{ { 3, 13 }, 5, 0, { 3, 13 }, 26 }, /* "REC@d+5=" and 5 */
		/* "REC@fffff0+7=" and 7 are 20 bytes. */
		{ { 0, MAX - 16 }, 7, 0, { 1, 0 }, 15 },
		{ { 0, MAX - 20 }, 7, 0, { 0, MAX - 20 }, MAX },
		{ { 0, MAX - 20 }, 8, 0, { 1, 0 }, 16 },
		{ { 0, MAX }, 0, 0, { 1, 0 }, 8 },
		/* One that is larger than a segment has one to itself. */
		{ { 0, 0 }, MAX + 1, 0, { 0, 0 }, MAX + 1 + 14 },
		{ { 0, 13 }, MAX + 1, 0, { 1, 0 }, MAX + 1 + 14 },
		{ { 1, MAX + 15 }, 5, 0, { 2, 0 }, 13 },
		{ { 0, 0 }, MLOG_RECORD_MAX, 0, { 0, 0 }, MLOG_RECORD_MAX + 14 },
		{ { 0, 0 }, MLOG_RECORD_MAX + 1, ERR_LIMIT, { 0, 0 }, 0 },
		{ { 9999, MAX }, 1, ERR_FULL, { 0, 0 }, 0 },
		{ { 10000, 0 }, 1, ERR_FULL, { 0, 0 }, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct mlog_pos at = { 77, 77 }, end = { 77, 77 };

		assert_int_equal(
		    mlog_place(cases[i].end, cases[i].len, &at, &end), cases[i].want);
		if (cases[i].want != 0) {
			assert_int_equal(at.segment, 77);
			continue;
		}
		assert_int_equal(mlog_pos_cmp(at, cases[i].at), 0);
		assert_int_equal(end.segment, cases[i].at.segment);
		assert_int_equal(end.offset, cases[i].end_offset);
	}
}

static void
a_run_is_whole_records_one_after_the_other(void **state)
{
	static const struct {
		const char *text;
		int want;
		size_t count;
		const char *word;
	} cases[] = {
		{ "REC@10+1=aREC@1a+2=bc", 0, 2, "" },
		{ "REC@10+0=", 0, 1, "" },
		{ "", ERR_CORRUPT, 0, "offset 0x10" },
		{ "REC@10+1=", ERR_CORRUPT, 0, "offset 0x10: the record is cut short" },
		{ "REC@10+1=aREC@1b+2=bc", ERR_CORRUPT, 0,
		    "offset 0x1a: the record says offset" },
		{ "REC@10+1=aREC@1a+2=bcd", ERR_CORRUPT, 0, "offset 0x25: no record" },
		{ "REC@10+1=aREC@1a+2", ERR_CORRUPT, 0, "offset 0x1a: the record's header" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct err_info ei = { 0 };
		size_t count = 0;

		assert_int_equal(
		    mlog_run_check(slice_str(cases[i].text), 0x10, &count, &ei), cases[i].want);
		assert_int_equal(count, cases[i].count);
		assert_non_null(strstr(ei.text, cases[i].word));
	}
}

#define SHA "cbd4d7c0defccd4ff74740c14d4a5bb57c0792c9dd48895bcd696622"

static void
segment_names_are_taken_apart_strictly(void **state)
{
	static const struct {
		const char *name;
		int want;
		uint32_t number;
	} cases[] = {
		{ "0000." SHA ".mutlog", 0, 0 },
		{ "9999." SHA ".mutlog", 0, 9999 },
		{ "WRITER", ERR_NOENT, 0 },
		{ "0000." SHA, ERR_NOENT, 0 },
		{ "", ERR_NOENT, 0 },
		{ ".mutlog", ERR_CORRUPT, 0 },
		{ "000." SHA "0.mutlog", ERR_CORRUPT, 0 },
		{ "00000." SHA ".mutlog", ERR_CORRUPT, 0 },
		{ "0x00." SHA ".mutlog", ERR_CORRUPT, 0 },
		{ "-001." SHA ".mutlog", ERR_CORRUPT, 0 },
		{ "0000-" SHA ".mutlog", ERR_CORRUPT, 0 },
		{ "0000.CBD4d7c0defccd4ff74740c14d4a5bb57c0792c9dd48895bcd696622.mutlog",
		    ERR_CORRUPT, 0 },
	};
	char made[MLOG_NAME_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char sha[SHA224_HEX_LEN + 1] = "";
		uint32_t number = 0;

		assert_int_equal(
		    mlog_segment_parse(cases[i].name, &number, sha), cases[i].want);
		assert_int_equal(number, cases[i].number);
		if (cases[i].want == 0)
			assert_string_equal(sha, SHA);
	}
	mlog_segment_name(42, SHA, made);
	assert_string_equal(made, "0042." SHA ".mutlog");
}

/* Tools delete what is a log's, and a sweep what a flush left: never what looks like it. */
static void
only_a_logs_own_names_are_its_parts(void **state)
{
	static const struct {
		const char *name;
		enum mlog_name_kind want;
	} cases[] = {
		{ "WRITER", MLOG_NAME_WRITER },
		{ "0042." SHA ".mutlog", MLOG_NAME_SEGMENT },
		{ "0042." SHA ".mutlog.0.delta", MLOG_NAME_DELTA },
		{ "0042." SHA ".mutlog.18446744073709551615.delta", MLOG_NAME_DELTA },
		{ "", MLOG_NAME_OTHER },
		{ "WRITER.delta", MLOG_NAME_OTHER },
		{ "mine.delta", MLOG_NAME_OTHER },
		{ "0042." SHA ".mutlog.delta", MLOG_NAME_OTHER },
		{ "0042." SHA ".mutlog..delta", MLOG_NAME_OTHER },
		{ "0042." SHA ".mutlog.7x.delta", MLOG_NAME_OTHER },
		{ "0042." SHA ".mutlog.7.delta.gz", MLOG_NAME_OTHER },
		{ "004x." SHA ".mutlog.7.delta", MLOG_NAME_OTHER },
		{ "below/0042." SHA ".mutlog", MLOG_NAME_OTHER },
		{ "below/0042." SHA ".mutlog.7.delta", MLOG_NAME_OTHER },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(mlog_name_kind(cases[i].name), cases[i].want);
}

static void
prefixes_end_with_a_slash(void **state)
{
	static const struct {
		const char *prefix;
		int want;
	} cases[] = {
		{ "", 0 },
		{ "o/r/", 0 },
		{ "o/.github/", 0 },
		{ "o/r", ERR_INVAL },
		{ "/", ERR_INVAL },
		{ "o//r/", ERR_INVAL },
		{ "../r/", ERR_INVAL },
	};
	char longest[MLOG_PREFIX_MAX + 2];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(mlog_prefix_check(cases[i].prefix, NULL), cases[i].want);
	memset(longest, 'x', sizeof(longest));
	longest[MLOG_PREFIX_MAX] = '/';
	longest[MLOG_PREFIX_MAX + 1] = '\0';
	assert_int_equal(mlog_prefix_check(longest, NULL), ERR_INVAL);
	assert_int_equal(mlog_prefix_check(longest + 1, NULL), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_header_is_hexadecimal_and_not_padded),
		cmocka_unit_test(a_header_parses_or_says_why_not),
		cmocka_unit_test(records_go_on_in_a_segment_until_it_is_full),
		cmocka_unit_test(a_run_is_whole_records_one_after_the_other),
		cmocka_unit_test(segment_names_are_taken_apart_strictly),
		cmocka_unit_test(only_a_logs_own_names_are_its_parts),
		cmocka_unit_test(prefixes_end_with_a_slash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
