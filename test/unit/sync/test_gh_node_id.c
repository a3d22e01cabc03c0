/* Node ids: both forms are read, and nothing else is taken for one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/err.h"
#include "sync/github/gh_node_id.h"

#define UNTOUCHED INT64_C(-77)

static void
both_forms_name_the_rest_id(void **state)
{
	static const struct {
		const char *node;
		int64_t id;
	} cases[] = {
		/* as GitHub sent them */
		{ "LE_lADOEEET9c7B1Wf-zwAAAARdpkRO", 18751046734 },
		{ "MDEyOkxhYmVsZWRFdmVudDQ2NzM4OTMxNzk=", 4673893179 },
		{ "PRR_kwDOEEET9c48fCYu", 1014769198 },
		{ "MDQ6VXNlcjU4MzIzMQ==", 583231 }, /* 04:User583231 */
		{ "U_kgDOAAjmPw", 583231 },         /* [0, 583231] */
		/* with and without padding, in both alphabets */
		{ "MDEyOkxhYmVsZWRFdmVudDQ2NzM4OTMxNzk", 4673893179 },
		{ "LE_lADOEEET9c7B1Wf+zwAAAARdpkRO", 18751046734 },
		/* 010:Repository1 */
		{ "MDEwOlJlcG9zaXRvcnkx", 1 },
		/* every size of MessagePack's integers: [0, 5, n] */
		{ "LE_kwAFBw", 7 },
		{ "LE_kwAFzMg", 200 },
		{ "LE_kwAFzepg", 60000 },
		{ "LE_kwAFz3__________", INT64_MAX },
		{ "LE_lAABAgM", 3 }, /* [0, 1, 2, 3] */
		/* 012:LabeledEvent9223372036854775807 */
		{ "MDEyOkxhYmVsZWRFdmVudDkyMjMzNzIwMzY4NTQ3NzU4MDc=", INT64_MAX },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int64_t id = UNTOUCHED;

		assert_int_equal(gh_node_id_number(cases[i].node, &id), 0);
		assert_int_equal(id, cases[i].id);
	}
}

static void
all_refused(const char *const *nodes, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		int64_t id = UNTOUCHED;

		if (gh_node_id_number(nodes[i], &id) != ERR_UNSUPPORTED)
			fail_msg("\"%s\" was read", nodes[i]);
		assert_int_equal(id, UNTOUCHED);
	}
}

static void
what_is_no_node_id_is_refused(void **state)
{
	static const char *const nodes[] = { "", "_", "=", "====", "LE", "LE_",
		"LE_=", "_lADOEEET9c7B1Wf-zwAAAARdpkRO", "5", "4673893179", "no id at all",
		"LE_lADOEEET9c7B1Wf-zwAAAARdpkR", /* a character less */
		"LE_lADOEEET9c7B1Wf-zwAAAARdpkROO", "LE_lADOEEET9c7B1Wf-zw.AAAARdpkRO",
		"LE_lADO EEET9c7B1Wf-zwAAAARdpkRO", "LE_lADOEEET9c7B1Wf-zwAAAARdpkRO\n",
		"LE__lADOEEET9c7B1Wf-zwAAAARdpkRO", "LE_\303\244",
		"A_PREFIX_THAT_IS_FAR_TOO_LONG_lADOEEET9c7B1Wf-zwAAAARdpkRO",
		"APREFIXTHATISFARTOOLONG_lADOEEET9c7B1Wf-zwAAAARdpkRO",
		"MDEyOkxhYmVsZWRFdmVudDQ2NzM4OTMxNzk=x",
		"=MDEyOkxhYmVsZWRFdmVudDQ2NzM4OTMxNzk" };

	(void)state;
	all_refused(nodes, sizeof(nodes) / sizeof(nodes[0]));
}

