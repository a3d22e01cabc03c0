/* Field masks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <ctype.h>
#include <string.h>

#include "fcgi/fields.h"

static void
every_field_has_a_key_of_its_own(void **state)
{
	(void)state;
	for (unsigned f = 0; f < FIELD_COUNT; f++) {
		assert_true(islower((unsigned char)field_key(f)[0]));
		for (unsigned g = 0; g < f; g++)
			assert_string_not_equal(field_key(f), field_key(g));
	}
}

static void
an_empty_mask_is_everything_that_need_not_be_asked_for(void **state)
{
	uint64_t fields = 0;

	(void)state;
	assert_int_equal(fields_parse(SLICE(""), &fields, NULL), 0);
	for (unsigned f = 0; f < FIELD_COUNT; f++)
		assert_int_equal((fields & FIELD_BIT(f)) != 0,
		    f != FIELD_COMMENTS && f != FIELD_REVIEWS && f != FIELD_REVIEW_COMMENTS);
}

/* "createdAt" as "created_at". */
static void
snake(const char *camel, char *out)
{
	for (; *camel != '\0'; camel++) {
		if (isupper((unsigned char)*camel))
			*out++ = '_';
		*out++ = (char)tolower((unsigned char)*camel);
	}
	*out = '\0';
}

static void
each_field_is_found_in_camel_and_snake_case(void **state)
{
	char all[1024] = "";

	(void)state;
	for (unsigned f = 0; f < FIELD_COUNT; f++) {
		uint64_t fields = 0;
		char name[64];

		assert_int_equal(fields_parse(slice_str(field_key(f)), &fields, NULL), 0);
		assert_true(fields == FIELD_BIT(f));
		snake(field_key(f), name);
		assert_int_equal(fields_parse(slice_str(name), &fields, NULL), 0);
		assert_true(fields == FIELD_BIT(f));
		strcat(all, f > 0 ? "," : "");
		strcat(all, name);
		assert_int_equal(fields_parse(slice_str(all), &fields, NULL), 0);
		assert_true(fields == FIELD_BIT(f + 1) - 1);
	}
}

static void
what_is_no_field_is_named(void **state)
{
	static const struct {
		const char *mask, *named;
	} cases[] = {
		{ "nothing", "\"nothing\"" },
		{ "Title", "\"Title\"" },
		{ "_title", "\"_title\"" },
		{ "title_", "\"title_\"" },
		{ "created__at", "\"created__at\"" },
		{ "createdat", "\"createdat\"" },
		{ "title body", "\"title body\"" },
		{ "title, body", "\" body\"" },
		{ "tit", "\"tit\"" },
		{ "titles", "\"titles\"" },
		{ ",", "\"\"" },
		{ "title,", "\"\"" },
		{ "title,,body", "\"\"" },
		{ "*", "\"*\"" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct err_info ei = { .text = "" };
		uint64_t fields = 99;
		int rc = fields_parse(slice_str(cases[i].mask), &fields, &ei);

		if (rc != ERR_INVAL || strstr(ei.text, cases[i].named) == NULL)
			fail_msg("%s: %s", cases[i].mask, ei.text);
		assert_true(fields == 99);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_field_has_a_key_of_its_own),
		cmocka_unit_test(an_empty_mask_is_everything_that_need_not_be_asked_for),
		cmocka_unit_test(each_field_is_found_in_camel_and_snake_case),
		cmocka_unit_test(what_is_no_field_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
