/* test_payload.c - repository.full_name out of payloads, however they are cut. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "router/payload.h"

/* The name as it comes out when the text arrives in pieces of `step` bytes. */
static int
name_of(struct slice text, size_t step, char name[REPO_NAME_MAX + 1])
{
	struct payload p;
	int rc;

	payload_init(&p);
	for (size_t at = 0; at < text.len; at += step)
		payload_add(&p, (struct slice){ text.ptr + at,
				    text.len - at < step ? text.len - at : step });
	rc = payload_name(&p, name, NULL);
	payload_clear(&p);
	return rc;
}

#define REPO "{\"id\":1,\"full_name\":\"a/b\",\"owner\":{\"x\":[1,\"}\"]}}"

static void
the_name_is_found_wherever_it_stands(void **state)
{
	static const char *const texts[] = {
		"{\"repository\":" REPO "}",
		" { \"repository\" \t: \n" REPO " } ",
		"{\"action\":\"x\",\"repository\":" REPO ",\"sender\":{}}",
		"{\"issue\":{\"repository\":{\"full_name\":\"no/no\"}},\"repository\":" REPO
		"}",
		"{\"list\":[{\"repository\":1},\"repository\"],\"repository\":" REPO "}",
		"{\"a\":\"repository\",\"repository\":" REPO "}",
		"{\"a\":\"\\\"repository\\\":{\",\"repository\":" REPO "}",
		"{\"a\":\"\\\\\",\"repository\":" REPO "}",
		"{\"xrepository\":1,\"repositoryx\":2,\"repository\":" REPO "}",
		"{\"repository\":" REPO ",\"repository\":{\"full_name\":\"no/no\"}}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		for (size_t step = 1; step < 9; step++) {
			char name[REPO_NAME_MAX + 1] = "";

			if (name_of(slice_str(texts[i]), step, name) != 0)
				fail_msg("not found in %s", texts[i]);
			assert_string_equal(name, "a/b");
		}
	}
}

static void
what_is_no_repository_is_told(void **state)
{
	static const struct {
		const char *text;
		int want;
	} cases[] = { { "", ERR_NOENT }, { "{}", ERR_NOENT }, { "[]", ERR_NOENT },
		{ "{\"a\":{\"repository\":" REPO "}}", ERR_NOENT },
		{ "{\"repository\":" REPO, ERR_NOENT }, { "{\"repository\":7}", ERR_PROTO },
		{ "{\"repository\":null}", ERR_PROTO }, { "{\"repository\":{}}", ERR_PROTO },
		{ "{\"repository\":{\"full_name\":7}}", ERR_PROTO },
		{ "{\"repository\":{\"full_name\":\"a\"}}", ERR_PROTO },
		{ "{\"repository\":{\"full_name\":\"a/b/c\"}}", ERR_PROTO },
		{ "{\"repository\":{\"full_name\":\"../b\"}}", ERR_PROTO },
		{ "{\"repository\":{\"full_name\":\"a/b\\u0000c\"}}", 0 },
		{ "{\"repository\":{\"full_name\":\"a/b\",}}", ERR_PROTO },
		{ "}}}{\"repository\":" REPO "}", 0 } };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char name[REPO_NAME_MAX + 1] = "before";
		int rc = name_of(slice_str(cases[i].text), 3, name);

		if (rc != cases[i].want)
			fail_msg("%s: %d", cases[i].text, rc);
		if (rc != 0)
			assert_string_equal(name, "before");
	}
}

static void
only_so_much_is_kept(void **state)
{
	char name[REPO_NAME_MAX + 1];
	struct buf b;

	(void)state;
	buf_init(&b, 8 << 20);
	buf_str(&b, "{\"long\":\"");
	while (b.len < (size_t)4 << 20)
		buf_str(&b, "0123456789abcdef0123456789abcdef");
	buf_str(&b, "\",\"repository\":" REPO "}");
	assert_int_equal(name_of(buf_view(&b), 65536, name), 0);
	buf_reset(&b);
	buf_str(&b, "{\"repository\":{\"full_name\":\"a/b\",\"x\":\"");
	while (b.len <= 2 * PAYLOAD_KEPT_MAX)
		buf_str(&b, "0123456789abcdef0123456789abcdef");
	buf_str(&b, "\"}}");
	assert_int_equal(name_of(buf_view(&b), 65536, name), ERR_LIMIT);
	buf_clear(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_name_is_found_wherever_it_stands),
		cmocka_unit_test(what_is_no_repository_is_told),
		cmocka_unit_test(only_so_much_is_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
