/* The Link header in all its forms, and what stays with the token's host. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sync/github/gh_link.h"

static void
the_next_page_is_found_in_every_form_of_the_header(void **state)
{
	static const struct {
		const char *header;
		int rc;
		const char *next;
	} cases[] = {
		{ "", 0, "" },
		{ "<https://h/2>; rel=\"next\"", 0, "https://h/2" },
		{ "<https://h/2>;rel=\"next\"", 0, "https://h/2" },
		{ "<https://h/2>; rel=next", 0, "https://h/2" },
		{ "<https://h/2>; rel=next;x=y", 0, "https://h/2" },
		{ "<https://h/2>; rel=next , <https://h/9>; rel=last", 0, "https://h/2" },
		{ "<https://h/2>; REL=\"Next\"", 0, "https://h/2" },
		{ "<https://h/2> ; rel = \"next\"", 0, "https://h/2" },
		{ "<https://h/2>\t;\trel=\"next\"", 0, "https://h/2" },
		{ "<https://h/1>; rel=\"prev\", <https://h/3>; rel=\"next\"", 0,
		    "https://h/3" },
		{ "<https://h/1>; rel=\"prev\",<https://h/3>; rel=\"next\",", 0,
		    "https://h/3" },
		{ ", ,<https://h/3>; rel=\"next\"", 0, "https://h/3" },
		{ "<https://h/1>; rel=\"last\"", 0, "" },
		{ "<https://h/1>", 0, "" },
		{ "<https://h/?a=1,2&b=;c>; rel=\"next\"", 0, "https://h/?a=1,2&b=;c" },
		/* several relation types in one text */
		{ "<https://h/2>; rel=\"last next\"", 0, "https://h/2" },
		{ "<https://h/2>; rel=\"next last\"", 0, "https://h/2" },
		{ "<https://h/2>; rel=\"nextish\"", 0, "" },
		{ "<https://h/2>; rel=nextish", 0, "" },
		{ "<https://h/2>; xrel=next", 0, "" },
		/* only the first rel of a link counts */
		{ "<https://h/2>; rel=last; rel=next", 0, "" },
		/* what stands in a quoted text is text */
		{ "<https://h/2>; title=\"; rel=next;\"; rel=last", 0, "" },
		{ "<https://h/2>; title=\"a, <b>\"; rel=\"next\"", 0, "https://h/2" },
		{ "<https://h/2>; title=\"a\\\"; rel=next\"; rel=\"last\"", 0, "" },
		{ "<https://h/2>; title=\"a\\\", b\"; rel=\"next\"", 0, "https://h/2" },
		{ "<https://h/2>; title; rel=\"next\"", 0, "https://h/2" },
		{ "https://h/2; rel=\"next\"", ERR_PROTO, "" },
		{ "<https://h/2; rel=\"next\"", ERR_PROTO, "" },
		{ "nonsense", ERR_PROTO, "" },
		{ "<https://h/1>; rel=\"prev\", nonsense", ERR_PROTO, "" },
		{ "<https://a-host-that-is-too-long/2222>; rel=\"next\"", ERR_LIMIT, "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char out[32] = "before";
		int rc = gh_link_next(slice_str(cases[i].header), out, sizeof(out));

		if (rc != cases[i].rc || strcmp(out, cases[i].next) != 0)
			fail_msg("%s gives %s, %s", cases[i].header, err_name(rc), out);
	}
}

static void
a_header_cut_anywhere_is_read_within_its_bounds(void **state)
{
	static const char whole[] =
	    "<https://h/1>; title=\"a\\\"b\"; rel=\"prev\", <https://h/2>"
	    "; rel=\"next\"";

	(void)state;
	for (size_t len = 0; len < sizeof(whole); len++) {
		char out[64], *cut = test_malloc(len + 1);

		memcpy(cut, whole, len);
		gh_link_next((struct slice){ cut, len }, out, sizeof(out));
		test_free(cut);
	}
}

static void
the_token_stays_with_scheme_host_and_port(void **state)
{
	static const struct {
		const char *base, *url;
		bool same;
	} cases[] = {
		{ "https://api.github.com", "https://api.github.com/repos", true },
		{ "https://api.github.com", "https://api.github.com", true },
		{ "https://api.github.com", "https://api.github.com?x", true },
		{ "https://api.github.com", "https://api.github.com#x", true },
		{ "https://api.github.com", "HTTPS://API.GitHub.com/x", true },
		{ "https://api.github.com", "https://api.github.com:443/x", true },
		{ "https://api.github.com", "https://api.github.com:/x", true },
		{ "http://h:80/api/v3", "http://h/other", true },
		{ "http://h:8080/api/v3", "http://h:8080/other", true },
		{ "http://[::1]:80/x", "http://[::1]/y", true },
		{ "https://api.github.com", "http://api.github.com/x", false },
		{ "https://api.github.com", "https://api.github.com:444/x", false },
		{ "https://api.github.com", "https://api.github.com:80/x", false },
		{ "http://h:8080", "http://h/x", false },
		{ "https://api.github.com", "https://api.github.com.evil.net/x", false },
		{ "https://api.github.com", "https://evil.net/api.github.com", false },
		{ "https://api.github.com", "https://api.github.com@evil.net/x", false },
		{ "https://api.github.com", "https://api.github.com:x@evil.net/x", false },
		{ "https://api.github.com", "https://evil.net@api.github.com/x", false },
		{ "https://api.github.com", "https://evil.net#@api.github.com/x", false },
		{ "https://api.github.com", "https://evil.net?@api.github.com/x", false },
		{ "https://api.github.com", "https://evil.net\\@api.github.com/x", false },
		{ "https://api.github.com", "https://api.github.com\\.evil.net/x", false },
		{ "https://api.github.com", "https://api.github.com.", false },
		{ "https://api.github.com", "https://api.github.comx/", false },
		{ "https://api.github.com", "https://api.github.co/", false },
		{ "https://api.github.com", " https://api.github.com/", false },
		{ "https://api.github.com", "https:///x", false },
		{ "https://api.github.com", "https:api.github.com", false },
		{ "https://api.github.com", "//api.github.com/x", false },
		{ "https://api.github.com", "/x", false },
		{ "https://api.github.com", "", false },
		{ "https://api.github.com", "ftp://api.github.com/x", false },
		{ "https://api.github.com", "file:///etc/passwd", false },
		{ "https://api.github.com", "https://api.github.com:443:80/x", false },
		{ "http://[::1]:80/x", "http://[::2]/y", false },
		{ "http://[::1", "http://[::1", false },
		{ "", "", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (gh_same_origin(cases[i].base, cases[i].url) != cases[i].same)
			fail_msg("%s and %s", cases[i].base, cases[i].url);
		if (cases[i].base[0] != '\0' &&
		    gh_same_origin(cases[i].url, cases[i].base) != cases[i].same)
			fail_msg("%s and %s", cases[i].url, cases[i].base);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_next_page_is_found_in_every_form_of_the_header),
		cmocka_unit_test(a_header_cut_anywhere_is_read_within_its_bounds),
		cmocka_unit_test(the_token_stays_with_scheme_host_and_port),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
