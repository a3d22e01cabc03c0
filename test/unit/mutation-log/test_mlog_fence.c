/* test_mlog_fence.c - the record WRITER as text: strict in, the same out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/store/store_mem.h"
#include "mutation-log/mlog_fence.h"

#define SHA0 "cbd4d7c0defccd4ff74740c14d4a5bb57c0792c9dd48895bcd696622"
#define SHA1 "d14a028c2a3a2bc9476102bb288234c415a2b01f828ea62ac5b3e42f"
#define HEAD "{\"epoch\":3,\"holder\":\"pod-1\",\"released\":false,\"lease_s\":300"
#define TAIL(number) ",\"tail\":{\"number\":" number ",\"size\":40960,\"sha224\":\"" SHA1 "\"}"

static void
good_records_come_out_as_they_went_in(void **state)
{
	static const char *const texts[] = {
		HEAD ",\"tail\":null}\n",
		HEAD TAIL("0") "}\n",
		HEAD TAIL("0") ",\"nonce\":\"0123456789abcdef\"}\n",
		HEAD TAIL("1") ",\"next_number\":true,\"sealed\":[\"" SHA0 "\"]}\n",
		HEAD TAIL("2") ",\"sealed\":[\"" SHA0 "\",\"" SHA1 "\"]}\n",
		("{\"epoch\":1,\"holder\":\"a \\\"b\\\\\",\"released\":true,\"lease_s\":1,"
		 "\"tail\":null}\n"),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct mlog_fence f = { 0 }, copy = { 0 };
		struct err_info ei = { 0 };
		struct buf out;

		buf_init(&out, 10000);
		assert_int_equal(mlog_fence_parse(slice_str(texts[i]), &f, &ei), 0);
		assert_int_equal(mlog_fence_dup(&f, &copy), 0);
		assert_int_equal(mlog_fence_print(&copy, &out), 0);
		assert_string_equal(buf_cstr(&out), texts[i]);
		mlog_fence_clear(&f);
		mlog_fence_clear(&copy);
		buf_clear(&out);
	}
}

static void
the_documented_members_alone_are_enough_and_more_are_ignored(void **state)
{
	struct mlog_fence f = { 0 };

	(void)state;
	assert_int_equal(mlog_fence_parse(SLICE(HEAD TAIL("7") ",\"new\":[1]}"), &f, NULL), 0);
	assert_int_equal(f.epoch, 3);
	assert_string_equal(f.holder, "pod-1");
	assert_false(f.released);
	assert_int_equal(f.lease_s, 300);
	assert_true(f.has_tail);
	assert_int_equal(f.tail.number, 7);
	assert_int_equal(f.tail.size, 40960);
	assert_int_equal(f.sealed_count, 0);
	assert_false(f.next_number);
	assert_true(mlog_fence_names(&f, 7, SHA1));
	assert_false(mlog_fence_names(&f, 7, SHA0));
	assert_false(mlog_fence_names(&f, 6, SHA1));
	mlog_fence_clear(&f);
}

static void
bad_records_are_refused_with_the_member_named(void **state)
{
	static const struct {
		const char *text;
		const char *word;
	} cases[] = {
		{ "", "not JSON" },
		{ "{", "not JSON" },
		{ "[]", "not a JSON object" },
		{ "{}", "epoch" },
		{ HEAD TAIL("0") "} x", "not JSON" },
		{ HEAD ",\"tail\":null,\"tail\":null}", "not JSON" },
		{ "{\"epoch\":0,\"holder\":\"a\",\"released\":true,\"lease_s\":1,\"tail\":"
		  "null}",
		    "epoch" },
		{ "{\"epoch\":1.5,\"holder\":\"a\",\"released\":true,\"lease_s\":1,\"tail\":"
		  "null}",
		    "epoch" },
		{ "{\"epoch\":1,\"holder\":\"\",\"released\":true,\"lease_s\":1,\"tail\":null}",
		    "holder" },
		{ "{\"epoch\":1,\"holder\":\"a\\n\",\"released\":true,\"lease_s\":1,\"tail\":"
		  "null}",
		    "holder" },
		{ "{\"epoch\":1,\"holder\":5,\"released\":true,\"lease_s\":1,\"tail\":null}",
		    "holder" },
		{ "{\"epoch\":1,\"holder\":\"a\",\"released\":1,\"lease_s\":1,\"tail\":null}",
		    "released" },
		{ "{\"epoch\":1,\"holder\":\"a\",\"released\":true,\"lease_s\":0,\"tail\":"
		  "null}",
		    "lease_s" },
		{ "{\"epoch\":1,\"holder\":\"a\",\"released\":true,\"lease_s\":86401,"
		  "\"tail\":null}",
		    "lease_s" },
		{ HEAD "}", "tail" },
		{ HEAD ",\"tail\":[]}", "tail" },
		{ HEAD ",\"tail\":{}}", "tail: member number" },
		{ HEAD TAIL("10000") "}", "tail: member number" },
		{ HEAD TAIL("-1") "}", "tail: member number" },
		{ HEAD ",\"tail\":{\"number\":1,\"size\":-1,\"sha224\":\"" SHA1 "\"}}",
		    "tail: member size" },
		{ HEAD ",\"tail\":{\"number\":1,\"size\":1,\"sha224\":\"abc\"}}",
		    "tail: member sha224" },
		{ HEAD ",\"tail\":null,\"next_number\":true}", "next_number" },
		{ HEAD TAIL("0") ",\"next_number\":null}", "next_number" },
		{ HEAD TAIL("0") ",\"nonce\":\"xyz\"}", "nonce" },
		{ HEAD TAIL("2") ",\"sealed\":[\"" SHA0 "\"]}", "sealed" },
		{ HEAD TAIL("1") ",\"sealed\":[7]}", "sealed" },
		{ HEAD ",\"tail\":null,\"sealed\":[\"" SHA0 "\"]}", "sealed" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct mlog_fence f = { .epoch = 99 };
		struct err_info ei = { 0 };

		assert_int_equal(
		    mlog_fence_parse(slice_str(cases[i].text), &f, &ei), ERR_CORRUPT);
		assert_int_equal(f.epoch, 99);
		assert_non_null(strstr(ei.text, cases[i].word));
	}
}

static void
a_tail_grows_or_begins_the_next_number(void **state)
{
	struct mlog_segment seg = { .number = 1, .size = 5, .sha224 = SHA0 };
	struct mlog_fence f = { 0 };

	(void)state;
	assert_int_equal(mlog_fence_advance(&f, &seg), ERR_INVAL); /* begins at 0 */
	seg.number = 0;
	assert_int_equal(mlog_fence_advance(&f, &seg), 0);
	seg = (struct mlog_segment){ .number = 0, .size = 9, .sha224 = SHA1 };
	assert_int_equal(mlog_fence_advance(&f, &seg), 0);
	assert_int_equal(f.sealed_count, 0);
	seg.number = 2;
	assert_int_equal(mlog_fence_advance(&f, &seg), ERR_INVAL);
	f.next_number = true;
	seg.number = 0;
	assert_int_equal(mlog_fence_advance(&f, &seg), ERR_INVAL);
	seg = (struct mlog_segment){ .number = 1, .size = 3, .sha224 = SHA0 };
	assert_int_equal(mlog_fence_advance(&f, &seg), 0);
	assert_false(f.next_number);
	assert_int_equal(f.sealed_count, 1);
	assert_true(mlog_fence_names(&f, 0, SHA1));
	assert_true(mlog_fence_names(&f, 1, SHA0));
	mlog_fence_clear(&f);
}

