/* Whose record it is: what the shallow reader finds, and that damage is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tools/record_owner.h"

static void
names_are_found_wherever_they_stand(void **state)
{
	static const struct {
		struct slice payload;
		enum record_kind kind;
		const char *owner, *repo;
	} cases[] = {
		{ SLICE_INIT("\x0a\x06\x0a\x01o\x12\x01r"), RECORD_GITHUB, "o", "r" },
		{ SLICE_INIT("\x0a\x06\x12\x01r\x0a\x01o"), RECORD_GITHUB, "o", "r" },
		{ SLICE_INIT("\x1a\x06\x0a\x01o\x12\x01r"), RECORD_GITHUB, "o", "r" },
		/* a number before them, the last of two owners, an unknown field behind */
		{ SLICE_INIT("\x0a\x0b\x18\x07\x0a\x01x\x0a\x01o\x12\x01r\x28\x01"),
		    RECORD_GITHUB, "o", "r" },
		{ SLICE_INIT("\x12\x03git"), RECORD_GIT, "", "" },
		{ SLICE_INIT("\x22\x00"), RECORD_GERRIT, "", "" },
		{ SLICE_INIT(""), RECORD_OTHER, "", "" },
		{ SLICE_INIT("\x2a\x01?"), RECORD_OTHER, "", "" },
		{ SLICE_INIT("\x0a\x00"), RECORD_GITHUB, "", "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct record_owner got;

		assert_int_equal(record_owner_of(cases[i].payload, &got, NULL), 0);
		assert_int_equal(got.kind, cases[i].kind);
		assert_true(slice_is(got.owner, cases[i].owner));
		assert_true(slice_is(got.repo, cases[i].repo));
	}
}

static void
damage_is_an_error_and_leaves_the_output_alone(void **state)
{
	static const struct slice cases[] = {
		SLICE_INIT("\x0a"), /* no length */
		SLICE_INIT("\x0a\x05"
			   "abc"),               /* fewer bytes than it says */
		SLICE_INIT("\x0a\x03\x0a\x05x"), /* the same inside */
		SLICE_INIT("\x00\x01"),          /* field 0 */
		SLICE_INIT("\x0b"),              /* a group */
		SLICE_INIT(
		    "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), /* endless varint */
		SLICE_INIT("\x09"
			   "1234567"),                                  /* fixed64 cut off */
		SLICE_INIT("\x0a\xff\xff\xff\xff\xff\xff\xff\xff\x7f"), /* a huge length */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct record_owner got = { .kind = RECORD_GERRIT };
		struct err_info ei = { 0 };

		assert_int_equal(record_owner_of(cases[i], &got, &ei), ERR_CORRUPT);
		assert_int_equal(got.kind, RECORD_GERRIT);
		assert_true(ei.text[0] != '\0');
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_found_wherever_they_stand),
		cmocka_unit_test(damage_is_an_error_and_leaves_the_output_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
