/* Field masks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <ctype.h>
#include <stdio.h>
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

static int
parse(const char *mask, uint64_t *fields, struct err_info *ei)
{
	struct field_paths paths;
	int rc = fields_parse(slice_str(mask), fields, &paths, ei);

	if (rc == 0)
		assert_true(paths.picked == 0);
	return rc;
}

static void
an_empty_mask_is_everything_that_need_not_be_asked_for(void **state)
{
	uint64_t fields = 0;

	(void)state;
	assert_int_equal(parse("", &fields, NULL), 0);
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

		assert_int_equal(parse(field_key(f), &fields, NULL), 0);
		assert_true(fields == FIELD_BIT(f));
		snake(field_key(f), name);
		assert_int_equal(parse(name, &fields, NULL), 0);
		assert_true(fields == FIELD_BIT(f));
		strcat(all, f > 0 ? "," : "");
		strcat(all, name);
		assert_int_equal(parse(all, &fields, NULL), 0);
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
		{ "title.x", "\"title.x\"" },
		{ "comments.", "\"comments.\"" },
		{ ".body", "\".body\"" },
		{ ".", "\".\"" },
		{ "comments.nothing", "\"comments.nothing\"" },
		{ "comments.user.name", "\"comments.user.name\"" },
		{ "comments.user.login.x", "\"comments.user.login.x\"" },
		{ "comments..body", "\"comments..body\"" },
		{ "comments.*", "\"comments.*\"" },
		{ "reporter.id,labels.name", "\"labels.name\"" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct err_info ei = { .text = "" };
		uint64_t fields = 99;
		int rc = parse(cases[i].mask, &fields, &ei);

		if (rc != ERR_INVAL || strstr(ei.text, cases[i].named) == NULL)
			fail_msg("%s: %s", cases[i].mask, ei.text);
		assert_true(fields == 99);
	}
}

/* Every path of every field, alone and under its parent, in both spellings. */
static void
each_path_in_a_field_is_found(void **state)
{
	unsigned count = 0;

	(void)state;
	for (unsigned f = 0; f < FIELD_COUNT; f++) {
		const char *path;

		for (unsigned n = 0; (path = field_path(f, n)) != NULL; n++, count++) {
			char camel[100], name[100], both[300];
			struct field_paths paths;
			uint64_t fields;

			assert_true(n < 64);
			snprintf(camel, sizeof(camel), "%s.%s", field_key(f), path);
			assert_int_equal(
			    fields_parse(slice_str(camel), &fields, &paths, NULL), 0);
			assert_true(fields == FIELD_BIT(f) && paths.picked == FIELD_BIT(f));
			assert_true(paths.of[f] == UINT64_C(1) << n);
			snake(camel, name);
			assert_int_equal(
			    fields_parse(slice_str(name), &fields, &paths, NULL), 0);
			assert_true(paths.of[f] == UINT64_C(1) << n);
			snprintf(both, sizeof(both), "%s,%s,%s", camel, field_key(f), name);
			assert_int_equal(
			    fields_parse(slice_str(both), &fields, &paths, NULL), 0);
			assert_true(fields == FIELD_BIT(f) && paths.picked == 0);
			assert_true(paths.of[f] == 0);
		}
	}
	assert_int_equal(count, 89);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_field_has_a_key_of_its_own),
		cmocka_unit_test(an_empty_mask_is_everything_that_need_not_be_asked_for),
		cmocka_unit_test(each_field_is_found_in_camel_and_snake_case),
		cmocka_unit_test(what_is_no_field_is_named),
		cmocka_unit_test(each_path_in_a_field_is_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