static void
loading_names_the_object_and_survives_allocation_failures(void **state)
{
	static const char text[] = HEAD TAIL("1") ",\"sealed\":[\"" SHA0 "\"]}";
	struct mlog_fence f = { 0 };
	struct err_info ei = { 0 };
	struct store *s;
	int64_t generation = 0;
	int rc = ERR_NOMEM;

	(void)state;
	assert_int_equal(store_mem_new(false, &s), 0);
	assert_int_equal(mlog_fence_load(s, "o/r/", &f, &generation, &ei), ERR_NOENT);
	assert_int_equal(store_put(s, "o/r/WRITER", SLICE("{}"), STORE_ANY, NULL, NULL), 0);
	assert_int_equal(mlog_fence_load(s, "o/r/", &f, &generation, &ei), ERR_CORRUPT);
	assert_non_null(strstr(ei.text, "o/r/WRITER: member epoch"));
	assert_int_equal(store_put(s, "o/r/WRITER", SLICE(text), STORE_ANY, NULL, NULL), 0);
	for (long n = 0; rc != 0; n++) {
		mem_fail_after(n);
		rc = mlog_fence_load(s, "o/r/", &f, &generation, NULL);
		mem_fail_after(MEM_NEVER);
		assert_true(rc == 0 || (rc == ERR_NOMEM && f.holder == NULL));
	}
	assert_true(generation > 0);
	mlog_fence_clear(&f);
	store_close(s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_records_come_out_as_they_went_in),
		cmocka_unit_test(the_documented_members_alone_are_enough_and_more_are_ignored),
		cmocka_unit_test(bad_records_are_refused_with_the_member_named),
		cmocka_unit_test(a_tail_grows_or_begins_the_next_number),
		cmocka_unit_test(loading_names_the_object_and_survives_allocation_failures),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