static void
malformed_older_ids_are_refused(void **state)
{
	static const char *const nodes[] = {
		"MDEyOkxhYmVsZWRFdmVudDkyMjMzNzIwMzY4NTQ3NzU4MDg=", /* 2^63 */
		"MDEyOkxhYmVsZWRFdmVudDEwMDAwMDAwMDAwMDAwMDAwMDAw", /* 20 digits */
		"MDEyOkxhYmVsZWRFdmVudDA=",                         /* 0 */
		"MDEyOkxhYmVsZWRFdmVudA==",                         /* no number */
		"MDEyOkxhYmVsZWRFdmVudC01",                         /* -5 */
		"MDEyOkxhYmVsZWRFdmVudCs1",                         /* +5 */
		"MDEyOkxhYmVsZWRFdmVudDFm",                         /* 1f */
		"MDEyOkxhYmVsZWRFdmVudCA1",                         /* a blank before 5 */
		"MDEyOkxhYmVsZWRFdmVudDUK",                         /* a newline after 5 */
		"MDEyOkxhYmVsZWRFdmVudDUANg==",                     /* a NUL after 5 */
		"MDExOkxhYmVsZWRFdmVudDU=",                         /* 011:LabeledEvent5 */
		"MDEzOkxhYmVsZWRFdmVudDU=",                         /* 013:LabeledEvent5 */
		"MDk5OkxhYmVsZWRFdmVudDU=",                         /* 099:LabeledEvent5 */
		"MDEyLUxhYmVsZWRFdmVudDU=",                         /* 012-LabeledEvent5 */
		"MTI6TGFiZWxlZEV2ZW50NQ==",                         /* 12:LabeledEvent5 */
		"MDAxMjpMYWJlbGVkRXZlbnQ1",                         /* 0012:LabeledEvent5 */
		"MDo1", "MDA6NQ==", "MDAwOjU=",                     /* 0:5, 00:5, 000:5 */
		"MDEy", "MDEyOg==",                                 /* 012 and 012: */
		"MDEyOkxhYmVsZWRFdmVuNTU=",                         /* 012:LabeledEven55 */
		"TGFiZWxlZEV2ZW50NQ==",                             /* LabeledEvent5 */
		"MDY6Q29tbWl0MTg2MjozZjJh",                         /* 06:Commit1862:3f2a */
	};

	(void)state;
	all_refused(nodes, sizeof(nodes) / sizeof(nodes[0]));
}

static void
malformed_newer_ids_are_refused(void **state)
{
	static const char *const nodes[] = {
		"LE_kwAFz4AAAAAAAAAA", /* [0, 5, 2^63] */
		"LE_kwAFAA",           /* [0, 5, 0] */
		"LE_kwEFBw",           /* [1, 5, 7]: another version */
		"LE_kA",               /* [] */
		"LE_kQA",              /* [0] */
		"LE_kQc",              /* [7] */
		"LE_kwAFzgABEQ",       /* [0, 5, a number of which a byte is missing] */
		"LE_kwAFzg",           /* ... or all of it */
		"LE_kwAF",             /* an array of three that has two */
		"LE_kwAFBwA",          /* a byte after [0, 5, 7] */
		"LE_kwAFozdhYg",       /* [0, 5, "7ab"] */
		"LE_kwAF_w",           /* [0, 5, -1] */
		"LE_kwAF0AU",          /* [0, 5, a signed 5] */
		"LE_kwAFywAAAAAAAAAA", /* [0, 5, 0.0] */
		"LE_kwAFwA",           /* [0, 5, nil] */
		"LE_3AADAAUH",         /* a long array */
		"LE_3QAAAAMABQc",      /* a longer one */
		"LE_gwAFBw",           /* a map */
		"LE_kgCRBw",           /* [0, [7]] */
	};

	(void)state;
	all_refused(nodes, sizeof(nodes) / sizeof(nodes[0]));
}

static void
ids_of_any_length_are_safe(void **state)
{
	(void)state;
	for (size_t len = 1; len < 600; len++) {
		char text[604] = "LE_";
		const char *at[] = { text, text + 3 };

		memset(text + 3, 'A', len);
		text[3 + len] = '\0';
		all_refused(at, 2);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_forms_name_the_rest_id),
		cmocka_unit_test(what_is_no_node_id_is_refused),
		cmocka_unit_test(malformed_older_ids_are_refused),
		cmocka_unit_test(malformed_newer_ids_are_refused),
		cmocka_unit_test(ids_of_any_length_are_safe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
